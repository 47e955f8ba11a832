"""Structured prediction: defaults behind nulls, aliases, and classes that cannot be asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.prompts import PromptTemplate
from pydantic import AliasChoices, BaseModel, Field, RootModel

from aimlapi_core import InvalidRequestError, ToolCall
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from llama_index_aimlapi._request.tools import ToolRef
from llama_index_aimlapi._response.tool_calls import restore_tool_call
from llama_index_aimlapi._structured_output.parser import PartialObjectParser, parse_response
from llama_index_aimlapi._structured_output.plan import function_calling_plan, json_schema_plan
from tests.llama_index.ways import STRUCTURED, last

PROMPT = PromptTemplate("Describe a {what}.")


class Pet(BaseModel):
    pet_name: str = Field(alias="petName")


class Person(BaseModel):
    first_name: str = Field(alias="firstName")
    b: str | None = "Bob"
    note: str | None = None
    pets: list[Pet] = []
    by_home: dict[str, Pet] = Field(default={}, validation_alias=AliasChoices("byHome", "by_home"))


class Level(Enum):
    LOW = "low"


class Named(BaseModel):
    a: str
    b: str = "Bob"


class Nullable(BaseModel):
    rent: int | None = 1000
    level: Literal["low", None] = "low"
    kind: Level | None = Level.LOW
    inner: Nullable | None = None


NULLS = {"rent": None, "level": None, "kind": None, "inner": None}


class Cities(RootModel[list[str]]):
    pass


class Wrapped(RootModel[Named]):
    pass


@dataclass
class Plain:
    a: str


def response(text: str, **facts: Any) -> ChatResponse:
    return ChatResponse(
        message=ChatMessage(role="assistant", content=text), additional_kwargs=facts
    )


def test_a_null_of_the_strict_schema_gives_the_default_that_the_class_has() -> None:
    assert parse_response(response('{"a": "x", "b": null}'), json_schema_plan(Named)) == Named(
        a="x", b="Bob"
    )


def test_a_null_for_a_strict_tools_argument_is_left_out() -> None:
    tool_refs = {"f": ToolRef("f", Named.model_json_schema())}
    call = restore_tool_call(ToolCall("1", "f", '{"a": "x", "b": null}'), tool_refs)
    assert json.loads(call.arguments) == {"a": "x"}


@pytest.mark.parametrize("mode", ["default", "function"])
@pytest.mark.parametrize("way", STRUCTURED)
async def test_a_null_that_the_class_takes_stays_null(way: str, mode: str) -> None:
    with Emulator() as emu:
        answer: Any = {**NULLS, "inner": NULLS}
        if mode == "default":
            emu.when("flat", json=answer)
        else:
            emu.when("flat", tool_call="Nullable", arguments=answer)
        llm = AIMLAPI(base_url=emu.base_url, api_key="x", pydantic_program_mode=mode)
        found = await last(llm, way, Nullable, PROMPT, what="flat")
    assert found.model_dump() == answer


def test_a_null_that_a_strict_tools_schema_takes_stays_null() -> None:
    tool_refs = {"f": ToolRef("f", Nullable.model_json_schema())}
    call = restore_tool_call(ToolCall("1", "f", json.dumps(NULLS)), tool_refs)
    assert json.loads(call.arguments) == NULLS


def test_an_unfinished_object_never_shows_a_null_that_becomes_a_default() -> None:
    partial_parser = PartialObjectParser(json_schema_plan(Named))
    (found,) = partial_parser.feed(response('{"a": "x", "b": null}', is_partial=True))
    assert not isinstance(found, Named)


def test_an_unfinished_object_fills_fields_that_have_aliases() -> None:
    text = '{"firstName": "Ann", "pets": [{"petName": "Rex"}], "byHome": {"x": {"petName": "Y"}}, '
    (found,) = PartialObjectParser(function_calling_plan(Person)).feed(
        ChatResponse(
            message=ChatMessage(
                role="assistant",
                blocks=[{"block_type": "tool_call", "tool_name": "Person", "tool_kwargs": text}],
            ),
            additional_kwargs={"is_partial": True},
        )
    )
    assert found.first_name == "Ann"  # type: ignore[union-attr]  # a FlexibleModel has any field
    assert found.pets == [{"pet_name": "Rex"}]  # type: ignore[union-attr]  # likewise
    assert found.by_home == {"x": {"pet_name": "Y"}}  # type: ignore[union-attr]  # likewise


@pytest.mark.parametrize("way", STRUCTURED)
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"type": "object"}, "BaseModel"),
        (Plain, "BaseModel"),
        (Named(a="x"), "BaseModel"),
        (Cities, "put it into a field of a class"),
    ],
)
async def test_what_is_no_object_class_is_refused_unsent(
    llm: AIMLAPI, emu: Emulator, way: str, what: Any, said: str
) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        await last(llm, way, what, PROMPT, what="town")
    assert emu.requests == []


def test_a_root_model_of_a_class_is_an_object(llm: AIMLAPI) -> None:
    assert llm.structured_predict(Wrapped, PROMPT, what="town").root.a


def test_the_model_of_the_call_decides_how_the_object_is_asked_for(llm: AIMLAPI) -> None:
    plan = llm._structured_output_plan(Named, {"model": "vendor/unknown"})
    assert plan is not None
    assert plan.uses_tool
