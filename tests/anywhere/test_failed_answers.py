"""A failure beside an answer with status 200 is an error, the same in every way of calling."""

from __future__ import annotations

from typing import Any

import pytest

from aimlapi_core import (
    AnswerFailedError,
    ChatRequest,
    ContextTooLongError,
    Message,
    StreamCutError,
    StreamFailedError,
    Text,
    UnexpectedReplyError,
    track_costs,
)
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_emulator import Emulator
from tests.anywhere.answering import (
    ENDPOINTS,
    MODELS,
    Answer,
    Way,
    dumped,
    enqueue,
    forms,
    from_core,
    got_from_core,
    ways,
)
from tests.core.cases import META, body, choice, chunk, function_call, message, response

ERROR = {"code": 429, "message": "Rate limited upstream", "metadata": {"provider_name": "x"}}
HALF = "half an ans"
SAYS = "Rate limited upstream"


def chat(
    end: dict[str, Any], top: dict[str, Any], text: str | None = HALF, finish: str | None = "error"
) -> Answer:
    """An answer with members of its choice (or of its last chunk's) and its top, and its stream."""
    whole = body(choice({"content": text}, finish, **end), **top)  # type: ignore[arg-type]
    last = chunk({}, finish, of_choice=end, **top)
    return "chat", whole, [chunk({"content": text}), last, {"meta": META}]


def responses(top: dict[str, Any], *items: dict[str, Any], kind: str = "completed") -> Answer:
    whole = response(*(items or (message(HALF),)), **top)
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": HALF}
    return "responses", whole, [delta, {"type": f"response.{kind}", "response": whole}]


# Each with words of the error.
FAILURES: dict[str, tuple[str, Answer]] = {
    "error beside null": (SAYS, chat({}, {"error": ERROR}, None, None)),
    "error beside text": (SAYS, chat({}, {"error": ERROR})),
    "error beside text that stopped": (SAYS, chat({}, {"error": ERROR}, finish="stop")),
    "error that is a text": ("out of luck", chat({}, {"error": "out of luck"})),
    "error in the choice": (SAYS, chat({"error": ERROR}, {}, finish="stop")),
    "errors beside text": ("out of luck", chat({}, {"errors": [{"message": "out of luck"}]})),
    "status beside text": ("status is 'failed'", chat({}, {"status": "failed"}, finish="stop")),
    "status code beside text": (
        "status is 502, no luck",
        chat({}, {"status": 502, "detail": "no luck"}, finish="stop"),
    ),
    "finish_reason error": ("finish_reason is 'error'", chat({}, {})),
    "finish_reason of a provider": ("abort", chat({}, {}, finish="abort")),
    "native reason": (
        "native_finish_reason is 'network_error'",
        chat({"native_finish_reason": "network_error"}, {}, "", "stop"),
    ),
    "native reason of a call": (
        "MALFORMED_FUNCTION_CALL",
        chat({"native_finish_reason": "MALFORMED_FUNCTION_CALL"}, {}, None, "stop"),
    ),
    "calls that did not come": ("there is no call", chat({}, {}, None, "tool_calls")),
    "an old call that did not come": ("there is no call", chat({}, {}, None, "function_call")),
    "error beside an output": (SAYS, responses({"error": ERROR})),
    "error text beside an output": ("no luck", responses({"error": "no luck"})),
    "status failed": (
        "it broke",
        responses({"status": "failed", "error": {"code": "c", "message": "it broke"}}),
    ),
    "failed event": (
        "it broke",
        responses({"status": "failed", "error": {"message": "it broke"}}, kind="failed"),
    ),
    "status cancelled": ("cancelled", responses({"status": "cancelled"})),
    "reason of an incomplete one": (
        "server_error",
        responses({"status": "incomplete", "incomplete_details": {"reason": "server_error"}}),
    ),
    "error in an item": (SAYS, responses({}, {**message(HALF), "error": ERROR})),
    "failed item": (
        "status 'failed'",
        responses({}, {**message(HALF), "status": "failed"}),
    ),
}


@forms
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_beside_an_answer_is_an_error(form: str, name: str) -> None:
    """Of one class, that of both kinds of answer, with the part that came and the words."""
    says, answer = FAILURES[name]
    with pytest.raises(AnswerFailedError) as caught:
        from_core(answer, form)
    assert says in str(caught.value)
    assert isinstance(caught.value, StreamFailedError)
    assert isinstance(caught.value, UnexpectedReplyError)
    assert not caught.value.is_retryable
    if HALF in str(answer[1]):
        assert caught.value.partial is not None
        assert caught.value.partial.choices[0].text == HALF


@forms
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_control_character_is_in_the_code_of_a_failure(form: str, endpoint: str) -> None:
    said = "error\x1b[31m\u202e"
    answer = chat({"native_finish_reason": said}, {}, finish="stop")
    if endpoint == "responses":
        answer = responses({"status": said})
    with pytest.raises(AnswerFailedError) as caught:
        from_core(answer, form)
    assert caught.value.code == "error\\x1b[31m\\u202e"
    assert "\x1b" not in str(caught.value)


SOME = ("error beside null", "error in the choice", "finish_reason error", "native reason")


@ways
@pytest.mark.parametrize("name", [*SOME, "error beside an output", "failed event"])
def test_both_frameworks_raise_it_and_count_it_as_failed(
    emu: Emulator, way: Way, name: str
) -> None:
    says, answer = FAILURES[name]
    enqueue(emu, way, answer)
    with track_costs() as costs, pytest.raises(AnswerFailedError, match=says) as caught:
        way.ask(emu, answer[0])
    assert type(caught.value).__name__ == "AnswerFailedError"
    assert (costs.total.calls, costs.total.failed) == (1, 1)


@ways
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_a_failed_answer_cost_is_known(emu: Emulator, way: Way, endpoint: str) -> None:
    answer = chat({}, {})
    if endpoint == "responses":
        answer = responses({"status": "failed", "error": ERROR}, kind="failed")
    enqueue(emu, way, answer)
    with track_costs() as costs, pytest.raises(AnswerFailedError):
        way.ask(emu, endpoint)
    assert (costs.total.credits, costs.total.failed, len(costs.unknown)) == (409, 1, 0)


@forms
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("error", [None, "", {}, [], False, {"code": None, "message": None}])
def test_an_error_without_content_is_none(form: str, endpoint: str, error: Any) -> None:
    answer = chat({}, {"error": error}, finish="stop")
    if endpoint == "responses":
        answer = responses({"error": error})
    assert from_core(answer, form).choices[0].text == HALF


@forms
@pytest.mark.parametrize(
    "top",
    [{"status": "success"}, {"status": 200}, {"status": "completed", "errors": []}, {"status": ""}],
    ids=str,
)
def test_a_status_of_success_beside_an_answer_is_none(form: str, top: dict[str, Any]) -> None:
    assert from_core(chat({}, top, finish="stop"), form).choices[0].text == HALF


@pytest.mark.parametrize("data", ["upstream timed out", "null", "ping", '"ping"'])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_event_named_error_is_one_whatever_it_holds(endpoint: str, data: str) -> None:
    events = (chat({}, {}, finish="stop") if endpoint == "chat" else responses({}))[2]
    request = ChatRequest(MODELS[endpoint], (Message("user", (Text("hi"),)),))
    reader = prepare_request(request, stream=True).stream_reader()
    lines = [f"data: {dumped(event)}\n\n" for event in events]
    lines.insert(1, f"event: error\ndata: {data}\n\n")
    with pytest.raises(AnswerFailedError) as caught:
        list(reader.feed("".join(lines).encode()))
    assert data in str(caught.value)
    assert caught.value.partial is not None
    assert caught.value.partial.choices[0].text == HALF


@forms
@pytest.mark.parametrize(
    "whole",
    [
        response({**message(HALF), "status": "incomplete"}),
        response({**function_call("a", "w", "{}"), "status": "incomplete"}),
        response(message(HALF), incomplete_details={"reason": "max_output_tokens"}),
    ],
    ids=["text", "call", "details"],
)
def test_a_response_of_which_a_part_was_cut_is_marked(form: str, whole: dict[str, Any]) -> None:
    """Though it says of itself that it is completed."""
    answer: Answer = ("responses", whole, [{"type": "response.completed", "response": whole}])
    assert from_core(answer, form).choices[0].finish_reason == "length"
    assert got_from_core(answer, form).calls == []


@forms
def test_a_request_that_is_too_long_is_known_beside_an_answer(form: str) -> None:
    error = {"message": "This model's maximum context length is 400000 tokens."}
    with pytest.raises(ContextTooLongError):
        from_core(chat({}, {"error": error}, None), form)


@forms
def test_another_reason_behind_a_failure_changes_nothing(form: str) -> None:
    endpoint, whole, events = chat({}, {})
    with pytest.raises(AnswerFailedError, match="finish_reason is 'error'"):
        from_core((endpoint, whole, [*events, chunk({}, "stop")]), form)


@forms
@pytest.mark.parametrize("reason", ["eos", "STOP", "end_turn", "malformed_function_call", "other"])
def test_other_reasons_are_passed_on(form: str, reason: str) -> None:
    assert from_core(chat({}, {}, finish=reason), form).choices[0].finish_reason == reason


def test_a_whole_answer_with_nothing_in_it_is_a_failure() -> None:
    """Of a stream it is a cut: what ends without a finish reason."""
    _, whole, events = chat({}, {}, "", None)
    with pytest.raises(AnswerFailedError, match="neither content nor a finish_reason"):
        from_core(("chat", whole, events), "whole")
    with pytest.raises(StreamCutError, match="no finish reason"):
        from_core(("chat", whole, events), "stream")
    nothing: Answer = ("responses", {"id": "r", "output": []}, [])
    with pytest.raises(AnswerFailedError, match="neither content nor a status"):
        from_core(nothing, "whole")


@forms
def test_a_completed_response_without_an_output_is_none(form: str) -> None:
    whole = response(output=None)
    answer: Answer = ("responses", whole, [{"type": "response.completed", "response": whole}])
    with pytest.raises(UnexpectedReplyError, match="not with a finished response"):
        from_core(answer, form)
