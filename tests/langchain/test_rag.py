"""Whole pipelines over fifty documents: chains, follow-ups, an agent, streams, citations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder, PromptTemplate
from langchain_core.runnables import Runnable, RunnablePassthrough
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import BaseModel

from aimlapi_emulator import Emulator
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from tests.langchain.calls import bodies, invoke, stream
from tests.langchain.library import ANSWER, FACTS, QUESTIONS, documents, told

REPHRASE = ChatPromptTemplate.from_messages(
    [
        (
            "system",
            "Given the chat history and the latest question, which may refer to it, formulate a "
            "standalone question that can be understood without the chat history.",
        ),
        MessagesPlaceholder("history"),
        ("human", "{question}"),
    ]
)


def rag(model: ChatAIMLAPI, retriever: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """`{"question", "history"?}` in; the same with "found", "context" and "answer" out."""
    return (
        RunnablePassthrough.assign(found=(lambda given: given["question"]) | retriever)
        .assign(context=lambda given: told(given["found"]))
        .assign(answer=ANSWER | model | StrOutputParser())
    )


def standalone(model: ChatAIMLAPI) -> Runnable[Any, Any]:
    """The question as it stands without the history."""
    return REPHRASE | model | StrOutputParser()


@pytest.fixture(params=["sync", "async"])
def store(
    request: pytest.FixtureRequest, embeddings: Callable[..., AIMLAPIEmbeddings]
) -> InMemoryVectorStore:
    if request.param == "sync":
        return InMemoryVectorStore.from_documents(documents(), embeddings())
    store = InMemoryVectorStore(embeddings())
    asyncio.run(store.aadd_documents(documents()))
    return store


@pytest.fixture
def how(store: InMemoryVectorStore, request: pytest.FixtureRequest) -> Any:
    """As the store was filled: `sync` or `async`."""
    return request.node.callspec.params["store"]


@pytest.fixture
def model(chat: Callable[..., ChatAIMLAPI]) -> ChatAIMLAPI:
    return chat()


@pytest.fixture(autouse=True)
def _valid_requests(emu: Emulator) -> Any:
    yield
    assert [seen.problems for seen in emu.requests if seen.problems] == []


def test_fifty_documents_are_one_request(store: InMemoryVectorStore, emu: Emulator) -> None:
    assert len(FACTS) == 50
    assert [body["input"] for body in bodies(emu.requests)] == [list(FACTS.values())]


@pytest.mark.parametrize(("question", "source", "answer"), QUESTIONS)
def test_a_chain_answers_from_its_document(
    how: str, store: InMemoryVectorStore, model: ChatAIMLAPI, emu: Emulator,
    question: str, source: str, answer: str,
) -> None:  # fmt: skip
    chain = rag(model, store.as_retriever(search_kwargs={"k": 4}))
    given = invoke(how, chain, {"question": question})
    assert len(given["found"]) == 4
    assert given["found"][0].metadata["source"] == source
    assert answer in given["answer"]
    assert source in given["answer"]
    # Only what was retrieved is sent.
    assert sum(fact in str(emu.requests[-1].body["messages"]) for fact in FACTS.values()) == 4


def test_what_no_document_says_is_not_answered(
    how: str, store: InMemoryVectorStore, model: ChatAIMLAPI
) -> None:
    chain = rag(model, store.as_retriever(search_kwargs={"k": 4}))
    answer = invoke(how, chain, {"question": "Whose submarine is purple?"})["answer"]
    assert not any(fact in answer for fact in FACTS.values())


def test_a_streamed_answer_names_its_source(
    how: str, store: InMemoryVectorStore, model: ChatAIMLAPI, emu: Emulator
) -> None:
    question, source, answer = QUESTIONS[0]
    chain = rag(model, store.as_retriever(search_kwargs={"k": 4}))
    pieces = stream(how, chain, {"question": question})
    words = [piece["answer"] for piece in pieces if "answer" in piece]
    assert len(words) > 5
    assert emu.requests[-1].body["stream"] is True
    assert answer in "".join(words)
    assert source in "".join(words)
    # The documents come before the first word of the answer.
    kinds = [next(iter(piece)) for piece in pieces]
    assert kinds.index("found") < kinds.index("answer")


@pytest.mark.parametrize(
    ("follow_up", "source", "answer"),
    [
        ("And who made it?", "clock.md", "Henrik Thale"),
        ("How old is it?", "clock.md", "1783"),
    ],
)
def test_a_follow_up_is_retrieved_by_what_it_means(
    how: str, store: InMemoryVectorStore, model: ChatAIMLAPI, emu: Emulator,
    follow_up: str, source: str, answer: str,
) -> None:  # fmt: skip
    retriever = store.as_retriever(search_kwargs={"k": 3})
    chain = rag(model, retriever)
    history_aware = RunnablePassthrough.assign(question=standalone(model)) | chain
    history = [
        HumanMessage("Where is the clock in the town hall?"),
        AIMessage("The clock is in the town hall."),
    ]
    given = invoke(how, history_aware, {"question": follow_up, "history": history})
    assert "clock" in given["question"]
    assert given["found"][0].metadata["source"] == source
    assert answer in given["answer"]
    assert source in given["answer"]
    # Asked as it stands, the follow-up finds something else.
    alone = invoke(how, retriever, follow_up)
    assert alone[0].metadata["source"] != source


class CitedAnswer(BaseModel):
    """An answer with the sources that it was taken from."""

    text: str
    sources: list[str]


def test_citations_as_data(how: str, store: InMemoryVectorStore, model: ChatAIMLAPI) -> None:
    question, source, answer = QUESTIONS[1]
    retriever = store.as_retriever(search_kwargs={"k": 1})
    chain = (
        {"context": retriever | told, "question": RunnablePassthrough()}
        | ANSWER
        | model.with_structured_output(CitedAnswer)
    )
    given = invoke(how, chain, question)
    assert isinstance(given, CitedAnswer)
    assert answer in given.text
    assert given.sources == [source]


def agent_of(store: InMemoryVectorStore, model: ChatAIMLAPI) -> Any:
    search = create_retriever_tool(
        store.as_retriever(search_kwargs={"k": 3}),
        "search_library",
        "Search the documents of the library.",
        document_prompt=PromptTemplate.from_template("source: {source}\n{page_content}"),
        response_format="content_and_artifact",
    )
    return create_agent(model, [search], system_prompt="Look things up, and name your source.")


TASK = "search_library: At how many degrees does the blue crystal melt?"


def test_an_agent_retrieves_and_cites(
    how: str, store: InMemoryVectorStore, model: ChatAIMLAPI, emu: Emulator
) -> None:
    messages = invoke(how, agent_of(store, model), {"messages": [HumanMessage(TASK)]})["messages"]
    result = next(one for one in messages if isinstance(one, ToolMessage))
    assert result.artifact[0].metadata["source"] == "crystal.md"
    assert "817" in messages[-1].text
    assert "crystal.md" in messages[-1].text
    assert [seen.path for seen in emu.requests[1:]] == [
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/chat/completions",
    ]


def test_an_agent_streams_its_cited_answer(
    how: str, store: InMemoryVectorStore, model: ChatAIMLAPI
) -> None:
    task = {"messages": [HumanMessage(TASK)]}
    agent = agent_of(store, model)
    pairs = stream(how, agent, task, stream_mode="messages")
    words = [piece.text for piece, facts in pairs if facts["langgraph_node"] == "model"]
    assert len([word for word in words if word]) > 5
    assert "817" in "".join(words)
    assert "crystal.md" in "".join(words)
