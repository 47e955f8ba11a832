from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.tools import BaseTool, StructuredTool, tool
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from aimlapi_core import (
    BuiltinTool,
    InvalidRequestError,
    JsonSchema,
    NamedTool,
    OpenSchemaWarning,
    Tool,
)
from aimlapi_core.schema.references import is_recursive
from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI
from langchain_aimlapi._request.tools import (
    to_core_response_format,
    to_core_tool,
    to_core_tool_choice,
    to_wire_response_format,
    to_wire_tool,
    to_wire_tool_choice,
)
from tests.langchain.calls import call, total

Make = Callable[..., ChatAIMLAPI]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


@tool
def ping() -> str:
    """Say pong."""
    return "pong"


class Search(BaseModel):
    """Search the web."""

    query: str
    limit: int = 3


class Locate(TypedDict):
    """Find a place."""

    place: str


NUMBERS = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
}
FLAT = {"type": "function", "name": "add", "description": "Add.", "parameters": NUMBERS}
NESTED = {"type": "function", "function": {k: v for k, v in FLAT.items() if k != "type"}}
ANTHROPIC = {"name": "add", "description": "Add.", "input_schema": NUMBERS}
WEB = {"type": "web_search_preview", "search_context_size": "low"}


@pytest.mark.parametrize("given", [FLAT, NESTED, ANTHROPIC])
def test_dicts_of_every_shape_are_one_tool(given: Any) -> None:
    assert to_core_tool(given) == Tool("add", NUMBERS, "Add.")


@pytest.mark.parametrize(
    ("given", "name", "required"),
    [(add, "add", ["a", "b"]), (multiply, "multiply", ["a", "b"]), (Search, "Search", ["query"]),
     (Locate, "Locate", ["place"])],
)  # fmt: skip
def test_code_of_every_shape_is_a_tool(given: Any, name: str, required: list[str]) -> None:
    value = to_core_tool(given)
    assert isinstance(value, Tool)
    assert (value.name, list(value.parameters["required"]), bool(value.description)) == (
        name,
        required,
        True,
    )


def test_a_tool_without_arguments_has_a_schema(emu: Emulator, chat: Make) -> None:
    message = chat().bind_tools([ping]).invoke("ping please")
    assert emu.requests[-1].body["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {},
    }
    assert message.tool_calls[0]["args"] == {}
    chat().invoke("hi", tools=[{"type": "function", "function": {"name": "ping"}}])
    assert emu.requests[-1].problems == ()


class Part(BaseModel):
    """A part."""

    name: str
    parts: list[Part]


def assemble(part: Part) -> str:
    """Assemble a part."""
    return part.name


@pytest.mark.parametrize("given", [Part, tool(assemble)])
@pytest.mark.parametrize("strict", [None, True])
def test_arguments_that_hold_themselves_keep_their_schema(
    given: Any, strict: bool | None, emu: Emulator, chat: Make
) -> None:
    chat().bind_tools([given], strict=strict).invoke("hi")
    function = emu.requests[-1].body["tools"][0]["function"]
    inner = function["parameters"]["$defs"]["Part"]["properties"]["parts"]
    assert inner["items"] == {"$ref": "#/$defs/Part"}
    assert function.get("strict") is strict
    assert emu.requests[-1].problems == ()


@pytest.mark.parametrize(
    "wire",
    [WEB, {"type": "local_shell"}, {"type": "custom", "name": "sql"}, {"type": "mcp", "x": 1}],
)
def test_builtin_tools_pass_as_they_are(wire: dict[str, Any]) -> None:
    assert to_core_tool(wire) == BuiltinTool(wire)


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (None, None),
        ("any", "required"),
        ("required", "required"),
        (True, "required"),
        ("auto", "auto"),
        ("none", "none"),
        (False, "none"),
        ("add", {"type": "function", "function": {"name": "add"}}),
        (
            {"type": "function", "function": {"name": "add"}},
            {"type": "function", "function": {"name": "add"}},
        ),
        ({"type": "tool", "name": "add"}, {"type": "function", "function": {"name": "add"}}),
        ({"type": "any"}, "required"),
    ],
)
def test_every_tool_choice_reaches_the_wire(
    choice: Any, wire: Any, emu: Emulator, chat: Make
) -> None:
    chat().bind_tools([add, multiply], tool_choice=choice).invoke("add 1 and 2")
    body = emu.requests[-1].body
    assert body.get("tool_choice") == wire
    assert [t["function"]["name"] for t in body["tools"]] == ["add", "multiply"]


def test_choices_for_the_core() -> None:
    assert to_core_tool_choice(to_wire_tool_choice("add", [NESTED])) == NamedTool("add")
    assert to_core_tool_choice(
        to_wire_tool_choice({"type": "function", "name": "add"}, [NESTED])
    ) == NamedTool("add")
    assert to_core_tool_choice(to_wire_tool_choice("web_search_preview", [WEB])) == {
        "type": "web_search_preview"
    }
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": []}
    assert to_core_tool_choice(to_wire_tool_choice(allowed, [NESTED])) == allowed


@pytest.mark.parametrize(
    ("choice", "says"),
    [("ad", "did you mean 'add'"), ({"type": "function", "function": {"name": "zz"}}, "'zz'")],
)
def test_a_choice_of_no_bound_tool_is_an_error(choice: Any, says: str, chat: Make) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        chat().bind_tools([add], tool_choice=choice)


def test_no_tools_are_not_sent(emu: Emulator, chat: Make) -> None:
    chat().bind_tools([], tool_choice="auto", parallel_tool_calls=False).invoke("hi")
    assert set(emu.requests[-1].body) == {"model", "messages"}
    with pytest.raises(InvalidRequestError, match="without any tools"):
        chat().bind_tools([], tool_choice="any")


@pytest.mark.parametrize("parallel", [True, False])
def test_parallel_calls(how: str, parallel: bool, emu: Emulator, chat: Make) -> None:
    model = chat().bind_tools([add, multiply], parallel_tool_calls=parallel)
    for streaming in (False, True):
        message = call(how, streaming, model, "add and multiply 3 and 4")
        assert emu.requests[-1].body["parallel_tool_calls"] is parallel
        assert len(message.tool_calls) == (2 if parallel else 1)


def test_arguments_of_bind_tools_are_checked(chat: Make) -> None:
    with pytest.raises(InvalidRequestError, match="'temperature'"):
        chat().bind_tools([add], temprature=0.1)


def test_bound_arguments_reach_the_wire(emu: Emulator, chat: Make) -> None:
    chat().bind_tools([add], temperature=0.1).invoke("hi")
    assert emu.requests[-1].body["temperature"] == 0.1


def test_strict_tools_are_closed(emu: Emulator, chat: Make) -> None:
    chat().bind_tools([add], strict=True).invoke("add 1 and 2")
    function = emu.requests[-1].body["tools"][0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["additionalProperties"] is False


def test_a_tool_that_cannot_be_strict_is_sent_plain_with_a_warning(
    emu: Emulator, chat: Make
) -> None:
    with pytest.warns(UserWarning, match="'limit' is optional"):
        model = chat().bind_tools([Search], strict=True)
    model.invoke("search for cats")
    function = emu.requests[-1].body["tools"][0]["function"]
    assert function["strict"] is False
    assert function["parameters"]["required"] == ["query"]


class Pair(BaseModel):
    """A word and its number."""

    pair: tuple[str, int]


def keep(pair: tuple[str, int]) -> str:
    """Keep a pair."""
    return str(pair)


WIRE_PAIR = {"name": "Pair", "schema": Pair.model_json_schema(), "strict": True}
KEEP = {"name": "keep", "parameters": Pair.model_json_schema(), "strict": True}


@pytest.mark.parametrize(
    "send",
    [
        lambda model: model.bind_tools([keep], strict=True).invoke("hi"),
        lambda model: model.bind_tools([Pair], strict=True).invoke("hi"),
        lambda model: model.bind_tools([{"type": "function", **KEEP}]).invoke("hi"),
        lambda model: model.invoke("hi", tools=[{"type": "function", **KEEP}]),
        lambda model: model.invoke("hi", tools=[{"type": "function", "function": KEEP}]),
        lambda model: model.bind(tools=[{"type": "function", "function": KEEP}]).invoke("hi"),
        lambda model: model.with_structured_output(Pair, strict=True).invoke("hi"),
        lambda model: model.with_structured_output(
            Pair, method="function_calling", strict=True
        ).invoke("hi"),
        lambda model: model.invoke(
            "hi", response_format={"type": "json_schema", "json_schema": WIRE_PAIR}
        ),
    ],
)
@pytest.mark.parametrize("name", ["openai/gpt-5-2", "openai/gpt-5-2-pro"])
def test_a_tuple_is_never_sent_as_strict(send: Any, name: str, emu: Emulator, chat: Make) -> None:
    with pytest.warns(UserWarning, match="'prefixItems'"):
        send(chat(model=name))
    body = json.dumps(emu.requests[-1].body)
    assert "prefixItems" in body
    assert '"strict": true' not in body
    assert emu.requests[-1].problems == ()


def test_a_wire_tool_of_a_call_is_made_strict(emu: Emulator, chat: Make) -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    function = {"name": "f", "parameters": parameters, "strict": True}
    chat().invoke("hi", tools=[{"type": "function", "function": function}])
    sent = emu.requests[-1].body["tools"][0]["function"]
    assert sent["strict"] is True
    assert sent["parameters"] == {**parameters, "additionalProperties": False}


def test_tools_given_to_a_call(emu: Emulator, chat: Make) -> None:
    message = chat().invoke("add 1 and 2", tools=[add], tool_choice="add")
    assert message.tool_calls[0]["args"] == {"a": 1, "b": 2}
    assert emu.requests[-1].problems == ()


class Person(BaseModel):
    """A person."""

    name: str
    age: int | None


class Loose(BaseModel):
    name: str = "nobody"


PERSON = Person.model_json_schema()


@pytest.mark.parametrize(
    "given",
    [
        Person,
        PERSON,
        {"type": "json_schema", "json_schema": {"name": "Person", "schema": PERSON}},
        {
            "type": "json_schema",
            "json_schema": {"name": "Person", "schema": PERSON, "strict": True},
        },
        {"type": "json_schema", "name": "Person", "schema": PERSON},
    ],
)
def test_response_formats_of_every_shape_are_strict(given: Any) -> None:
    value = to_core_response_format(to_wire_response_format(given))
    assert isinstance(value, JsonSchema)
    assert (value.name, value.strict) == ("Person", True)
    assert value.schema["additionalProperties"] is False


def test_a_format_stays_open_where_strictness_would_add_nulls() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value = to_core_response_format(to_wire_response_format(Loose))
    assert isinstance(value, JsonSchema)
    assert value.strict is False


@pytest.mark.parametrize("kind", ["text", "json_object"])
def test_plain_response_formats(kind: str) -> None:
    assert to_core_response_format(to_wire_response_format({"type": kind})) == kind
    assert to_core_response_format(to_wire_response_format(kind)) == kind


def test_names_of_formats_are_made_fit() -> None:
    class Box(BaseModel):
        model_config = {"title": "Box[int] ä"}
        value: int = Field(...)

    assert to_wire_response_format(Box)["json_schema"]["name"] == "Box_int___"


def test_a_response_format_beside_tools(emu: Emulator, chat: Make) -> None:
    model = chat().bind_tools([add], response_format=Person)
    assert model.invoke("add 1 and 2").tool_calls
    body = emu.requests[-1].body
    assert body["response_format"]["json_schema"]["name"] == "Person"
    assert total(chat().bind_tools([], response_format=Person).stream("hi")).text.startswith("{")


def test_every_reference_that_leads_back_keeps_its_schema() -> None:
    inner = {"type": "object", "properties": {"parts": {"type": "array"}}}
    for ref in ("#", "#/properties/whole", "#/definitions/Part"):
        part = {**inner, "properties": {"parts": {"type": "array", "items": {"$ref": ref}}}}
        whole = part if ref == "#/properties/whole" else {"$ref": ref}
        given = {"type": "object", "properties": {"whole": whole}, "definitions": {"Part": part}}
        made = StructuredTool(name="a", description="b", args_schema=given, func=print)
        assert to_wire_tool(made)["function"]["parameters"] == given


def test_references_that_lead_nowhere_back_are_no_recursion() -> None:
    given = {"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}}}
    assert not is_recursive({**given, "$defs": {"A": {"type": "string"}}})


@pytest.mark.parametrize("given", [Part, {"$ref": "#/$defs/P", "$defs": {"P": {"type": "object"}}}])
def test_the_arguments_of_a_tool_are_an_object(given: Any) -> None:
    made = StructuredTool(name="a", description="b", args_schema=given, func=print)
    assert to_wire_tool(made)["function"]["parameters"]["type"] == "object"
    llm = ChatAIMLAPI(api_key="x")
    wire = llm.with_structured_output(given, method="function_calling").first.kwargs  # type: ignore[attr-defined]  # a sequence of the binding and a parser
    assert wire["tools"][0]["function"]["parameters"]["type"] == "object"


@pytest.mark.parametrize("strict", [None, True, False])
def test_a_bound_tools_schema_is_made_once(strict: bool | None) -> None:
    """Not for each request; the caller's own claim to be strict is checked."""
    (wire,) = ChatAIMLAPI().bind_tools([Part], strict=strict).kwargs["tools"]  # type: ignore[attr-defined]  # a binding
    again = to_core_tool(wire)
    assert isinstance(again, Tool)
    assert again.parameters is wire["function"]["parameters"]
    claimed = {"name": "f", "parameters": {"properties": {"a": {"type": "string"}}}, "strict": True}
    with pytest.warns(OpenSchemaWarning):
        checked = to_core_tool({"type": "function", "function": claimed})
    assert isinstance(checked, Tool)
    assert checked.strict is False


def test_a_bound_tool_shows_what_changed_in_it_since() -> None:
    """What is read of a tool is kept for the next binding: its changes must not be lost."""

    class Arguments(BaseModel):
        city: str

    @tool
    def weather(place: str) -> str:
        """The weather."""
        return place

    first = to_wire_tool(weather)["function"]
    assert first["description"] == "The weather."
    assert list(first["parameters"]["properties"]) == ["place"]
    weather.description = "The weather of today."
    weather.args_schema = Arguments
    later = to_wire_tool(weather)["function"]
    assert later["description"] == "The weather of today."
    assert list(later["parameters"]["properties"]) == ["city"]


def test_tools_that_share_a_class_of_arguments_are_two() -> None:
    class Arguments(BaseModel):
        city: str

    class Own(BaseTool):
        @property
        def tool_call_schema(self) -> Any:
            return Arguments

        def _run(self, city: str) -> str:
            return city

    for name in ("weather", "map"):
        wire = to_wire_tool(Own(name=name, description=f"The {name}."))["function"]
        assert (wire["name"], wire["description"]) == (name, f"The {name}.")


@pytest.mark.parametrize("strict", [None, False, True])
def test_a_change_of_a_bound_schema_is_not_in_the_next_binding(strict: bool | None) -> None:
    @tool
    def weather(place: str, unit: list[str]) -> str:
        """The weather."""
        return place

    first = to_wire_tool(weather, strict)["function"]["parameters"]
    first["properties"]["place"]["description"] = "changed"
    first["properties"]["more"] = {"type": "string"}
    first["required"].append("more")
    first["properties"]["unit"]["items"]["enum"] = ["C"]
    assert "changed" not in str(later := to_wire_tool(weather, strict)["function"]["parameters"])
    assert list(later["properties"]) == later["required"] == ["place", "unit"]
    assert later["properties"]["unit"]["items"] == {"type": "string"}


@pytest.mark.parametrize("strict", [None, True])
def test_a_change_of_a_tools_dict_is_in_the_next_binding(strict: bool | None) -> None:
    """A tool of MCP has a dict as its schema; what was read of it is kept by its content."""
    schema: dict[str, Any] = {"type": "object", "properties": {"place": {"type": "string"}}}
    remote = StructuredTool.from_function(
        lambda place: place, name="weather", description="The weather.", args_schema=schema
    )
    flat = {"name": "weather", "description": "The weather.", "parameters": schema}
    for changed in ("place", "unit", "more"):
        schema["properties"][changed] = {"type": "string"}
        for given in (remote, flat):
            function = to_wire_tool(given, strict)["function"]
            assert list(function["parameters"]["properties"]) == list(schema["properties"])
    remote.description = "The weather there."
    assert to_wire_tool(remote, strict)["function"]["description"] == "The weather there."


@pytest.mark.parametrize("strict", [True, False])
def test_a_tool_that_cannot_be_strict_warns_at_each_binding(strict: bool) -> None:
    @tool
    def weather(place: str, unit: str = "C") -> str:
        """The weather."""
        return place

    for _ in range(2):
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            to_wire_tool(weather, strict)
        assert [one.category for one in given] == [OpenSchemaWarning] * strict
