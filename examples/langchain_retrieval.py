"""A LangChain retrieval chain: embed, retrieve, answer with the source, streamed."""

import _service  # noqa: F401  # an emulator answers when AIMLAPI_API_KEY is not set
from langchain_core.documents import Document
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI

TEXTS = {
    "keeper.txt": "The keeper of the lighthouse climbed its 124 granite steps every evening.",
    "history.txt": "The lighthouse was built in 1868 and automated in 1986.",
    "birds.txt": "Puffins nest on the northern cliffs from April to August.",
    "boats.txt": "The ferry calls at the island twice a week, weather permitting.",
}


def as_context(documents: list[Document]) -> str:
    return "\n\n".join(f"source: {d.metadata['source']}\n{d.page_content}" for d in documents)


documents = [Document(text, metadata={"source": name}) for name, text in TEXTS.items()]
store = InMemoryVectorStore.from_documents(documents, AIMLAPIEmbeddings())
prompt = ChatPromptTemplate.from_template(
    "Answer from the context and name the source.\n\nContext:\n{context}\n\nQuestion: {question}"
)
chain = (
    {
        "context": store.as_retriever(search_kwargs={"k": 2}) | as_context,
        "question": RunnablePassthrough(),
    }
    | prompt
    | ChatAIMLAPI(model="openai/gpt-5-2")
    | StrOutputParser()
)
for text in chain.stream("Who climbed the steps of the lighthouse?"):
    print(text, end="", flush=True)
print()
