"""Ingestion in LlamaIndex: documents split and embedded in few requests, then searched."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter

from llama_index_aimlapi import AIMLAPIEmbedding

TEXT = """
The lighthouse of Sørvågen was built in 1868 from granite that came by boat from the mainland.
Its keeper climbed 124 steps every evening, until the light was automated in 1986.

Puffins nest on the northern cliffs from April to August, and spend the winter out at sea.
They live on sand eels, which they bring to their young ten and more at a time.

The ferry calls at the island twice a week, weather permitting, with mail, bread and visitors.
From October to March it comes on Tuesdays alone, and in a storm not at all.
"""

embed_model = AIMLAPIEmbedding("text-embedding-3-small", dimensions=256)
splitter = SentenceSplitter(chunk_size=64, chunk_overlap=0)
pipeline = IngestionPipeline(transformations=[splitter, embed_model])
nodes = pipeline.run(documents=[Document(text=TEXT)])
print(f"{len(nodes)} pieces, {len(nodes[0].embedding or [])} numbers each")
print(f"used: {embed_model.total_usage}")

index = VectorStoreIndex(nodes, embed_model=embed_model)
for found in index.as_retriever(similarity_top_k=2).retrieve("Which birds nest on the cliffs?"):
    print(f"  {found.score:.2f}  {found.text}")
