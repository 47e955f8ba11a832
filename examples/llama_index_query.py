"""A LlamaIndex query engine over embedded documents, streamed."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from llama_index.core import Document, VectorStoreIndex

from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

TEXTS = {
    "keeper.txt": "The keeper of the lighthouse climbed its 124 granite steps every evening.",
    "history.txt": "The lighthouse was built in 1868 and automated in 1986.",
    "birds.txt": "Puffins nest on the northern cliffs from April to August.",
    "boats.txt": "The ferry calls at the island twice a week, weather permitting.",
}

documents = [Document(text=text, metadata={"file_name": name}) for name, text in TEXTS.items()]
index = VectorStoreIndex.from_documents(documents, embed_model=AIMLAPIEmbedding())
engine = index.as_query_engine(
    llm=AIMLAPI(model="openai/gpt-5-2"), streaming=True, similarity_top_k=2
)
answer = engine.query("When was the lighthouse automated?")
for text in answer.response_gen:  # type: ignore[union-attr]  # streaming=True makes it a stream
    print(text, end="", flush=True)
print("\n  [nearest document:", answer.source_nodes[0].metadata["file_name"] + "]")
