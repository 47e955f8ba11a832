"""Follow-up questions made to stand alone: what they leave out comes from the turns before."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aimlapi_emulator.prompt import Prompt
from aimlapi_emulator.text.words import plain_words

_ENDS = re.compile(r"(?:standalone question|search query)[:>]?\s*$", re.IGNORECASE)
_FOLLOW_UP = re.compile(r"<?Follow[ -]?Up (?:Input|Message|Question)[:>]", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*(user|human|assistant|ai)\s?:[ \t]*", re.IGNORECASE | re.MULTILINE)
_REPHRASES = re.compile(
    r"\b(?:re)?(?:formulate|phrase|write)\b|\bgenerate\b|\bcondense\b|\bcreate\b", re.IGNORECASE
)
_TASK = re.compile(r"\b(?:stand-?alone|search query|retrieval query)\b", re.IGNORECASE)
_HISTORY = re.compile(r"\b(?:chat history|conversation|follow[ -]?up)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"^\W*(?:(?:and|but|so|also|ok|okay|then|please)\b\W*)*"
    r"(?:(?:who|what)\s+\w+\s+(?=(?:the|an?|our|(?-i:[A-Z]\w*))\b)|(?:(?:what|who|whom|whose|when|where|why|which|how)\b(?:\s+(?!(?:is|are|was|were|did|does|do|"
    r"has|have|had|can|could|will|would|should)\b)[\w'’-]+){0,2}?\s+)?"
    r"(?:is|are|was|were|did|does|do|has|have|had|can|could|will|would|should|about|"
    r"(?:(?:can|could) you )?(?:tell me|describe|explain|summari[sz]e)(?:\s+(?:me\s+)?about)?)\s+)",
    re.IGNORECASE,
)
_THING = re.compile(r"\b(?:it|this|that|these|those|they|them|he|she|him)\b", re.IGNORECASE)
_OWNED = re.compile(r"\b(?:its|their|his|her)\b", re.IGNORECASE)
_PLACE = re.compile(r"\bthere\b(?!\s+(?:is|are|was|were|any|a|an)\b)", re.IGNORECASE)
_PARTICIPLE = re.compile(r"(?<=\w)\s+(?:\w+ed|built|made|found|born|begun|written|known|sold)$")
_LINK = re.compile(r"^(?:and|but|so|also|ok|okay|then)\b[\s,]*", re.IGNORECASE)
_NAME = re.compile(r"(?<=[\w,] )[A-Z][\w'’-]+")


def _leans(question: str) -> bool:
    """Whether a question points back to what was said before."""
    return bool(_THING.search(question) or _OWNED.search(question) or _PLACE.search(question))


def _subject(question: str) -> str:
    """What a question is about: what follows its question words."""
    line = " ".join(question.split()).rstrip("?!. ？。")
    subject = _ASKS.sub("", line, count=1)
    # "When was the mill built": the last word belongs to the question.
    return _PARTICIPLE.sub("", subject) or line


def _rephrased(question: str, earlier: Sequence[str]) -> str:
    """The question with the subject of the last of the `earlier` ones that names its own."""
    own = [one for one in earlier if one.strip() and not _leans(one) and plain_words(one)]
    if not own:
        return question
    subject = _subject(own[-1])
    bare = _LINK.sub("", question)
    bare = bare[:1].upper() + bare[1:]
    for pattern, said in ((_OWNED, f"{subject}'s"), (_THING, subject), (_PLACE, f"at {subject}")):
        match = pattern.search(bare)
        if match:
            return f"{bare[: match.start()]}{said}{bare[match.end() :]}"
    if plain_words(bare) & plain_words(subject) or _NAME.search(bare):
        return question
    end = bare.rstrip("?!. ？。")
    return f"{end} ({subject}){bare[len(end) :]}"


def _in_text(text: str) -> tuple[str, list[str]]:
    """(follow-up, earlier questions) of a prompt that spells the history out."""
    before, _, after = text.rpartition((_FOLLOW_UP.findall(text) or ["\n"])[-1])
    follow_up = after.strip().rsplit("\n", 1)[0].strip()
    parts = _SPEAKER.split(before)
    said = [
        turn.strip().strip("<").strip()
        for who, turn in zip(parts[1::2], parts[2::2], strict=False)
        if who.lower() in ("user", "human")
    ]
    return follow_up, said


def standalone(prompt: Prompt) -> str | None:
    """A follow-up as it stands alone, when asked to rephrase it so or to make a query of it."""
    text = prompt.user_text.rstrip()
    if _ENDS.search(text) and _FOLLOW_UP.search(text):
        return _rephrased(*_in_text(text))
    said = [m.text for m in prompt.messages if m.role == "user"]
    if _is_task(text) and len(said) > 1:
        return _rephrased(said[-2].strip(), said[:-2])
    if said and _is_task(prompt.system_text):
        return _rephrased(text.strip(), said[:-1])
    return None


def _is_task(text: str) -> bool:
    return bool(_TASK.search(text) and _REPHRASES.search(text) and _HISTORY.search(text))
