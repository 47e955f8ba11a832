"""Selects the endpoint of a request, validates and encodes it, and decodes the response."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any, NamedTuple

from aimlapi_core._error_reading.messages import MAX_NAME_CHARS
from aimlapi_core._error_reading.responses import parse_raw_body
from aimlapi_core._history.names import MAX_CALL_ID_LENGTH
from aimlapi_core._history.tool_results import pair_tool_results
from aimlapi_core._json_reading import as_index
from aimlapi_core._values.half_characters import HALF_IN_JSON
from aimlapi_core._values.plain import plain_scalar
from aimlapi_core._values.readable import quoted
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core._wire import chat
from aimlapi_core._wire.answers.tool_names import (
    OwnNamesAccumulator,
    with_own_names,
    with_wire_tool_names,
)
from aimlapi_core._wire.answers.whole_characters import mend_error, whole_characters
from aimlapi_core._wire.chat_stream import ChatAccumulator
from aimlapi_core._wire.stop_sequences import truncate_reply
from aimlapi_core._wire.stream_reader import Accumulator, StreamReader
from aimlapi_core._wire.validation.any_model import check_request, request_id_header
from aimlapi_core._wire.validation.by_model import drop_unsupported_params
from aimlapi_core.errors import AIMLAPIError, InvalidRequestError
from aimlapi_core.models import ModelInfo, model_info, nearest_model
from aimlapi_core.request_params import with_plain_scalars
from aimlapi_core.types import ChatRequest, Endpoint, Reply, Tool


class UnknownModelWarning(UserWarning):
    """An unlisted model id that is probably a misspelling of a listed one."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """An encoded request: `path` relative to the base URL, JSON `body`, extra headers.

    `client_stop`: the stop sequences that the endpoint does not take, so the client applies them.
    `tool_names`: the functions that a streamed call may name; `own_names`: the caller's name of
    each that is sent under another.
    """

    endpoint: Endpoint
    path: str
    body: dict[str, Any]
    headers: dict[str, str] = field(repr=False)
    expected_choices: int
    client_stop: tuple[str, ...]
    usage_expected: bool
    tool_names: Set[str] = frozenset()
    own_names: Mapping[str, str] = field(default_factory=dict)

    def decode(self, payload: Any, headers: Mapping[str, str]) -> Reply:
        """Decode a parsed unstreamed answer. `headers` in lower case."""
        reply = self._decode(payload, headers)
        return truncate_reply(reply, self.client_stop) if self.client_stop else reply

    def decode_body(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Decode the body of an unstreamed answer. `headers` in lower case."""
        payload, has_halves = parse_raw_body(body), HALF_IN_JSON.search(body) is not None
        try:
            reply = self._decode(payload, headers)
        except AIMLAPIError as error:
            if has_halves:
                mend_error(error)
            raise
        if has_halves:
            reply = whole_characters(reply)
        return truncate_reply(reply, self.client_stop) if self.client_stop else reply

    def _decode(self, payload: Any, headers: Mapping[str, str]) -> Reply:
        reply = _codec(self.endpoint).decode(payload, headers)
        return with_own_names(reply, self.own_names) if self.own_names else reply

    def stream_reader(self, headers: Mapping[str, str] | None = None) -> StreamReader:
        """A reader for the streamed answer. `headers` in lower case."""
        accumulator = _codec(self.endpoint).accumulator(
            self.expected_choices, tool_names=self.tool_names
        )
        if self.own_names:
            accumulator = OwnNamesAccumulator(accumulator, self.own_names)
        decode = partial(self.decode_body, headers=headers or {})
        return StreamReader(
            accumulator,
            decode,
            self.client_stop,
            self.expected_choices,
            usage_expected=self.usage_expected,
        )


class _EndpointCodec(NamedTuple):
    """How requests are encoded for an endpoint, and its responses decoded."""

    path: str
    encode: Callable[..., dict[str, Any]]
    decode: Callable[[Any, Mapping[str, str]], Reply]
    accumulator: Callable[..., Accumulator]


@cache
def _codec(endpoint: Endpoint) -> _EndpointCodec:
    if endpoint == "chat":
        return _EndpointCodec(chat.PATH, chat.encode, chat.decode, ChatAccumulator)
    # Imported at its first call: most programs have none.
    from aimlapi_core._wire import responses
    from aimlapi_core._wire.responses_stream import ResponseAccumulator

    return _EndpointCodec(responses.PATH, responses.encode, responses.decode, ResponseAccumulator)


def prepare_request(request: ChatRequest, *, stream: bool) -> PreparedRequest:
    """Validate and encode a request, without what its model does not take.

    Raises InvalidRequestError.
    """
    try:
        request = with_plain_scalars(request)
        request, own_names = with_wire_tool_names(request)
        check_request(request)
        info = model_info(request.model)
        if info is None:
            _warn_if_misspelled(request.model)
        endpoint = select_endpoint(request, info)
        request = drop_unsupported_params(request, info, endpoint)
        request = pair_tool_results(request, MAX_CALL_ID_LENGTH[endpoint])
        client_stop = _client_side_stop(request, info, endpoint)
        if client_stop and (info is None or info.gates_params):
            request = replace(request, stop=())
        codec = _codec(endpoint)
        body = codec.encode(request, info, stream=stream)
    except (AttributeError, TypeError):
        from aimlapi_core._wire.validation.wrong_types import refuse_wrong_types

        refuse_wrong_types(request)
        raise
    choices = request.extra_body.get("n", request.n)
    return PreparedRequest(
        endpoint=endpoint,
        path=codec.path,
        body={**body, **request.extra_body},
        headers={**request.extra_headers, **request_id_header(request.client_request_id)},
        expected_choices=1 if choices is None else as_index(plain_scalar(choices)) or 1,
        client_stop=client_stop,
        usage_expected=stream and request.stream_usage,
        tool_names={tool.name for tool in request.tools if isinstance(tool, Tool)},
        own_names=own_names,
    )


def select_endpoint(request: ChatRequest, info: ModelInfo | None) -> Endpoint:
    """The caller's choice, else the model's preferred endpoint, `chat` for unknown ids."""
    wanted = request.endpoint
    if wanted == "auto":
        return info.endpoints[0] if info else "chat"
    gates = info is not None and info.gates_params and request.unsupported_params != "send"
    if info and gates and wanted not in info.params:
        raise InvalidRequestError(
            f"{info.id!r} is served on the {info.endpoints[0]} endpoint only ({info.source}). "
            'Set endpoint="auto".'
        )
    return wanted


def _client_side_stop(
    request: ChatRequest, info: ModelInfo | None, endpoint: Endpoint
) -> tuple[str, ...]:
    """The stop sequences that the endpoint does not take, so the client applies them.

    For a model of the catalogue that is not documented to take them they are sent as well.
    """
    if endpoint == "chat" and (info is None or request.unsupported_params == "send"):
        return ()
    sent = info is not None and "stop" in info.params.get(endpoint, ())
    return () if sent else request.stop


def _warn_if_misspelled(model_id: str) -> None:
    near = nearest_model(model_id)
    if near is not None:
        message = (
            f"{quoted(model_id, MAX_NAME_CHARS)} is not a listed model id; did you mean {near!r}? "
            "It is sent as it is, and no parameter is checked."
        )
        warn_once(("model", model_id), message, UnknownModelWarning)
