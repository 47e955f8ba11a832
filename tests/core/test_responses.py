"""Responses requests literal in, literal out; failures; events that came without deltas."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from aimlapi_core import (
    BuiltinTool,
    ChatRequest,
    CitationDelta,
    File,
    Finished,
    Image,
    InvalidRequestError,
    JsonSchema,
    Message,
    NamedTool,
    ProviderItem,
    Reasoning,
    StreamCutError,
    StreamEvent,
    StreamFailedError,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    UnexpectedReplyError,
)
from aimlapi_core._values import warn_once
from aimlapi_core._wire.endpoint import PreparedRequest, prepare_request
from aimlapi_core._wire.responses_stream import ResponseAccumulator
from tests.core.cases import Case, events_of_item, function_call, message, reasoning, response

USER = Message("user", (Text("hi"),))
PRO, CODEX = "openai/gpt-5-2-pro", "openai/gpt-5-2-codex"


def prepared(*messages: Message, stream: bool = False, **more: Any) -> PreparedRequest:
    request = ChatRequest(more.pop("model", PRO), messages or (USER,), **more)
    return prepare_request(request, stream=stream)


def body(*messages: Message, **more: Any) -> dict[str, Any]:
    return prepared(*messages, **more).body


def read(*frames: dict[str, Any] | str) -> list[StreamEvent]:
    reader = prepared(stream=True).stream_reader()
    data = "".join(f"data: {f if isinstance(f, str) else json.dumps(f)}\n\n" for f in frames)
    return [*reader.feed(data.encode()), *reader.close()]


def test_pro_goes_to_responses_by_itself() -> None:
    assert prepared().path == "/responses"
    assert body() == {"model": PRO, "input": [{"role": "user", "content": "hi"}]}
    assert body(stream=True)["stream"] is True
    assert "stream_options" not in body(stream=True)


def test_every_parameter_has_its_wire_name() -> None:
    sent = body(
        model="openai/gpt-5-2",
        endpoint="responses",
        instructions="Be brief.",
        temperature=0.5,
        top_p=0.9,
        max_output_tokens=16,
        reasoning_effort="none",
        reasoning_summary="auto",
        previous_response_id="resp_0",
        store=False,
        truncation="auto",
        include=("reasoning.encrypted_content",),
        response_format=JsonSchema("joke", {"type": "object"}, strict=True),
        tools=(
            Tool("clock", {}, "Tells the time."),
            Tool("weather", {"type": "object"}, strict=True),
            BuiltinTool({"type": "web_search_preview"}),
        ),
        tool_choice=NamedTool("clock"),
        parallel_tool_calls=True,
    )
    del sent["input"]
    assert sent == {
        "model": "openai/gpt-5-2",
        "instructions": "Be brief.",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 16,
        "reasoning": {"effort": "none", "summary": "auto"},
        "previous_response_id": "resp_0",
        "store": False,
        "truncation": "auto",
        "include": ["reasoning.encrypted_content"],
        "text": {
            "format": {
                "type": "json_schema",
                "name": "joke",
                "schema": {"type": "object"},
                "strict": True,
            }
        },
        "tools": [
            {
                "type": "function",
                "name": "clock",
                "description": "Tells the time.",
                "parameters": {"type": "object", "properties": {}},
                "strict": False,
            },
            {
                "type": "function",
                "name": "weather",
                "parameters": {"type": "object", "properties": {}},
                "strict": True,
            },
            {"type": "web_search_preview"},
        ],
        "tool_choice": {"type": "function", "name": "clock"},
        "parallel_tool_calls": True,
    }


HISTORY = (
    Message("system", (Text("Be brief."),)),
    Message("user", (Text("What is it?"), File("data:application/pdf;base64,JVBERi0x", "a.pdf"))),
    Message(
        "assistant",
        (
            Reasoning(
                "r",
                {
                    "type": "reasoning",
                    "id": "rs",
                    "summary": [],
                    "encrypted_content": "e",
                    "status": None,
                },
            ),
            Reasoning("r", {"type": "reasoning", "id": "rs_2", "summary": []}),
            Text("Looking."),
            ToolCall("c1", "f", "", item_id="fc_1"),
            ProviderItem({"type": "web_search_call", "id": "ws"}),
            ProviderItem({"type": "mcp_call", "id": "mcp", "error": None}),
        ),
    ),
    Message("tool", (Text("42"),), tool_call_id="c1"),
)


@pytest.mark.parametrize("model", [PRO, CODEX])
def test_a_whole_conversation(model: str) -> None:
    kept = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"}
    assert body(*HISTORY, model=model)["input"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is it?"},
                {
                    "type": "input_file",
                    "file_data": "data:application/pdf;base64,JVBERi0x",
                    "filename": "a.pdf",
                },
            ],
        },
        # Only the schema of codex takes reasoning items back, and only whole ones lead anywhere.
        *([kept] if model == CODEX else []),
        {"role": "assistant", "content": "Looking."},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "mcp_call", "id": "mcp"},
        {"type": "function_call_output", "call_id": "c1", "output": "42"},
    ]


def test_images_go_where_the_model_takes_them() -> None:
    seen = Message("user", (Image("https://e.org/a.png"),))
    assert body(seen, model="openai/gpt-5-2-chat-latest", endpoint="responses")["input"] == [
        {
            "role": "user",
            "content": [
                {"type": "input_image", "image_url": "https://e.org/a.png", "detail": "auto"}
            ],
        }
    ]
    with pytest.raises(InvalidRequestError, match="takes no images"):
        body(seen)


def test_background_and_too_low_limits_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="not supported yet"):
        body(extra_body={"background": True})
    with pytest.raises(InvalidRequestError, match="at least 16"):
        body(max_output_tokens=15)


def test_names_of_messages_are_left_out_with_a_warning() -> None:
    warn_once._warned.clear()
    with pytest.warns(UserWarning, match="name"):
        assert body(Message("user", (Text("hi"),), name="ann"))["input"] == [
            {"role": "user", "content": "hi"}
        ]


def test_what_pro_does_not_take_is_left_out() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sent = body(temperature=0.5, reasoning_effort="high", n=2, seed=3)
    assert set(sent) == {"model", "input"}


@pytest.mark.parametrize(
    "payload",
    [
        {"object": "image", "data": []},
        {"choices": []},
        {"error": {"message": "no"}},
        "text",
        response(status="failed", error={"code": "server_error", "message": "it broke"}),
        response(status="queued"),
        response(status="cancelled"),
    ],
)
def test_what_is_no_finished_response_says_what_came(payload: Any) -> None:
    with pytest.raises(UnexpectedReplyError) as caught:
        prepared().decode(payload, {})
    if "it broke" in str(payload):
        assert "it broke" in str(caught.value)


def test_the_documents_samples_without_status_or_with_output_text_alone_are_read() -> None:
    bare = {"id": "resp_0d", "output": [], "output_text": "Hello!", "created_at": 1.5}
    reply = prepared().decode(bare, {})
    assert (reply.choices[0].text, reply.choices[0].finish_reason) == ("Hello!", "stop")
    assert (reply.usage, reply.cost, reply.created) == (None, None, 1)


@pytest.mark.parametrize(
    ("frame", "says", "code"),
    [
        (
            {"type": "error", "code": "rate", "message": "slow down", "param": None},
            "slow down",
            "rate",
        ),
        (
            {
                "type": "response.failed",
                "response": response(status="failed", error={"code": "c", "message": "it broke"}),
            },
            "it broke",
            "c",
        ),
        ({"error": {"message": "upstream died", "code": "x"}}, "upstream died", "x"),
        ({"requestId": "r", "statusCode": 500, "message": "legacy words"}, "legacy words", None),
        ("{broken", "not a JSON object", None),
    ],
)
def test_failures_inside_a_stream_raise_with_what_came(
    frame: dict[str, Any] | str, says: str, code: str | None
) -> None:
    begun = {"type": "response.output_text.delta", "output_index": 0, "delta": "begun"}
    with pytest.raises(StreamFailedError, match=says) as caught:
        read(begun, frame)
    assert caught.value.code == code
    assert caught.value.partial is not None
    assert caught.value.partial.choices[0].text == "begun"


@pytest.mark.parametrize("ending", [[], ["[DONE]"]])
def test_an_end_without_the_closing_event_is_a_cut(ending: list[str]) -> None:
    begun = {"type": "response.output_text.delta", "output_index": 0, "delta": "begun"}
    with pytest.raises(StreamCutError):
        read(begun, *ending)


def test_what_no_delta_brought_comes_with_the_last_event() -> None:
    whole = response(reasoning("Why."), message("Text."), function_call("c", "f", '{"a":1}'))
    *events, last = read(
        {
            "type": "response.output_text.delta",
            "output_index": 1,
            "content_index": 0,
            "delta": "Te",
        },
        {"type": "response.completed", "response": whole},
    )
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Text."
    assert [e.arguments for e in events if isinstance(e, ToolCallDelta)] == ["", '{"a":1}']
    assert type(last).__name__ == "Finished"


def test_a_last_event_without_output_gives_what_the_deltas_brought() -> None:
    empty = {**response(), "output": []}
    *_, last = read(
        {"type": "response.output_item.added", "output_index": 0, "item": {**message(), "id": "m"}},
        {
            "type": "response.output_text.delta",
            "output_index": 0,
            "content_index": 0,
            "delta": "Te",
        },
        {
            "type": "response.output_text.delta",
            "output_index": 0,
            "content_index": 0,
            "delta": "xt",
        },
        {"type": "response.completed", "response": empty},
    )
    assert getattr(last, "reply").choices[0].text == "Text"  # noqa: B009  # typed as any event


def test_unknown_events_and_frames_named_only_by_their_event_line_are_read() -> None:
    reader = prepared(stream=True).stream_reader()
    whole = json.dumps({"response": response(message("ok"))})
    data = 'data: {"type":"response.audio.delta","delta":"x"}\n\n'
    data += f"event: response.completed\ndata: {whole}\n\n"
    events = [*reader.feed(data.encode()), *reader.close()]
    assert [type(e).__name__ for e in events] == ["TextDelta", "Finished"]


def test_how_a_response_ended_is_said_in_the_words_of_chat() -> None:
    ends = {
        "stop": response(message("x")),
        "tool_calls": response(function_call("c", "f", "{}")),
        "length": response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        "content_filter": response(
            status="incomplete", incomplete_details={"reason": "content_filter"}
        ),
    }
    for reason, payload in ends.items():
        assert prepared().decode(payload, {}).choices[0].finish_reason == reason


def test_output_text_stands_in_where_no_message_holds_the_text() -> None:
    only = {"id": "r", "output_text": "Hello!"}
    beside = response(reasoning("Why."), output_text="Hello!")
    for payload in (only, beside):
        assert prepared().decode(payload, {}).choices[0].text == "Hello!"


@pytest.mark.parametrize(
    "payload",
    [
        {"id": "r", "output": [], "error": {"message": "boom"}},
        {"id": "r", "output": [], "output_text": "x", "error": "boom"},
    ],
)
def test_an_error_beside_an_output_is_no_answer(payload: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedReplyError, match="boom"):
        prepared().decode(payload, {})


def test_the_status_inside_the_last_event_decides() -> None:
    failed = response(status="failed", error={"message": "boom"})
    with pytest.raises(StreamFailedError, match="boom"):
        read({"type": "response.completed", "response": failed})
    cut = response(
        message("x"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}
    )
    *_, last = read({"type": "response.completed", "response": cut})
    assert getattr(last, "reply").choices[0].finish_reason == "length"  # noqa: B009  # any event


def test_items_that_the_last_event_leaves_out_double_nothing() -> None:
    """The reasoning item streamed first is gone from the last event, so places shift by one."""
    said, called = message("Looking."), function_call("c", "f", "{}")
    frames: list[dict[str, Any] | str] = []
    for place, item in enumerate((reasoning("Why."), said, called)):
        frames += events_of_item(place, item)
    events = read(*frames, {"type": "response.completed", "response": response(said, called)})
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Looking."
    assert {e.index for e in events if isinstance(e, ToolCallDelta)} == {0}


def test_deltas_without_a_place_belong_to_their_item() -> None:
    kind = "response.output_text.delta"
    events = read(
        {"type": kind, "item_id": "m", "delta": "Hel"},
        {"type": kind, "item_id": "m", "delta": "lo"},
        {"type": "response.completed", "response": response(message("Hello", item_id="m"))},
    )
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["Hel", "lo"]


def test_text_that_came_only_when_it_was_done() -> None:
    done = {"type": "response.output_text.done", "output_index": 0, "text": "Text"}
    *events, last = read(done, {"type": "response.completed", "response": response()})
    assert [e.text for e in events if isinstance(e, TextDelta)] == ["Text"]
    assert getattr(last, "reply").choices[0].text == "Text"  # noqa: B009  # any event


def test_a_cut_keeps_the_calls_before_it() -> None:
    payload = response(function_call("c", "f", "{}"), message("abc STOP def"))
    choice = prepared(stop=("STOP",)).decode(payload, {}).choices[0]
    assert (choice.text, len(choice.tool_calls), choice.finish_reason) == ("abc ", 1, "stop")


def stream_of(*items: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbered events of a response with these items."""
    frames = [f for place, item in enumerate(items) for f in events_of_item(place, item)]
    frames.append({"type": "response.completed", "response": response(*items)})
    return [{**frame, "sequence_number": number} for number, frame in enumerate(frames)]


FRAMES = stream_of(
    reasoning("Why."), message("The very very long text."), function_call("c", "f", '{"a":1}')
)
DELTAS = [n for n, f in enumerate(FRAMES) if f["type"].endswith(("text.delta", "arguments.delta"))]


def told(events: list[StreamEvent]) -> str:
    said = [e.text for e in events if isinstance(e, TextDelta)]
    return "".join(said + [e.arguments for e in events if isinstance(e, ToolCallDelta)])


@pytest.mark.parametrize("at", range(len(FRAMES)))
def test_an_event_that_comes_twice_is_read_once(at: int) -> None:
    assert read(*FRAMES[: at + 1], FRAMES[at], *FRAMES[at + 1 :]) == read(*FRAMES)
    assert read(*FRAMES[:-1], FRAMES[at], FRAMES[-1]) == read(*FRAMES)


@pytest.mark.parametrize("at", range(len(FRAMES) - 1))
def test_events_that_changed_places_or_got_lost_give_the_whole_answer_or_raise(at: int) -> None:
    for frames in (
        [*FRAMES[:at], FRAMES[at + 1], FRAMES[at], *FRAMES[at + 2 :]],
        [*FRAMES[:at], *FRAMES[at + 1 :]],
    ):
        try:
            events = read(*frames)
        except (StreamFailedError, StreamCutError):
            continue
        assert told(events) == told(read(*FRAMES))


def test_a_text_that_is_not_what_its_deltas_were_raises() -> None:
    first, *_ = (n for n in DELTAS if FRAMES[n]["type"] == "response.output_text.delta")
    swapped = [*FRAMES[:first], FRAMES[first + 1], FRAMES[first], *FRAMES[first + 2 :]]
    unnumbered = [{**f, "sequence_number": None} for f in FRAMES]
    doubled = [*unnumbered[: first + 1], *unnumbered[first:]]
    for frames in (swapped, doubled):
        with pytest.raises(StreamFailedError, match="not what its last event holds"):
            read(*frames)


def test_numbers_that_events_share_double_and_drop_nothing() -> None:
    """A server that numbers every event 0, and says the same word twice."""
    same = [{**f, "sequence_number": 0} for f in stream_of(message("no no no no no "))]
    assert told(read(*same)) == "no no no no no "


def test_a_filter_may_take_back_what_was_streamed() -> None:
    less = response(message("The very"), status="incomplete")
    less["incomplete_details"] = {"reason": "content_filter"}
    frames = events_of_item(0, message("The very very long text."))[:-1]
    *_, last = read(*frames, {"type": "response.incomplete", "response": less})
    (choice,) = getattr(last, "reply").choices  # noqa: B009  # any event
    assert (choice.text, choice.finish_reason) == ("The very", "content_filter")


@pytest.mark.parametrize(
    ("streamed", "held"),
    [
        (function_call("c", "f", '{"a":1}'), function_call("c", "f", '{"a": 1}')),
        (function_call("c", "f", '{"a":"é"}'), function_call("c", "f", '{"a":"\\u00e9"}')),
        (function_call("c", "f", ""), function_call("c", "f", "{}")),
        (message("One  line.\n"), message("One line.")),
    ],
    ids=["spaced arguments", "escaped arguments", "no arguments", "spaced text"],
)
def test_spacing_and_escapes_may_differ_in_the_last_event(
    streamed: dict[str, Any], held: dict[str, Any]
) -> None:
    frames = events_of_item(0, streamed)[:-1]
    *_, last = read(*frames, {"type": "response.completed", "response": response(held)})
    assert type(last) is Finished


def test_the_window_for_duplicates_is_bounded() -> None:
    accumulator = ResponseAccumulator()
    for number in range(5_000):
        delta = {"type": "response.output_text.delta", "delta": "x", "sequence_number": number}
        accumulator.feed("", json.dumps({**delta, "output_index": 0, "content_index": 0}))
    assert len(accumulator._seen or {}) <= 256


@pytest.mark.parametrize("text", ["See A.", ""])
@pytest.mark.parametrize("events", [True, False])
def test_a_source_may_be_cited_twice_and_without_a_text(text: str, events: bool) -> None:
    cited = {"type": "file_citation", "index": 5, "file_id": "A"}
    part = {"type": "output_text", "text": text, "annotations": [cited, cited]}
    item = {"type": "message", "id": "m1", "role": "assistant", "content": [part]}
    response = {"id": "r", "status": "completed", "output": [item]}
    kind = "response.output_text.annotation.added"
    added = [{"type": kind, "output_index": 0, "item_id": "m1", "annotation": cited}] * 2
    last = {"type": "response.completed", "response": response}
    chunks = (*(added if events else ()), last)
    case = Case("cited", response, chunks, endpoint="responses")
    request = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),), endpoint="responses")
    prepared = prepare_request(request, stream=True)
    reader = prepared.stream_reader()
    given = [*reader.feed(case.sse(done=False)), *reader.close()]
    assert [e.citation for e in given if isinstance(e, CitationDelta)] == [cited, cited]
    assert isinstance(given[-1], Finished)
    assert given[-1].reply.choices[0].citations == (cited, cited)
    assert prepared.decode(response, {}).choices[0].citations == (cited, cited)
