"""Structured prediction: literals first, then all four ways against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any, Generic, TypeVar

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, ToolCallBlock
from llama_index.core.program.utils import FlexibleModel
from llama_index.core.prompts import PromptTemplate
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field, ValidationError

from aimlapi_core import BadRequestError
from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import (
    AIMLAPI,
    NoToolCallError,
    OutputEmptyError,
    OutputFilteredError,
    OutputRefusedError,
    OutputTruncatedError,
)
from llama_index_aimlapi._structured_output.parser import PartialObjectParser, parse_response
from llama_index_aimlapi._structured_output.plan import function_calling_plan, json_schema_plan
from tests.llama_index.ways import CHAT, SETUPS, STRUCTURED, items, last

Make = Callable[..., AIMLAPI]
T = TypeVar("T")
PROMPT = PromptTemplate("Describe a {what} in one record.")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Song(BaseModel):
    title: str
    seconds: int = 180


class Album(BaseModel):
    """A music album."""

    name: str = Field(description="The album's name.")
    songs: list[Song]
    colour: Colour = Colour.RED
    note: str | None = None


class Loose(BaseModel):
    name: str
    counts: dict[str, int] = {}


class Box(BaseModel, Generic[T]):
    content: T


class Tree(BaseModel):
    name: str
    branches: list[Tree] = []


ALBUM = {
    "name": "Größe",
    "songs": [{"title": "One", "seconds": 61}, {"title": "Two", "seconds": None}],
    "colour": None,
    "note": None,
}


def response(text: str, *, tool: bool = False, **facts: Any) -> ChatResponse:
    blocks = [ToolCallBlock(tool_name="Album", tool_kwargs=text)] if tool and text else None
    message = ChatMessage(role="assistant", content=None if tool else text, blocks=blocks or [])
    return ChatResponse(
        message=ChatMessage(role="assistant", blocks=blocks) if blocks else message,
        additional_kwargs=facts,
    )


def test_a_class_is_asked_for_by_a_strict_schema() -> None:
    wanted = json_schema_plan(Album).arguments["response_format"]["json_schema"]
    assert (wanted["name"], wanted["strict"]) == ("Album", True)
    assert wanted["schema"]["required"] == ["name", "songs", "colour", "note"]
    assert wanted["schema"]["additionalProperties"] is False


def test_a_class_that_cannot_be_strict_is_asked_for_with_its_own_schema() -> None:
    wanted = json_schema_plan(Loose).arguments["response_format"]["json_schema"]
    assert wanted["strict"] is False
    assert wanted["schema"] == Loose.model_json_schema()


def test_a_tool_is_forced() -> None:
    call = function_calling_plan(Album).arguments
    assert call["tool_choice"] == {"type": "function", "function": {"name": "Album"}}
    assert call["parallel_tool_calls"] is False


def test_a_programs_own_arguments_are_settled() -> None:
    given = {"tool_required": False, "tool_choice": "none", "temperature": 0.1}
    arguments = function_calling_plan(Album).chat_kwargs(given)
    assert arguments["tool_choice"]["function"] == {"name": "Album"}
    assert "tool_required" not in arguments
    assert arguments["temperature"] == 0.1
    assert "tool_required" in given


@pytest.mark.parametrize("tool", [False, True])
def test_nulls_of_the_strict_schema_become_defaults(tool: bool) -> None:
    plan = function_calling_plan(Album) if tool else json_schema_plan(Album)
    album = parse_response(response(json.dumps(ALBUM), tool=tool), plan)
    assert album == Album(
        name="Größe", songs=[Song(title="One", seconds=61), Song(title="Two")], note=None
    )


@pytest.mark.parametrize("tool", [False, True])
@pytest.mark.parametrize(
    ("text", "facts", "error"),
    [
        ("", {}, OutputEmptyError),
        ("I cannot.", {"refusal": "I cannot."}, OutputRefusedError),
        ('{"name": "Gr', {"finish_reason": "length"}, OutputTruncatedError),
        ('{"name": "x", "songs": []}', {"finish_reason": "content_filter"}, OutputTruncatedError),
        ('{"name": 3}', {}, ValidationError),
        ("no JSON", {}, ValidationError),
    ],
)
def test_what_cannot_be_read_is_a_typed_error(
    tool: bool, text: str, facts: dict[str, Any], error: type[Exception]
) -> None:
    plan = function_calling_plan(Album) if tool else json_schema_plan(Album)
    with pytest.raises(error):
        parse_response(response(text, tool=tool, **facts), plan)


def test_text_instead_of_the_tool_is_named() -> None:
    with pytest.raises(NoToolCallError, match="Here you are"):
        parse_response(response("Here you are"), function_calling_plan(Album))


def _plain(found: BaseModel) -> dict[str, Any]:
    return {k: v for k, v in json.loads(found.model_dump_json()).items() if v is not None}


def _within(smaller: Any, larger: Any) -> bool:
    """Whether `smaller` is `larger` at an earlier time."""
    if isinstance(smaller, str) and isinstance(larger, str):
        return larger.startswith(smaller)
    if isinstance(smaller, dict):
        return all(k in larger and _within(v, larger[k]) for k, v in smaller.items() if v)
    if isinstance(smaller, list):
        return len(smaller) <= len(larger) and all(map(_within, smaller, larger))
    return bool(smaller == larger)


@pytest.mark.parametrize("tool", [False, True])
def test_partials_only_grow_and_end_with_the_class(tool: bool) -> None:
    text = json.dumps({**ALBUM, "colour": "blue"}, ensure_ascii=False)
    partial_parser = PartialObjectParser(
        function_calling_plan(Album) if tool else json_schema_plan(Album)
    )
    found = [
        item
        for end in range(len(text) + 1)
        for item in partial_parser.feed(response(text[:end], tool=tool, is_partial=True))
    ]
    found += partial_parser.feed(response(text, tool=tool))
    plain = [_plain(item) for item in found]
    assert all(map(_within, plain, plain[1:]))
    assert isinstance(found[0], FlexibleModel)
    assert isinstance(found[-1], Album)
    assert found[-1].songs[1].seconds == 180
    assert len(found) < len(text)  # nothing is said twice


@pytest.mark.half("way", "mode", "setup")
@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("mode", ["default", "function"])
@pytest.mark.parametrize("way", STRUCTURED)
async def test_every_way_gives_an_instance(
    make: Make, emu: Emulator, setup: str, mode: str, way: str
) -> None:
    llm = make(
        **SETUPS[setup],
        pydantic_program_mode=PydanticProgramMode(mode),
        system_prompt="You know music.",
    )
    album = await last(llm, way, Album, PROMPT, what="album")
    assert type(album) is Album
    assert len(emu.requests) == 1
    seen = emu.requests[0]
    assert seen.problems == ()
    assert "You know music." in json.dumps(seen.body)
    assert "Describe a album" in json.dumps(seen.body)
    if mode == "function":
        assert seen.body["tool_choice"] not in ("auto", "required", "none")
    else:
        assert '"strict": true' in json.dumps(seen.body)
        assert "tools" not in seen.body


@pytest.mark.parametrize("way", STRUCTURED)
@pytest.mark.parametrize("output_cls", [Loose, Box[int], Tree])
async def test_loose_generic_and_recursive_classes(
    llm: AIMLAPI, emu: Emulator, way: str, output_cls: type[BaseModel]
) -> None:
    assert isinstance(await last(llm, way, output_cls, PROMPT, what="box"), output_cls)
    assert emu.requests[-1].problems == ()


def test_an_unknown_model_is_asked_by_tool() -> None:
    plan = AIMLAPI(model="some/other-model")._structured_output_plan(Album)
    assert plan == function_calling_plan(Album)


@pytest.mark.parametrize("way", ["structured_predict", "astructured_predict"])
async def test_llm_mode_is_llamaindexs_own(make: Make, emu: Emulator, way: str) -> None:
    llm = make(pydantic_program_mode=PydanticProgramMode.LLM, system_prompt="You know music.")
    emu.enqueue_response('{"title": "One"}')
    assert await last(llm, way, Song, PROMPT, what="song") == Song(title="One")
    assert "response_format" not in emu.requests[-1].body
    assert emu.requests[-1].body["messages"][0]["content"] == "You know music."


@pytest.mark.parametrize("way", STRUCTURED)
async def test_arguments_of_the_call_are_kept(llm: AIMLAPI, emu: Emulator, way: str) -> None:
    given = {"temperature": 0.3, "tool_required": True}
    await last(llm, way, Song, PROMPT, llm_kwargs=given, what="song")
    assert emu.requests[-1].body["temperature"] == 0.3
    assert given == {"temperature": 0.3, "tool_required": True}


@pytest.mark.parametrize("way", STRUCTURED)
async def test_a_setting_given_as_a_variable_of_the_prompt_is_told(
    llm: AIMLAPI, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    await last(llm, way, Song, PROMPT, what="song", temperature=0.3)
    assert "llm_kwargs={'temperature': ...}" in caplog.text
    caplog.clear()
    await last(llm, way, Song, PromptTemplate("A {model}."), model="song")
    assert "llm_kwargs" not in caplog.text


@pytest.mark.parametrize("way", STRUCTURED)
@pytest.mark.parametrize("mode", ["default", "function"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(refusal="I cannot."), OutputRefusedError),
        (Fault(finish_reason="length"), OutputTruncatedError),
        (Fault(finish_reason="content_filter"), OutputFilteredError),
        (Fault(empty=True), OutputEmptyError),
    ],
)
async def test_failures_are_typed_in_every_way(
    make: Make, emu: Emulator, way: str, mode: str, fault: Fault, error: type[Exception]
) -> None:
    llm = make(pydantic_program_mode=PydanticProgramMode(mode))
    emu.faults.append(fault)
    with pytest.raises(error) as caught:
        await items(llm, way, Album, PROMPT, what="album")
    assert getattr(caught.value, "request_id", None)


@pytest.mark.parametrize("way", STRUCTURED)
async def test_a_refusal_is_quoted_without_control_characters(
    make: Make, emu: Emulator, way: str
) -> None:
    emu.faults.append(Fault(refusal="No \x1b[2J \u202e" + "x" * 9_000))
    with pytest.raises(OutputRefusedError, match=r"No \\x1b\[2J") as caught:
        await items(make(), way, Album, PROMPT, what="album")
    assert str(caught.value).removesuffix("…").isprintable()
    assert len(str(caught.value)) < 2_000
    assert len(caught.value.body) > 9_000


@pytest.mark.parametrize("mode", ["default", "function"])
@pytest.mark.parametrize("way", STRUCTURED)
@pytest.mark.parametrize(
    "form",
    [
        "```json\n%s\n```",
        "Here it is:\n\n```json\n%s\n```\nAnything else?",
        "\ufeff%s",
        "\ufeff```json\n%s\n```",
        "```json\n%s",
    ],
)
async def test_json_in_a_fence_or_behind_a_byte_order_mark_is_read(
    make: Make, emu: Emulator, way: str, form: str, mode: str
) -> None:
    text = json.dumps({"title": "One ```\n{", "seconds": 3}, indent=1)
    text = form % text.replace("\\n", "\n")  # a newline as it is in a string
    if mode == "default":
        emu.enqueue_response(text)
    else:
        emu.when("Describe", tool_call="Song", arguments=text)
    llm = make(pydantic_program_mode=PydanticProgramMode(mode))
    found = await items(llm, way, Song, PROMPT, what="song")
    assert found[-1] == Song(title="One ```\n{", seconds=3)


@pytest.mark.parametrize("way", STRUCTURED)
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"title": "One", "seconds": NaN}', "NaN is not a JSON number"),
        ('{"title": "One", "seconds": 3, "seconds": 30}', "'seconds' appears twice"),
    ],
)
async def test_what_json_leaves_open_is_an_error(
    llm: AIMLAPI, emu: Emulator, way: str, text: str, why: str
) -> None:
    emu.enqueue_response(text)
    with pytest.raises(ValidationError, match=why):
        await items(llm, way, Song, PROMPT, what="song")


@pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")  # LlamaIndex's own
@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize(
    "way", ["chat", "achat", "stream_chat", "astream_chat", "complete", "acomplete"]
)
async def test_a_structured_llm_gives_the_class(
    make: Make, emu: Emulator, setup: str, way: str
) -> None:
    prompt: Any = "a song" if "complete" in way else [ChatMessage(content="a {song}")]
    found = await last(make(**SETUPS[setup]).as_structured_llm(Song), way, prompt)
    assert isinstance(found.raw, Song)
    assert [seen.problems for seen in emu.requests] == [()]


@pytest.mark.parametrize("way", CHAT)
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
async def test_a_json_object_wants_the_word_json_in_a_message(
    way: str, endpoint: str, make: Make
) -> None:
    """As OpenAI does: without it the service refuses the request, and its words say what to do."""
    llm = make(endpoint=endpoint)
    with pytest.raises(BadRequestError, match="must contain the word 'json' in some form"):
        await last(llm, way, [ChatMessage(content="Name a lake.")], response_format="json_object")
    for said in (
        [ChatMessage(content="Name a lake, as JSON.")],
        [ChatMessage(role="system", content="JSON only."), ChatMessage(content="Name a lake.")],
    ):
        answer = await last(llm, way, said, response_format="json_object")
        assert isinstance(json.loads(answer.message.content), dict)
