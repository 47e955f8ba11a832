from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from aimlapi_emulator import Emulator
from langchain_aimlapi import ChatAIMLAPI, OutputInvalidError
from langchain_aimlapi._structured_output.parser import AnswerParser
from tests.langchain.calls import call

Make = Callable[..., ChatAIMLAPI]


class Colour(Enum):
    RED = "red"


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    day: datetime.date
    key: uuid.UUID
    colour: Colour
    pair: tuple[int, str]
    names: set[str]


class Answer(BaseModel):
    value: int


SCHEMA = {
    "title": "answer",
    "type": "object",
    "properties": {"value": {"type": "integer"}},
    "required": ["value"],
}
WAYS = pytest.mark.parametrize("streaming", [False, True])


def test_a_strict_model_is_read_from_json() -> None:
    wire = {
        "day": "2026-01-02", "key": str(uuid.UUID(int=1)), "colour": "red",
        "pair": [1, "a"], "names": ["x"],
    }  # fmt: skip
    found = AnswerParser(output_class=Strict).parse(json.dumps(wire))
    assert found.day == datetime.date(2026, 1, 2)
    assert found.pair == (1, "a")


@WAYS
@pytest.mark.parametrize("schema", [Answer, SCHEMA])
def test_an_error_of_parsing_is_an_outcome(
    schema: Any, streaming: bool, how: str, emu: Emulator, chat: Make
) -> None:
    emu.enqueue_response('{"value": 5,, "x"')
    found = call(how, streaming, chat().with_structured_output(schema, include_raw=True), "hi")
    assert set(found) == {"raw", "parsed", "parsing_error"}
    assert found["raw"].content == '{"value": 5,, "x"'
    assert found["parsed"] is None
    assert isinstance(found["parsing_error"], OutputInvalidError)


@WAYS
@pytest.mark.parametrize(("schema", "parsed"), [(Answer, Answer(value=5)), (SCHEMA, {"value": 5})])
def test_the_raw_message_stands_beside_the_object(
    schema: Any, parsed: Any, streaming: bool, how: str, emu: Emulator, chat: Make
) -> None:
    emu.enqueue_response('{"value": 5}')
    found = call(how, streaming, chat().with_structured_output(schema, include_raw=True), "hi")
    assert found["raw"].content == '{"value": 5}'
    assert found["parsed"] == parsed
    assert found["parsing_error"] is None
