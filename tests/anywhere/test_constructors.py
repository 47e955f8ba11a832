"""What all constructors refuse."""

from __future__ import annotations

from typing import Any

import pytest

from aimlapi_core import ConfigurationError
from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
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


@pytest.mark.parametrize("cls", [ChatAIMLAPI, AIMLAPIEmbeddings, AIMLAPI, AIMLAPIEmbedding])
@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": 5},
        {"base_url": "api.aimlapi.com:x/v1"},
        {"max_retries": "many"},
        {"unsupported_params": "drop"},
        {"extra_body": 3},
        {"default_headers": 4},
        {"timeout": "long"},
    ],
    ids=str,
)
def test_a_value_that_cannot_work_is_one_error_that_names_its_argument(
    cls: Any, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        cls(api_key=KEY, **wrong)
    assert str(caught.value).startswith(next(iter(wrong)))
    assert "pydantic" not in str(caught.value)
