"""Programs as people write them with LangChain and LangGraph: each runs to a sensible end."""

from __future__ import annotations

import json
import re
import sqlite3
from typing import Annotated, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from langchain_aimlapi import ChatAIMLAPI


def run(agent: Any, text: str) -> tuple[list[tuple[str, Any]], str]:
    """(tool calls in order, the last text)"""
    messages = agent.invoke({"messages": [HumanMessage(text)]}, {"recursion_limit": 30})["messages"]
    calls = [c for m in messages if isinstance(m, AIMessage) for c in m.tool_calls]
    return [(call["name"], call["args"]) for call in calls], messages[-1].text


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def loop(model: Any, tools: list[Any]) -> Any:
    """The tool loop of LangGraph's tutorials."""
    graph = StateGraph(State)
    bound = model.bind_tools(tools)
    graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile()


@tool
def drug_information(drug_name: str) -> str:
    """Dosage, side effects and warnings of a medicine."""
    return f"{drug_name}: 500 mg, at most eight a day"


@tool
def find_pharmacy(city: str) -> str:
    """Pharmacies that are open now in a city."""
    return f"Central Pharmacy, {city}"


@tool
def book_appointment(doctor: str, date: str) -> str:
    """Book an appointment with a doctor on a date."""
    return f"booked {doctor} on {date}"


MEDICAL = [drug_information, find_pharmacy, book_appointment]


def test_a_medical_assistant_calls_the_tool_that_fits(chat: ChatAIMLAPI) -> None:
    agent = loop(chat, MEDICAL)
    calls, text = run(agent, "Tell me about panadol")
    assert calls == [("drug_information", {"drug_name": "panadol"})]
    assert "500 mg" in text
    calls, text = run(agent, "Where is an open pharmacy in Lyon?")
    assert calls == [("find_pharmacy", {"city": "Lyon"})]
    assert "Central Pharmacy, Lyon" in text
    calls, _ = run(agent, "I need to see Dr. Weber on 2026-03-04, please book it.")
    assert calls == [("book_appointment", {"doctor": "Dr. Weber", "date": "2026-03-04"})]


@pytest.mark.parametrize(
    "said",
    [
        "Hello!",
        "Hi there, how are you?",
        "Thanks a lot!",
        "Good morning",
        "My name is Logan.",
        "ok",
    ],
)
def test_small_talk_calls_no_tool(chat: ChatAIMLAPI, said: str) -> None:
    calls, text = run(loop(chat, MEDICAL), said)
    assert (calls, bool(text)) == ([], True)


@tool
def send_mail(to: str, subject: str, body: str) -> str:
    """Send an e-mail."""
    return f"sent to {to}"


@tool
def search_contacts(name: str) -> str:
    """Look up a person in the address book."""
    return f"{name}: unknown"


def test_a_mail_tool_gets_its_address(chat: ChatAIMLAPI) -> None:
    said = "Please email alice@example.com that we meet at 7"
    calls, text = run(create_agent(chat, [search_contacts, send_mail]), said)
    ((name, given),) = calls
    assert (name, given["to"]) == ("send_mail", "alice@example.com")
    assert "meet at 7" in given["body"]
    assert "sent to alice@example.com" in text


def sql_tools() -> list[Any]:
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.executescript(
        "CREATE TABLE Artist (Id INTEGER, Name TEXT); CREATE TABLE Track (Id INTEGER, Title TEXT);"
        "INSERT INTO Artist VALUES (1, 'Nina Simone'), (2, 'Bill Evans');"
    )

    @tool
    def sql_db_query(query: str) -> str:
        """Input to this tool is a detailed and correct SQL query, output is a result from the
        database. If the query is not correct, an error message will be returned."""
        return str(database.execute(query).fetchall())

    @tool
    def sql_db_schema(table_names: str) -> str:
        """Input to this tool is a comma-separated list of tables, output is the schema and sample
        rows for those tables. Be sure that the tables actually exist by calling sql_db_list_tables
        first! Example Input: table1, table2, table3"""
        rows = database.execute("SELECT name, sql FROM sqlite_master").fetchall()
        known = dict(rows)
        return "\n".join(known[name.strip()] for name in table_names.split(","))

    @tool
    def sql_db_list_tables(tool_input: str = "") -> str:
        """Input is an empty string, output is a comma-separated list of tables in the database."""
        return ", ".join(n for (n,) in database.execute("SELECT name FROM sqlite_master"))

    return [sql_db_query, sql_db_schema, sql_db_list_tables]


def test_an_sql_agent_asks_its_database(chat: ChatAIMLAPI) -> None:
    prompt = (
        "You are an agent designed to interact with a SQL database. Given an input question, create"
        " a syntactically correct sqlite query to run. To start you should ALWAYS look at the "
        "tables in the database. Then you should query the schema of the most relevant tables."
    )
    calls, text = run(create_agent(chat, sql_tools(), system_prompt=prompt), "Name all artists.")
    names = [name for name, _ in calls]
    assert names == ["sql_db_list_tables", "sql_db_schema", "sql_db_query"]
    assert "Artist" in calls[1][1]["table_names"]
    assert calls[2][1]["query"] == "SELECT * FROM Artist LIMIT 10"
    assert "Nina Simone" in text


class Todo(TypedDict):
    content: str
    status: Literal["pending", "in_progress", "completed"]


def test_a_deep_agent_searches_and_does_not_invent_files(chat: ChatAIMLAPI) -> None:
    @tool
    def write_todos(todos: list[Todo]) -> str:
        """Create and manage a structured task list for your current work session."""
        return "updated"

    @tool
    def read_file(file_path: str) -> str:
        """Reads a file from the filesystem."""
        raise FileNotFoundError(file_path)

    @tool
    def internet_search(query: str, max_results: int = 5) -> str:
        """Run a web search."""
        return "LangGraph is a library for stateful graphs of agents."

    prompt = "You are an expert researcher. Conduct thorough research, then write a report."
    agent = create_agent(chat, [write_todos, read_file, internet_search], system_prompt=prompt)
    calls, text = run(agent, "What is langgraph?")
    assert calls == [("internet_search", {"query": "What is langgraph?"})]
    assert "stateful graphs" in text


def test_a_portuguese_agent_takes_its_database_from_the_prompt(chat: ChatAIMLAPI) -> None:
    @tool
    def consulta_banco(db_name: str, pergunta: str) -> str:
        """Consulta um banco de dados. db_name: um de FAMART, IPB, TODOS."""
        return f"42 alunos em {db_name}"

    calls, text = run(loop(chat, [consulta_banco]), "Quais são os alunos ativos da IPB?")
    assert calls == [
        ("consulta_banco", {"db_name": "IPB", "pergunta": "Quais são os alunos ativos da IPB?"})
    ]
    assert "42 alunos" in text


def test_an_agent_whose_prompt_wants_json_ends_in_json(chat: ChatAIMLAPI) -> None:
    @tool
    def stock_price(ticker: str) -> float:
        """The price of a stock."""
        return 187.5

    prompt = 'Always answer as JSON: {"answer": "string", "confidence": 0.9, "sources": ["..."]}'
    agent = create_agent(chat, [stock_price], system_prompt=prompt)
    calls, text = run(agent, "What is the price of AAPL stock?")
    assert calls == [("stock_price", {"ticker": "AAPL"})]
    found = json.loads(text)
    assert set(found) == {"answer", "confidence", "sources"}
    assert "187.5" in found["answer"]


def test_a_validator_parses_the_json_that_its_prompt_spells_out(chat: ChatAIMLAPI) -> None:
    said = (
        "You are a startup analyst. Evaluate this idea: a marketplace for used bicycles.\n"
        'Respond in JSON format only: {"red_flag": "string", "score": 7, "viable": true, '
        '"competitors": ["string"], "stage": "idea | seed | growth"}'
    )
    found = json.loads(chat.invoke(said).text)
    assert set(found) == {"red_flag", "score", "viable", "competitors", "stage"}
    assert isinstance(found["red_flag"], str)
    assert isinstance(found["score"], int)
    assert isinstance(found["viable"], bool)
    assert isinstance(found["competitors"], list)
    assert found["stage"] in ("idea", "seed", "growth")


def test_idioms_of_lists_and_bare_values(chat: ChatAIMLAPI) -> None:
    said = "List three search queries about the tides, separated by commas. Output only the list."
    queries = [one.strip() for one in chat.invoke(said).text.split(",")]
    assert len(queries) == len(set(queries)) == 3
    assert all("tides" in one for one in queries)
    score = chat.invoke("Rate this review from 1 to 5: 'It broke.' Answer with a number only.").text
    assert 1 <= int(score) <= 5
    said = "Classify the message as billing, shipping or other. Message: When is my shipping due?"
    assert chat.invoke(f"{said}\nReply with one word.").text == "shipping"
    said = "Is Bern the capital of Switzerland? Answer only yes or no."
    assert chat.invoke(said).text.lower() in ("yes", "no")
    said = 'Reply as JSON with the keys "title" and "tags". Text: Tides follow the moon.'
    text = chat.invoke(said).text
    match = re.search(r"\{.*\}", text, re.DOTALL)
    assert match is not None
    assert set(json.loads(match[0])) == {"title", "tags"}


class RouteQuery(BaseModel):
    """Route a user query to the most relevant datasource."""

    datasource: Literal["python_docs", "js_docs", "golang_docs"] = Field(
        description="Which datasource would be most relevant for answering the question"
    )


class Grade(BaseModel):
    """Binary score for relevance check."""

    binary_score: str = Field(description="Documents are relevant to the question, 'yes' or 'no'")


GRADE = ChatPromptTemplate.from_messages(
    [
        ("system", "You are a grader assessing relevance of a document to a user question."),
        ("human", "Retrieved document: \n\n {document} \n\n User question: {question}"),
    ]
)
MOON = "Tides are caused by the gravity of the moon and of the sun."


def test_retrieval_from_scratch(chat: ChatAIMLAPI) -> None:
    said = "Why doesn't this golang code compile: fmt.Printl(1)?"
    route = chat.with_structured_output(RouteQuery).invoke(said)
    assert route.datasource == "golang_docs"
    grader = GRADE | chat.with_structured_output(Grade)
    assert grader.invoke({"document": MOON, "question": "What causes tides?"}).binary_score == "yes"
    assert grader.invoke({"document": MOON, "question": "Who won in 1998?"}).binary_score == "no"
    many = (
        "You are an AI language model assistant. Your task is to generate five different versions "
        "of the given user question to retrieve relevant documents from a vector database. Provide"
        " these alternative questions separated by newlines. Original question: What causes tides?"
    )
    questions = (chat | StrOutputParser()).invoke(many).splitlines()
    assert len(questions) == len(set(questions)) == 5
    assert all("tides" in one for one in questions)
    passage = chat.invoke(
        "Please write a scientific paper passage to answer the question\n"
        "Question: What causes tides?\nPassage:"
    ).text
    assert "tides" in passage
    answer = chat.invoke(
        f"Answer the following question based on this context:\n\n{MOON}\n\n"
        "Question: What causes tides?"
    ).text
    assert answer == MOON


def test_summaries_and_conversations_about_a_transcript(chat: ChatAIMLAPI) -> None:
    text = (
        "Welcome to the show. Today we talk to Ana Brandt. She built the tide mill of Osk in 1994. "
        "The mill grinds rye."
    )
    said = f'Write a concise summary of the following:\n\n\n"{text}"\n\n\nCONCISE SUMMARY:'
    summary = chat.invoke(said).text
    assert summary.startswith("Welcome to the show.")
    assert len(summary) <= len(text)
    condensed = chat.invoke(
        "Given the following conversation and a follow up question, rephrase the follow up "
        "question to be a standalone question, in its original language.\n\nChat History:\n\n"
        "Human: Who built the tide mill of Osk?\nAssistant: Ana Brandt.\n"
        "Follow Up Input: What does it grind?\nStandalone question:"
    ).text
    assert "grind" in condensed
    assert "tide mill of Osk" in condensed


class Plan(BaseModel):
    """Plan to follow in future."""

    steps: list[str] = Field(description="different steps to follow, should be in sorted order")


class Final(BaseModel):
    """Response to user."""

    response: str


class Act(BaseModel):
    """Action to perform."""

    action: Final | Plan = Field(
        description="Action to perform. If you want to respond to user, use Response."
    )


def test_plan_and_execute(chat: ChatAIMLAPI) -> None:
    goal = "Find the winner of the 2024 Australian Open, then look up his hometown."
    plan = chat.with_structured_output(Plan).invoke(goal)
    assert len(plan.steps) == 2
    assert "winner" in plan.steps[0]
    assert "hometown" in plan.steps[1]
    said = (
        f"Your objective was this:\n{goal}\n\nYou have currently done the follow steps:\n"
        "Find the winner: Jannik Sinner\n\nUpdate your plan accordingly."
    )
    assert isinstance(chat.with_structured_output(Act).invoke(said), Act)


def test_a_supervisor_routes_to_its_workers(chat: ChatAIMLAPI) -> None:
    class Router(TypedDict):
        """Worker to route to next. If no workers needed, route to FINISH."""

        next: Literal["researcher", "coder", "FINISH"]

    prompt = (
        "You are a supervisor tasked with managing a conversation between the following workers: "
        "researcher, coder. The researcher searches the web, the coder runs Python code. Given the "
        "following user request, respond with the worker to act next."
    )
    router = chat.with_structured_output(Router)
    messages = [("system", prompt), ("user", "Run code that prints the square root of 42")]
    assert router.invoke(messages) == {"next": "coder"}


def test_a_swarm_hands_over_to_the_agent_that_can(chat: ChatAIMLAPI) -> None:
    @tool
    def transfer_to_agent(agent_name: str) -> str:
        """Hand the conversation over to another agent. Available agents: flight_assistant (books
        flights), hotel_assistant (books hotels)."""
        return f"transferred to {agent_name}"

    calls, text = run(loop(chat, [transfer_to_agent]), "I want to book a hotel in Rome")
    assert calls == [("transfer_to_agent", {"agent_name": "hotel_assistant"})]
    assert "transferred to hotel_assistant" in text


def test_an_agent_that_was_handed_to_does_its_own_work(chat: ChatAIMLAPI) -> None:
    """Of langgraph-supervisor and -swarm: one turn, other tools."""

    @tool
    def transfer_to_research_expert() -> str:
        """Ask agent 'research_expert' for help"""
        return "Successfully transferred to research_expert"

    @tool
    def web_search(query: str) -> str:
        """Search the web for information."""
        return "724290 people"

    history: list[Any] = [HumanMessage("How many people live in Oslo?")]
    for tools, name in ([transfer_to_research_expert], "transfer"), ([web_search], "web_search"):
        answer = chat.bind_tools(tools).invoke(history)
        (call,) = answer.tool_calls
        assert call["name"].startswith(name)
        history += [answer, ToolMessage(tools[0].invoke(call["args"]), tool_call_id=call["id"])]
    assert "724290" in chat.bind_tools([web_search]).invoke(history).text


REACT = """Answer the following questions as best you can. You have access to the following tools:

search(query: str) -> str - Searches the web for current events.
calculator(expression: str) -> str - Useful for math.

Use the following format:

Question: the input question you must answer
Thought: you should always think about what to do
Action: the action to take, should be one of [search, calculator]
Action Input: the input to the action
Observation: the result of the action
... (this Thought/Action/Action Input/Observation can repeat N times)
Thought: I now know the final answer
Final Answer: the final answer to the original input question

Begin!

Question: {question}
Thought:{scratchpad}"""


def test_a_researcher_with_the_text_protocol(chat: ChatAIMLAPI) -> None:
    question = "What are current events in Oslo?"
    step = chat.invoke(REACT.format(question=question, scratchpad="")).text
    action = re.search(r"Action\s*:\s*(.*?)\s*\nAction\s*Input\s*:\s*(.*)", step, re.DOTALL)
    assert action is not None
    assert (action[1], action[2].strip()) == ("search", question)
    scratchpad = f"{step}\nObservation: A ski race in Oslo.\nThought:"
    final = chat.invoke(REACT.format(question=question, scratchpad=scratchpad)).text
    assert "A ski race in Oslo." in final.split("Final Answer:")[1]


def test_results_are_told_after_the_calls(chat: ChatAIMLAPI) -> None:
    """The vendor's own two-turn loop, by hand."""
    bound = chat.bind_tools(MEDICAL)
    history: list[Any] = [HumanMessage("Which pharmacies are open in Lyon?")]
    first = bound.invoke(history)
    (call,) = first.tool_calls
    history += [first, ToolMessage("None, it is a holiday.", tool_call_id=call["id"])]
    assert "None, it is a holiday." in bound.invoke(history).text
    assert not bound.invoke(history).tool_calls


def test_fields_that_ask_for_a_result_take_the_latest(chat: ChatAIMLAPI) -> None:
    class Result(BaseModel):
        result: int

    said = [
        HumanMessage("What is 30 multiplied by 60?"),
        AIMessage("", tool_calls=[{"name": "multiply", "args": {"a": 30, "b": 60}, "id": "a"}]),
        ToolMessage("1800", tool_call_id="a"),
    ]
    assert chat.with_structured_output(Result).invoke(said).result == 1800
