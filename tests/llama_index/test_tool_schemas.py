"""Tools and output classes whose schema is valid, and refused by the service as it is."""

from __future__ import annotations

import pathlib
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool, ToolMetadata
from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr

from aimlapi_core import InvalidRequestError, OpenSchemaWarning
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.ways import STRUCTURED, WITH_TOOLS, items, last

MODELS = ("openai/gpt-5-2", "openai/gpt-5-2-codex")  # one for each endpoint
Make = Callable[..., AIMLAPI]


class Node(BaseModel):
    """A tree."""

    name: str
    children: list[Node] = []


class Cat(BaseModel):
    lives: int


class Dog(BaseModel):
    name: str


class Pet(RootModel[Cat | Dog]):
    pass


class Nothing(BaseModel):
    pass


def made(**arguments: Any) -> str:
    """Make it."""
    return str(arguments)


def tool_of(schema: type[BaseModel]) -> FunctionTool:
    return FunctionTool.from_defaults(fn=made, name="make", description="d", fn_schema=schema)


def sent(emu: Emulator) -> dict[str, Any]:
    """The parameters of the tool of the last request."""
    tool = emu.requests[-1].body["tools"][0]
    parameters: dict[str, Any] = tool.get("function", tool)["parameters"]
    return parameters


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("way", WITH_TOOLS)
async def test_a_recursive_class_keeps_its_fields(
    way: str, model: str, emu: Emulator, make: Make
) -> None:
    tree = {"name": "root", "children": [{"name": "leaf", "children": []}]}
    emu.when("tree", tool_call="make", arguments=tree)
    answer = await last(make(model=model), way, [tool_of(Node)], user_msg="a tree")
    assert set(sent(emu)["properties"]) == {"name", "children"}
    assert sent(emu)["required"] == ["name"]
    assert answer.message.additional_kwargs["tool_calls"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("way", STRUCTURED)
async def test_a_recursive_class_is_had_by_a_forced_tool(
    way: str, model: str, emu: Emulator, make: Make
) -> None:
    tree = {"name": "root", "children": [{"name": "leaf", "children": []}]}
    emu.when("tree", tool_call="Node", arguments=tree)
    llm = make(model=model, pydantic_program_mode="function")
    assert await last(llm, way, Node, PromptTemplate("A tree")) == Node.model_validate(tree)
    assert set(sent(emu)["properties"]) == {"name", "children"}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        None,
        {"type": "object"},
        {"properties": {"a": {"type": "array"}}},
        {"type": "object", "properties": None},
        {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {}}]},
        {"$ref": "#/$defs/A", "$defs": {"A": {"type": "object"}}},
        {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}]},
        {"$defs": Node.model_json_schema()["$defs"]},
    ],
)
@pytest.mark.filterwarnings("ignore:strict=True")
@pytest.mark.parametrize("strict", [None, True])
def test_a_tool_as_a_dict_is_sent_in_the_form_that_the_service_takes(
    parameters: Any, strict: bool | None, model: str, emu: Emulator, make: Make
) -> None:
    row = {"name": "make", "description": "d", "parameters": parameters, "strict": strict}
    make(model=model).chat([ChatMessage("hi")], tools=[row])
    assert emu.requests[-1].problems == ()
    assert sent(emu)["type"] == "object"
    assert isinstance(sent(emu)["properties"], dict)


@pytest.mark.parametrize("schema", [Pet, Nothing])
def test_a_class_with_another_root_is_an_object(
    schema: type[BaseModel], emu: Emulator, make: Make
) -> None:
    make().chat_with_tools([tool_of(schema)], user_msg="hi")
    assert emu.requests[-1].problems == ()
    assert set(sent(emu)["properties"]) == ({"lives", "name"} if schema is Pet else set())


async def test_an_agent_with_a_tool_without_parameters_answers(emu: Emulator, make: Make) -> None:
    metadata = ToolMetadata(description="All regions", name="list_regions", fn_schema=Nothing)
    tool = FunctionTool(fn=lambda: "eu, us", metadata=metadata)
    emu.when("regions", tool_call="list_regions", arguments={}, times=1)
    emu.when("eu, us", text="Two.")
    agent = FunctionAgent(tools=[tool], llm=make())
    assert str(await agent.run("Which regions?")) == "Two."


def test_a_tool_without_an_object_is_refused_by_its_name(emu: Emulator, make: Make) -> None:
    row = {"name": "lister", "parameters": {"type": "array", "items": {"type": "string"}}}
    with pytest.raises(InvalidRequestError, match="the tool 'lister' allows no object"):
        make().chat([ChatMessage("hi")], tools=[row])
    assert emu.requests == []


class Order(BaseModel):
    model_config = ConfigDict(regex_engine="python-re")

    price: Decimal
    file: pathlib.Path
    key: SecretStr
    data: bytes
    code: Annotated[str, Field(pattern=r"^(?=.*\d)\w+$", max_length=8)]
    tags: set[str]


ORDER = {"price": 1.5, "file": "a/b", "key": "k", "data": "x", "code": "a1", "tags": ["t"]}


@pytest.mark.parametrize("way", STRUCTURED)
async def test_a_class_with_rules_of_its_own_is_strict_and_holds_to_them(
    way: str, emu: Emulator, make: Make
) -> None:
    emu.when("order", json=ORDER)
    found = await last(make(), way, Order, PromptTemplate("An order"))
    assert found == Order.model_validate(ORDER)
    wanted = emu.requests[-1].body["response_format"]["json_schema"]
    assert wanted["strict"] is True
    assert r"pattern: ^(?=.*\d)\w+$" in wanted["schema"]["properties"]["code"]["description"]
    emu.clear()
    emu.when("order", json={**ORDER, "code": "none"})
    with pytest.raises(ValueError, match="code"):
        await items(make(), way, Order, PromptTemplate("An order"))


def test_a_class_that_cannot_be_strict_says_so_once_at_the_users_line(make: Make) -> None:
    class Scores(BaseModel):
        by_name: dict[str, int]

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", OpenSchemaWarning)
        for _ in range(2):
            make().structured_predict(Scores, PromptTemplate("Scores"))
    (said,) = seen
    assert "the class 'Scores': by_name allows" in str(said.message)
    assert said.filename == __file__
