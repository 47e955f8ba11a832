"""What all constructors refuse."""

from __future__ import annotations

from typing import Any

import pytest

from aimlapi_core import ConfigurationError
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI
from tests.anywhere.objects import KEY

CHAT_MODELS = pytest.mark.parametrize("cls", [ChatAIMLAPI, AIMLAPI])


@CHAT_MODELS
@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ({"reasoning_effort": "hgih"}, "high"),
        ({"reasoning_effort": "Low"}, "low"),
        ({"reasoning_summary": "auot"}, "auto"),
        ({"truncation": "disable"}, "disabled"),
    ],
)
def test_a_misspelled_value_is_named_with_the_right_one(
    cls: Any, argument: dict[str, str], meant: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"did you mean '{meant}'"):
        cls(api_key=KEY, **argument)
    cls(api_key=KEY, unsupported_params="send", **argument)


@CHAT_MODELS
def test_a_value_that_no_document_lists_is_taken(cls: Any) -> None:
    assert cls(api_key=KEY, reasoning_effort="turbo").reasoning_effort == "turbo"


def test_a_misspelled_value_is_found_inside_reasoning() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'high'"):
        ChatAIMLAPI(api_key=KEY, reasoning={"effort": "hihg"})
