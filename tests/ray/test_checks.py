"""What is refused before anything is started, and how rows are shared out. No Ray."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from aimlapi_core import AsyncClient, ConfigurationError, Settings
from aimlapi_ray import DatasetError
from aimlapi_ray.checks import check_arguments, check_columns, model_id, rows_per_block
from langchain_aimlapi import ChatAIMLAPI
from llama_index_aimlapi import AIMLAPI


async def ask(model: Any, row: dict[str, Any], tone: str = "") -> str:
    return str(row)


GOOD: dict[str, Any] = {
    "ask": ask, "job": "lakes", "workers": 2, "concurrency": 4, "budget_usd": None,
    "max_failed": None, "progress_every_s": 10.0,
}  # fmt: skip
WRONG = [
    ("ask", lambda model, row: "text"), ("ask", "text"), ("job", ""), ("job", None),
    ("workers", 0), ("workers", 1.5), ("concurrency", True), ("concurrency", -1),
    ("max_failed", -1), ("progress_every_s", 0), ("budget_usd", "much"), ("budget_usd", -1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_argument_is_named(name: str, value: Any) -> None:
    said = "amount in USD" if name == "budget_usd" else name
    with pytest.raises(ConfigurationError, match=said):
        check_arguments(**{**GOOD, name: value})


@pytest.mark.parametrize("good", [{}, {"ask": partial(ask, tone="dry")}, {"max_failed": 0}])
def test_right_arguments_pass(good: dict[str, Any]) -> None:
    check_arguments(**{**GOOD, **good})


def test_a_missing_id_column_is_told_with_those_there_are() -> None:
    with pytest.raises(DatasetError, match=r"no column 'id': .* one of \['number', 'text'\]"):
        check_columns(["number", "text"], "id")


@pytest.mark.parametrize("taken", ["answer", "error"])
def test_a_column_of_our_name_is_refused(taken: str) -> None:
    with pytest.raises(DatasetError, match=taken):
        check_columns(["id", taken], "id")


def test_models_are_known_by_their_id() -> None:
    given: Any = {"model": "openai/gpt-5-2", "api_key": "sk-x"}
    assert model_id(ChatAIMLAPI(**given)) == model_id(AIMLAPI(**given)) == "openai/gpt-5-2"
    assert model_id(AsyncClient(Settings(api_key="sk-x"))) == ""


@pytest.mark.parametrize(
    ("rows", "workers", "concurrency", "expected"),
    [(1, 8, 16, 1), (40, 2, 4, 5), (1_000_000, 2, 16, 64), (17, 1, 64, 5)],
)
def test_blocks_are_small_enough_to_share_and_large_enough_to_fill_slots(
    rows: int, workers: int, concurrency: int, expected: int
) -> None:
    assert rows_per_block(rows, workers, concurrency) == expected
