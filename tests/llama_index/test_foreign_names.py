"""Names of OpenAI's and OpenAILike's arguments work, or the error says what to write instead."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from llama_index.core.llms import ChatMessage

from aimlapi_core import (
    ConfigurationError,
    InvalidRequestError,
    RequestTimeoutError,
    ServerError,
    StreamCutError,
)
from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPI, AIMLAPIEmbedding
from tests.llama_index.ways import CHAT, COMPLETE, items, last

Make = Callable[..., AIMLAPI]
PHASES = ("connect", "read", "write", "pool")
HELLO = [ChatMessage(content="Hello")]


def prompt(way: str) -> Any:
    return HELLO if "chat" in way else "Hello"


@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
@pytest.mark.parametrize("place", ["call", "constructor", "additional_kwargs"])
@pytest.mark.parametrize("include", [True, False])
async def test_stream_options_are_stream_usage(
    way: str, place: str, include: bool, emu: Emulator, make: Make
) -> None:
    given = {"stream_options": {"include_usage": include}}
    settings: dict[str, Any] = {"constructor": given, "additional_kwargs": {place: given}}.get(
        place, {}
    )
    await items(make(**settings), way, prompt(way), **(given if place == "call" else {}))
    sent = emu.requests[-1].body.get("stream_options")
    assert sent == ({"include_usage": True} if include and "stream" in way else None)


@pytest.mark.parametrize("wrong", [{"include_obfuscation": True}, True])
def test_other_stream_options_say_what_to_do(wrong: Any, make: Make) -> None:
    for settings in ({"stream_options": wrong}, {"additional_kwargs": {"stream_options": wrong}}):
        with pytest.raises(ConfigurationError, match=r"stream_usage.*extra_body"):
            make(**settings)
    with pytest.raises(InvalidRequestError, match=r"stream_usage.*extra_body"):
        make().complete("hi", stream_options=wrong)


@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
@pytest.mark.parametrize("limit", [0.3, httpx.Timeout(0.3), dict.fromkeys(PHASES, 0.3)])
async def test_a_call_has_a_time_out_of_its_own(
    way: str, limit: Any, emu: Emulator, make: Make
) -> None:
    llm = make(timeout=60)
    emu.faults.append(Fault(delay_head_s=120))
    began = time.monotonic()
    with pytest.raises((RequestTimeoutError, StreamCutError)):
        await items(llm, way, prompt(way), timeout=limit)
    assert time.monotonic() - began < 60  # of 120
    await last(llm, way, prompt(way))  # the next call has the object's
    assert llm.timeout == 60
    assert not emu.requests[-1].problems


@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
async def test_a_call_has_retries_of_its_own(way: str, emu: Emulator, make: Make) -> None:
    llm = make(max_retries=0)
    emu.faults.extend([Fault(status=503, headers={"Retry-After": "0"})] * 2)
    await last(llm, way, prompt(way), max_retries=2, max_concurrency=1, timeout=None)
    assert len(emu.requests) == 3
    emu.faults.append(Fault(status=503))
    with pytest.raises(ServerError):
        await last(llm, way, prompt(way))


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"timeout": "5"}, {"max_retries": -1}])
def test_settings_of_a_call_that_cannot_work_are_named(
    wrong: dict[str, Any], emu: Emulator, make: Make
) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        make().complete("hi", **wrong)
    with pytest.raises(InvalidRequestError, match="timeout is a number"):
        make().complete("hi", timeout=True)
    assert emu.requests == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("is_chat_model", "leave it out"),
        ("reuse_client", "leave it out"),
        ("strict", "chat_with_tools"),
        ("default_query", "http_client=httpx.Client"),
        ("functions", "chat_with_tools"),
        ("reasoning_options", "reasoning_effort"),
        ("track_previous_responses", "previous_response_id"),
        ("user", "extra_body="),
    ],
)
def test_other_names_say_what_to_write(name: str, says: str, make: Make) -> None:
    with pytest.raises(ConfigurationError, match=says):
        make(**{name: True})
    with pytest.raises(InvalidRequestError, match=says):
        make().complete("hi", **{name: True})
    if name in ("reuse_client", "default_query"):
        with pytest.raises(ConfigurationError, match=says):
            AIMLAPIEmbedding(**{name: True})


def test_what_was_set_is_written_as_json(make: Make) -> None:
    llm = make(stream_options={"include_usage": False})
    assert json.loads(llm.to_json())["stream_usage"] is False
