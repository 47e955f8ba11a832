"""A LlamaIndex chat engine over documents, which remembers what was said."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.chat_engine.types import ChatMode
from llama_index.core.memory import ChatMemoryBuffer

from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

documents = [
    Document(text="The lighthouse of Sørvågen was built in 1868 from granite."),
    Document(text="The lighthouse of Sørvågen was automated in 1986."),
    Document(text="Puffins nest on the northern cliffs from April to August."),
]
index = VectorStoreIndex.from_documents(documents, embed_model=AIMLAPIEmbedding())
chat = index.as_chat_engine(
    chat_mode=ChatMode.CONDENSE_PLUS_CONTEXT,
    llm=AIMLAPI(model="openai/gpt-5-2"),
    memory=ChatMemoryBuffer.from_defaults(token_limit=10_000),
)
for question in ("When was the lighthouse built?", "And when was it automated?"):
    print(f"> {question}")
    for text in chat.stream_chat(question).response_gen:
        print(text, end="", flush=True)
    print()
