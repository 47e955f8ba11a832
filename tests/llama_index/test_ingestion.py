"""LlamaIndex's ingestion pipeline with the embedding model as its last transformation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.ingestion import DocstoreStrategy, IngestionCache, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import BaseNode
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import SimpleVectorStore

from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPIEmbedding

Make = Callable[..., AIMLAPIEmbedding]
BOTH = pytest.mark.parametrize("asynchronous", [False, True])


def documents(changed: int | None = None) -> list[Document]:
    """30 documents with ids; the text of one may be another."""
    return [
        Document(
            text=f"Harbour {i} has {i + 2} cranes{' and a lighthouse' if i == changed else ''}.",
            doc_id=f"doc-{i}",
            metadata={"file_name": f"harbour-{i}.txt"},
        )
        for i in range(30)
    ]


async def run(
    pipeline: IngestionPipeline, asynchronous: bool, given: list[Document], **kwargs: Any
) -> list[BaseNode]:
    if asynchronous:
        return list(await pipeline.arun(documents=given, **kwargs))
    return list(pipeline.run(documents=given, **kwargs))


def embedded(emu: Emulator) -> list[str]:
    """Every text that was sent."""
    inputs = [seen.body["input"] for seen in emu.requests]
    return [text for given in inputs for text in ([given] if isinstance(given, str) else given)]


@BOTH
async def test_nodes_come_with_vectors_and_can_be_searched(
    embedder: Make, emu: Emulator, asynchronous: bool
) -> None:
    model, store = embedder(dimensions=256), SimpleVectorStore()
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(), model], vector_store=store)
    nodes = await run(pipeline, asynchronous, documents(changed=7))
    assert [len(node.embedding or ()) for node in nodes] == [256] * 30
    assert len(emu.requests) == 1
    index = VectorStoreIndex(nodes, embed_model=model)
    assert len(emu.requests) == 1  # the vectors are there already
    found = index.as_retriever(similarity_top_k=1).retrieve("Which harbour has a lighthouse?")
    assert found[0].metadata["file_name"] == "harbour-7.txt"


@BOTH
async def test_upserts_embed_only_what_changed(
    embedder: Make, emu: Emulator, asynchronous: bool
) -> None:
    pipeline = IngestionPipeline(
        transformations=[SentenceSplitter(), embedder(dimensions=32)],
        docstore=SimpleDocumentStore(),
        vector_store=SimpleVectorStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS,
        disable_cache=True,
    )
    assert len(await run(pipeline, asynchronous, documents())) == 30
    emu.requests.clear()
    assert await run(pipeline, asynchronous, documents()) == []
    assert emu.requests == []
    nodes = await run(pipeline, asynchronous, documents(changed=7))
    assert [node.metadata["file_name"] for node in nodes] == ["harbour-7.txt"]
    assert embedded(emu) == ["file_name: harbour-7.txt\n\nHarbour 7 has 9 cranes and a lighthouse."]


@BOTH
async def test_the_pipelines_cache_knows_the_model_by_its_settings(
    embedder: Make, emu: Emulator, asynchronous: bool
) -> None:
    cache = IngestionCache()

    async def vectors(**arguments: Any) -> list[int]:
        model = embedder(**arguments)
        nodes = await run(
            IngestionPipeline(transformations=[model], cache=cache), asynchronous, documents()
        )
        return [len(node.embedding or ()) for node in nodes]

    assert await vectors(dimensions=32) == [32] * 30
    assert await vectors(dimensions=32, api_key="sk-another") == [32] * 30
    assert len(emu.requests) == 1
    assert await vectors(dimensions=64) == [64] * 30
    assert len(emu.requests) == 2


@BOTH
async def test_a_pipeline_embeds_in_batches(
    embedder: Make, emu: Emulator, asynchronous: bool
) -> None:
    model = embedder(embed_batch_size=4, dimensions=8)
    nodes = await run(IngestionPipeline(transformations=[model]), asynchronous, documents())
    assert len(emu.requests) == 8
    assert [node.metadata["file_name"] for node in nodes][:3] == [
        f"harbour-{i}.txt" for i in range(3)
    ]
    assert len({tuple(node.embedding or ()) for node in nodes}) == 30
