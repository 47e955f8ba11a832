from __future__ import annotations

import re

import pytest

from llama_index_aimlapi._request.tool_names import to_wire_tool_name


@pytest.mark.parametrize("name", ["add", "a-b_C9", "x" * 64])
def test_a_name_that_fits_stays(name: str) -> None:
    assert to_wire_tool_name(name) == name


@pytest.mark.parametrize(
    "name", ["Gen[int]", "Gen int ", "größe", "x" * 65, "a.b", "\ud800", "a\n"]
)
def test_any_other_name_becomes_one_that_fits(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", to_wire_tool_name(name))


def test_two_names_never_meet() -> None:
    names = ["a b", "a_b", "a.b", "x" * 65, "x" * 66]
    assert len({to_wire_tool_name(name) for name in names}) == len(names)
