"""What a prompt asks for: the question, the material that it brings along, and the instructions.

Frameworks label the parts of a prompt (`Question:`, `Context:`), put rules of dashes or tags around
passages, or keep these in the system prompt. Plain string searches, since prompts can be long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aimlapi_emulator.prompt import Prompt
from aimlapi_emulator.text.bounds import check_cpu
from aimlapi_emulator.text.words import plain_words

_QUESTION = re.compile(
    r"(?im)(?:^|(?<=[.!?\n] )|(?<=\n)|(?<=to the ))[ \t]*(?:#+ |<)?"
    r"(?:user |original |input |new |llm |follow[- ]?up )*(?:question|query|information|message|"
    r"input|generation)s?(?: is as follows)?[ \t]*(?::|>|(?<=query)\n)"
)
_NEXT_LABEL = re.compile(
    r"\n[ \t]*(?:[#<-]|[A-Z][\w-]*(?: [\w-]+){0,3}:)|(?<=[.?!]) (?=(?:[A-Z][\w-]* ?){1,2}:)|"
    r"\n(?:We have|Answer|Respond|Reply) |\n\n"
)
_SOURCES = r"\b(?:context|documents?|sources|passages|excerpts|content|facts)\b"
_RULE = re.compile(r"^[^\S\n]*-{6,}[^\S\n]*$", re.MULTILINE)
_LABEL = re.compile(
    rf"(?mi)^[^:\n]{{0,200}}?(?:{_SOURCES}[^:\n]{{0,100}}|\bfollowing):|<(?:context|documents)>"
)
_END = re.compile(
    r"(?i)\n[ \t]*(?:(?:Helpful |Final |New |Refined |CONCISE )?(?:Answer|SUMMARY)|Instructions?|"
    r"Existing Answer|Chat History)\s*:|\nGiven (?:the|this) |</(?:context|documents)>"
)
_EARLIER = re.compile(
    r"(?si)(?:existing answer|original answer):\s*(.*?)"
    r"(?=\n\s*(?:-{6,}|We have|Instruction|New Answer)|Below are|\Z)"
)
# DSPy's chat adapter.
_FIELDS = re.compile(r"(?sm)^\[\[ ## (\w+) ## \]\]\n(.*?)(?=^\[\[ ## |^Respond with |\Z)")


@dataclass(frozen=True, slots=True)
class Task:
    """The parts of a prompt. `earlier` is an answer to be refined."""

    question: str
    material: str = ""
    instructions: str = ""
    earlier: str = ""
    is_labelled: bool = False
    """Whether the question was set apart from the material."""
    previous: str = ""
    """The user's question before, which this one may follow up."""


def _labelled_question(text: str) -> tuple[str, str]:
    """(the question that is set apart, the text without it); no question where there is none."""
    for match in reversed(list(_QUESTION.finditer(text))):
        check_cpu()
        begin = len(text) - len(text[match.end() :].lstrip())
        found = _NEXT_LABEL.split(text[begin:], maxsplit=1)[0]
        if found.strip():
            return found.strip(" \n'"), f"{text[: match.start()]}{text[begin + len(found) :]}"
    return "", text


def _material(text: str) -> str:
    """The passages of a text: what is set apart, else nothing."""
    rules, end = list(_RULE.finditer(text)), len(text.rstrip())
    labels = [label.end() for label in _LABEL.finditer(text) if label.end() < end]
    # Of several labels the last, since examples go before.
    found = text[labels[-1] :] if labels else ""
    if len(rules) > 1:
        found = text[rules[0].end() : rules[-1].start()]
    return _END.split(found, maxsplit=1)[0]


def read_task(prompt: Prompt) -> Task:
    """The parts of a prompt."""
    user, system = prompt.user_text, prompt.system_text
    fields = {name: text.strip() for name, text in _FIELDS.findall(user)}
    if fields:
        named = [name for name in fields if name in ("question", "query", "input")]
        question = fields.pop(named[0] if named else list(fields)[-1])
        steps = [text for name, text in fields.items() if name.startswith("observation_")]
        material = "\n\n".join([one for one in steps if one != "Completed."] or fields.values())
        return Task(question, material, system, is_labelled=True)
    question, rest = _labelled_question(user)
    material = _material(rest)
    if not material and re.search(rf"{_SOURCES}|\bretrieved\b", system, re.IGNORECASE):
        material = _material(system) or system.partition("\n\n")[2]
    earlier = _EARLIER.search(f"{system}\n{user}")
    instructions = f"{system}\n{rest}"
    if len(material) > 1:
        instructions = instructions.replace(material, " ")
    before = earlier[1].strip() if earlier else ""
    # Passages with the question of one turn may be of a conversation, which the question follows.
    user_texts = [message.text for message in prompt.messages if message.role == "user"][:-1]
    previous = user_texts[-1] if user_texts and not question else ""
    is_set_apart, question = bool(question), (question or user).strip()
    return Task(question, material, instructions, before, is_set_apart, previous)


_REPHRASES = re.compile(
    r"(?is)(?=.*\b(?:stand-?alone|search query|retrieval query)\b)"
    r"(?=.*\b(?:chat history|conversation|follow[ -]?up)\b)"
)
_SPEAKER = re.compile(r"^[ \t]*(?:user|human)\s?:[ \t]*(.*)$", re.IGNORECASE | re.MULTILINE)
_POINTER = re.compile(r"\b(?:it|this|that|these|those|they|them|he|she|him)\b", re.IGNORECASE)
_SUBJECT = re.compile(r"\b(?:the|our|my|an?)\s+\S.*|(?<=\s)[A-Z].*")
_PARTICIPLE = re.compile(r"(?<=\w)\s+(?:\w+ed|built|made)$")


def standalone(prompt: Prompt) -> str | None:
    """A follow-up question as it stands alone, when the prompt asks to rephrase it so.

    The subject of the last earlier question that names its own is put in, or behind it.
    """
    user_texts = [m.text.strip() for m in prompt.messages if m.role == "user"]
    orders = [one for one in (prompt.user_text, prompt.system_text) if _REPHRASES.match(one)]
    if not orders or not user_texts:
        return None
    question, earlier = user_texts[-1], user_texts[:-1]
    if orders[0] == prompt.user_text:
        question = _labelled_question(orders[0])[0] or "".join(user_texts[-2:-1])
        earlier = _SPEAKER.findall(orders[0]) or user_texts[:-2]
    own = [one for one in earlier if one and not _POINTER.search(one)]
    if not own:
        return question or None
    line = own[-1].strip().rstrip("?!. ？。")
    match = _SUBJECT.search(line)
    subject = _PARTICIPLE.sub("", match[0] if match else line)
    if _POINTER.search(question):
        return _POINTER.sub(lambda _: subject, question, count=1)
    is_own = plain_words(question) & plain_words(subject) or re.search(r"\w [A-Z]\w", question)
    return question if is_own else f"{question} ({subject})"
