"""Tools and schemas that are valid, and refused by the service as they are."""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, RootModel, SecretStr
from pydantic.v1 import BaseModel as BaseModelV1

from aimlapi_core import OpenSchemaWarning
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI, InvalidRequestError, OutputInvalidError
from tests.langchain.calls import call, invoke, stream

Make = Callable[..., ChatAIMLAPI]
MODELS = ("openai/gpt-5-2", "openai/gpt-5-2-codex")  # one for each endpoint
METHODS = ("json_schema", "function_calling", "json_mode")
A = {"type": "string"}
SCHEMAS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "no parameters": ({"type": "object"}, set()),
    "no parameters, with a title": ({"$schema": "x", "title": "Empty", "type": "object"}, set()),
    "null properties": ({"type": "object", "properties": None}, set()),
    "nothing": ({}, set()),
    "no type": ({"properties": {"a": A}}, {"a"}),
    "no items": ({"type": "object", "properties": {"a": {"type": "array"}}}, {"a"}),
    "anyOf": ({"anyOf": [{"properties": {"a": A}}, {"properties": {"b": A}}]}, {"a", "b"}),
    "allOf": ({"allOf": [{"properties": {"a": A}}, {"properties": {"b": A}}]}, {"a", "b"}),
    "$ref": ({"$ref": "#/$defs/X", "$defs": {"X": {"properties": {"a": A}}}}, {"a"}),
    "$defs": ({"$defs": {"X": {"type": "object", "properties": {"a": A}}}}, {"a"}),
    "a reference to nothing": ({"properties": {"a": {"$ref": "#/$defs/Gone"}}}, {"a"}),
}
SHAPES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a tool": lambda schema: StructuredTool(
        name="look", description="d", args_schema=schema, func=lambda **_: "seen"
    ),
    "OpenAI's": lambda schema: {
        "type": "function",
        "function": {"name": "look", "description": "d", "parameters": schema},
    },
    "Anthropic's": lambda schema: {"name": "look", "description": "d", "input_schema": schema},
    "a JSON Schema": lambda schema: {**schema, "title": "look", "description": "d"},
}


def parameters(emu: Emulator) -> dict[str, Any]:
    """Those of the tool of the last request."""
    tool = emu.requests[-1].body["tools"][0]
    found: dict[str, Any] = tool.get("function", tool)["parameters"]
    return found


@pytest.mark.half("strict", "case", "shape", "model")
@pytest.mark.filterwarnings("ignore:The schema of the tool", "ignore:strict=False")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", SCHEMAS)
@pytest.mark.parametrize("strict", [None, True])
def test_a_tool_is_sent_in_the_form_that_the_service_takes(
    case: str, shape: str, model: str, strict: bool | None, emu: Emulator, chat: Make
) -> None:
    schema, properties = SCHEMAS[case]
    chat(model=model).bind_tools([SHAPES[shape](schema)], strict=strict).invoke("hi")
    assert emu.requests[-1].problems == ()
    assert parameters(emu)["type"] == "object"
    assert set(parameters(emu)["properties"]) == properties


@pytest.mark.parametrize("streaming", [False, True])
def test_an_agent_with_a_tool_without_parameters_answers(
    how: str, streaming: bool, emu: Emulator, chat: Make
) -> None:
    tool = SHAPES["a tool"]({"type": "object"})
    emu.when("regions", tool_call="look", arguments={}, times=1)
    emu.when("seen", text="Two.")
    agent = create_agent(chat(), [tool])
    given = {"messages": [("user", "Which regions?")]}
    if streaming:
        pieces = stream(how, agent, given, stream_mode="values")
        assert pieces[-1]["messages"][-1].text == "Two."
    else:
        assert invoke(how, agent, given)["messages"][-1].text == "Two."


@pytest.mark.parametrize("shape", ["a tool", "OpenAI's", "Anthropic's"])
def test_a_tool_without_an_object_is_refused_by_its_name(
    shape: str, emu: Emulator, chat: Make
) -> None:
    given = SHAPES[shape]({"type": "array", "items": A})
    with pytest.raises(InvalidRequestError, match="the tool 'look' allows no object"):
        chat().bind_tools([given]).invoke("hi")
    assert emu.requests == []


def test_what_a_tool_loses_is_said_at_the_users_line(chat: Make) -> None:
    schema = {"type": "object", "not": {"required": ["a", "b"]}}
    with pytest.warns(UserWarning, match="the tool 'look' is sent without 'not' at its") as seen:
        chat().bind_tools([SHAPES["OpenAI's"](schema)])
    assert seen[0].filename == __file__


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "schema",
    [
        {"title": "Pet", "anyOf": [{"properties": {"a": A}}, {"properties": {"b": A}}]},
        {"title": "Pet", "allOf": [{"properties": {"a": A}}, {"properties": {"b": A}}]},
        {"title": "Pet", "$ref": "#/$defs/X", "$defs": {"X": {"properties": {"a": A}}}},
        {"title": "Pet", "type": "object"},
    ],
)
def test_a_schema_with_another_root_is_asked_for(
    method: Any, schema: dict[str, Any], emu: Emulator, chat: Make
) -> None:
    answer = chat().with_structured_output(schema, method=method).invoke("a pet as JSON")
    assert isinstance(answer, dict)
    assert emu.requests[-1].problems == ()


class Order(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")

    price: Decimal
    file: pathlib.Path
    key: SecretStr
    code: Annotated[str, Field(pattern=r"^(?=.*\d)\w+$", max_length=8)]
    tags: set[str]


ORDER = {"price": 1.5, "file": "a/b", "key": "k", "code": "a1", "tags": ["t"]}


def script(emu: Emulator, method: str, name: str, answer: dict[str, Any]) -> None:
    if method == "function_calling":
        emu.when("JSON", tool_call=name, arguments=answer)
    else:
        emu.when("JSON", json=answer)


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_class_with_rules_of_its_own_is_strict_and_holds_to_them(
    how: str, method: Any, emu: Emulator, chat: Make
) -> None:
    script(emu, method, "Order", ORDER)
    chain = chat().with_structured_output(Order, method=method, strict=True)
    assert invoke(how, chain, "an order as JSON") == Order.model_validate(ORDER)
    body = emu.requests[-1].body
    holder = body["tools"][0]["function"] if "tools" in body else body["response_format"]
    wanted = holder.get("json_schema", holder)
    assert wanted["strict"] is True
    emu.clear()
    script(emu, method, "Order", {**ORDER, "code": "none"})
    with pytest.raises(OutputInvalidError, match="code"):
        invoke(how, chain, "an order as JSON")


def test_a_tool_of_a_class_is_strict_and_one_of_a_dict_is_open(emu: Emulator, chat: Make) -> None:
    def buy(**order: Any) -> str:
        return str(order)

    class Bought(BaseModel):
        url: AnyUrl

    of_class = StructuredTool(name="buy", description="d", args_schema=Bought, func=buy)
    chat().bind_tools([of_class], strict=True).invoke("hi")
    assert emu.requests[-1].body["tools"][0]["function"]["strict"] is True
    schema = {"properties": {"url": {"type": "string", "format": "uri"}}, "required": ["url"]}
    of_dict = StructuredTool(name="buy", description="d", args_schema=schema, func=buy)
    with pytest.warns(OpenSchemaWarning, match="'buy': url has the format 'uri'") as seen:
        chat().bind_tools([of_dict], strict=True).invoke("hi")
    assert seen[0].filename == __file__
    function = emu.requests[-1].body["tools"][0]["function"]
    assert function["strict"] is False
    assert function["parameters"]["properties"] == schema["properties"]


def test_a_class_that_cannot_be_strict_says_so_once_at_the_users_line(chat: Make) -> None:
    class Scores(BaseModel):
        by_name: dict[str, int]

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", OpenSchemaWarning)
        for _ in range(2):
            chat().with_structured_output(Scores)
    (said,) = seen
    assert "'Scores': by_name allows" in str(said.message)
    assert said.filename == __file__


class House(BaseModel):
    street: str


class Search(BaseModel):
    properties: list[House]
    items: list[House]
    type: str
    required: bool


def test_fields_with_the_names_of_keywords_can_be_strict(emu: Emulator, chat: Make) -> None:
    chat().with_structured_output(Search).invoke("a search")
    chat().bind_tools([Search], strict=True).invoke("a search")
    wanted, tool = (seen.body for seen in emu.requests)
    assert wanted["response_format"]["json_schema"]["strict"] is True
    assert tool["tools"][0]["function"]["strict"] is True


class Kind(Enum):
    FLAT = "flat"


class Wanted(BaseModel):
    rent: int | None = 1000
    level: Literal["low", "high", None] = "low"
    kind: Kind | None = Kind.FLAT
    inner: Wanted | None = None


class Either(RootModel[House | Wanted]):
    model_config = {"title": "RootModel_House_Wanted_"}


NULLS = {"rent": None, "level": None, "kind": None, "inner": None}


@pytest.mark.half("how", "method", "strict", "model", "streaming")
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("method", "strict"),
    [(method, strict) for method in METHODS[:2] for strict in (None, True, False)]
    + [("json_mode", None)],
)
def test_a_null_that_the_class_takes_stays_null(
    how: str,
    method: Any,
    strict: bool | None,
    model: str,
    streaming: bool,
    emu: Emulator,
    chat: Make,
) -> None:
    answer: dict[str, Any] = {**NULLS, "inner": NULLS}
    script(emu, method, "Wanted", answer)
    chain = chat(model=model).with_structured_output(Wanted, method=method, strict=strict)
    found = (stream(how, chain, "JSON") if streaming else [invoke(how, chain, "JSON")])[-1]
    assert found.model_dump() == answer


class OldKind(BaseModelV1):
    rent: int | None = 1000
    rooms: int = 2


class OldWanted(BaseModelV1):
    rent: int | None = 1000
    rooms: int = 2
    kinds: list[OldKind] = []
    best: OldKind | None = None


@pytest.mark.parametrize("method", METHODS)
def test_a_null_that_a_class_of_pydantic_v1_takes_stays_null(
    how: str, method: Any, emu: Emulator, chat: Make
) -> None:
    kind = {"rent": None, "rooms": None}
    script(emu, method, "OldWanted", {**kind, "kinds": [kind], "best": kind})
    strict = None if method == "json_mode" else True
    for _ in range(2):
        chain = chat().with_structured_output(OldWanted, method=method, strict=strict)
        found = invoke(how, chain, "JSON")
        assert (found.rent, found.rooms) == (None, 2)
        assert found.best == OldKind(rent=None)
        assert found.kinds == [found.best]
    assert "anyOf" not in str(OldWanted.schema())


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_union_of_classes_is_asked_for_as_one_object(
    method: Any, emu: Emulator, chat: Make
) -> None:
    script(emu, method, "RootModel_House_Wanted_", {"street": "Rue 1"})
    chain = chat().with_structured_output(Either, method=method)
    assert chain.invoke("JSON") == Either(House(street="Rue 1"))
    assert emu.requests[-1].problems == ()


def test_a_property_named_ref_is_a_property(emu: Emulator, chat: Make) -> None:
    schema = {"type": "object", "properties": {"$ref": A, "properties": A}, "required": ["$ref"]}
    chat().bind_tools([SHAPES["a tool"](schema)]).invoke("hi")
    assert parameters(emu) == schema
    schema["required"] = ["$ref", "properties"]
    chat().bind_tools([SHAPES["a tool"](schema)], strict=True).invoke("hi")
    assert parameters(emu) == {**schema, "additionalProperties": False}


@pytest.mark.parametrize("streaming", [False, True])
def test_a_null_for_a_strict_tool_stays_null(
    how: str, streaming: bool, emu: Emulator, chat: Make
) -> None:
    emu.when("flat", tool_call="Wanted", arguments={**NULLS, "inner": NULLS})
    bound = chat().bind_tools([Wanted], strict=True)
    (made,) = call(how, streaming, bound, "a flat").tool_calls
    assert emu.requests[-1].body["tools"][0]["function"]["strict"] is True
    assert made["args"] == {**NULLS, "inner": NULLS}
