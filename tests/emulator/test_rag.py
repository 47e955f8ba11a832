"""Answers from retrieved passages, in the prompt forms of retrieval frameworks."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.emulator.asking import STRING, Asker, called, object_schema, result, tool, user

HARBOUR = (
    "The harbour crane at Port Ellis stands on the north quay. It was raised in 1911 by the "
    "engineer Maud Renner. The crane lifts forty tonnes."
)
BAKERY = (
    "The bakery of Sollen was opened in 1931. The baker is called Nils Aro. Bread costs 4 euros."
)
YEAR = "When was the harbour crane at Port Ellis raised?"
RAISED = "It was raised in 1911 by the engineer Maud Renner."
RULE = "---------------------"
DASHES = "------"
QA = (
    f"Context information is below.\n{RULE}\n%s\n{RULE}\n"
    "Given the context, answer.\nQuery: %s\nAnswer: "
)


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize(
    "passages",
    [
        f"file_name: crane.txt\nfile_path: /data/x/crane.txt\n\n{HARBOUR}\n\n"
        f"file_name: bakery.txt\n\n{BAKERY}",
        f"page_label: 3\nfile_path: /d/crane.txt\n\n{HARBOUR}\n\nfile_path: b.txt\n\n{BAKERY}",
        f"source: crane.txt\n{HARBOUR}\n\nsource: bakery.txt\n{BAKERY}",
        f"{BAKERY}\nsource: bakery.txt\n\n{HARBOUR}\nsource: crane.txt",
        f"Source: {{'source': 'crane.txt', 'page': 1}}\nContent: {HARBOUR}\n\n"
        f"Source: {{'source': 'bakery.txt'}}\nContent: {BAKERY}",
        f"{BAKERY}\n\nfile_name: crane.txt\n\n" + HARBOUR.replace("1911 by", "1911\nby"),
    ],
)
def test_source_of_the_passage_is_named(ask: Asker, passages: str) -> None:
    assert ask.text(QA % (passages, YEAR)) == f"{RAISED} (source: crane.txt)"


def test_numbered_sources_are_cited(ask: Asker) -> None:
    numbered = f"Source 1:\n{BAKERY}\n\nSource 2:\n{HARBOUR}\n"
    head = (
        "Please provide an answer based solely on the provided sources. Cite them. For example:\n"
        "Source 1:\nThe sky is red.\nQuery: When is it red?\nAnswer: In the evening [1].\n"
        "Now it's your turn. "
    )
    said = (
        f"{head}Below are several numbered sources of information:\n{DASHES}\n{numbered}\n{DASHES}"
    )
    assert ask.text(f"{said}\nQuery: {YEAR}\nAnswer: ") == f"{RAISED} [2]"
    kept = (
        f"{head}We have provided an existing answer: {RAISED} [2]Below are several numbered "
        f"sources of information. Use them.\nBegin refining!\n{DASHES}\nSource 3:\n{BAKERY}\n"
        f"{DASHES}\nQuery: {YEAR}\nAnswer: "
    )
    assert ask.text(kept) == f"{RAISED} [2]"


def test_bracketed_numbers_are_cited(ask: Asker) -> None:
    said = f"Context:\n[1] {BAKERY}\n[2] {HARBOUR}\n\nQuestion: {YEAR}"
    assert ask.text(said) == f"{RAISED} [2]"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the baker of Sollen?", "The baker is called Nils Aro."),
        ("How much does bread cost?", "Bread costs 4 euros."),
        ("What does the crane lift?", "The crane lifts forty tonnes."),
        (
            "Where does the crane stand?",
            "The harbour crane at Port Ellis stands on the north quay.",
        ),
        ("In which year was the bakery opened?", "The bakery of Sollen was opened in 1931."),
        ("What happened in 1931?", "The bakery of Sollen was opened in 1931."),
        ("Which volcano erupted?", "The context does not say."),
    ],
)
@pytest.mark.parametrize("form", [QA, "Context: %s\n\nQuestion: %s\n\nHelpful Answer:"])
def test_the_kind_of_question_picks_the_sentence(
    ask: Asker, form: str, question: str, answer: str
) -> None:
    assert ask.text(form % (f"{HARBOUR}\n\n{BAKERY}", question)) == answer


def test_titles_do_not_end_sentences(ask: Asker) -> None:
    said = QA % ("The surgeon was Dr. Ilse Brandt of St. Anna. She slept.", "Who was the surgeon?")
    assert ask.text(said) == "The surgeon was Dr. Ilse Brandt of St. Anna."


def test_question_among_the_passages_is_followed_by_its_answer(ask: Asker) -> None:
    said = QA % ("How high is the mast?\nForty metres, with its flag.", "How high is the mast?")
    assert ask.text(said) == "Forty metres, with its flag."


def test_answers_of_sub_questions_are_joined(ask: Asker) -> None:
    parts = (
        "Sub question: When was the crane raised?\nResponse: In 1911. (source: crane.txt)\n\n"
        "Sub question: What does bread cost?\nResponse: 4 euros. (source: bakery.txt)"
    )
    said = ask.text(QA % (parts, "When was the crane raised and what does bread cost?"))
    assert said == "In 1911. (source: crane.txt) 4 euros. (source: bakery.txt)"


@pytest.mark.parametrize(
    "prompt",
    [
        "Use the context information below to assist the user.\n--------------------\n%s"
        "\n--------------------\n",
        "The following is a friendly conversation between a user and an AI assistant.\nHere are "
        "the relevant documents for the context:\n\n%s\n\n  Instruction: Based on the documents, "
        'answer the question below.\n  Answer "don\'t know" if not present in the document.',
        "You are an assistant. Use the following pieces of retrieved context to answer.\n\n%s",
        "Answer from the context only.\n<context>\n%s\n</context>\nBe brief.",
    ],
)
def test_passages_in_the_system_prompt_name_their_source(ask: Asker, prompt: str) -> None:
    context = f"file_name: crane.txt\n\n{HARBOUR}\n\nfile_name: bakery.txt\n\n{BAKERY}"
    messages = [
        system(prompt % context),
        user("Tell me about the harbour crane."),
        assistant("It is old."),
        user("When was it raised?"),
    ]
    assert ask.text(messages) == f"{RAISED} (source: crane.txt)"


def test_chat_engine_refines_in_the_system_prompt(ask: Asker) -> None:
    rule = "--------------------"
    prompt = (
        "Using the context below, refine the following existing answer.\n\n"
        f"{rule}\nfile_name: bakery.txt\n\n{BAKERY}\n{rule}\nExisting Answer:\n%s\n{rule}\n"
    )
    right = f"{RAISED} (source: crane.txt)"
    assert ask.text([system(prompt % right), user(YEAR)]) == right
    other = [system(prompt % "I do not know."), user("What does bread cost?")]
    assert ask.text(other) == "Bread costs 4 euros. (source: bakery.txt)"


CONDENSE = (
    "Given the following conversation between a user and an AI assistant and a follow up question, "
    "rephrase the follow up question to be a standalone question.\n\n  Chat History:\n"
    "  user: How high is the crane at Port Ellis?\nassistant: Very high.\n"
    "  Follow Up Input: %s\n  Standalone question:"
)
TAGGED = (
    "Given a conversation and a follow up message, rewrite the message to be a standalone "
    "question.\n\n<Chat History>\nuser: How high is the crane at Port Ellis?\n"
    "assistant: Very high.\n\n<Follow Up Message>\n%s\n\n<Standalone question>\n"
)


@pytest.mark.parametrize("form", [CONDENSE, TAGGED])
@pytest.mark.parametrize(
    ("follow_up", "expected"),
    [
        ("When was it raised?", "When was the crane at Port Ellis raised?"),
        ("Who was the engineer?", "Who was the engineer? (the crane at Port Ellis)"),
        ("What does bread from Sollen cost?", "What does bread from Sollen cost?"),
        ("How old is the crane?", "How old is the crane?"),
    ],
)
def test_follow_ups_keep_the_subject(ask: Asker, form: str, follow_up: str, expected: str) -> None:
    assert ask.text(form % follow_up) == expected


def test_history_aware_retrieval_rephrases_the_last_message(ask: Asker) -> None:
    task = (
        "Given a chat history and the latest user question which might reference context in the "
        "chat history, formulate a standalone question. Do NOT answer the question."
    )
    history = [user("Who built the mill of Osk?"), assistant("Ana."), user("How tall is it?")]
    turns = [system(task), *history, assistant("Small."), user("Is it open?")]
    assert ask.text(turns) == "Is the mill of Osk open?"
    assert ask.text([system(task), user("How tall is it?")]) == "How tall is it?"
    order = "Given the above conversation, generate a search query to look up to get information."
    assert ask.text([*history, user(order)]) == "How tall is the mill of Osk?"


SEARCH = tool("search_archive", "Search the documents of the town archive.", query=STRING)


def test_agent_looks_up_and_answers_from_the_passages(ask: Asker) -> None:
    """Although the question shares no word with the tool."""
    assert ask.calls(YEAR, tools=[SEARCH]) == [("search_archive", {"query": YEAR})]
    assert ask.calls("Hello there", tools=[SEARCH]) == []
    found = f"source: crane.txt\n{HARBOUR}\n\nsource: bakery.txt\n{BAKERY}"
    turn = [user(YEAR), called(("a", "search_archive", "{}")), result("a", found)]
    assert ask.text(turn, tools=[SEARCH]) == f"{RAISED} (source: crane.txt)"
    bare = [*turn[:2], result("a", f"{BAKERY}\n\n{HARBOUR}")]
    assert ask.text(bare, tools=[SEARCH]) == RAISED


def test_results_beside_passages_are_used_too(ask: Asker) -> None:
    turn = [
        user(YEAR),
        called(("a", "search_archive", "{}"), ("b", "clock", "{}")),
        result("a", f"source: crane.txt\n{HARBOUR}"),
        result("b", "12:30"),
    ]
    said = ask.text(turn)
    assert f"search_archive gave {RAISED} (source: crane.txt)" in said
    assert "clock gave 12:30" in said


def test_structured_answers_hold_source_and_citation(ask: Asker) -> None:
    schema = object_schema(answer=STRING, source=STRING)
    said = QA % (f"file_name: crane.txt\n\n{HARBOUR}", YEAR)
    assert ask.instance(said, schema) == {"answer": RAISED, "source": "crane.txt"}
    schema = object_schema(answer=STRING, citations={"type": "array", "items": {"type": "integer"}})
    numbered = QA % (f"[1] {BAKERY}\n[2] {HARBOUR}", YEAR)
    assert ask.instance(numbered, schema) == {"answer": RAISED, "citations": [2]}


@pytest.mark.parametrize(
    "context",
    [
        "source: a.txt\n" * 5000,
        "Source 1:\n[2] a\n" * 5000,
        "['" + "a, " * 20_000,
        "(source: a " * 5000,
        "The crane, " * 20_000,
        "A: " * 20_000,
    ],
)
def test_long_contexts_are_searched_in_time(ask: Asker, context: str) -> None:
    begin = time.process_time()
    assert ask.chat(QA % (context, YEAR)).status_code == 200
    assert time.process_time() - begin < 10  # at most a twentieth of it on an idle machine
