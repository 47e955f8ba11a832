"""Finds the row of a model id, and the listed id that another one is a misspelling of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from aimlapi_core.models.gpt import GPT
from aimlapi_core.models.gpt_5_2 import GPT_5_2
from aimlapi_core.models.model_info import ModelInfo

_ROWS = (*GPT_5_2, *GPT)
MODELS: Mapping[str, ModelInfo] = MappingProxyType({row.id: row for row in _ROWS})
_BY_NAME = {name: row for row in _ROWS for name in (row.id, *row.aliases)}


def model_info(model_id: str) -> ModelInfo | None:
    """The checked row of this exact id or alias, else its row of the catalogue; None without one.

    The catalogue is read at the first id without a checked row.
    """
    if not isinstance(model_id, str):  # refused with a clear error where the request is checked
        return None
    row = _BY_NAME.get(model_id)
    if row is not None:
        return row
    from aimlapi_core.models.catalogue import catalogue_row  # costs time that GPT-5.2 does not need

    return catalogue_row(model_id)


def listed_models() -> tuple[str, ...]:
    """The ids of all rows: those that are checked, their aliases, then those of the catalogue."""
    from aimlapi_core.models.catalogue import catalogue_ids

    return (*_BY_NAME, *(name for name in catalogue_ids() if name not in _BY_NAME))


def is_router(model_id: str) -> bool:
    """Whether the model picks another one for each request, by its name (`liquid/d1-router`).

    Its choice is billed as a request of its own [D the vendor's page of `liquid/d1-router`, commit
    42154be3].
    """
    return "router" in model_id.rpartition("/")[2]


def nearest(name: str, candidates: Iterable[str], *, cutoff: float = 0.7) -> str | None:
    """The candidate that `name` is most likely a misspelling of; None if there is none."""
    found = difflib.get_close_matches(name, list(candidates), n=1, cutoff=cutoff)
    return found[0] if found else None


def nearest_model(model_id: str) -> str | None:
    """The listed id that `model_id` is another spelling of (`gpt-5-2`, `openai/gpt-5.2`), or None.

    Ids may differ only in spaces, dots or dashes, case, what a web page puts in their place, the
    vendor's prefix and the date at the end where they are missing, the provider's name in front
    (`aimlapi:openai/gpt-5-2`), and a typing error in one word (`openai/gtp-5-2`), never in a number
    or a short word, as another model's id is not a misspelling.
    """
    if not isinstance(model_id, str) or model_info(model_id):
        return None
    form = _comparable(model_id)
    return _spellings().get(form) or _mistyped(form)


def is_spelling_of(model_id: str, other: str) -> bool:
    """Whether an id is another spelling of `other`, or an alias of the row that has it as its id.

    `openai/gpt-5.3-codex` is one of `openai/gpt-5-3-codex`; `openai/gpt-5.2-pro` and
    `openai/gpt-5-2-pro` both have rows, so they are two models.
    """
    row, other_row = model_info(model_id), model_info(other)
    if row is not None and row.id == other:
        return True
    if row is not None and other_row is not None and row.id != other_row.id:
        return False
    return _comparable(model_id) == _comparable(other)


@cache
def _spellings() -> Mapping[str, str]:
    """Listed ids by the forms that they are compared in; closer forms and checked rows win."""
    names = (*MODELS, *(name for name in listed_models() if name not in MODELS))
    whole = [(_comparable(name), name) for name in names]
    bare = [(form.rpartition("/")[2], name) for form, name in whole]
    undated = [(_DATE.sub("", form), name) for form, name in (*whole, *bare)]
    found: dict[str, str] = {}
    for form, name in (*whole, *bare, *undated):
        found.setdefault(form, name)
    return found


@lru_cache(maxsize=256)
def _mistyped(form: str) -> str | None:
    """The listed id that differs in one word, by one letter or two that changed places."""
    words = _WORDS.split(form)
    for listed, name in _spellings().items():
        pairs = zip(words, _WORDS.split(listed), strict=False)
        if listed.count("-") == form.count("-") and listed.count("/") == form.count("/"):
            wrong = [pair for pair in pairs if pair[0] != pair[1]]
            if len(wrong) == 1 and _is_typing_error(*wrong[0]):
                return name
    return None


def _is_typing_error(typed: str, word: str) -> bool:
    if not (typed + word).isalpha() or len(word) < _SHORTEST_WORD:
        return False
    while typed and word and typed[0] == word[0]:
        typed, word = typed[1:], word[1:]
    return (
        typed[1:] == word[1:]  # another letter
        or typed[1:] == word  # one too many
        or typed == word[1:]  # one is missing
        or (typed[:2] == word[1::-1] and typed[2:] == word[2:])  # two changed places
    )


_WORDS = re.compile(r"[-/]")
_SHORTEST_WORD = 3
_DATE = re.compile(r"-20\d\d-?\d\d-?\d\d$")
_SEPARATORS = re.compile(r"[\s._\u2010-\u2015\u2212]+")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
_SLASHES = re.compile(r"[:/\\]+")
_PROVIDER = re.compile(r"^(?:aimlapi|aiml)/")


def _comparable(model_id: str) -> str:
    form = _SLASHES.sub("/", _INVISIBLE.sub("", model_id).strip().lower())
    return _PROVIDER.sub("", _SEPARATORS.sub("-", form))
