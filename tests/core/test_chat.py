"""Chat requests literal in, literal out; and answers that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aimlapi_core import (
    ChatRequest,
    File,
    Finished,
    Image,
    JsonSchema,
    Message,
    NamedTool,
    Reasoning,
    Refusal,
    StreamCutError,
    StreamFailedError,
    Text,
    Tool,
    ToolCall,
    UnexpectedReplyError,
)
from aimlapi_core._wire.chat import decode
from aimlapi_core._wire.endpoint import prepare_request

USER = Message("user", (Text("hi"),))
WEATHER = Tool(
    "weather", {"type": "object", "properties": {"city": {"type": "string"}}}, "Weather."
)


def body(*messages: Message, stream: bool = False, **more: Any) -> dict[str, Any]:
    request = ChatRequest(more.pop("model", "openai/gpt-5-2"), messages or (USER,), **more)
    return prepare_request(request, stream=stream).body


def test_the_narrowest_request_has_model_and_messages_alone() -> None:
    assert body() == {
        "model": "openai/gpt-5-2",
        "messages": [{"role": "user", "content": "hi"}],
    }


def test_every_parameter_has_its_wire_name() -> None:
    sent = body(
        temperature=0,
        top_p=0.5,
        max_output_tokens=99,
        n=2,
        seed=7,
        logprobs=True,
        top_logprobs=3,
        reasoning_effort="low",
        extra_body={"provider": "openai"},
    )
    del sent["messages"]
    assert sent == {
        "model": "openai/gpt-5-2",
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 99,
        "n": 2,
        "seed": 7,
        "logprobs": True,
        "top_logprobs": 3,
        "reasoning_effort": "low",
        "provider": "openai",
    }


def test_streams_ask_for_usage_unless_told_not_to() -> None:
    assert body(stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in body(stream=True, stream_usage=False)
    assert "stream" not in body()


def test_a_whole_conversation() -> None:
    messages = (
        Message("system", (Text("Be brief."),)),
        Message("developer", (Text("No lists."),), name="dev"),
        Message(
            "user",
            (
                Text("What is this?"),
                Image("data:image/png;base64,iVBORw0K", detail="low"),
                Image("https://example.org/a.jpg"),
                File("data:application/pdf;base64,JVBERi0x", "a.pdf"),
            ),
            name="ann",
        ),
        Message(
            "assistant",
            (
                Reasoning("hidden"),
                ToolCall("c1", "weather", '{"city": "Łódź"}'),
                ToolCall("c2", "clock", "", extra={"extra_content": {"sig": 1}}),
            ),
        ),
        Message("tool", (Text("12 "), Text("°C")), tool_call_id="c1"),
        Message("tool", (), tool_call_id="c2"),
        Message("assistant", (Refusal("No."),)),
        Message("assistant", (Text("a"), Text("b"))),
        Message("assistant"),
    )
    assert body(*messages)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "name": "dev", "content": "No lists."},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "What is this?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,iVBORw0K", "detail": "low"},
                },
                {"type": "image_url", "image_url": {"url": "https://example.org/a.jpg"}},
                {
                    "type": "file",
                    "file": {
                        "file_data": "data:application/pdf;base64,JVBERi0x",
                        "filename": "a.pdf",
                    },
                },
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Łódź"}'},
                },
                {
                    "id": "c2",
                    "type": "function",
                    "function": {"name": "clock", "arguments": "{}"},
                    "extra_content": {"sig": 1},
                },
            ],
        },
        {"role": "tool", "content": "12 °C", "tool_call_id": "c1"},
        {"role": "tool", "content": "", "tool_call_id": "c2"},
        {"role": "assistant", "refusal": "No."},
        {"role": "assistant", "content": "ab"},
        {"role": "assistant", "content": ""},
    ]


def test_tools_and_their_choice() -> None:
    sent = body(
        tools=(WEATHER, Tool("clock", {}, strict=True)),
        tool_choice=NamedTool("clock"),
        parallel_tool_calls=False,
    )
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Weather.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            },
        },
        {
            "type": "function",
            "function": {
                "name": "clock",
                "parameters": {"type": "object", "properties": {}},
                "strict": True,
            },
        },
    ]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "clock"}}
    assert sent["parallel_tool_calls"] is False


def test_without_tools_nothing_about_tools_is_sent() -> None:
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(
        body(tools=(), tool_choice="auto", parallel_tool_calls=True)
    )


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("text", {"type": "text"}),
        ("json_object", {"type": "json_object"}),
        (
            JsonSchema("joke", {"type": "object"}, strict=False, description="d"),
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "joke",
                    "schema": {"type": "object", "properties": {}},
                    "strict": False,
                    "description": "d",
                },
            },
        ),
        (
            JsonSchema("joke", {"properties": {"a": {}}}),
            {
                "type": "json_schema",
                "json_schema": {
                    "name": "joke",
                    "schema": {"type": "object", "properties": {"a": {}}},
                },
            },
        ),
    ],
)
def test_response_formats(given: Any, sent: dict[str, Any]) -> None:
    assert body(response_format=given)["response_format"] == sent


@pytest.mark.parametrize(
    "payload",
    [
        # The image answer that the vendor's generated page shows for chat completions.
        {"id": "gen-1", "object": "image", "data": [{"url": "https://x/y.png"}]},
        {"model": "openai/gpt-5-2-pro"},
        {"choices": []},
        {"choices": None, "id": "x"},
        {"error": {"message": "out of luck", "code": 7}},
        ["a list"],
        "Internal Server Error",
        None,
    ],
)
def test_what_is_no_chat_completion_says_what_came(payload: Any) -> None:
    with pytest.raises(UnexpectedReplyError) as caught:
        decode(payload, {"x-request-id": "r1"})
    assert caught.value.request_id == "r1"
    came = {"image": "image", "error": "out of luck", "Internal": "Internal Server Error"}
    for mark, said in came.items():
        if mark in str(payload):
            assert said in str(caught.value)


def test_message_may_be_null_and_members_unknown() -> None:
    reply = decode(
        {
            "choices": [{"message": None, "finish_reason": "malformed_function_call"}],
            "usage": {"total_tokens": 5},
            "system_fingerprint": "fp",
        },
        {},
    )
    assert reply.choices[0].text == ""
    assert reply.choices[0].finish_reason == "malformed_function_call"
    assert reply.usage is not None
    assert reply.usage.total_tokens == 5
    assert reply.extra == {"system_fingerprint": "fp"}


def test_calls_without_ids_get_distinct_ones() -> None:
    calls = [{"function": {"name": "f", "arguments": {"a": 1}}}, {"function": {"name": "f"}}]
    reply = decode({"id": "r", "choices": [{"message": {"tool_calls": calls}}]}, {})
    first, second = reply.choices[0].tool_calls
    assert first.arguments == '{"a": 1}'
    assert first.id
    assert first.id != second.id


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (
            'data: {"error":{"message":"upstream died","type":"server_error","code":"x1"}}',
            "upstream died",
        ),
        ('data: {"error":"upstream died"}', "upstream died"),
        (
            'data: {"requestId":"r","statusCode":500,"path":"/","message":"upstream died"}',
            "upstream died",
        ),
        ('data: {"title":"Bad Gateway","status":502,"message":"upstream died"}', "upstream died"),
        ('event: error\ndata: {"message":"upstream died"}', "upstream died"),
        ("data: {broken", "not a JSON object"),
        ("data: 7", "not a JSON object"),
    ],
)
def test_failures_inside_a_stream_raise_after_what_came_before(event: str, says: str) -> None:
    reader = prepare_request(ChatRequest("openai/gpt-5-2", (USER,)), stream=True).stream_reader()
    stream = 'data: {"choices":[{"index":0,"delta":{"content":"begun"}}]}\n\n' + event + "\n\n"
    events = reader.feed(stream.encode())
    assert getattr(next(events), "text", None) == "begun"
    with pytest.raises(StreamFailedError, match=says) as caught:
        next(events)
    assert caught.value.partial is not None
    assert caught.value.partial.choices[0].text == "begun"


@pytest.mark.parametrize("size", [1, 2, 7, 99])
def test_a_comment_that_looks_like_json_is_a_comment(size: int) -> None:
    answer = '{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}'
    stream = f':{{"ping": 1}}\n\n: [x]\n\ndata: {answer}\n\ndata: [DONE]\n\n'.encode()
    reader = prepare_request(ChatRequest("openai/gpt-5-2", (USER,)), stream=True).stream_reader()
    events = [e for i in range(0, len(stream), size) for e in reader.feed(stream[i : i + size])]
    assert [type(event).__name__ for event in events] == ["TextDelta", "Finished"]


def test_a_stream_whole_but_without_usage_warns(caplog: pytest.LogCaptureFixture) -> None:
    reader = prepare_request(ChatRequest("openai/gpt-5-2", (USER,)), stream=True).stream_reader()
    stream = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    list(reader.feed(stream))
    (last,) = reader.close()
    assert isinstance(last, Finished)
    assert not caplog.text
    assert reader.finished(last.reply) == last.reply
    assert "no usage" in caplog.text


def test_fewer_choices_than_asked_for_is_a_cut_only_when_nothing_says_the_end() -> None:
    request = ChatRequest("openai/gpt-5-2", (USER,), n=2)
    one = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    cut = prepare_request(request, stream=True).stream_reader()
    list(cut.feed(one))
    with pytest.raises(Exception, match="not the whole answer"):
        list(cut.close())
    ended = prepare_request(request, stream=True).stream_reader()
    assert type(list(ended.feed(one + b"data: [DONE]\n\n"))[-1]).__name__ == "Finished"


def test_answers_without_an_index_are_counted() -> None:
    reply = decode({"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}]}, {})
    assert [(c.index, c.text) for c in reply.choices] == [(0, "a"), (1, "b")]


def test_members_of_a_choice_without_a_field_are_kept() -> None:
    row = {
        "message": {"content": "x"},
        "finish_reason": "stop",
        "native_finish_reason": "completed",
    }
    assert decode({"choices": [row]}, {}).choices[0].extra == {"native_finish_reason": "completed"}


@pytest.mark.parametrize("placeholder", ["", "null", None])
def test_a_placeholder_is_no_finish_reason(placeholder: str | None) -> None:
    reader = prepare_request(ChatRequest("openai/gpt-5-2", (USER,)), stream=True).stream_reader()
    row = {"delta": {"content": "x"}, "finish_reason": placeholder}
    list(reader.feed(b"data: " + json.dumps({"choices": [row]}).encode() + b"\n\n"))
    with pytest.raises(StreamCutError):
        list(reader.close())


@pytest.mark.parametrize("cut", ["length", "content_filter"])
def test_an_answer_said_to_be_cut_stays_cut(cut: str) -> None:
    rows = [{"index": 0, "delta": {"content": "Half"}, "finish_reason": cut}]
    rows.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    frames = (f"data: {json.dumps({'choices': [row]})}\n\n" for row in rows)
    reader = prepare_request(ChatRequest("openai/gpt-5-2", (USER,)), stream=True).stream_reader()
    *_, last = [*reader.feed("".join(frames).encode()), *reader.close()]
    assert isinstance(last, Finished)
    assert last.reply.choices[0].finish_reason == cut


def test_whole_messages_in_a_stream_are_read() -> None:
    reader = prepare_request(ChatRequest("openai/gpt-5-2", (USER,)), stream=True).stream_reader()
    row = {"index": 0, "message": {"content": "x"}, "finish_reason": "stop"}
    list(reader.feed(b"data: " + json.dumps({"choices": [row]}).encode() + b"\n\n"))
    last = list(reader.close())[-1]
    assert getattr(last, "reply").choices[0].text == "x"  # noqa: B009  # any event


HEAD = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}
CHUNKS: list[tuple[dict[str, Any], str | None]] = [
    ({"role": "assistant", "content": ""}, None),
    ({"content": "no "}, None),
    ({"content": "yes"}, None),
    (HEAD, None),
    ({}, "tool_calls"),
]


def said(chunks: list[tuple[dict[str, Any], str | None]]) -> tuple[str, list[ToolCall]]:
    """(text, calls) of a stream of these deltas and finish reasons."""
    reader = prepare_request(ChatRequest("openai/gpt-5-2", (USER,)), stream=True).stream_reader()
    for delta, reason in chunks:
        row = {"index": 0, "delta": delta, "finish_reason": reason}
        list(reader.feed(b"data: " + json.dumps({"choices": [row]}).encode() + b"\n\n"))
    choice = getattr(list(reader.feed(b"data: [DONE]\n\n"))[-1], "reply").choices[0]  # noqa: B009  # any event
    return choice.text, list(choice.tool_calls)


@pytest.mark.parametrize("at", [0, 3, 4])
def test_chunks_without_text_may_come_twice(at: int) -> None:
    assert said([*CHUNKS[: at + 1], *CHUNKS[at:]]) == said(CHUNKS)


def test_a_text_chunk_that_comes_twice_is_the_same_words_said_twice() -> None:
    """Chunks carry no number, so nothing tells the one from the other."""
    text, _ = said([*CHUNKS[:2], *CHUNKS[1:]])
    assert text == "no no yes"


@pytest.mark.parametrize("mode", ["unknown model", "send"])
def test_where_nothing_is_checked_everything_is_sent(mode: str) -> None:
    unknown = mode == "unknown model"
    more: dict[str, Any] = {"model": "acme/new"} if unknown else {"unsupported_params": "send"}
    chat = body(
        instructions="Be brief",
        store=True,
        truncation="auto",
        include=("a",),
        reasoning_summary="auto",
        previous_response_id="r",
        **more,
    )
    assert chat["instructions"] == "Be brief"
    assert chat["reasoning"] == {"summary": "auto"}
    assert {"store", "truncation", "include", "previous_response_id"} <= set(chat)
    other = body(endpoint="responses", n=2, seed=3, logprobs=True, top_logprobs=1, **more)
    assert (other["n"], other["seed"], other["logprobs"], other["top_logprobs"]) == (2, 3, True, 1)
