"""Prompts that bring passages along: the answer is the sentence that fits the question best.

Read are the question and refine forms of retrieval frameworks, a `Context:` with a `Question:`,
and passages in the system prompt. Plain string searches, since prompts can be long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aimlapi_emulator.answers.rag.passages import passages
from aimlapi_emulator.answers.rag.scoring import NOTHING, Found, Question, best
from aimlapi_emulator.prompt import Prompt
from aimlapi_emulator.text.words import sentences

_NO_ANSWER = "The context does not say."
_RULE = re.compile(r"^\s*-{6,}\s*$", re.MULTILINE)
# A line like `Context:` or `Answer based only on the following context:` begins the passages.
_LABEL = re.compile(
    r"^[^:\n]{0,200}?\b(?:context|documents|sources|passages|excerpts)\b[^:\n]{0,100}:",
    re.IGNORECASE | re.MULTILINE,
)
_QUESTION = re.compile(r"^\s*(?:Question|Query)\s*:", re.MULTILINE)
_ANSWER_LINE = re.compile(r"^\s*(?:Helpful |Final )?Answer\s*:?\s*$", re.MULTILINE)
_INSTRUCTS = re.compile(
    r"\b(?:context|documents?|passages?|retrieved|assistant|you are|answer the|if you|"
    r"do not|don't|use the following|instruction)\b",
    re.IGNORECASE,
)
_SYSTEM_WORDS = re.compile(
    r"\b(?:context|documents?|passages|sources|retrieved|excerpts)\b", re.IGNORECASE
)
_TAGGED = re.compile(
    r"<(context|documents|passages|sources)>\s*\n?(.*?)</\1>", re.DOTALL | re.IGNORECASE
)
_AFTER_PASSAGES = re.compile(
    r"^\s*(?:Instructions?|Existing Answer|Chat History|Current conversation)\s*:",
    re.MULTILINE | re.IGNORECASE,
)
_EXISTING = re.compile(r"^\s*Existing Answer:\s*\n", re.MULTILINE)
_PROVIDED = "We have provided an existing answer: "
_SUB_ANSWER = re.compile(
    r"^Sub question: .*?\nResponse: (.*?)(?=\n\s*\nSub question: |\Z)", re.DOTALL | re.MULTILINE
)
_CITED = re.compile(r"\s*(?:\(source: [^()\n]*\)|\[\d+\])")


@dataclass(frozen=True, slots=True)
class Block:
    """Passages and the question about them; `earlier` is an answer to be refined."""

    context: str
    question: str
    earlier: str | None = None


def _ruled(text: str) -> Block | None:
    """Passages between two rules, the question below them or, when refining, above."""
    rules = list(_RULE.finditer(text))
    if len(rules) < 2:
        return None
    context = text[rules[0].end() : rules[-1].start()]
    above, below = text[: rules[0].start()], text[rules[-1].end() :]
    if "original query is as follows: " in above:
        task = above.split("original query is as follows: ", 1)[1]
        question, _, rest = task.partition(f"\n{_PROVIDED}")
        return Block(context, question, rest.partition("\nWe have the opportunity")[0])
    asked = list(_QUESTION.finditer(below))
    if not _SYSTEM_WORDS.search(above) or not asked:
        return None
    if "\nOriginal Answer: " in below:
        return _refined(context, below[asked[0].end() :])
    question = _ANSWER_LINE.split(below[asked[-1].end() :])[0].strip()
    if _PROVIDED in above:
        earlier = above.rsplit(_PROVIDED, 1)[1].partition("Below are several numbered sources")[0]
        return Block(context, question, earlier)
    return Block(context, question)


def _refined(context: str, task: str) -> Block:
    question, _, rest = task.partition("\nOriginal Answer: ")
    return Block(context, question.strip(), rest.rpartition("\nNew Answer:")[0])


def _labelled(text: str) -> Block | None:
    """`Context: ...` before `Question: ...`, or after it."""
    label = _LABEL.search(text)
    asked = list(_QUESTION.finditer(text))
    if label is None or not asked:
        return None
    if asked[-1].start() >= label.end():
        context, task = text[label.end() : asked[-1].start()], text[asked[-1].end() :]
        if "New Context:" in label[0] and "\nOriginal Answer: " in task:
            return _refined(context, task)
        return Block(context, _ANSWER_LINE.split(task)[0].strip())
    question = text[asked[0].end() : label.start()].strip()
    return Block(_ANSWER_LINE.split(text[label.end() :])[0], question)


def _tagged(text: str) -> Block | None:
    """Passages between tags, the question being what stands around them."""
    match = _TAGGED.search(text)
    if match is None:
        return None
    around = f"{text[: match.start()]}\n{text[match.end() :]}"
    asked = list(_QUESTION.finditer(around))
    question = _ANSWER_LINE.split(around[asked[-1].end() :])[0] if asked else around
    return Block(match[2], question.strip())


def _in_system(prompt: Prompt) -> Block | None:
    """Passages that stand in the system prompt, the question being the user's text."""
    system = prompt.system_text
    if not _SYSTEM_WORDS.search(system):
        return None
    existing = _EXISTING.search(system)
    earlier = None
    if existing:
        rest = system[existing.end() :]
        earlier = re.split(r"\n\s*(?:-{6,}|Instruction:)", rest, maxsplit=1)[0].strip()
        system = system[: existing.start()]
    return Block(_system_passages(system), prompt.user_text, earlier)


def _system_passages(system: str) -> str:
    """The part of a system prompt that holds its passages: what is set apart, or what does not
    read like an instruction."""
    tagged = _TAGGED.search(system)
    if tagged:
        return tagged[2]
    rules = list(_RULE.finditer(system))
    if len(rules) > 1:
        return system[rules[0].end() : rules[-1].start()]
    label = _LABEL.search(system)
    if label and system[label.end() :].strip():
        return _AFTER_PASSAGES.split(system[label.end() :], maxsplit=1)[0]
    # Blank lines stay, since metadata is told from text by them.
    return "\n".join(
        " ".join(one for one in sentences(line) if not _INSTRUCTS.search(one))
        for line in system.splitlines()
    )


def _earlier_question(prompt: Prompt) -> str:
    before = [m.text for m in prompt.messages[: max(0, prompt.last_user)] if m.role == "user"]
    return before[-1] if before else ""


def find_in_context(prompt: Prompt) -> tuple[Block, Found] | None:
    """The retrieved passages and what of them suits the question; None without passages."""
    text = prompt.user_text
    block = _ruled(text) or _labelled(text) or _tagged(text)
    if block is not None:
        return block, best(passages(block.context), block.question)
    block = _in_system(prompt)
    if block is None:
        return None
    found = best(passages(block.context), block.question, _earlier_question(prompt))
    return (block, found) if found is not NOTHING or block.earlier else None


def from_context(prompt: Prompt) -> str | None:
    """The sentence of the retrieved passages that answers the question, with its source."""
    looked = find_in_context(prompt)
    if looked is None:
        return None
    block, found = looked
    parts = _SUB_ANSWER.findall(block.context)
    if parts and block.earlier is None:
        return " ".join(" ".join(parts).split())
    if block.earlier is not None:
        before = Question(block.question).fits(_CITED.sub("", block.earlier))
        return found.cited() if found.score > before else block.earlier.strip()
    return found.cited() if found.sentence else _NO_ANSWER


def from_result(result: str, question: str) -> str | None:
    """Of a tool's result that holds passages the sentence that answers, with its source.

    None when the result is no passages, or none of their sentences suits the question. Passages
    are what names a source, or has several paragraphs.
    """
    text = result.strip()
    if text[:1] in ("{", "[") and "page_content=" not in text and not re.match(r"\[\d+\]", text):
        return None
    cut = passages(text)
    named = any(one.source is not None or one.number is not None for one in cut)
    if not named and "\n\n" not in text:
        return None
    return best(cut, question).cited() or None
