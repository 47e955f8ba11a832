"""Prompts that bring passages along: the answer is the sentence that fits the question best.

Read are the question and refine forms of retrieval frameworks, a `Context:` with a `Question:`,
and passages in the system prompt. Plain string searches, since prompts can be long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .prompt import Prompt
from .words import best_sentence, content_words, sentences

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
_SYSTEM_WORDS = re.compile(r"\b(?:context|documents?|passages|sources|retrieved)\b", re.IGNORECASE)
_METADATA = re.compile(r"(?:file_path|page_label|source)\s*:")


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
        question, _, rest = task.partition("\nWe have provided an existing answer: ")
        return Block(context, question, rest.partition("\nWe have the opportunity")[0])
    asked = list(_QUESTION.finditer(below))
    if "ontext" not in above or not asked:
        return None
    if "\nOriginal Answer: " in below:
        return _refined(context, below[asked[0].end() :])
    return Block(context, _ANSWER_LINE.split(below[asked[-1].end() :])[0].strip())


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


def _in_system(prompt: Prompt) -> Block | None:
    """Passages that stand in the system prompt, the question being the user's text."""
    system = prompt.system_text
    if not _SYSTEM_WORDS.search(system):
        return None
    passages = [one for one in sentences(system) if not _INSTRUCTS.search(one)]
    if not best_sentence(passages, prompt.user_text)[1]:
        return None
    return Block("\n".join(passages), prompt.user_text)


def from_context(prompt: Prompt) -> str | None:
    """The sentence of the retrieved passages that shares most words with the question."""
    text = prompt.user_text
    block = _ruled(text) or _labelled(text) or _in_system(prompt)
    if block is None:
        return None
    lines = [one for one in sentences(block.context) if not _METADATA.match(one)]
    sentence, shared = best_sentence(lines, block.question)
    if block.earlier is not None:
        before = len(content_words(block.question) & content_words(block.earlier))
        return sentence if shared > before else block.earlier.strip()
    return sentence or _NO_ANSWER
