"""Which values a prompt holds for a field: named ones, quotes, numbers, names, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from aimlapi_emulator.answers.options import Option, mentions
from aimlapi_emulator.text.bounds import check_cpu
from aimlapi_emulator.text.words import FUNCTION_WORDS, all_words

_NUMBER = re.compile(
    r"(?<![\w.])-?\d+(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.])-?\d+(?:\.\d+)?(?![\w])"
)
_QUOTED = re.compile(
    r"\"([^\"\n]+)\"|(?<!\w)'([^'\n]+)'(?!\w)|“([^”\n]+)”|«([^»\n]+)»|「([^」\n]+)」|`([^`\n]+)`"
)
_NAME = re.compile(
    r"\b(?:(?:Dr|Mr|Mrs|Ms|St)\.\s+)?[A-Z][\w'’-]*"
    r"(?:\s+(?:of|de|van|von|la|the)\s+(?=[A-Z])|\s+|,\s+(?=[A-Z]{2}\b))?"
    r"(?:[A-Z][\w'’-]*(?:\s+|,\s+(?=[A-Z]{2}\b))?)*"
)
_PLACE = re.compile(
    r"\b(?:in|at|for|near|of|to|from)\s+((?:[A-Z][\w'’.-]*)(?:(?:\s+|,\s*)[A-Z][\w'’.-]*)*)"
)
_SPELLED = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
_FIRST_WORDS = FUNCTION_WORDS | frozenset(
    "multiply list search hello hi extract question answer context convert compute calculate book "
    "set send translate summarize describe compare today tomorrow explain write generate create "
    "return name title query human user assistant according please email json".split()
)
_MAX_TOPIC = 1000
_ABOUT = re.compile(
    r"\b(?:about|related to|regarding|concerning):?\s+(?:the\s+)?([^.,;!?\n]+)", re.IGNORECASE
)


def numbers(text: str) -> list[float | int]:
    """Numbers in order; ints stay ints, spelled ones up to twelve are taken when there are no
    digits."""
    found: list[float | int] = []
    for match in _NUMBER.findall(text):
        plain = match.replace(",", "")
        found.append(float(plain) if "." in plain else int(plain))
    if found:
        return found
    return [_SPELLED[word.lower()] for word in all_words(text) if word.lower() in _SPELLED]


def quoted(text: str) -> list[str]:
    """Quoted strings in order."""
    return ["".join(groups).strip() for groups in _QUOTED.findall(text)]


def names(text: str) -> list[str]:
    """Runs of capitalised words that do not merely begin a sentence."""
    found = []
    for match in _NAME.finditer(text):
        words = match[0][:_MAX_TOPIC].strip().rstrip(",").split()
        while words and words[0].lower().strip("',’") in _FIRST_WORDS:
            del words[0]
        phrase = " ".join(words).removesuffix("'s")
        if phrase and phrase not in found:
            found.append(phrase)
    return found


def topic(question: str) -> str:
    """What a question or an order is about, without the words that begin it."""
    about = _ABOUT.search(question)
    words = (about[1] if about else question)[:_MAX_TOPIC].split()
    begins = (at for at, word in enumerate(words) if word.lower().strip(",:'’") not in _FIRST_WORDS)
    return " ".join(words[next(begins, -1) :]).strip(" \"'?.!,;")


@lru_cache(maxsize=1024)
def _named_pattern(field_name: str) -> re.Pattern[str]:
    spelled = r"[\s_-]*".join(map(re.escape, all_words(field_name))) or re.escape(field_name)
    link = r"\s*(?::|=|\bis\b|\bare\b|\bof\b|\bequals\b)\s*"
    value = r"(\"[^\"\n]+\"|'[^'\n]+'|“[^”\n]+”|\[[^\]\n]*\]|[^\n;]+)"
    return re.compile(
        rf"(?<!\w)[\"'`]?{spelled}[\"'`]?(?:{link}|\s+(?=[\"'“\d])){value}", re.IGNORECASE
    )


_VALUE_END = re.compile(r"[,.!?](?=\s|$)|\s+(?:and|with|but|then|or)\s+", re.IGNORECASE)


def find_named_value(field_name: str, text: str) -> str | None:
    """The value in `field: value`, `field is value`, `field "value"`, as text."""
    check_cpu()
    match = _named_pattern(field_name).search(text) if field_name else None
    if match is None:
        return None
    raw = match[1].strip()
    if not raw:
        return None
    if raw[0] in "\"'“[":
        return raw.strip("\"'“”") if raw[0] != "[" else raw
    return _VALUE_END.split(raw, maxsplit=1)[0].strip(" \"'`") or None


def find_named_list(field_name: str, text: str) -> list[str]:
    """The values in `field: a, b and c`."""
    match = _named_pattern(field_name).search(text) if field_name else None
    if match is None:
        return []
    raw = re.split(r"[.!?](?=\s|$)", match[1].strip().strip("[]"), maxsplit=1)[0]
    parts = re.split(r"\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+", raw)
    return [part.strip(" \"'`") for part in parts if part.strip(" \"'`")]


def negates(word: str, text: str) -> bool:
    """Whether the text says `no <word>` or `without <word>`."""
    spelled = r"[\s_-]*".join(map(re.escape, all_words(word)))
    pattern = rf"\b(?:no|not|without|omit|skip|excluding)\s+(?:a\s+|the\s+|any\s+)?{spelled}\b"
    return mentions(word, text) and re.search(pattern, text, re.IGNORECASE) is not None


@dataclass(slots=True)
class PromptValues:
    """The values of a prompt, given out one after the other while an instance is filled."""

    text: str
    question: str = ""
    """The last user text, for fields that want words rather than a value."""
    material: str = ""
    """What the prompt brings along, for fields that judge by it."""
    passage: str = ""
    """What the retrieved passages answer, for fields that hold an answer."""
    result: str = ""
    """The latest tool result, for fields that ask for one."""
    is_answered: bool = False
    """Whether somebody has answered the question already, so that an agent can end."""
    options: Sequence[Option] = ()
    """What the prompt or the tool offers, for fields that choose among it."""
    about: str = ""
    """The tool's description, which may say what its fields take."""
    taken_numbers: Iterable[float | int] = ()
    first_numbers: Iterable[float | int] = ()
    """Results of earlier calls, given out before the prompt's own numbers."""
    invented: int = 0
    """How many fields of the instance the prompt held nothing for."""
    _numbers: list[float | int] = field(init=False)
    _quoted: list[str] = field(init=False)
    _names: list[str] = field(init=False)
    _places: list[str] = field(init=False)

    def __post_init__(self) -> None:
        found = numbers(self.text)
        for value in self.taken_numbers:
            if value in found:
                found.remove(value)
        self._numbers = [*self.first_numbers, *found]
        self._quoted = quoted(self.text)
        self._names = names(self.text)
        self._places = [match.strip().rstrip(".,") for match in _PLACE.findall(self.text)]

    def next_number(self, low: float, high: float, *, whole: bool) -> float | int | None:
        """The next number within the bounds, None when none is left."""
        for index, value in enumerate(self._numbers):
            if low <= value <= high and (not whole or float(value).is_integer()):
                del self._numbers[index]
                return value
        return None

    def next_quoted(self) -> str | None:
        """The next quoted string."""
        return self._quoted.pop(0) if self._quoted else None

    def next_name(self) -> str | None:
        """The next capitalised name."""
        return self._names.pop(0) if self._names else None

    def next_place(self) -> str | None:
        """The next phrase after a preposition, else the next name."""
        return self._places.pop(0) if self._places else self.next_name()

    def drop_quoted(self, value: str) -> None:
        """Take a quoted string that was used by name out of the row."""
        if value in self._quoted:
            self._quoted.remove(value)

    def all_quoted(self) -> list[str]:
        """All quoted strings that are left."""
        found, self._quoted = self._quoted, []
        return found
