from __future__ import annotations

import re

import pytest

from aimlapi_core._history.names import wire_tool_name


@pytest.mark.parametrize("name", ["add", "a-b_C9", "x" * 64])
def test_a_name_that_fits_stays(name: str) -> None:
    assert wire_tool_name(name) == name


@pytest.mark.parametrize(
    "name", ["Gen[int]", "Gen int ", "größe", "x" * 65, "a.b", "\ud800", "a\n"]
)
def test_any_other_name_becomes_one_that_fits(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", wire_tool_name(name))


def test_two_names_never_meet() -> None:
    names = ["a b", "a_b", "a.b", "x" * 65, "x" * 66]
    assert len({wire_tool_name(name) for name in names}) == len(names)
