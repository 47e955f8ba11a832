"""Questions answered from documents: embedding model, in-memory store, engine and model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from pydantic import BaseModel

from aimlapi_emulator import Emulator
from tests.llama_index.towns import ANSWER, FACTS, QUESTION, SOURCE, documents, files, text_of

Make = Callable[..., Any]
MODES = [ResponseMode.COMPACT, ResponseMode.REFINE, ResponseMode.TREE_SUMMARIZE]
MODES += [ResponseMode.SIMPLE_SUMMARIZE]
BOTH = pytest.mark.parametrize("asynchronous", [False, True])
STREAMING = pytest.mark.parametrize("streaming", [False, True])


def chats(emu: Emulator) -> list[Any]:
    return [seen for seen in emu.requests if seen.path.endswith("/chat/completions")]


def test_fifty_documents_are_embedded_in_one_request(
    index: VectorStoreIndex, emu: Emulator
) -> None:
    assert len(FACTS) == 50
    assert [len(seen.body["input"]) for seen in emu.requests] == [50]


@pytest.mark.parametrize("shown", [False, True])
def test_building_an_index_can_show_its_progress(
    embedder: Make, capfd: pytest.CaptureFixture[str], shown: bool
) -> None:
    model = embedder(embed_batch_size=5, dimensions=8)
    VectorStoreIndex.from_documents(documents(), embed_model=model, show_progress=shown)
    bar = capfd.readouterr().err
    assert ("Generating embeddings: 100%" in bar and "10/10" in bar) is shown


@pytest.mark.parametrize("name", list(FACTS)[::6])
@BOTH
async def test_a_question_finds_its_document(
    index: VectorStoreIndex, name: str, asynchronous: bool
) -> None:
    town, kind = name.removesuffix(".txt").split("-")
    question = f"What do we know of the {kind} in {town.title()}?"
    retriever = index.as_retriever(similarity_top_k=3)
    found = await retriever.aretrieve(question) if asynchronous else retriever.retrieve(question)
    assert found[0].node.metadata["file_name"] == name
    assert found[0].score > found[1].score


@pytest.mark.parametrize("mode", MODES)
@STREAMING
@BOTH
async def test_modes_that_give_one_answer(
    make: Make,
    index: VectorStoreIndex,
    emu: Emulator,
    mode: ResponseMode,
    streaming: bool,
    asynchronous: bool,
) -> None:
    engine = index.as_query_engine(
        llm=make(), response_mode=mode, streaming=streaming, similarity_top_k=3
    )
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    text = await text_of(response)
    assert ANSWER in text
    assert SOURCE in text
    assert files(response)[0] == SOURCE
    assert len(files(response)) == 3
    assert len(chats(emu)) == (3 if mode is ResponseMode.REFINE else 1)
    assert bool(chats(emu)[-1].body.get("stream")) is streaming
    assert all(seen.problems == () for seen in emu.requests)


@pytest.mark.parametrize("mode", [ResponseMode.ACCUMULATE, ResponseMode.COMPACT_ACCUMULATE])
@BOTH
async def test_modes_that_give_an_answer_a_chunk(
    make: Make, index: VectorStoreIndex, emu: Emulator, mode: ResponseMode, asynchronous: bool
) -> None:
    engine = index.as_query_engine(llm=make(), response_mode=mode, similarity_top_k=3)
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    answers = str(response).split("\n---------------------\n")
    assert len(answers) == len(chats(emu)) == (3 if mode is ResponseMode.ACCUMULATE else 1)
    assert ANSWER in answers[0]
    assert SOURCE in answers[0]
    assert files(response)[0] == SOURCE


@pytest.mark.parametrize("mode", [ResponseMode.NO_TEXT, ResponseMode.CONTEXT_ONLY])
@BOTH
async def test_modes_without_an_answer_ask_no_model(
    make: Make,
    index: VectorStoreIndex,
    emu: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    mode: ResponseMode,
    asynchronous: bool,
) -> None:
    """The model is set for all, since LlamaIndex builds these two without handing it on."""
    monkeypatch.setattr(Settings, "_llm", make())
    synthesizer = get_response_synthesizer(response_mode=mode)
    engine = index.as_query_engine(llm=make(), response_synthesizer=synthesizer)
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    assert files(response)[0] == SOURCE
    assert chats(emu) == []
    assert (ANSWER in str(response)) is (mode is ResponseMode.CONTEXT_ONLY)


def test_a_structured_answer_from_documents(make: Make, index: VectorStoreIndex) -> None:
    class Cast(BaseModel):
        year: int

    engine = index.as_query_engine(llm=make(), output_cls=Cast, response_mode="compact")
    response = engine.query(QUESTION)
    assert response.response == Cast(year=int(ANSWER))
    assert files(response)[0] == SOURCE


@STREAMING
@BOTH
async def test_citations_number_the_sources(
    make: Make, index: VectorStoreIndex, streaming: bool, asynchronous: bool
) -> None:
    engine = CitationQueryEngine.from_args(
        index, llm=make(), similarity_top_k=3, streaming=streaming
    )
    response = await engine.aquery(QUESTION) if asynchronous else engine.query(QUESTION)
    text = await text_of(response)
    assert ANSWER in text
    assert "[1]" in text
    assert files(response)[0] == SOURCE
    assert response.source_nodes[0].node.get_content().startswith("Source 1:")


@BOTH
async def test_documents_can_be_added_and_taken_away(
    index: VectorStoreIndex, emu: Emulator, asynchronous: bool
) -> None:
    emu.requests.clear()
    new = Document(text="The ferry of Aldra sails at noon.", doc_id="ferry")
    if asynchronous:
        await index.ainsert(new)
    else:
        index.insert(new)
    assert [seen.body["input"] for seen in emu.requests] == ["The ferry of Aldra sails at noon."]
    retriever = index.as_retriever(similarity_top_k=1)
    assert retriever.retrieve("When does the ferry sail?")[0].node.ref_doc_id == "ferry"
    index.delete_ref_doc("ferry")
    assert retriever.retrieve("When does the ferry sail?")[0].node.ref_doc_id != "ferry"


async def test_an_index_is_built_and_asked_asynchronously(
    make: Make, embedder: Make, emu: Emulator
) -> None:
    model = embedder(embed_batch_size=7)
    given = documents()
    vectors = await model.aget_text_embedding_batch([doc.text for doc in given])
    assert len(emu.requests) == 8
    for document, vector in zip(given, vectors, strict=True):
        document.embedding = vector
    index = VectorStoreIndex([], embed_model=model)
    await index.ainsert_nodes(given)
    assert len(emu.requests) == 8
    response = await index.as_query_engine(llm=make(), streaming=True).aquery(QUESTION)
    assert SOURCE in await text_of(response)
    assert files(response)[0] == SOURCE
