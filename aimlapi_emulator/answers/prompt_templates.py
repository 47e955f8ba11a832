"""Prompts that carry a task's form in their text: sub-questions, choices, ranks, keywords.

Each function gives the answer text, or None when the prompt is not of its kind. The forms are
those that agent and retrieval frameworks send to any model; none is bound to a framework's code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from aimlapi_emulator.answers.json_in_text import first_object
from aimlapi_emulator.answers.query_rewriting import standalone
from aimlapi_emulator.answers.react import react
from aimlapi_emulator.answers.tool_selection import asked
from aimlapi_emulator.prompt import Prompt, Tool
from aimlapi_emulator.text.words import all_words, clip, content_words, sentences

_RULE = r"-{6,}"
_BETWEEN_QUESTIONS = re.compile(
    r"(?:[,;?]\s*|\s+)(?:and\s+|then\s+)?(?=(?:who|what|when|where|why|which|how)\s+\w+\s+\w)",
    re.IGNORECASE,
)


def sub_questions(prompt: Prompt) -> str | None:
    """A question split over the tools that the prompt lists, in the form of its example."""
    text = prompt.user_text
    if "<Tools>" not in text or "<User Question>" not in text or "sub-question" not in text:
        return None
    tools = first_object(text.rsplit("<Tools>", 1)[1]) or {}
    question = text.rsplit("<User Question>", 1)[1].split("<Output>")[0].strip()
    rows = tuple(Tool(name, str(told)) for name, told in tools.items())
    found = [ask.tool for ask in asked(rows, question)] or list(rows)
    chosen = [(_part(question, tool, len(found)), tool) for tool in found]
    items = [{"sub_question": said, "tool_name": tool.name} for said, tool in chosen]
    return "```json\n" + json.dumps({"items": items}, indent=4, ensure_ascii=False) + "\n```"


def _part(question: str, tool: Tool, count: int) -> str:
    """The sub-question for one of `count` tools: the part of the question that asks it, when the
    question has several."""
    if count == 1:
        return question
    parts = [part for part in _BETWEEN_QUESTIONS.split(question.rstrip(" ?")) if part]
    own = [part for part in parts if asked((tool,), part)]
    if len(parts) < 2 or not own:
        return f"{question} ({tool.name})"
    return f"{own[0][0].upper()}{own[0][1:]}?"


def choices(prompt: Prompt) -> tuple[int, str] | None:
    """(number, reason) of the listed choice that suits the question best."""
    if "Some choices are given below" not in prompt.user_text:
        return None
    match = re.search(
        rf"Some choices are given below.*?{_RULE}\n(.*?)\n*{_RULE}.*?question: *'(.*?)'\s*$",
        prompt.user_text.split("\n\nThe output should be")[0].strip() + "\n",
        re.DOTALL | re.MULTILINE,
    )
    if match is None:
        return None
    listed = re.findall(r"^\((\d+)\)\s*(.*?)(?=^\(\d+\)|\Z)", match[1], re.DOTALL | re.MULTILINE)
    if not listed:
        return None
    wanted = content_words(match[2])
    number, text = max(listed, key=lambda one: len(wanted & content_words(one[1])))
    return int(number), clip(" ".join(text.split()), 120)


def _choice_text(prompt: Prompt) -> str | None:
    picked = choices(prompt)
    if picked is None:
        return None
    number, reason = picked
    if "ANSWER: <number" in prompt.user_text:
        return f"ANSWER: {number}\nThis summary was selected because it says: {reason}"
    return json.dumps([{"choice": number, "reason": reason}], ensure_ascii=False)


def _ranked(prompt: Prompt) -> str | None:
    """`Doc: n, Relevance: m` lines for numbered documents."""
    text = prompt.user_text
    if "Relevance:" not in text or "Let's try this now:" not in text:
        return None
    task = text.rsplit("Let's try this now:", 1)[1]
    body, _, question = task.rpartition("Question:")
    wanted = content_words(question.split("Answer:")[0])
    found = []
    for number, passage in re.findall(
        r"Document (\d+):\n(.*?)(?=\n+Document \d+:|\Z)", body, re.DOTALL
    ):
        shared = len(wanted & content_words(passage))
        if shared:
            found.append((min(10, 4 + 2 * shared), -int(number)))
    return "\n".join(f"Doc: {-n}, Relevance: {score}" for score, n in sorted(found, reverse=True))


def _yes_no(prompt: Prompt) -> str | None:
    text = prompt.user_text
    if "YES or NO" not in text:
        return None
    claim, _, context = text.rpartition("Information: ")[2].partition("\nContext: ")
    wanted = content_words(claim)
    return "YES" if len(wanted & content_words(context)) * 2 >= len(wanted) else "NO"


def _keywords(prompt: Prompt) -> str | None:
    text = prompt.user_text
    match = re.search(r"'KEYWORDS: <keywords>'", text) and re.search(
        rf"{_RULE}\n(.*?)\n{_RULE}", text, re.DOTALL
    )
    if not match:
        return None
    kept = [w for w in all_words(match[1]) if content_words(w)]
    return "KEYWORDS: " + ", ".join(list(dict.fromkeys(w.lower() for w in kept))[:10])


def _summary(prompt: Prompt) -> str | None:
    begin, _, task = prompt.user_text.partition("summary of the following")
    if not begin.rstrip().endswith(("Write a", "Write a concise")) or "SUMMARY:" not in task:
        return None
    passage = task.partition("\n")[2].rpartition("SUMMARY:")[0].removesuffix("CONCISE ")
    return clip(" ".join(sentences(passage)[:3]), 600)


TEXT_FORMS: tuple[Callable[[Prompt], str | None], ...] = (
    react,
    sub_questions,
    _choice_text,
    _ranked,
    _yes_no,
    _keywords,
    standalone,
    _summary,
)
