"""One table of request parameters: what must be written out in full elsewhere is equal to it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args, get_type_hints

import pytest

from aimlapi_core import ChatRequest, InvalidRequestError, Message, Text, model_info
from aimlapi_core._adapters.peer_arguments import by_name
from aimlapi_core._wire import chat, responses
from aimlapi_core._wire.validation.any_model import check_request
from aimlapi_core.request_params import REQUEST_PARAMS, RequestParam
from aimlapi_core.types import Endpoint
from aimlapi_core.types import request as request_types

ENCODERS = {"chat": chat.encode, "responses": responses.encode}
# A value of each kind that is sent as it is.
VALUES: Mapping[str, Any] = {
    "float": 0.5,
    "int": 17,
    "bool": True,
    "str": "low",
    "tuple[str, ...]": ("a", "b"),
}
PLACED = [row for row in REQUEST_PARAMS.values() if row.chat or row.responses]
BY_MODEL = [row for row in REQUEST_PARAMS.values() if row.scope == "model"]


def found(body: Any, place: str) -> Any:
    """What stands at a dotted place."""
    for member in place.split("."):
        body = body[member]
    return body


@pytest.mark.parametrize("endpoint", ENCODERS)
@pytest.mark.parametrize("row", PLACED, ids=lambda row: row.name)
def test_a_parameter_is_sent_at_its_place(row: RequestParam, endpoint: Endpoint) -> None:
    value = VALUES[row.kind]
    request = ChatRequest("unlisted/model", (Message("user", (Text("hi"),)),), **{row.name: value})
    plain = ENCODERS[endpoint](ChatRequest(request.model, request.messages), None, stream=False)
    body = ENCODERS[endpoint](request, None, stream=False)
    if row.path(endpoint):
        sent = found(body, row.path(endpoint))
        assert sent == (list(value) if isinstance(value, tuple) else value)
        assert len(body) == len(plain) + 1
    else:
        assert body == plain


def test_a_member_that_is_shared_holds_both() -> None:
    request = ChatRequest("m", (), reasoning_effort="low", reasoning_summary="auto")
    body = responses.encode(request, None, stream=False)
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}


def test_the_output_limit_has_the_name_of_the_models_row() -> None:
    info = model_info("openai/gpt-5-2")
    assert info is not None
    body = chat.encode(ChatRequest(info.id, (), max_output_tokens=20), info, stream=False)
    assert body[info.chat_limit] == 20


@pytest.mark.parametrize("row", BY_MODEL, ids=lambda row: row.name)
def test_each_setting_is_described(row: RequestParam) -> None:
    """The bounds and values are written where the sentence has room for them."""
    assert row.doc.endswith("."), "say what it does: doc=… in its row"
    assert ("{range}" in row.doc) == (row.minimum is not None)
    assert ("{values}" in row.doc) == bool(row.documented)


def type_of(row: RequestParam, texts: Any) -> Any:
    """The type of an adapter's argument; `texts` is what it takes for several texts."""
    hint = get_type_hints(ChatRequest)[row.name]
    if row.kind == "tuple[str, ...]":
        return (str | texts | None) if row.name == "stop" else (texts | None)
    return hint


def test_langchain_has_each_parameter_with_its_type() -> None:
    pytest.importorskip("langchain_core")
    from langchain_aimlapi import ChatAIMLAPI
    from langchain_aimlapi._request.constructor_types import Arguments

    for row in BY_MODEL:
        field = ChatAIMLAPI.model_fields[row.argument]
        if row.name == "extra_body":
            continue
        wanted = type_of(row, Sequence[str])
        assert field.annotation == wanted, row.argument
        default = inspect.signature(ChatRequest).parameters[row.name].default
        assert row.name == "model" or field.get_default() in (default, None), row.argument
    named = set(Arguments.__annotations__)
    assert {row.argument for row in BY_MODEL} <= named
    assert {alias for row in BY_MODEL for alias in row.aliases} <= named


def test_llamaindex_has_each_parameter_with_its_type() -> None:
    pytest.importorskip("llama_index.core")
    from llama_index_aimlapi import AIMLAPI

    signature = inspect.signature(AIMLAPI.__init__)
    for row in BY_MODEL:
        assert row.argument in signature.parameters, row.argument
        if row.name != "extra_body":
            assert AIMLAPI.model_fields[row.argument].annotation == type_of(row, list[str])
            written = signature.parameters[row.argument].annotation  # a string
            wanted = row.kind.replace("tuple[str, ...]", "Sequence[str]")
            wanted = f"str | {wanted}" if row.name == "stop" else wanted
            if row.documented:
                wanted = "".join(word.capitalize() for word in row.name.split("_"))
                values = get_args(get_args(getattr(request_types, wanted))[0])
                assert values == row.documented
            assert written.removesuffix(" | None") == wanted, row.argument


WITH_CHOICES = [row for row in REQUEST_PARAMS.values() if row.choices]


@pytest.mark.parametrize("row", WITH_CHOICES, ids=lambda row: row.name)
def test_a_parameter_with_choices_takes_no_other(row: RequestParam) -> None:
    """A type checker reads the Literal, a request is held to the same words."""
    assert get_type_hints(ChatRequest)[row.name] == Literal[row.choices]
    request = ChatRequest("openai/gpt-5-2", (Message("user", (Text("hi"),)),))
    for choice in row.choices:
        check_request(replace(request, **{row.name: choice}))
    for wrong in ("other", None, 1, list(row.choices)):
        with pytest.raises(
            InvalidRequestError, match=f'^{row.argument} must be "{row.choices[0]}"'
        ):
            check_request(replace(request, **{row.name: wrong}))


def test_a_name_that_becomes_a_parameter_is_no_longer_another_packages() -> None:
    assert by_name({"temperature heat": "Pass it."}) == {"heat": "Pass it."}


def test_no_parameter_has_a_hint_that_it_is_another_packages() -> None:
    pytest.importorskip("langchain_core")
    from langchain_aimlapi._request.legacy_arguments import migration_hint

    assert [row.argument for row in BY_MODEL if migration_hint(row.argument)] == []


@pytest.mark.parametrize(
    ("argument", "value", "meant"),
    [
        ("reasoning_effort", "hgih", "high"),
        ("reasoning_effort", "Medium", "medium"),
        ("reasoning_effort", " low", "low"),
        ("reasoning_summary", "detail", "detailed"),
        ("truncation", "disable", "disabled"),
    ],
)
def test_a_misspelled_value_is_refused_with_the_right_one(
    argument: str, value: str, meant: str
) -> None:
    request = ChatRequest(
        "an/unlisted-model", (Message("user", (Text("hi"),)),), **{argument: value}
    )
    with pytest.raises(InvalidRequestError, match=f"did you mean '{meant}'"):
        check_request(request)
    check_request(replace(request, unsupported_params="send"))
    check_request(replace(request, **{argument: "turbo"}))
