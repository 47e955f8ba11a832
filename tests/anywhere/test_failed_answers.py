"""A failure beside an answer with status 200 is an error, the same in every way of calling."""

from __future__ import annotations

from typing import Any

import pytest

from aimlapi_core import (
    AnswerFailedError,
    ContextTooLongError,
    StreamFailedError,
    UnexpectedReplyError,
    track_costs,
)
from aimlapi_emulator import Emulator
from tests.anywhere.answering import ENDPOINTS, Way, enqueue, ways
from tests.core.cases import META, body, choice, chunk, message, response

ERROR = {"code": 429, "message": "Rate limited upstream", "metadata": {"provider_name": "x"}}
HALF = "half an ans"
SAYS = "Rate limited upstream"


def chat(
    end: dict[str, Any], top: dict[str, Any], text: str | None = HALF, finish: str | None = "error"
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An answer with members of its choice (or of its last chunk's) and its top, and its stream."""
    whole = body(choice({"content": text}, finish, **end), **top)  # type: ignore[arg-type]
    last = chunk({}, finish, of_choice=end, **top)
    return whole, [chunk({"content": text}), last, {"meta": META}]


def responses(
    top: dict[str, Any], *items: dict[str, Any], kind: str = "completed"
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    whole = response(*(items or (message(HALF),)), **top)
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": HALF}
    return whole, [delta, {"type": f"response.{kind}", "response": whole}]


# Each with words of the error and the endpoint.
FAILURES: dict[str, tuple[str, str, tuple[dict[str, Any], list[dict[str, Any]]]]] = {
    "error beside null": ("chat", SAYS, chat({}, {"error": ERROR}, None, None)),
    "error beside text": ("chat", SAYS, chat({}, {"error": ERROR})),
    "error beside text that stopped": ("chat", SAYS, chat({}, {"error": ERROR}, finish="stop")),
    "error that is a text": ("chat", "out of luck", chat({}, {"error": "out of luck"})),
    "error in the choice": ("chat", SAYS, chat({"error": ERROR}, {}, finish="stop")),
    "finish_reason error": ("chat", "finish_reason is 'error'", chat({}, {})),
    "finish_reason of a provider": ("chat", "abort", chat({}, {}, finish="abort")),
    "native reason": (
        "chat",
        "native_finish_reason is 'network_error'",
        chat({"native_finish_reason": "network_error"}, {}, "", "stop"),
    ),
    "native reason of a call": (
        "chat",
        "MALFORMED_FUNCTION_CALL",
        chat({"native_finish_reason": "MALFORMED_FUNCTION_CALL"}, {}, None, "stop"),
    ),
    "error beside an output": ("responses", SAYS, responses({"error": ERROR})),
    "error text beside an output": ("responses", "no luck", responses({"error": "no luck"})),
    "status failed": (
        "responses",
        "it broke",
        responses({"status": "failed", "error": {"code": "c", "message": "it broke"}}),
    ),
    "failed event": (
        "responses",
        "it broke",
        responses({"status": "failed", "error": {"message": "it broke"}}, kind="failed"),
    ),
    "status cancelled": ("responses", "cancelled", responses({"status": "cancelled"})),
    "reason of an incomplete one": (
        "responses",
        "server_error",
        responses({"status": "incomplete", "incomplete_details": {"reason": "server_error"}}),
    ),
    "failed item": (
        "responses",
        "status 'failed'",
        responses({}, {**message(HALF), "status": "failed"}),
    ),
}


@ways
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_beside_an_answer_is_an_error(emu: Emulator, way: Way, name: str) -> None:
    """Of one class, that of both kinds of answer, with the part that came and the words."""
    endpoint, says, (whole, events) = FAILURES[name]
    enqueue(emu, way, whole, events, done=endpoint == "chat")
    with track_costs() as costs, pytest.raises(AnswerFailedError) as caught:
        way.ask(emu, endpoint)
    assert says in str(caught.value)
    assert isinstance(caught.value, StreamFailedError)
    assert isinstance(caught.value, UnexpectedReplyError)
    assert not caught.value.is_retryable
    assert type(caught.value).__name__ == "AnswerFailedError"
    assert (costs.total.calls, costs.total.failed) == (1, 1)
    if HALF in str(whole):
        assert caught.value.partial is not None
        assert caught.value.partial.choices[0].text == HALF


@ways
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_a_failed_answer_cost_is_known(emu: Emulator, way: Way, endpoint: str) -> None:
    whole, events = chat({}, {})
    if endpoint == "responses":
        whole, events = responses({"status": "failed", "error": ERROR}, kind="failed")
    enqueue(emu, way, whole, events, done=endpoint == "chat")
    with track_costs() as costs, pytest.raises(AnswerFailedError):
        way.ask(emu, endpoint)
    assert (costs.total.credits, costs.total.failed, len(costs.unknown)) == (409, 1, 0)


@ways
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("error", [None, "", {}, [], False, {"code": None, "message": None}])
def test_an_error_without_content_is_none(
    emu: Emulator, way: Way, endpoint: str, error: Any
) -> None:
    whole, events = chat({}, {"error": error}, finish="stop")
    if endpoint == "responses":
        whole, events = responses({"error": error})
    enqueue(emu, way, whole, events, done=endpoint == "chat")
    answer = way.ask(emu, endpoint)
    assert HALF in str(answer)


@ways
def test_a_request_that_is_too_long_is_known_beside_an_answer(emu: Emulator, way: Way) -> None:
    error = {"message": "This model's maximum context length is 400000 tokens."}
    whole, events = chat({}, {"error": error}, None)
    enqueue(emu, way, whole, events)
    with pytest.raises(ContextTooLongError):
        way.ask(emu, "chat")


@ways
def test_another_reason_behind_a_failure_changes_nothing(emu: Emulator, way: Way) -> None:
    whole, events = chat({}, {})
    enqueue(emu, way, whole, [*events, chunk({}, "stop")])
    with pytest.raises(AnswerFailedError, match="finish_reason is 'error'"):
        way.ask(emu, "chat")


@ways
@pytest.mark.parametrize("reason", ["eos", "STOP", "end_turn", "malformed_function_call", "other"])
def test_other_reasons_are_passed_on(emu: Emulator, way: Way, reason: str) -> None:
    whole, events = chat({}, {}, finish=reason)
    enqueue(emu, way, whole, events)
    assert f"'finish_reason': '{reason}'" in str(way.ask(emu, "chat").__dict__)
