"""Finds the row of a model id, and the listed id that another one is a misspelling of."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import cache
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

    Ids may differ only in spaces, dots or dashes, case, the vendor's prefix and the date at the
    end where they are missing, as another model's id is not a misspelling.
    """
    return None if model_info(model_id) else _spellings().get(_comparable(model_id))


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


_DATE = re.compile(r"-20\d\d-?\d\d-?\d\d$")
_SEPARATORS = re.compile(r"[\s._]+")


def _comparable(model_id: str) -> str:
    return _SEPARATORS.sub("-", model_id.strip().lower())
