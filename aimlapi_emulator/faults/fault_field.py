"""The facts of a fault field: which values it takes, and on which responses it has an effect.

They are written once, as the metadata of the field in `Fault`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf
from typing import Any, Literal, NamedTuple, get_args

ResponseKind = Literal[
    "any",
    "answer",  # no error, and no raw body
    "completion",  # an answer of chat completions or Responses
    "embeddings",  # an answer of embeddings
    "stream",
    "chat stream",
    "responses stream",
]
_TYPES = {kind.__name__: kind for kind in (int, float, bool, bytes, str, tuple)}
# They frame the body: `cut_after_bytes` is the way to a body of another length.
_FRAMING = ("content-length", "transfer-encoding")
_MAX_INTERIM = 100
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class FaultError(ValueError):
    """A fault that cannot be made; the message says why."""


class FaultTarget(NamedTuple):
    """A response that a fault acts on."""

    kinds: frozenset[ResponseKind]
    """All that it is."""
    events: int
    """Number of events of a stream, `[DONE]` included; 0 if it is no stream."""
    body: bytes
    """All bytes of the body or stream."""


def fault_field(default: Any, /, *, acts_on: ResponseKind = "any", **facts: Any) -> Any:
    """A field of `Fault` with its facts: the arguments of `FaultField`."""
    return field(default=default, metadata={"acts_on": acts_on, **facts})


@dataclass(frozen=True, slots=True)
class FaultField:
    """One field. `kind` is its type as written in `Fault`.

    Values: the only ones are `choices`; `minimum` and `maximum` are both allowed; `check` raises
    FaultError; `takes_empty`: an empty text is a value too. Other fields: it does nothing unless
    one of `requires` is set, and contradicts those in `excludes`. Responses: it acts on those of
    the kind `acts_on`, for some values of a narrower one, as far as `reaches` holds for its value;
    `replaces_answer` says that it leaves nothing of a scripted answer.
    """

    name: str
    kind: str
    default: Any
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float = inf
    check: Callable[[Any], None] = lambda _: None
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    acts_on: ResponseKind = "any"
    acts_on_by_value: Mapping[str, ResponseKind] = field(default_factory=dict)
    reaches: Callable[[FaultTarget, Any], bool] = lambda *_: True
    replaces_answer: bool = False
    takes_empty: bool = False

    def __post_init__(self) -> None:
        if self.acts_on not in get_args(ResponseKind):
            known = ", ".join(map(repr, get_args(ResponseKind)))
            raise ValueError(f"{self.name}: acts_on={self.acts_on!r} is none of {known}")

    def validate(self, value: Any) -> None:
        """Raise FaultError when the field does not take this value, which is not its default."""
        name, kind = self.name, _TYPES.get(re.split(r"\W", self.kind)[0])
        if self.choices and value not in self.choices:
            hint = nearest(str(value), self.choices)
            hint = hint or f": it takes {', '.join(map(repr, self.choices))}"
            raise FaultError(f"{name}={value!r} is none of its words{hint}")
        if kind and type(value) not in ((float, int) if kind is float else (kind,)):
            raise FaultError(f"{name} takes {kind.__name__}, not {value!r}")
        if self.minimum is not None and not self.minimum <= value <= self.maximum:
            above = " or more" if self.maximum == inf else f" to {self.maximum:,}"
            raise FaultError(f"{name}={value!r} is out of bounds: {self.minimum}{above}")
        if value == "" and not self.takes_empty:
            raise FaultError(f"{name}='' says nothing: leave it out")
        self.check(value)

    def kind_for(self, value: Any) -> ResponseKind:
        """The kind of responses that this value acts on."""
        return self.acts_on_by_value.get(str(value), self.acts_on)

    def has_effect(self, response: FaultTarget, value: Any) -> bool:
        """Whether this value of the field changes anything about the response."""
        return self.kind_for(value) in response.kinds and self.reaches(response, value)


def nearest(name: str, known: Iterable[str]) -> str:
    """`: did you mean ...?`, or "" where no known name is near."""
    near = get_close_matches(name, list(known), 1)
    return f": did you mean {near[0]!r}?" if near else ""


def resolve_index(index: int, size: int) -> int | None:
    """The position in a list of this size, a negative index counted from its end; else None."""
    return index % size if -size <= index < size else None


def check_interim(statuses: tuple[Any, ...]) -> None:
    """Raise FaultError unless all are statuses of interim responses."""
    if not all(type(s) is int and 100 <= s < 200 and s != 101 for s in statuses):
        raise FaultError(f"interim={statuses!r}: it takes statuses from 100 to 199, but not 101")
    if len(statuses) > _MAX_INTERIM:
        raise FaultError(f"interim takes at most {_MAX_INTERIM} statuses, not {len(statuses)}")


def check_headers(headers: Any) -> None:
    """Raise FaultError for headers that cannot be sent, or that frame the body."""
    if not isinstance(headers, Mapping):
        raise FaultError(f"headers takes a mapping of names to values, not {headers!r}")
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise FaultError(f"header {name!r} takes a str, not {value!r}")
        if not (_HEADER_NAME.fullmatch(name) and value.isprintable() and value.isascii()):
            raise FaultError(f"header {name!r} cannot be sent: it takes one line of ASCII")
        if name.lower() in _FRAMING:
            raise FaultError(f"header {name!r} is set by the emulator; cut_after_bytes cuts")
