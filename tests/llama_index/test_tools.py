"""Tools in, core tools out; calls of responses in, selections out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.tools import FunctionTool

from aimlapi_core import BuiltinTool, InvalidRequestError, NamedTool, OpenSchemaWarning, Tool
from aimlapi_core._history.names import wire_tool_name
from llama_index_aimlapi import InvalidToolCallError, NoToolCallError
from llama_index_aimlapi._request.tools import ToolRef, to_tool_choice, to_tools, tool_dict
from llama_index_aimlapi._response.tool_calls import parse_partial_object, tool_selections

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 2}},
    "required": ["a"],
}


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


ADD = FunctionTool.from_defaults(add)
ODD = FunctionTool.from_defaults(add, name="Gen[int] größe")


def response(*calls: Any, **facts: Any) -> ChatResponse:
    blocks = [
        ToolCallBlock(tool_call_id=f"c{i}", tool_name="add", tool_kwargs=arguments)
        for i, arguments in enumerate(calls)
    ]
    return ChatResponse(
        message=ChatMessage(role="assistant", blocks=blocks), additional_kwargs=facts
    )


def test_a_tool_keeps_its_name_until_the_request() -> None:
    (tool,), tool_refs = to_tools([tool_dict(ODD, None)])
    assert isinstance(tool, Tool)
    assert tool.name == wire_tool_name("Gen[int] größe")
    assert tool_refs == {tool.name: ToolRef("Gen[int] größe")}
    assert tool.strict is None


def test_a_base_tool_may_be_passed_as_it_is() -> None:
    assert to_tools([ADD]) == to_tools([tool_dict(ADD, None)])


@pytest.mark.parametrize("nested", [True, False])
def test_both_wire_forms_of_a_function_are_read(nested: bool) -> None:
    function = {"name": "add", "description": "d", "parameters": SCHEMA}
    row = {"type": "function", "function": function} if nested else {"type": "function", **function}
    assert to_tools([row])[0] == (Tool("add", SCHEMA, "d"),)


def test_a_change_of_a_tool_is_in_the_next_call_and_of_a_call_in_no_other() -> None:
    """The parameters of a class are read once; the rest, and each schema, by what it is."""
    own = FunctionTool.from_defaults(add)
    row = tool_dict(own, None)
    row["function"]["parameters"]["properties"]["a"]["description"] = "changed"
    own.metadata.description = "Another one."
    later = tool_dict(own, None)["function"]
    assert later["description"] == "Another one."
    assert "changed" not in str(later)
    for strict in (None, True):
        schema: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for name in ("a", "b"):
            schema["properties"][name] = {"type": "string"}
            schema["required"].append(name)
            (tool,), _ = to_tools([{"name": "add", "parameters": schema, "strict": strict}])
            assert isinstance(tool, Tool)
            assert list(tool.parameters["properties"]) == schema["required"]


def test_other_tools_pass_through() -> None:
    assert to_tools([{"type": "web_search_preview"}]) == (
        (BuiltinTool({"type": "web_search_preview"}),),
        {},
    )


def test_strict_makes_the_schema_strict_valid_and_remembers_the_callers() -> None:
    row = {"name": "add", "parameters": SCHEMA, "strict": True}
    (tool,), tool_refs = to_tools([row])
    assert isinstance(tool, Tool)
    assert tool.strict is True
    assert tool.parameters["required"] == ["a", "b"]
    assert tool.parameters["additionalProperties"] is False
    assert tool_refs == {"add": ToolRef("add", SCHEMA)}
    assert SCHEMA["required"] == ["a"]


def test_a_schema_that_cannot_be_strict_is_sent_as_it_is_with_the_reason() -> None:
    schema = {"type": "object", "properties": {"d": {"type": "object"}}}
    with pytest.warns(OpenSchemaWarning, match="tool 'loose': d is an object of any shape") as seen:
        (tool,), tool_refs = to_tools([{"name": "loose", "parameters": schema, "strict": True}])
    assert seen[0].filename == __file__
    assert tool == Tool("loose", schema)
    assert tool_refs == {"loose": ToolRef("loose")}


@pytest.mark.parametrize("row", ["add", {"type": "function"}, {"function": {"name": ""}}])
def test_what_is_no_tool_is_named(row: Any) -> None:
    with pytest.raises(InvalidRequestError, match="tool"):
        to_tools([row])


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("none", "none"),
        ("auto", "auto"),
        ("required", "required"),
        ("any", "required"),
        ("add", NamedTool("add")),
        ({"type": "function", "function": {"name": "add"}}, NamedTool("add")),
        ({"type": "function", "name": "add"}, NamedTool("add")),
        ({"type": "web_search_preview"}, {"type": "web_search_preview"}),
    ],
)
def test_tool_choices(choice: Any, expected: Any) -> None:
    assert to_tool_choice(choice, {"add": ToolRef("add")}) == expected


@pytest.mark.parametrize("choice", ["ad", {"function": {"name": "ad"}}])
def test_a_choice_of_no_tool_names_the_nearest(choice: Any) -> None:
    with pytest.raises(InvalidRequestError, match="Did you mean 'add'"):
        to_tool_choice(choice, {"add": ToolRef("add")})


def test_whole_calls_are_selected() -> None:
    found = tool_selections(response('{"a": 1}', "", {"b": 2}), need_one=True)
    assert [s.tool_kwargs for s in found] == [{"a": 1}, {}, {"b": 2}]
    assert [s.tool_id for s in found] == ["c0", "c1", "c2"]


def test_partial_calls_are_read_as_far_as_they_go() -> None:
    found = tool_selections(response('{"a": 1, "s": "x', is_partial=True), need_one=False)
    assert found[0].tool_kwargs == {"a": 1, "s": "x"}


@pytest.mark.parametrize(
    ("arguments", "facts", "words"),
    [
        ('{"a": 1, "b":', {"finish_reason": "length"}, "cut.*Raise max_tokens"),
        ("", {"finish_reason": "length"}, "cut"),
        ('{"a": 1, "b":', {"finish_reason": "tool_calls"}, "not run"),
        ("[1]", {}, "not a JSON object"),
        ("nonsense", {}, "not run"),
    ],
)
def test_a_finished_call_that_is_broken_is_reported(
    arguments: str, facts: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidToolCallError, match=words) as caught:
        tool_selections(response(arguments, **facts), need_one=False)
    assert caught.value.body == arguments


def test_no_call_is_an_error_only_where_one_is_needed() -> None:
    assert tool_selections(response(), need_one=False) == []
    with pytest.raises(NoToolCallError):
        tool_selections(response(), need_one=True)


TEXT = '{"a": 123, "s": "é\\n\\ud83d\\ude00 1e5", "l": [1.5, {"t": true}, null], "e": {}}'


def _within(smaller: Any, larger: Any) -> bool:
    """Whether `smaller` is `larger` at an earlier time."""
    if isinstance(smaller, str):
        return isinstance(larger, str) and larger.startswith(smaller)
    if isinstance(smaller, dict):
        return all(k in larger and _within(v, larger[k]) for k, v in smaller.items())
    if isinstance(smaller, list):
        return len(smaller) <= len(larger) and all(map(_within, smaller, larger))
    return bool(smaller == larger)


def test_partial_objects_only_grow() -> None:
    seen = [parse_partial_object(TEXT[:end]) for end in range(len(TEXT) + 1)]
    assert all(map(_within, seen, seen[1:]))
    assert seen[0] == {}
    assert seen[-1] == {"a": 123, "s": "é\n😀 1e5", "l": [1.5, {"t": True}, None], "e": {}}
    assert {"a": 12} not in seen


@pytest.mark.parametrize("end", ["", "\\", "\\u", "\\u12", "\\ud83d", "\\ud83d\\", "\\ud83d\\ude0"])
@pytest.mark.parametrize("before", ["word", "word\\\\", "word\\u00ff"])
def test_an_unfinished_escape_takes_nothing_of_what_came_before_it(before: str, end: str) -> None:
    sure = json.loads(f'"{before}"')
    assert parse_partial_object(f'{{"a": {{"b": "{before}{end}') == {"a": {"b": sure}}


@pytest.mark.parametrize("text", ["", "  ", "[1", '"x', "nonsense", "}{", '{"a":"\ud83d'])
def test_what_is_no_object_gives_nothing(text: str) -> None:
    assert parse_partial_object(text) == {}
