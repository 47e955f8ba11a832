"""A request that is larger than the model's context is a ContextTooLongError, however refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from aimlapi_core import (
    MODELS,
    AsyncClient,
    ChatRequest,
    Client,
    ContextTooLongError,
    Endpoint,
    Message,
    RateLimitError,
    Settings,
    StreamFailedError,
    Text,
    track_costs,
)
from aimlapi_core._error_reading.responses import error_from_response
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_emulator import Emulator, Fault

OPENAI = (
    "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 289650 "
    "tokens. Please reduce the length of the messages."
)
# By provider, as in the reports that `_error_reading.classes` names, and public clients.
WORDINGS = [
    OPENAI,
    "This model's maximum context length is 128000 tokens. However, your messages resulted in "
    "130000 tokens.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    "prompt is too long: 208310 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 199211 + 20000 > 200000",
    "prompt token count of 130000 exceeds the limit of 128000",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "Input is too long for requested model.",
    "the request exceeds the available context size",
    "Your request exceeded model token limit: 131072 (requested: 140000)",
    "Range of input length should be [1, 30720]",
    "Prompt exceeds max length",
    "prompt_too_long",
    "Prompt too long. Your prompt has 210000 tokens",
    "Number of prompt tokens (9000) + completion tokens exceeds the limit",
    "ContextWindowExceededError: the model's context has been exceeded",
    "The request payload is too large",
    "tokens_limit_reached: Request body too large for gpt-5-2 model. Max size: 8000 tokens.",
    "Invalid 'input': string too long. Expected a string with maximum length 10485760.",
    "Request too large for gpt-5.2 in organization org-x on tokens per min (TPM): Limit 30000, "
    "Requested 40000. The input or output tokens must be reduced in order to run successfully.",
]


def nested(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **more}}


# (status, body) of a message, in each shape that the service and its providers have.
SHAPES: dict[str, Any] = {
    "problem": lambda said: (400, {"title": "Bad Request", "status": 400, "message": said}),
    "problem, worded inside": lambda said: (400, {"message": "Bad Request", **nested(said)}),
    "legacy 500 around a 400": lambda said: (500, {"statusCode": 500, "message": f"400 {said}"}),
    "legacy 500": lambda said: (500, {"statusCode": 500, "message": said}),
    "openai": lambda said: (400, nested(said)),
    "openai 429": lambda said: (429, nested(said, code="rate_limit_exceeded")),
    "openai 413": lambda said: (413, nested(said)),
    "openrouter": lambda said: (
        400,
        nested("Provider returned error", metadata={"raw": json.dumps(nested(said))}),
    ),
    "details": lambda said: (422, {"detail": [{"loc": ["body"], "msg": said}]}),
    "text": lambda said: (400, said),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("said", WORDINGS, ids=range(len(WORDINGS)))
def test_every_wording_in_every_shape(said: str, shape: str) -> None:
    status, body = SHAPES[shape](said)
    raw = body if isinstance(body, str) else json.dumps(body)
    error = error_from_response(status, {}, raw.encode())
    assert type(error) is ContextTooLongError
    assert not error.is_retryable
    assert "Shorten the messages" in str(error)


# Said in so many ways that other limits could be meant: read of refused requests only.
LOOSE_WORDINGS = [
    "Input length (130001 tokens) exceeds the maximum allowed length (131072 tokens).",
    "Malformed input request: expected maxLength: 400000, actual: 500000, please reformat it.",
    "Unable to submit request because the input token count is 1100000 but model only supports "
    "up to 1048576.",
    "Input is longer than the maximum allowed.",
    "input too long",
    "Token limit exceeded: 280000 > 272000",
    "The total number of tokens (300000) exceeds the model's limit of 272000.",
    "Your request exceeds the model's token limit.",
    "number of input tokens has exceeded the limit of the model",
    "The input exceeds the maximum length of 32768 tokens",
    "Total message size 1200000 exceeds limit 272000 tokens",
    "This model supports at most 272000 input tokens, but 300000 were given",
    "The sum of prompt length (5000.0), query length (0) should not exceed max_num_tokens (4096)",
    "tokens in request more than max tokens allowed",
    "at least 300000 tokens, which exceeds the maximum of 272000",
    "Expected messages to be at most 272000 tokens",
    "输入长度超过模型上限",
]


@pytest.mark.parametrize("shape", ["problem", "openai", "openai 413", "legacy 500 around a 400"])
@pytest.mark.parametrize("said", LOOSE_WORDINGS, ids=range(len(LOOSE_WORDINGS)))
def test_other_wordings_of_a_refused_request(said: str, shape: str) -> None:
    status, body = SHAPES[shape](said)
    error = error_from_response(status, {}, json.dumps(body).encode())
    assert type(error) is ContextTooLongError
    assert not error.is_retryable
    rate = error_from_response(429, {}, json.dumps(nested(said)).encode())
    assert type(rate) is RateLimitError


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, nested("x", code="context_length_exceeded")),
        (413, {"type": "error", "error": {"type": "request_too_large", "message": "too big"}}),
        (413, "<html><h1>413 Request Entity Too Large</h1></html>"),
        (400, nested("too many tokens: the prompt cannot exceed 4081")),
        (500, {"statusCode": 500, "message": "400 too many tokens in the prompt"}),
    ],
)
def test_codes_and_gateways_say_it_too(status: int, body: Any) -> None:
    raw = body if isinstance(body, str) else json.dumps(body)
    assert type(error_from_response(status, {}, raw.encode())) is ContextTooLongError


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (429, "Rate limit reached for gpt-5.2 on tokens per min (TPM): Limit 30000, Used 29000, "
         "Requested 2000. Please try again in 2s."),
        (429, "Too many tokens, please wait before trying again."),
        (429, "Too Many Requests"),
        (503, "Too many tokens are being processed: try again later"),
        (400, "max_tokens is too large: 200000. This model supports at most 128000 completion "
         "tokens."),
        (400, "Invalid 'tools[0].function.name': string too long. Expected a maximum of 64."),
        (400, "Invalid 'messages[0].name': string too long. Expected a maximum of 64."),
        (400, "max_tokens exceeds the maximum number of tokens allowed"),
        (400, "The input image is too large: 25 MB. At most 20 MB."),
        (400, "Invalid 'tools': array too long. Expected an array with maximum length 128."),
        (400, "Invalid schema: maximum nesting exceeded"),
        (400, "The input tokens exceed 30000 per minute of your plan"),
        (403, "Your plan does not include a longer context window"),
    ],
)  # fmt: skip
def test_other_limits_are_not_the_contexts(status: int, said: str) -> None:
    error = error_from_response(status, {}, json.dumps(nested(said)).encode())
    assert not isinstance(error, ContextTooLongError)
    assert isinstance(error, RateLimitError) == (status == 429)


def test_what_the_request_said_is_not_the_services_word() -> None:
    body = {**nested("Invalid value", param="x"), "input": "my prompt exceeds the maximum"}
    error = error_from_response(400, {}, json.dumps(body).encode())
    assert type(error).__name__ == "BadRequestError"


def a_request(endpoint: Endpoint, text: str = "hi") -> ChatRequest:
    return ChatRequest("openai/gpt-5-2", (Message("user", (Text(text),)),), endpoint=endpoint)


FAILED = {"status": "failed", "output": [], **nested(OPENAI, code="context_length_exceeded")}
IN_STREAMS: list[Any] = [
    ("chat", "", nested(OPENAI)),
    ("chat", "error", {"statusCode": 400, "message": OPENAI}),
    ("chat", "", {"choices": [{"index": 0, **nested(OPENAI)}]}),
    ("responses", "error", {"type": "error", "code": "context_length_exceeded", "message": "x"}),
    ("responses", "response.failed", {"type": "response.failed", "response": FAILED}),
    ("responses", "", nested(OPENAI)),
]


@pytest.mark.parametrize(("endpoint", "event", "payload"), IN_STREAMS)
def test_a_stream_that_only_refuses(endpoint: Endpoint, event: str, payload: Any) -> None:
    reader = prepare_request(a_request(endpoint), stream=True).stream_reader({})
    name = f"event: {event}\n" if event else ""
    with pytest.raises(ContextTooLongError, match=r"Shorten the messages") as caught:
        list(reader.feed(f"{name}data: {json.dumps(payload)}\n\n".encode()))
    assert caught.value.body
    assert caught.value.status_code == 200


def test_what_came_before_a_refusal_is_not_lost() -> None:
    reader = prepare_request(a_request("chat"), stream=True).stream_reader({})
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hel"}}]}
    list(reader.feed(f"data: {json.dumps(chunk)}\n\n".encode()))
    with pytest.raises(StreamFailedError, match="configured limit") as caught:
        list(reader.feed(f"data: {json.dumps(nested(OPENAI))}\n\n".encode()))
    assert caught.value.partial is not None
    assert caught.value.partial.choices[0].text == "Hel"


@pytest.mark.parametrize(("endpoint", "body"), [("chat", nested(OPENAI)), ("responses", FAILED)])
def test_a_success_that_holds_a_refusal(endpoint: Endpoint, body: Any) -> None:
    prepared = prepare_request(a_request(endpoint), stream=False)
    with pytest.raises(ContextTooLongError, match="Shorten") as caught:
        prepared.decode(body, {"x-request-id": "r"})
    assert caught.value.request_id == "r"


LARGEST_INPUT = 272_000


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("endpoint", ["chat", "responses"])
def test_too_much_input_is_refused_once_and_costs_nothing(
    how: str, streaming: bool, endpoint: Endpoint, emu: Emulator
) -> None:
    """Of the emulator, in OpenAI's words and the service's shape."""
    request = a_request(endpoint, "word " * LARGEST_INPUT)
    settings = Settings("sk-test", emu.base_url, max_retries=2)
    client, async_client = Client(settings), AsyncClient(settings)

    async def send() -> None:
        if not streaming:
            await async_client.complete(request)
        async for _ in async_client.stream(request):
            pass

    def send_sync() -> None:
        list(client.stream(request)) if streaming else client.complete(request)

    with track_costs() as costs, pytest.raises(ContextTooLongError) as caught:
        asyncio.run(send()) if how == "async" else send_sync()
    assert "configured limit of 272000" in caught.value.message_text
    assert len(emu.requests) == 1
    assert (costs.credits, costs.unknown) == (0, ())


def test_a_refusal_with_429_is_not_repeated(emu: Emulator) -> None:
    emu.faults.append(Fault(status=429, message=WORDINGS[-1], shape="openai"))
    with pytest.raises(ContextTooLongError):
        Client(Settings("sk-test", emu.base_url, max_retries=2)).complete(a_request("chat"))
    assert len(emu.requests) == 1


def test_input_is_smaller_than_the_window() -> None:
    info = MODELS["openai/gpt-5-2"]
    assert (info.context_window, info.input_limit) == (400_000, LARGEST_INPUT)
    windows = [info.usable_window(tokens) for tokens in (None, 1_000, 128_000, 200_000)]
    assert windows == [272_000, 273_000, 400_000, 400_000]
    small = MODELS["openai/gpt-5-2-chat-latest"]
    assert (small.input_limit, small.usable_window(1_000)) == (128_000, 128_000)
