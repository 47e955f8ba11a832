"""What holds for any conversation, whoever wrote it, on the way from a framework to the wire."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from aimlapi_core import ChatRequest, HistoryWarning, InvalidRequestError, Message
from aimlapi_core._values import warn_once
from aimlapi_core._wire.endpoint import PreparedRequest, prepare_request
from aimlapi_core._wire.json_encoding import encode_json

OPENAPI_DIR = os.environ.get("AIMLAPI_OPENAPI_DIR")

# One model of each kind: chat, Responses, Responses that takes reasoning back, one without a row.
MODELS = ("openai/gpt-5-2", "openai/gpt-5-2-pro", "openai/gpt-5-2-codex", "some/other")

SURROGATE = "\ud800"
ODD = (
    "", " ", "\n", "\r\n", "\x00", "\x7f", "\u2028", "\u202e", "\ufeff", "é", "e\u0301", "🌍",
    "👩‍👩‍👧", "世界", "שלום", "data: [DONE]", '{"a": 1}', '"', "\\", "</s>", "Error",
)  # fmt: skip
odd_texts = st.sampled_from(ODD) | st.text(max_size=6)

finite = st.floats(allow_nan=False, allow_infinity=False)  # what is not stands in each corpus
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | finite | odd_texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(odd_texts, inner, max_size=2),
    max_leaves=4,
)
broken_values = json_values | st.just(SURROGATE)

# Most turns are in order, else nearly every conversation would be refused.
seldom = st.sampled_from([False] * 7 + [True])


class Said:
    """The texts that a conversation holds and that must be in the body."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def new(self, text: str) -> str:
        """`text` with a mark that no other has."""
        self.texts.append(f"{text}\u2042{len(self.texts)}\u2042")
        return self.texts[-1]


def assert_laws(
    to_messages: Callable[[Sequence[Any]], tuple[Message, ...]],
    history: Sequence[Any],
    texts: Sequence[str],
    model: str,
    stream: bool,
) -> str:
    """Raise AssertionError where a law is broken; "sent" or "refused" where all hold."""
    before = deepcopy(history)
    prepared, refusal, reported = tried(to_messages, history, model, stream)
    assert same(history, before)
    if prepared is None:
        assert names_a_message(refusal), refusal
        return "refused"
    body = json.loads(encode_json(prepared.body), parse_constant=refuse)
    strings = list(strings_in(body))
    for text in texts:
        text = text.replace(SURROGATE, "\ufffd")
        found = any(text in string for string in strings)
        assert found or "left out" in reported, f"{text!r} is lost"
    assert_calls_and_results_pair(body)
    if OPENAPI_DIR:
        from tests.openapi import problems

        assert not list(problems(OPENAPI_DIR, f"/v1{prepared.path}", body))
    return "sent"


def tried(
    to_messages: Callable[[Sequence[Any]], tuple[Message, ...]],
    history: Sequence[Any],
    model: str,
    stream: bool,
) -> tuple[PreparedRequest | None, str, str]:
    """A request with this history, its body tried; or the words of the refusal; the warnings."""
    warn_once._warned.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            prepared = prepare_request(ChatRequest(model, to_messages(history)), stream=stream)
            encode_json(prepared.body)
        except InvalidRequestError as error:
            return None, str(error), ""
    return prepared, "", " ".join(str(w.message) for w in caught if w.category is HistoryWarning)


def names_a_message(said: str) -> bool:
    """Whether an error says where in the conversation the trouble is."""
    return any(word in said for word in ("essage", "block", "Document", "A file by URL", "input["))


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def strings_in(value: Any) -> Iterator[str]:
    """Every string of a body, and those of the JSON that arguments of tool calls are."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield str(key)
            yield from strings_in(member)
            if key == "arguments" and isinstance(member, str):
                yield from strings_in(arguments_of(member))
    elif isinstance(value, list):
        for member in value:
            yield from strings_in(member)


def arguments_of(text: str) -> Any:
    """Arguments that a model cut are no JSON, and go back as they are."""
    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError:
        return None


def assert_calls_and_results_pair(body: Mapping[str, Any]) -> None:
    """Each result follows its call, and each call has one result, before the next turn."""
    waiting: list[str] = []
    for kind, ident in calls_and_results(body):
        if kind == "call":
            waiting.append(ident)
        elif kind == "result":
            assert ident in waiting, f"the result {ident!r} has no call"
            waiting.remove(ident)
        else:
            assert not waiting, f"the calls {waiting!r} have no result"
    assert not waiting, f"the calls {waiting!r} have no result"


def calls_and_results(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for message in body.get("messages", ()):
        if message["role"] == "tool":
            yield "result", message["tool_call_id"]
            continue
        yield "turn", ""
        for call in message.get("tool_calls", ()):
            yield "call", call["id"]
    for item in body.get("input", ()):
        if item.get("type") == "function_call":
            yield "call", item["call_id"]
        elif item.get("type") == "function_call_output":
            yield "result", item["call_id"]
        elif item.get("role") == "user":
            yield "turn", ""


def same(left: Any, right: Any) -> bool:
    """Equality in which NaN equals itself."""
    if hasattr(left, "model_dump"):
        return type(left) is type(right) and same(vars(left), vars(right))
    if isinstance(left, float) and math.isnan(left):
        return isinstance(right, float) and math.isnan(right)
    if isinstance(left, Mapping):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
