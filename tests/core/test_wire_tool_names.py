"""Tools whose names the API does not take are sent under others, and called by their own."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from aimlapi_core import (
    ChatRequest,
    Client,
    Finished,
    Message,
    NamedTool,
    Settings,
    StreamError,
    Text,
    Tool,
    ToolCall,
    ToolCallDelta,
)
from aimlapi_core._history.names import TOOL_NAME, wire_tool_name
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_emulator import Emulator

NAMES = ("files.read", "a/b", "größe", "x" * 65, "my tool")
models = pytest.mark.parametrize("model", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])


def request(model: str, name: str, **more: Any) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=more.pop("messages", (Message("user", (Text("go"),)),)),
        tools=(Tool(name, {"type": "object"}), Tool("plain", {"type": "object"})),
        **more,
    )


def sent(body: Any) -> str:
    """All that was sent, of which the caller's own name must be no part."""
    return repr(body)


@models
@pytest.mark.parametrize("name", NAMES)
def test_a_call_has_the_tools_own_name(name: str, model: str, emu: Emulator) -> None:
    emu.when("go", tool_calls=[(wire_tool_name(name), {}), ("plain", {})])
    with Client(Settings(api_key="sk-test", base_url=emu.base_url)) as client:
        whole = client.complete(request(model, name))
        events = list(client.stream(request(model, name)))
    last = events[-1]
    assert isinstance(last, Finished)
    for reply in (whole, last.reply):
        assert [call.name for call in reply.choices[0].tool_calls] == [name, "plain"]
    deltas = [event.name for event in events if isinstance(event, ToolCallDelta)]
    assert [delta for delta in deltas if delta] == [name, "plain"]
    assert all(repr(name) not in sent(one.body) and not one.problems for one in emu.requests)


@models
@pytest.mark.parametrize("name", NAMES)
def test_the_name_is_the_same_everywhere_in_a_request(name: str, model: str) -> None:
    wire = wire_tool_name(name)
    messages = (
        Message("user", (Text("go"),)),
        Message("assistant", (ToolCall("c1", name, "{}"), ToolCall("c2", "plain", "{}"))),
        Message("tool", (Text("r"),), tool_call_id="c1"),
        Message("tool", (Text("r"),), tool_call_id="c2"),
    )
    given = request(model, name, messages=messages, tool_choice=NamedTool(name))
    body = prepare_request(given, stream=False).body
    assert TOOL_NAME.fullmatch(wire)
    assert sent(body).count(repr(wire)) == 3  # the tool, the choice, the call
    assert repr(name) not in sent(body)
    assert given.tools[0] == Tool(name, {"type": "object"})


@models
@pytest.mark.parametrize("end", ["", 'data: {"error": {"message": "boom"}}\n\n', "data: {\n\n"])
def test_what_came_of_a_broken_stream_has_the_tools_own_name(end: str, model: str) -> None:
    name = wire_tool_name("files.read")
    if "pro" in model:
        item = {"type": "function_call", "id": "f", "call_id": "c", "name": name, "arguments": ""}
        event: Any = {"type": "response.output_item.added", "output_index": 0, "item": item}
    else:
        function = {"name": name, "arguments": '{"a"'}
        row = {"index": 0, "id": "c", "type": "function", "function": function}
        event = {"choices": [{"index": 0, "delta": {"tool_calls": [row]}}]}
    reader = prepare_request(request(model, "files.read"), stream=True).stream_reader()
    body = f"data: {json.dumps(event)}\n\n{end}".encode()
    with pytest.raises(StreamError) as caught:
        list(itertools.chain(reader.feed(body), reader.close()))
    assert caught.value.partial is not None
    (call,) = caught.value.partial.choices[0].tool_calls
    assert call.name == "files.read"
