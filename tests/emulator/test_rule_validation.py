"""Rules that could never act, which are refused where they are written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aimlapi_emulator import Emulator, Fault, RequestView, RuleError
from aimlapi_emulator.faults.fault import NO_FAULT
from tests.emulator.asking import PRO

EMBEDDER = "text-embedding-3-small"


async def later(_: RequestView) -> str:
    return "x"


class Later:
    async def __call__(self, _: RequestView) -> str:
        return "x"


def weather(city: str) -> str:
    return city


class Weather:
    """As a framework's tool is."""

    name = "get_weather"


@pytest.mark.parametrize(
    ("condition", "given", "says"),
    [
        ("", {"text": "x"}, "re.compile"),
        (7, {"text": "x"}, "not 7"),
        ("x", {}, "needs text="),
        ("x", {"text": ""}, "Fault\\(empty=True\\)"),
        ("x", {"text": 7}, "not 7"),
        ("x", {"json": {"a": {1, 2}}}, "JSON object"),
        ("x", {"text": "y", "tool_call": "z"}, "either"),
        ("x", {"arguments": {}}, "without tool_call="),
        ("x", {"tool_call": ""}, "needs the name"),
        ("x", {"tool_call": "a", "arguments": [1]}, "JSON object"),
        ("x", {"tool_calls": []}, "calls nothing"),
        ("x", {"tool_calls": ["a"]}, "is \\(name, arguments\\)"),
        ("x", {"tool_call": "a", "tool_calls": [("a", {})]}, "for one call"),
        ("x", {"fault": NO_FAULT}, "no Fault"),
        ("x", {"fault": {"status": 429}}, "no Fault"),
        ("x", {"text": "y", "fault": Fault(status=500)}, "status leaves nothing"),
        ("x", {"text": "y", "endpoint": "chats"}, "'chat', 'responses'"),
        ("x", {"text": "y", "endpoint": "embeddings"}, "only fault="),
        ("x", {"text": "y", "model": PRO, "endpoint": "chat"}, "not served by endpoint 'chat'"),
        ("x", {"text": "y", "model": EMBEDDER}, "not served by"),
        ("x", {"tool_call": "y", "model": EMBEDDER}, "not served by"),
        (re.compile(b"x"), {"text": "y"}, "a pattern of bytes"),
        (later, {"text": "y"}, "'later' is an async def"),
        (Later(), {"text": "y"}, "is an async def"),
        ("x", {"text": later}, "'later' is an async def"),
        ("x", {"tool_call": "y", "arguments": later}, "'later' is an async def"),
        ("x", {"tool_calls": 5}, "tool_calls= is a list of \\(name, arguments\\)"),
        ("x", {"tool_call": weather}, "tool_call= takes the tool's name, 'weather'"),
        ("x", {"tool_call": Weather()}, "tool_call= takes the tool's name, 'get_weather'"),
        ("x", {"tool_calls": [(weather, {})]}, "tool_call= takes the tool's name, 'weather'"),
        ("x", {"tool_call": 5}, "tool_call= takes the tool's name, not 5"),
        ("x", {"text": "y", "times": 0}, "from 1"),
        ("x", {"text": "y", "times": True}, "from 1"),
    ],
)
def test_a_rule_that_could_never_act_is_refused(
    emu: Emulator, condition: Any, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(RuleError, match=says):
        emu.when(condition, **given)
    assert emu.unused_rules() == []


def test_a_fault_alone_may_be_of_embeddings(emu: Emulator) -> None:
    assert emu.when("x", fault=Fault(status=503), model=EMBEDDER).model == EMBEDDER
