"""Programs as people write them with LlamaIndex: agents, engines, evaluators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import Document, SummaryIndex
from llama_index.core.agent.workflow import (
    AgentWorkflow,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.evaluation import (
    AnswerRelevancyEvaluator,
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    GuidelineEvaluator,
    RelevancyEvaluator,
)
from llama_index.core.extractors import QuestionsAnsweredExtractor, TitleExtractor
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.selectors import (
    LLMMultiSelector,
    LLMSingleSelector,
    PydanticMultiSelector,
    PydanticSingleSelector,
)
from llama_index.core.tools import ToolMetadata
from llama_index.core.workflow import Context

from llama_index_aimlapi import AIMLAPI

Make = Callable[..., AIMLAPI]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Skipping serialization"),
    pytest.mark.filterwarnings("ignore:is_running called:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]
BELL = "The bell of Rosvik was cast in 1618 by Ana Brandt."
MILL = "The windmill of Osk grinds rye."
QUESTION = "When was the bell of Rosvik cast?"


async def calls_of(agent: Any, text: str, **given: Any) -> tuple[list[tuple[str, Any]], str]:
    """(tool calls in order, the answer)"""
    memory = ChatMemoryBuffer.from_defaults(token_limit=10_000)
    handler = agent.run(text, **{"memory": memory, **given})
    events = [e async for e in handler.stream_events() if isinstance(e, ToolCallResult)]
    return [(e.tool_name, e.tool_kwargs) for e in events], str(await handler)


def add(a: float, b: float) -> float:
    """Add two numbers and returns the sum"""
    return a + b


def multiply(a: float, b: float) -> float:
    """Multiply two numbers and returns the product"""
    return a * b


async def search_documents(query: str) -> str:
    """Useful for answering natural language questions about a personal essay."""
    return "In college the author studied philosophy."


async def test_the_starter_does_sums_or_searches(make: Make) -> None:
    agent = FunctionAgent(tools=[multiply, search_documents], llm=make())
    calls, text = await calls_of(agent, "What is 1234 * 4567?")
    assert calls == [("multiply", {"a": 1234, "b": 4567})]
    assert "5635678" in text
    calls, text = await calls_of(agent, "What did the author do in college?")
    assert calls == [("search_documents", {"query": "What did the author do in college?"})]
    assert "philosophy" in text


async def test_an_agent_remembers_its_context(make: Make) -> None:
    agent = FunctionAgent(tools=[multiply, search_documents], llm=make())
    context = Context(agent)
    memory = ChatMemoryBuffer.from_defaults(token_limit=10_000)
    calls, _ = await calls_of(agent, "My name is Logan", ctx=context, memory=memory)
    assert calls == []
    calls, text = await calls_of(agent, "What is my name?", ctx=context, memory=memory)
    assert calls == []
    assert "Logan" in text


@pytest.mark.parametrize("kind", [FunctionAgent, ReActAgent])
async def test_sums_are_done_step_by_step(make: Make, kind: Any) -> None:
    agent = kind(tools=[add, multiply], llm=make())
    calls, text = await calls_of(agent, "What is 20+(2*4)?")
    assert calls == [("multiply", {"a": 2, "b": 4}), ("add", {"a": 20, "b": 8})]
    assert "28" in text


async def test_three_agents_hand_over(make: Make) -> None:
    notes: dict[str, str] = {}

    async def search_web(query: str) -> str:
        """Useful for using the web to answer questions."""
        return "The web was made public in 1993."

    async def record_notes(notes_text: str, notes_title: str) -> str:
        """Useful for recording notes on a given topic."""
        notes[notes_title] = notes_text
        return "Notes recorded."

    async def write_report(report_content: str) -> str:
        """Useful for writing a report on a given topic."""
        return "Report written."

    async def review_report(review: str) -> str:
        """Useful for reviewing a report and providing feedback."""
        return "Report reviewed."

    llm = make()
    research = FunctionAgent(
        name="ResearchAgent",
        description="Useful for searching the web and recording notes.",
        system_prompt="You can search the web and record notes. Then hand off to the WriteAgent.",
        tools=[search_web, record_notes],
        llm=llm,
        can_handoff_to=["WriteAgent"],
    )
    write = FunctionAgent(
        name="WriteAgent",
        description="Useful for writing a report on a given topic.",
        system_prompt="You write a report. Then hand off to the ReviewAgent to review it.",
        tools=[write_report],
        llm=llm,
        can_handoff_to=["ReviewAgent", "ResearchAgent"],
    )
    review = FunctionAgent(
        name="ReviewAgent",
        description="Useful for reviewing a report and providing feedback.",
        system_prompt="You review the report.",
        tools=[review_report],
        llm=llm,
        can_handoff_to=["WriteAgent"],
    )
    workflow = AgentWorkflow(agents=[research, write, review], root_agent="ResearchAgent")
    task = "Write me a report on the history of the web, and have it reviewed."
    calls, text = await calls_of(workflow, task)
    names = [name for name, _ in calls]
    assert [given["to_agent"] for name, given in calls if name == "handoff"] == [
        "WriteAgent",
        "ReviewAgent",
    ]
    assert names.index("search_web") < names.index("write_report") < names.index("review_report")
    assert "Report reviewed." in text


CHOICES = [
    ToolMetadata(name="bells", description="Knows the bells of towns and when each was cast."),
    ToolMetadata(name="mills", description="Knows the windmills of towns and what they grind."),
]


@pytest.mark.parametrize(
    "kind", [LLMSingleSelector, LLMMultiSelector, PydanticSingleSelector, PydanticMultiSelector]
)
@pytest.mark.parametrize(("question", "expected"), [(QUESTION, 0), ("What do windmills grind?", 1)])
def test_selectors_choose_what_the_question_is_about(
    make: Make, kind: Any, question: str, expected: int
) -> None:
    selector = kind.from_defaults(llm=make())
    assert selector.select(CHOICES, query=question).selections[0].index == expected


def test_sub_questions_go_to_their_tools(make: Make) -> None:
    generator = LLMQuestionGenerator.from_defaults(llm=make())
    question = "When was the bell of Rosvik cast and what does the windmill of Osk grind?"
    found = generator.generate(CHOICES, QueryBundle(question))
    assert [one.tool_name for one in found] == ["bells", "mills"]
    assert "bell" in found[0].sub_question
    assert "windmill" in found[1].sub_question


async def test_evaluators_tell_right_from_wrong(make: Make) -> None:
    llm = make()
    right, wrong = "It was cast in 1618.", "Penguins eat fish."
    given: dict[str, Any] = {"query": QUESTION, "contexts": [BELL]}
    for kind in (FaithfulnessEvaluator, RelevancyEvaluator):
        judged = await kind(llm=llm).aevaluate(response=f"Bell: {right}", **given)
        assert judged.passing
    assert not (await FaithfulnessEvaluator(llm=llm).aevaluate(response=wrong, **given)).passing
    score = await CorrectnessEvaluator(llm=llm).aevaluate(QUESTION, right, reference=BELL)
    assert score.score is not None
    assert 1 <= score.score <= 5
    relevancy = await AnswerRelevancyEvaluator(llm=llm).aevaluate(QUESTION, right)
    assert relevancy.score is not None
    assert (await GuidelineEvaluator(llm=llm).aevaluate(response=right, **given)).feedback


def nodes(*texts: str) -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=text), score=0.5) for text in texts]


def test_reranking_and_fusion(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    ranked = LLMRerank(llm=make(), top_n=1).postprocess_nodes(nodes(MILL, BELL), query_str=QUESTION)
    assert [one.node.get_content() for one in ranked] == [BELL]
    index = SummaryIndex([TextNode(text=BELL)])
    fusion = QueryFusionRetriever(
        [index.as_retriever()], llm=make(), num_queries=4, use_async=False
    )
    queries = fusion._get_queries(QUESTION)
    assert len(queries) == 3
    assert all("bell" in one.query_str for one in queries)


def test_titles_questions_and_summaries_of_documents(make: Make) -> None:
    llm = make()
    document = TextNode(text=f"{BELL} {MILL}")
    (title,) = TitleExtractor(llm=llm, nodes=1).extract([document])
    assert "Rosvik" in title["document_title"]
    (asked,) = QuestionsAnsweredExtractor(llm=llm, questions=2).extract([document])
    lines = asked["questions_this_excerpt_can_answer"].splitlines()
    assert len([line for line in lines if line.strip()]) == 2
    index = SummaryIndex.from_documents([Document(text=f"{BELL} {MILL}")])
    for mode in ("tree_summarize", "refine", "compact"):
        engine = index.as_query_engine(llm=llm, response_mode=mode)
        assert "1618" in str(engine.query("What is a summary of this document?"))
        assert "1618" in str(engine.query(QUESTION))
