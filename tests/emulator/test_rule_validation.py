"""Rules that could never act, which are refused where they are written."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aimlapi_emulator import Emulator, Fault, RequestView, RuleError
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
        ("", {"say": "x"}, "re.compile"),
        (7, {"say": "x"}, "not 7"),
        ("x", {}, "needs say="),
        ("x", {"say": ""}, "Fault\\(empty=True\\)"),
        ("x", {"say": 7}, "not 7"),
        ("x", {"say": {"a": {1, 2}}}, "JSON object"),
        ("x", {"say": "y", "call": "z"}, "either"),
        ("x", {"args": {}}, "without call="),
        ("x", {"call": ""}, "needs the name"),
        ("x", {"call": "a", "args": [1]}, "JSON object"),
        ("x", {"calls": []}, "calls nothing"),
        ("x", {"calls": ["a"]}, "is \\(name, args\\)"),
        ("x", {"call": "a", "calls": [("a", {})]}, "for one call"),
        ("x", {"fault": Fault()}, "no Fault"),
        ("x", {"fault": {"status": 429}}, "no Fault"),
        ("x", {"say": "y", "fault": Fault(status=500)}, "status leaves nothing"),
        ("x", {"say": "y", "endpoint": "chats"}, "'chat', 'responses'"),
        ("x", {"say": "y", "endpoint": "embeddings"}, "only fault="),
        ("x", {"say": "y", "model": "openai/gpt-5-3"}, "not served by any"),
        ("x", {"say": "y", "model": PRO, "endpoint": "chat"}, "not served by endpoint 'chat'"),
        ("x", {"say": "y", "model": EMBEDDER}, "not served by"),
        ("x", {"call": "y", "model": EMBEDDER}, "not served by"),
        (re.compile(b"x"), {"say": "y"}, "a pattern of bytes"),
        (later, {"say": "y"}, "'later' is an async def"),
        (Later(), {"say": "y"}, "is an async def"),
        ("x", {"say": later}, "'later' is an async def"),
        ("x", {"call": "y", "args": later}, "'later' is an async def"),
        ("x", {"calls": 5}, "calls= is a list of \\(name, args\\)"),
        ("x", {"call": weather}, "call= takes the tool's name, 'weather'"),
        ("x", {"call": Weather()}, "call= takes the tool's name, 'get_weather'"),
        ("x", {"calls": [(weather, {})]}, "call= takes the tool's name, 'weather'"),
        ("x", {"call": 5}, "call= takes the tool's name, not 5"),
        ("x", {"say": "y", "at_most": 0}, "from 1"),
        ("x", {"say": "y", "at_most": True}, "from 1"),
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
