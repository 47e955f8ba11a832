"""Requests. The metadata of `ChatRequest`'s fields is the table of request parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from aimlapi_core.types.content import (
    BuiltinTool,
    Endpoint,
    Message,
    ResponseFormat,
    Tool,
    ToolChoice,
)

# The documented values of any model; a newer one is sent, or left out by `unsupported_params`.
ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh"] | str
ReasoningSummary: TypeAlias = Literal["auto", "concise", "detailed"] | str
Truncation: TypeAlias = Literal["auto", "disabled"] | str

BOTH: tuple[Endpoint, ...] = ("chat", "responses")


def _documented(values: object) -> tuple[str, ...]:
    return get_args(get_args(values)[0])


def param(default: Any = None, /, **facts: Any) -> Any:
    """A field of `ChatRequest`; `facts` are the arguments of its `request_params.RequestParam`."""
    return field(default=default, metadata=facts)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request to either endpoint. A field that is None is not sent.

    A field's metadata is its row of `aimlapi_core.request_params`: add new parameters here. `doc`
    says what it does, in the classes' docstrings and in docs/models.md.

    `extra_headers` are merged into the request's headers. `client_request_id`: 1 to 128 characters
    of `[A-Za-z0-9._:-]`, stored by the service with the call. `run_id`: a framework's id of the
    call, the default for `client_request_id` if it is valid as one.
    """

    model: str = field(metadata={"doc": "The id, as in the vendor's list."})
    messages: tuple[Message, ...] = field(metadata={"scope": "internal"})
    tools: tuple[Tool | BuiltinTool, ...] = param((), scope="call", in_every=BOTH)
    tool_choice: ToolChoice | None = param(scope="call", in_every=BOTH)
    parallel_tool_calls: bool | None = param(scope="call", in_every=BOTH)
    response_format: ResponseFormat | None = param(scope="call", in_every=BOTH)
    # Ranges: [D gpt-5-2.json, gpt-5-2-pro-RESPONSES.json] [L].
    temperature: float | None = param(
        chat="temperature",
        responses="temperature",
        minimum=0,
        maximum=2,
        group="sampling",
        otel="temperature",
        doc="Randomness, {range}. Default: the model's.",
    )
    top_p: float | None = param(
        chat="top_p",
        responses="top_p",
        minimum=0.01,
        maximum=1,
        group="sampling",
        otel="top_p",
        doc="Nucleus sampling, {range}.",
    )
    max_output_tokens: int | None = param(
        argument="max_tokens",
        chat="max_tokens",  # or the name in the model's row
        responses="max_output_tokens",
        minimum=1,
        responses_minimum=16,
        in_every=BOTH,
        aliases=("max_completion_tokens",),
        otel="max_tokens",
        doc="Limit on the output in tokens, {range}; reasoning is included, whatever the name on "
        "the wire. Default: the model's.",
    )
    n: int | None = param(
        chat="n",
        responses="n",
        minimum=1,
        otel="choice.count",
        doc="Number of answers, {range}; the first is the message.",
    )
    seed: int | None = param(
        chat="seed",
        responses="seed",
        minimum=1,
        in_every=("chat",),
        otel="seed",
        doc="For repeatable sampling, {range}.",
    )
    logprobs: bool | None = param(
        chat="logprobs",
        responses="logprobs",
        group="logprobs",
        doc="Whether to return log probabilities of the output tokens.",
    )
    top_logprobs: int | None = param(
        chat="top_logprobs",
        responses="top_logprobs",
        minimum=0,
        maximum=20,
        group="logprobs",
        doc="How many of the likeliest tokens at each position, {range}.",
    )
    reasoning_effort: str | None = param(
        chat="reasoning_effort",
        responses="reasoning.effort",
        group="reasoning",
        documented=_documented(ReasoningEffort),
        doc="How long the model thinks: {values}, as the model takes them. Default: the model's.",
    )
    reasoning_summary: str | None = param(
        chat="reasoning.summary",
        responses="reasoning.summary",
        group="reasoning",
        documented=_documented(ReasoningSummary),
        doc="Returns a summary of the reasoning: {values}; responses alone.",
    )
    stop: tuple[str, ...] = param(
        (),
        chat="stop",
        is_client_side=True,
        otel="stop_sequences",
        doc="Stop sequences. For a model that takes none the answer is cut here, and the stream "
        "closed.",
    )
    stream_usage: bool = param(True, doc="Request token counts in streams.")
    # The next five are in no documented chat schema: sent only for ids without a row, and with
    # unsupported_params="send".
    instructions: str | None = param(
        chat="instructions",
        responses="instructions",
        in_every=("responses",),
        doc="A system text beside the messages; responses alone.",
    )
    previous_response_id: str | None = param(
        chat="previous_response_id",
        responses="previous_response_id",
        in_every=("responses",),
        doc="Continues a stored response; responses alone.",
    )
    store: bool | None = param(
        chat="store",
        responses="store",
        in_every=("responses",),
        doc="Whether the service keeps the response; responses alone.",
    )
    truncation: str | None = param(
        chat="truncation",
        responses="truncation",
        in_every=("responses",),
        documented=_documented(Truncation),
        doc="What happens to input that is too long: {values}; responses alone.",
    )
    include: tuple[str, ...] = param(
        (),
        chat="include",
        responses="include",
        in_every=("responses",),
        doc="More members of the response; responses alone.",
    )
    endpoint: Literal["auto", "chat", "responses"] = param(
        "auto", doc='"auto" follows the model table; the others override it.'
    )
    unsupported_params: Literal["warn", "raise", "send"] = param(
        "warn",
        doc="What to do with a parameter that the model does not take: leave it out with one "
        "warning, raise UnsupportedParameterError, or send it.",
    )
    unanswered_tool_calls: Literal["repair", "raise"] = param(
        "repair",
        doc='"repair" puts a result behind each tool call of a history that has none, and leaves '
        'out results without a call; "raise" makes both an error.',
    )
    client_request_id: str | None = param(scope="call")
    run_id: str | None = param(scope="internal")
    extra_body: Mapping[str, Any] = field(
        default_factory=dict, metadata={"doc": "Merged last into the request's body, unchanged."}
    )
    extra_headers: Mapping[str, str] = field(
        default_factory=dict, repr=False, metadata={"scope": "call"}
    )


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Any number of texts to embed, sent in few requests.

    Each has as many texts as the limits allow by an estimate of their tokens.

    `input_type` is Voyage's ("document"). `batch_size` is the maximum number of texts in one
    request, None for the model's limit. `extra_body` is merged last into each JSON body, unchanged.
    `skip_empty`: leave out texts that are empty or blank, so that the reply has fewer vectors.
    """

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    input_type: str | None = None
    batch_size: int | None = None
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    client_request_id: str | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    skip_empty: bool = False
