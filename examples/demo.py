"""GPT-5.2 at work in LangChain and LlamaIndex: six small programs, streamed to the terminal.

With AIMLAPI_API_KEY set they talk to the real service; without it, to a local emulator that
answers by rules. Run it with `make demo`.
"""

# The frameworks take seconds to import; each program imports what it uses, after the first line
# has said what is going on.

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MODEL = "openai/gpt-5-2"

DOCUMENTS = {
    "keeper.txt": "The keeper of the lighthouse climbed its 124 granite steps every evening.",
    "history.txt": "The lighthouse was built in 1868 and automated in 1986.",
    "birds.txt": "Puffins nest on the northern cliffs from April to August.",
    "boats.txt": "The ferry calls at the island twice a week, weather permitting.",
}


def weather(city: str) -> str:
    """The weather in a city right now."""
    return f"{city}: 18 degrees and a light breeze"


def local_time(city: str) -> str:
    """The local time in a city right now."""
    return f"{city}: 14:05"


def population(city: str) -> str:
    """The population of a city."""
    return f"{city}: 2,102,650 people"


def langchain_chain() -> None:
    """A chain: prompt | model | parser, streamed."""
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate

    from langchain_aimlapi import ChatAIMLAPI

    prompt = ChatPromptTemplate.from_messages(
        [("system", "You answer in one sentence."), ("human", "What is special about {thing}?")]
    )
    chain = prompt | ChatAIMLAPI(model=MODEL) | StrOutputParser()
    for text in chain.stream({"thing": "the lighthouse of Sørvågen"}):
        print(text, end="", flush=True)
    print()


def langchain_agent() -> None:
    """An agent's tool loop: two tools called in parallel, both results used, streamed."""
    from langchain.agents import create_agent
    from langchain_core.messages import AIMessageChunk, ToolMessage

    from langchain_aimlapi import ChatAIMLAPI

    agent = create_agent(ChatAIMLAPI(model=MODEL), tools=[weather, local_time])
    question = "What are the weather and the local time in Paris?"
    turn: Any = {"messages": [{"role": "user", "content": question}]}
    for message, _ in agent.stream(turn, stream_mode="messages"):
        if isinstance(message, ToolMessage):
            print(f"  [{message.name} -> {message.content}]")
        elif isinstance(message, AIMessageChunk):
            print(message.text, end="", flush=True)
    print()


def langchain_structured() -> None:
    """A structured answer: an instance of a pydantic class."""
    from pydantic import BaseModel, Field

    from langchain_aimlapi import ChatAIMLAPI

    class Building(BaseModel):
        """A building and what is known of it."""

        name: str = Field(description="What it is called")
        year: int = Field(description="When it was built")
        material: str = Field(description="What it is built from")

    model = ChatAIMLAPI(model=MODEL).with_structured_output(Building)
    facts = "name: lighthouse of Sørvågen, year: 1868, material: granite"
    print(repr(model.invoke(f"Describe this building. {facts}")))


def langchain_retrieval() -> None:
    """A retrieval chain over a vector store: embed, retrieve, answer with the source, streamed."""
    from langchain_core.documents import Document
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate
    from langchain_core.runnables import RunnablePassthrough
    from langchain_core.vectorstores import InMemoryVectorStore

    from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI

    documents = [Document(text, metadata={"source": name}) for name, text in DOCUMENTS.items()]
    store = InMemoryVectorStore.from_documents(documents, AIMLAPIEmbeddings())
    prompt = ChatPromptTemplate.from_template(
        "Answer from the context and name the source.\n\nContext:\n{context}\n\n"
        "Question: {question}"
    )
    chain = (
        {
            "context": store.as_retriever(search_kwargs={"k": 2}) | _as_context,
            "question": RunnablePassthrough(),
        }
        | prompt
        | ChatAIMLAPI(model=MODEL)
        | StrOutputParser()
    )
    for text in chain.stream("Who climbed the steps of the lighthouse?"):
        print(text, end="", flush=True)
    print()


def _as_context(documents: list[Any]) -> str:
    return "\n\n".join(f"source: {d.metadata['source']}\n{d.page_content}" for d in documents)


def llama_index_retrieval() -> None:
    """A query engine over a vector index, streamed."""
    from llama_index.core import Document, VectorStoreIndex

    from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding

    documents = [Document(text=t, metadata={"file_name": n}) for n, t in DOCUMENTS.items()]
    index = VectorStoreIndex.from_documents(documents, embed_model=AIMLAPIEmbedding())
    engine = index.as_query_engine(llm=AIMLAPI(model=MODEL), streaming=True, similarity_top_k=2)
    answer = engine.query("When was the lighthouse automated?")
    for text in answer.response_gen:  # type: ignore[union-attr]  # streaming=True makes it a stream
        print(text, end="", flush=True)
    print("\n  [nearest document:", answer.source_nodes[0].metadata["file_name"] + "]")


async def llama_index_agent() -> None:
    """A FunctionAgent with a tool, streamed."""
    from llama_index.core.agent.workflow import AgentStream, FunctionAgent, ToolCallResult

    from llama_index_aimlapi import AIMLAPI

    agent = FunctionAgent(tools=[population], llm=AIMLAPI(model=MODEL))
    run = agent.run("What is the population of Paris?")
    async for event in run.stream_events():
        if isinstance(event, ToolCallResult):
            print(f"  [{event.tool_name} -> {event.tool_output.content}]")
        elif isinstance(event, AgentStream):
            print(event.delta, end="", flush=True)
    await run
    print()


@contextmanager
def service() -> Iterator[str]:
    """The service to talk to, said in one line: the real one with a key, else the emulator."""
    if os.environ.get("AIMLAPI_API_KEY"):
        where = os.environ.get("AIMLAPI_BASE_URL", "https://api.aimlapi.com/v1")
        yield f"Talking to {where} with your AIMLAPI_API_KEY; this costs a little money."
        return
    from aimlapi_emulator import Emulator

    with Emulator() as emulator:
        os.environ.update(AIMLAPI_API_KEY="no-key-needed", AIMLAPI_BASE_URL=emulator.base_url)
        yield (
            "Talking to the local emulator, which answers by rules and is no language model; "
            "set AIMLAPI_API_KEY for the real service."
        )


def run() -> int:
    """Run them all; the exit code says whether they came through."""
    with service() as first_line:
        print(first_line, flush=True)
        from aimlapi_core import AIMLAPIError

        try:
            for number, (title, program) in enumerate(PROGRAMS, 1):
                print(f"\n{number}. {title}", flush=True)
                program()
        except AIMLAPIError as error:
            print(f"\n{type(error).__name__}: {error}", file=sys.stderr)
            return 1
    return 0


def main() -> int:
    """`run`, ended by Ctrl-C without a traceback."""
    try:
        return run()
    except KeyboardInterrupt:
        print()
        return 130


PROGRAMS = [
    (f"LangChain chain: prompt | ChatAIMLAPI({MODEL!r}) | parser", langchain_chain),
    ("LangChain agent: two tools in parallel", langchain_agent),
    ("LangChain structured answer: a pydantic object", langchain_structured),
    (f"LangChain retrieval chain over {len(DOCUMENTS)} embedded documents", langchain_retrieval),
    (f"LlamaIndex query engine over {len(DOCUMENTS)} embedded documents", llama_index_retrieval),
    ("LlamaIndex FunctionAgent with a tool", lambda: asyncio.run(llama_index_agent())),
]

if __name__ == "__main__":
    sys.exit(main())
