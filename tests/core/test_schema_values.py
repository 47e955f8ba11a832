"""Values in a schema that JSON or the service lacks end no call, and errors name the tool."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, cast, get_args

import pytest

from aimlapi_core import (
    BuiltinTool,
    ChatRequest,
    Endpoint,
    InvalidRequestError,
    Message,
    Text,
    Tool,
    strict_schema,
)
from aimlapi_core._json_reading import loads
from aimlapi_core._values import warn_once
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.json_encoding import encode_json
from aimlapi_core.schema import object_schema
from aimlapi_emulator.validation.chat import parameters

np = pytest.importorskip("numpy", reason="comes with the frameworks")

endpoints = pytest.mark.parametrize("endpoint", get_args(Endpoint))
NAN, INFINITY = float("nan"), float("inf")
USER = Message("user", (Text("hi"),))


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int = 1


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> None:
    warn_once._warned.clear()


def given(**keywords: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {"type": "number", **keywords}}}


def sent(endpoint: Endpoint, *tools: Any) -> Any:
    request = ChatRequest(
        "openai/gpt-5-2", (USER,), tools=tools, endpoint=endpoint, unsupported_params="send"
    )
    body = loads(encode_json(prepare_request(request, stream=False).body))
    return [one.get("function", one) for one in body["tools"]]


@endpoints
@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"default": np.float64(1.5)}, {"default": 1.5}),
        ({"default": Colour.RED}, {"default": "red"}),
        ({"default": date(2020, 1, 2)}, {"default": "2020-01-02"}),
        ({"default": {2, 1}}, {"default": [1, 2]}),
        ({"default": Point()}, {"default": {"x": 1}}),
        ({"default": None}, {"default": None}),
        ({"default": NAN}, {"description": "(default: nan)"}),
        (
            {"default": -INFINITY, "description": "How much"},
            {"description": "How much (default: -inf)"},
        ),
        ({"description": 5}, {"description": "5"}),
        ({"description": None, "title": None}, {}),
        ({"description": ["How", "much"]}, {"description": "How\nmuch"}),
        ({"title": 2024}, {"title": "2024"}),
        ({"enum": [Colour.RED, b"x"]}, {"enum": ["red", "x"]}),
        ({"enum": Colour}, {"enum": ["red"]}),
        ({"enum": {"b", "a"}}, {"enum": ["a", "b"]}),
        ({"enum": "abc"}, {"description": "(enum: abc)"}),
        ({"const": Colour.RED}, {"const": "red"}),
        ({"minimum": Decimal("1.5")}, {"minimum": 1.5}),
        ({"minimum": "5"}, {"description": "(minimum: 5)"}),
        ({"maximum": INFINITY}, {"description": "(maximum: inf)"}),
        (
            {"minimum": 1, "exclusiveMinimum": True},
            {"minimum": 1, "description": "(exclusiveMinimum: True)"},
        ),
        ({"minLength": 1.0}, {"minLength": 1}),
        ({"uniqueItems": "yes"}, {"description": "(uniqueItems: yes)"}),
        ({"x-order": {1}, 5: 6}, {"x-order": [1]}),
    ],
)
def test_values_of_keywords_are_sent_as_json_has_them(
    keywords: dict[Any, Any], expected: dict[str, Any], endpoint: Endpoint
) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "number", **keywords}}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (tool,) = sent(endpoint, Tool("f", schema))
    assert tool["parameters"]["properties"]["a"] == {"type": "number", **expected}
    assert parameters(tool["parameters"], "") == []


@endpoints
@pytest.mark.parametrize(
    ("keywords", "expected", "said"),
    [
        ({"default": object()}, {}, "the default <object"),
        ({"default": [1, NAN]}, {}, r"the default \[1, nan\]"),
        ({"default": Silent()}, {}, "the default <Silent>"),
        ({"description": {"en": "How much"}}, {}, "the description {'en'"),
        ({"enum": [1, NAN]}, {"enum": [1]}, r"1 of the values \[1, nan\]"),
        ({"enum": [object()]}, {}, r"the enum \[<object"),
        ({"const": object()}, {}, "the const <object"),
    ],
)
def test_what_json_has_no_form_for_is_left_out_and_said_once(
    keywords: dict[str, Any], expected: dict[str, Any], said: str, endpoint: Endpoint
) -> None:
    with pytest.warns(UserWarning, match=f"The schema of the tool 'f' is sent without {said}"):
        (tool,) = sent(endpoint, Tool("f", given(**keywords)))
    assert tool["parameters"]["properties"]["a"] == {"type": "number", **expected}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sent(endpoint, Tool("f", given(**keywords)))


@pytest.mark.parametrize("name", [1, b"a", None, (1, 2), Colour.RED], ids=repr)
def test_names_of_properties_are_texts(name: Any) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}
    (written,) = object_schema(schema, "the tool 'f'")["properties"]
    assert isinstance(written, str)
    strict, reason = strict_schema(schema)
    assert strict is None
    assert "no string" in str(reason) or "not all described" in str(reason)


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"default": NAN}, {}),
        ({"description": 5}, {"description": "5"}),
        ({"title": object(), "description": object()}, {}),
        ({"minimum": np.int64(3)}, {"minimum": 3}),
        ({"enum": [Colour.RED]}, {"enum": ["red"]}),
    ],
)
def test_a_strict_schema_has_values_of_json_too(
    keywords: dict[str, Any], expected: dict[str, Any]
) -> None:
    strict, reason = strict_schema({**given(**keywords), "required": ["a"]})
    assert reason is None
    assert strict is not None
    assert strict["properties"]["a"] == {"type": "number", **expected}


def test_a_default_that_only_the_model_can_choose_is_described() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": ["number", "null"], "default": NAN}},
    }
    strict, _ = strict_schema(schema)
    assert strict is not None
    assert strict["properties"]["a"]["description"] == "(default: nan)"


@pytest.mark.parametrize(
    "keywords", [{"minimum": NAN}, {"enum": [1, NAN]}, {"const": object()}, {"minItems": "1"}]
)
def test_no_restriction_is_left_out_of_a_strict_schema(keywords: dict[str, Any]) -> None:
    strict, reason = strict_schema({**given(**keywords), "required": ["a"]})
    assert strict is None
    assert f"a has the {next(iter(keywords))}" in str(reason)


def holding_itself() -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    schema["properties"]["again"] = schema
    return schema


def wire_holding_itself() -> dict[str, Any]:
    wire: dict[str, Any] = {"type": "web_search_preview"}
    wire["again"] = wire
    return wire


@endpoints
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Tool("f", holding_itself()), "the tool 'f' is nested too deeply, or holds itself"),
        (lambda: Tool("f", {}, strict=cast("Any", "yes")), "strict of the tool 'f' must be True"),
        (
            lambda: BuiltinTool({"type": "mcp", "key": object()}),
            r"The tool 'mcp' .*tools\[1\].*object",
        ),
        (lambda: BuiltinTool(wire_holding_itself()), "The tool 'web_search_preview' cannot be"),
        (
            lambda: BuiltinTool({"type": "custom", "name": "sh", "n": NAN}),
            "The tool 'sh' cannot be .*nan",
        ),
    ],
)
def test_an_error_about_a_tool_names_it(
    make: Callable[[], Any], said: str, endpoint: Endpoint
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        sent(endpoint, Tool("other", {}), make())


@endpoints
@pytest.mark.parametrize(
    ("description", "expected"),
    [(5, "5"), (None, None), (["Buys", "things"], "Buys\nthings"), ({"en": "Buys"}, None)],
)
def test_a_tools_description_is_a_text(
    description: Any, expected: str | None, endpoint: Endpoint
) -> None:
    (tool,) = sent(endpoint, Tool("f", {}, description=description))
    assert tool.get("description") == expected
