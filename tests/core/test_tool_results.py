"""A conversation goes on whatever became of its tool calls: each is sent with one result."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from aimlapi_core import (
    ChatRequest,
    Endpoint,
    HistoryWarning,
    Image,
    InvalidRequestError,
    Message,
    Text,
    ToolCall,
)
from aimlapi_core._history.tool_results import NO_RESULT
from aimlapi_core._values import warn_once
from aimlapi_core._wire.endpoint import prepare_request
from tests.fuzz.laws import assert_calls_and_results_pair

endpoints = pytest.mark.parametrize("endpoint", get_args(Endpoint))
USER = Message("user", (Text("hi"),))
AGAIN = Message("user", (Text("and now?"),))


@pytest.fixture(autouse=True)
def _warnings_not_yet_given() -> None:
    warn_once._warned.clear()


def calls(*ids: str, name: str = "f") -> Message:
    return Message("assistant", tuple(ToolCall(call_id, name, "{}") for call_id in ids))


def result(call_id: str | None, text: str = "1", name: str | None = None) -> Message:
    return Message("tool", (Text(text),), name, call_id)


def body(messages: tuple[Message, ...], endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    sent = prepare_request(
        ChatRequest("openai/gpt-5-2", messages, endpoint=endpoint, **more), stream=False
    ).body
    assert_calls_and_results_pair(sent)
    return sent


def turns(sent: dict[str, Any]) -> list[tuple[str, ...]]:
    """Each message in a form that both endpoints have: (role or "call" or "result", …)."""
    return list(_turns(sent))


def _turns(sent: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for item in sent.get("messages") or sent["input"]:
        if item.get("role") == "tool":
            yield "result", item["tool_call_id"], item["content"]
        elif item.get("type") == "function_call_output":
            yield "result", item["call_id"], item["output"]
        elif item.get("type") == "function_call":
            yield "call", item["call_id"], item["name"]
        else:
            if "content" in item:
                yield item["role"], item["content"]
            for call in item.get("tool_calls", ()):
                yield "call", call["id"], call["function"]["name"]


HI, NOW = ("user", "hi"), ("user", "and now?")
CALL1, CALL2 = ("call", "c1", "f"), ("call", "c2", "f")


@endpoints
@pytest.mark.parametrize(
    ("messages", "sent"),
    [
        ((USER, calls("c1")), [HI, CALL1, ("result", "c1", NO_RESULT)]),
        ((USER, calls("c1"), AGAIN), [HI, CALL1, ("result", "c1", NO_RESULT), NOW]),
        (
            (USER, calls("c1", "c2"), result("c2"), AGAIN),
            [HI, CALL1, CALL2, ("result", "c2", "1"), ("result", "c1", NO_RESULT), NOW],
        ),
        ((USER, calls("c1"), AGAIN, result("c1")), [HI, CALL1, ("result", "c1", "1"), NOW]),
        (
            (USER, calls("c1"), calls("c2"), result("c1"), result("c2", "2")),
            [HI, CALL1, ("result", "c1", "1"), CALL2, ("result", "c2", "2")],
        ),
        ((USER, result("c1"), calls("c1")), [HI, CALL1, ("result", "c1", "1")]),
        ((USER, result("c9"), AGAIN), [HI, NOW]),
        ((result("c9"), USER), [HI]),
        ((USER, calls("c1"), result("c1"), result("c1", "2")), [HI, CALL1, ("result", "c1", "1")]),
    ],
    ids=[
        "no result at the end",
        "no result before the next message",
        "one of two has no result",
        "a result after the next message",
        "results of two turns behind both",
        "a result before its call",
        "a result without a call",
        "a history that was cut before a result",
        "two results of one call",
    ],
)
def test_each_call_is_sent_with_one_result(
    messages: tuple[Message, ...], sent: list[tuple[str, ...]], endpoint: Endpoint
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HistoryWarning)
        assert turns(body(messages, endpoint)) == sent


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((USER, calls("c1", "c2")), r"f \(c1\), f \(c2\) have no result"),
        ((USER, result("c8"), result("c9")), "results of the tool calls c8, c9 were left out"),
    ],
)
def test_a_repair_is_reported_once_at_the_callers_line(
    messages: tuple[Message, ...], says: str
) -> None:
    with pytest.warns(HistoryWarning, match=says) as caught:
        body(messages, "chat")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        body(messages, "chat")


def test_a_sound_history_is_not_touched() -> None:
    messages = (USER, calls("c1", "c2"), result("c2"), result("c1"), AGAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sent = turns(body(messages, "chat"))
    assert sent == [HI, CALL1, CALL2, ("result", "c2", "1"), ("result", "c1", "1"), NOW]


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ((USER, result("c1")), "'c1'.*no assistant message"),
        ((USER, calls("c1")), r"\['c1'\] of message 1 have no result"),
        ((USER, calls("c1"), AGAIN), r"\['c1'\] of message 1 have no result"),
        ((USER, calls("c1"), AGAIN, result("c1")), r"\['c1'\] of message 1 have no result"),
        ((USER, calls("c1"), result("c1"), result("c1")), "'c1'.*no assistant message"),
        ((USER, calls("c1", "c1"), result("c1")), r"\['c1'\] of message 1 have no result"),
        ((USER, calls("c1"), result(None)), "no tool_call_id"),
    ],
)
def test_raise_makes_an_unsound_history_an_error(messages: tuple[Message, ...], says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        body(messages, "chat", unanswered_tool_calls="raise")


def test_unknown_modes_are_named() -> None:
    with pytest.raises(InvalidRequestError, match=r"unanswered_tool_calls must be .*'drop'"):
        body((USER,), "chat", unanswered_tool_calls="drop")


def test_nothing_but_orphaned_results_is_an_error() -> None:
    with pytest.raises(InvalidRequestError, match="results of tools only"):
        body((result("c1"),), "chat")


@pytest.mark.parametrize(
    "extra",
    [
        {"previous_response_id": "resp_1"},
        {"extra_body": {"previous_response_id": "resp_1"}},
        {"extra_body": {"conversation": "conv_1"}},
    ],
)
@pytest.mark.filterwarnings("ignore::aimlapi_core.HistoryWarning")
def test_results_of_calls_that_the_service_holds_are_sent(extra: dict[str, Any]) -> None:
    request = ChatRequest("openai/gpt-5-2-pro", (result("c1" * 40), USER, calls("c2")), **extra)
    sent = prepare_request(request, stream=False).body
    assert turns(sent) == [
        ("result", "c1" * 40, "1"),
        HI,
        CALL2,
        ("result", "c2", NO_RESULT),
    ]


@endpoints
@pytest.mark.parametrize("mode", ["repair", "raise"])
def test_ids_that_are_too_long_are_shortened_on_call_and_result(
    endpoint: Endpoint, mode: str
) -> None:
    long = "toolu_" + "x" * 70
    messages = (USER, calls(long, long + "y"), result(long + "y", "y"), result(long), AGAIN)
    sent = turns(body(messages, endpoint, unanswered_tool_calls=mode))
    first, second = sent[1][1], sent[2][1]
    assert len(first) <= 40
    assert first != second
    assert sent[3:] == [("result", second, "y"), ("result", first, "1"), NOW]
    longer = turns(body((*messages, calls("c1"), result("c1")), endpoint))
    assert longer[: len(sent)] == sent, "a conversation that grows keeps its beginning"


def test_ids_within_the_endpoints_limit_are_sent_as_they_are() -> None:
    messages = (USER, calls("x" * 64), result("x" * 64))
    assert turns(body(messages, "responses"))[1][1] == "x" * 64
    assert turns(body(messages, "chat"))[1][1] != "x" * 64


@endpoints
@pytest.mark.parametrize(
    "messages",
    [
        (USER, calls("f", "f"), result("f", "1"), result("f", "2")),
        (USER, calls("f"), result("f", "1"), calls("f"), result("f", "2")),
        (USER, calls("", ""), result(None, "1"), result(None, "2")),
        (USER, calls("", ""), result("f", "1"), result("f", "2")),
        (USER, calls("", ""), result("", "1", "f"), result("", "2", "f")),
        (USER, calls(""), calls("", name="g"), result("", "2", "g"), result("", "1", "f")),
    ],
    ids=["one turn", "two turns", "none", "names as ids", "names beside", "names tell apart"],
)
def test_doubled_and_missing_ids_are_told_apart(
    messages: tuple[Message, ...], endpoint: Endpoint
) -> None:
    sent = turns(body(messages, endpoint))
    ids = [turn[1] for turn in sent if turn[0] == "call"]
    assert len(set(ids)) == 2
    assert all(ids)
    assert dict(turn[1:] for turn in sent if turn[0] == "result") == dict(
        zip(ids, ("1", "2"), strict=True)
    )


@endpoints
@pytest.mark.parametrize(
    ("name", "sent"),
    [("files.read:now", "files_read_now"), ("n" * 65, "n" * 64), ("", "unknown_tool")],
)
def test_names_of_other_providers_functions_are_made_fit(
    name: str, sent: str, endpoint: Endpoint
) -> None:
    messages = (USER, calls("c1", name=name), result("c1"))
    assert turns(body(messages, endpoint))[1] == ("call", "c1", sent)


def test_what_follows_a_result_stays_where_it_is() -> None:
    """Adapters send the images of results in a user message behind them."""
    image = Message("user", (Image("https://x/y.png"),))
    sent = body((USER, calls("c1", "c2"), result("c1"), image, result("c2")), "chat")
    assert [message["role"] for message in sent["messages"]] == [
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
    ]


@endpoints
@pytest.mark.filterwarnings("ignore::aimlapi_core.HistoryWarning")
@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_calls_and_results_can_be_sent(seed: int, endpoint: Endpoint) -> None:
    """No result that has a call is lost, and each result stays with a call of its id."""
    chance = random.Random(seed)
    messages = [USER]
    for _ in range(chance.randrange(1, 12)):
        ids = chance.choices(["a", "b", "c", "d" * 50, ""], k=chance.randrange(1, 3))
        messages += [calls(*ids), *(result(i, f"of {i}") for i in ids if chance.random() < 0.7)]
        messages += [AGAIN] * chance.randrange(2)
    rest = messages[1:]
    if seed % 2:
        chance.shuffle(rest)
    sent = turns(body((USER, *rest), endpoint))
    texts = [turn[2] for turn in sent if turn[0] == "result" and turn[2] != NO_RESULT]
    given = [message.parts[0].text for message in rest if message.role == "tool"]  # type: ignore[union-attr]  # a result holds a text
    assert sorted(texts) == sorted(given)
    ids = [turn[1] for turn in sent if turn[0] == "call"]
    assert len(ids) == len(set(ids))
