"""The pipeline on a vector database: Qdrant in local mode, in memory and on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnablePassthrough

from aimlapi_core import EmbeddingReply
from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from tests.langchain.calls import bodies, invoke, stream
from tests.langchain.library import ANSWER, FACTS, QUESTIONS, documents, told

WHY = "the heavy stores are installed by make test-all"
langchain_qdrant = pytest.importorskip("langchain_qdrant", reason=WHY)
qdrant = pytest.importorskip("qdrant_client", reason=WHY)

pytestmark = pytest.mark.heavy

Make = Callable[..., AIMLAPIEmbeddings]


@pytest.fixture
def store(embeddings: Make) -> Iterator[Any]:
    made = langchain_qdrant.QdrantVectorStore.from_documents(
        documents(), embeddings(dimensions=512), location=":memory:", collection_name="facts"
    )
    yield made
    made.client.close()


def test_documents_go_in_the_stores_batches(store: Any, emu: Emulator) -> None:
    inputs = [body["input"] for body in bodies(emu.requests)]
    sent = [text for texts in inputs if isinstance(texts, list) for text in texts]
    assert [text for text in sent if text in FACTS.values()] == list(FACTS.values())
    assert {body["dimensions"] for body in bodies(emu.requests)} == {512}
    assert store.client.get_collection("facts").config.params.vectors[""].size == 512


@pytest.mark.parametrize(("question", "source", "answer"), QUESTIONS)
def test_an_answer_is_retrieved_streamed_and_cited(
    how: str, question: str, source: str, answer: str, store: Any, chat: Callable[..., ChatAIMLAPI]
) -> None:
    retriever = store.as_retriever(search_kwargs={"k": 4})
    chain: Any = {"context": retriever | told, "question": RunnablePassthrough()} | ANSWER
    chain = chain | chat() | StrOutputParser()
    whole = invoke(how, chain, question)
    assert answer in whole
    assert source in whole
    assert "".join(stream(how, chain, question)) == whole


def test_filters_scores_and_diversity(store: Any) -> None:
    models = qdrant.models
    match = models.FieldCondition(key="metadata.source", match=models.MatchValue(value="comet.md"))
    question, source, _ = QUESTIONS[0]
    (found,) = store.similarity_search(question, k=3, filter=models.Filter(must=[match]))
    assert found.page_content == FACTS["comet.md"]
    scored = store.similarity_search_with_score(question, k=3)
    assert scored[0][0].metadata["source"] == source
    assert scored[0][1] > 2 * scored[1][1]
    diverse = store.max_marginal_relevance_search(question, k=3, fetch_k=20)
    assert diverse[0].metadata["source"] == source


def test_a_store_on_disk_is_used_again(emu: Emulator, embeddings: Make, tmp_path: Path) -> None:
    usage: list[EmbeddingReply] = []
    place: Any = {"path": str(tmp_path / "db"), "collection_name": "facts"}
    store = langchain_qdrant.QdrantVectorStore
    first = store.from_documents(documents(), embeddings(), **place)
    first.client.close()
    emu.clear()
    again = store.from_existing_collection(embedding=embeddings(on_usage=usage.append), **place)
    question, source, _ = QUESTIONS[1]
    assert again.similarity_search(question, k=1)[0].metadata["source"] == source
    again.client.close()
    assert not any(
        fact in str(body["input"]) for body in bodies(emu.requests) for fact in FACTS.values()
    )
    assert len(usage) == len(emu.requests)


def test_another_length_than_the_stores_is_told(embeddings: Make, tmp_path: Path) -> None:
    place: Any = {"path": str(tmp_path / "db"), "collection_name": "facts"}
    store = langchain_qdrant.QdrantVectorStore
    first = store.from_documents(documents()[:2], embeddings(), **place)
    first.client.close()
    with pytest.raises(langchain_qdrant.qdrant.QdrantVectorStoreError, match="dimensions"):
        store.from_existing_collection(embedding=embeddings(dimensions=512), **place)
