"""The four classes' docstrings: every argument once, in a form that the reference page reads."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from scripts import arguments

# Other names of one argument, and what every LangChain model has.
ALIASES = {"api_base", "model_name", "model_kwargs", "unknown"}
LANGCHAINS = {
    *("name", "cache", "verbose", "callbacks", "tags", "metadata", "custom_get_token_ids"),
    *("rate_limiter", "disable_streaming", "output_version", "profile"),
}

CLASSES = pytest.mark.parametrize(
    "cls", [ChatAIMLAPI, AIMLAPIEmbeddings, AIMLAPI, AIMLAPIEmbedding]
)


def documented(cls: Any) -> list[str]:
    """The names of the section "Args", in order."""
    section = inspect.getdoc(cls).partition("\nArgs:\n")[2].partition("\n\n")[0]
    return re.findall(r"^    (\w+) \([^\n]+\): ", section, re.M)


@CLASSES
def test_every_argument_is_documented_once(cls: Any) -> None:
    taken = set(inspect.signature(cls).parameters) - ALIASES
    if cls in (ChatAIMLAPI, AIMLAPIEmbeddings):
        taken -= LANGCHAINS
        taken |= {"model_kwargs"} if cls is ChatAIMLAPI else set()
    names = documented(cls)
    assert sorted(names) == sorted(taken)


@pytest.mark.parametrize("cls", arguments.model_classes())
def test_request_parameters_are_described_as_in_their_table(cls: Any) -> None:
    text = arguments.source(cls).read_text(encoding="utf-8")
    assert arguments.with_params(text, cls) == text, "run: python -m scripts.tables"


@CLASSES
def test_it_shows_how_to_make_one(cls: Any) -> None:
    assert f"{cls.__name__}(" in (cls.__doc__ or "")
