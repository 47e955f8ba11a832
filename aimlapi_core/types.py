"""Requests, replies and stream events: frozen dataclasses, independent of any framework.

Rules of this module: names are ours (wire names are in the metadata of `ChatRequest`, in
`_wire.chat` and in `_wire.responses`); `None` always means "not given" in a request and "not
reported" in a reply; nothing here does I/O, validates or converts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
Endpoint: TypeAlias = Literal["chat", "responses"]
ImageDetail: TypeAlias = Literal["low", "high", "auto"]
# The documented values of any model; a newer one is sent, or left out by `unsupported_params`.
ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh"] | str
ReasoningSummary: TypeAlias = Literal["auto", "concise", "detailed"] | str
Truncation: TypeAlias = Literal["auto", "disabled"] | str


def _documented(values: object) -> tuple[str, ...]:
    return get_args(get_args(values)[0])


BOTH: tuple[Endpoint, ...] = ("chat", "responses")
# The values of `Choice.finish_reason` that mean incomplete output.
TRUNCATED_FINISH_REASONS = frozenset({"length", "content_filter"})


def param(default: Any = None, /, **facts: Any) -> Any:
    """A field of `ChatRequest`; `facts` are the arguments of its `request_params.RequestParam`."""
    return field(default=default, metadata=facts)


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text. `citations` are the service's annotations of it, as JSON objects."""

    text: str
    citations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image by URL: `https://…`, or `data:image/png;base64,…` (PNG, JPEG, GIF, WEBP)."""

    url: str
    detail: ImageDetail | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A PDF. `data` is a data URL (`data:application/pdf;base64,…`)."""

    data: str
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The text of a refusal by the model."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning text. `opaque` is provider data, to be sent back unchanged."""

    text: str
    opaque: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call by the model.

    `arguments` is the JSON text as the model wrote it, possibly empty or invalid: the caller
    parses it (`loads_arguments`). Blanks, null and `{}` before it or in its place are left out.
    `item_id` is the id of the Responses item, if there is one. `text_before` is the length of the
    answer's text when the call began, 0 where its order is not known.
    """

    id: str
    name: str
    arguments: str
    item_id: str | None = None
    extra: Mapping[str, Any] | None = None
    text_before: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderItem:
    """A Responses output item without a type here (`web_search_call`, `mcp_call`, …)."""

    item: Mapping[str, Any]


Part: TypeAlias = Text | Image | File | Refusal | Reasoning | ToolCall | ProviderItem


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `tool_call_id`: the call that a tool message answers."""

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call. `parameters` is a JSON Schema object.

    It is sent in the form that the service takes: what `object_schema` gives is taken as it is,
    any other is made anew for each request. `strict=True` needs one that `strict_schema` gives.
    """

    name: str
    parameters: Mapping[str, Any]
    description: str | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class BuiltinTool:
    """A tool that the service runs itself, in wire format: `{"type": "web_search_preview", …}`."""

    wire: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NamedTool:
    """A `tool_choice` that forces the function of this name."""

    name: str


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | NamedTool | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A `response_format` that requests an instance of `schema`.

    `strict=True` needs a schema that `strict_schema` gives.
    """

    name: str
    schema: Mapping[str, Any]
    strict: bool | None = None
    description: str | None = None


ResponseFormat: TypeAlias = Literal["text", "json_object"] | JsonSchema


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request to either endpoint. A field that is None is not sent.

    A field's metadata is its row of `aimlapi_core.request_params`: add new parameters here.

    `stop` holds stop sequences; `max_output_tokens` limits the tokens of the answer, under any
    wire name. `extra_body` is merged last into the JSON body, unchanged; `extra_headers` into the
    request's headers. `client_request_id`: 1 to 128 characters of `[A-Za-z0-9._:-]`, stored by
    the service with the call. `run_id`: a framework's id of the call, the default for
    `client_request_id` if it is valid as one. `unanswered_tool_calls`: a history with a tool call
    without a result, or a result without a call, is repaired with a warning, or is an error.
    """

    model: str
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
    )
    top_p: float | None = param(
        chat="top_p", responses="top_p", minimum=0.01, maximum=1, group="sampling", otel="top_p"
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
    )
    n: int | None = param(chat="n", responses="n", minimum=1, otel="choice.count")
    seed: int | None = param(
        chat="seed", responses="seed", minimum=1, in_every=("chat",), otel="seed"
    )
    logprobs: bool | None = param(chat="logprobs", responses="logprobs", group="logprobs")
    top_logprobs: int | None = param(
        chat="top_logprobs", responses="top_logprobs", minimum=0, maximum=20, group="logprobs"
    )
    reasoning_effort: str | None = param(
        chat="reasoning_effort",
        responses="reasoning.effort",
        group="reasoning",
        documented=_documented(ReasoningEffort),
    )
    reasoning_summary: str | None = param(
        chat="reasoning.summary",
        responses="reasoning.summary",
        group="reasoning",
        documented=_documented(ReasoningSummary),
    )
    stop: tuple[str, ...] = param((), chat="stop", is_client_side=True, otel="stop_sequences")
    stream_usage: bool = True
    # The next five are in no documented chat schema: sent only for ids without a row, and with
    # unsupported_params="send".
    instructions: str | None = param(
        chat="instructions", responses="instructions", in_every=("responses",)
    )
    previous_response_id: str | None = param(
        chat="previous_response_id", responses="previous_response_id", in_every=("responses",)
    )
    store: bool | None = param(chat="store", responses="store", in_every=("responses",))
    truncation: str | None = param(
        chat="truncation",
        responses="truncation",
        in_every=("responses",),
        documented=_documented(Truncation),
    )
    include: tuple[str, ...] = param(
        (), chat="include", responses="include", in_every=("responses",)
    )
    endpoint: Literal["auto", "chat", "responses"] = "auto"
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    unanswered_tool_calls: Literal["repair", "raise"] = "repair"
    client_request_id: str | None = param(scope="call")
    run_id: str | None = param(scope="internal")
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(
        default_factory=dict, repr=False, metadata={"scope": "call"}
    )


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as counted by the service. None: not reported.

    `cached_tokens` are part of `input_tokens`, `reasoning_tokens` part of `output_tokens`
    (third parties saw models whose output count excludes them). `cache_write_tokens`, part of
    `input_tokens`, were stored for later calls. `raw` is the JSON object.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)
    cache_write_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a call, as reported by the service. 1 USD is 2,000,000 credits."""

    credits: int | None
    usd: float | None


@dataclass(frozen=True, slots=True)
class Serving:
    """Who answered, as newer answers of the service say it. None: not reported.

    `model` is the canonical id of the model that answered, which a router selects; `metrics` are
    the service's own times (`duration_ms`, `ttft_ms`, `tps`).
    """

    model: str | None = None
    provider: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transport:
    """The HTTP response: status, the ids of the call, headers in lower case."""

    status_code: int
    request_id: str | None = None
    inference_id: str | None = None
    client_request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer. `parts` are in the order of the answer; all text is in one `Text`.

    `finish_reason` is the service's value (`stop`, `length`, `tool_calls`, `content_filter`, or
    an unknown one). `logprobs` is the JSON object. `extra` holds members of the message that have
    no field here.
    """

    index: int
    parts: tuple[Part, ...] = ()
    finish_reason: str | None = None
    logprobs: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer's text, "" if there is none."""
        return "".join(p.text for p in self.parts if isinstance(p, Text))

    @property
    def reasoning(self) -> str:
        """The reasoning text, "" if there is none."""
        return "".join(p.text for p in self.parts if isinstance(p, Reasoning))

    @property
    def refusal(self) -> str | None:
        """The refusal, None if the model did not refuse."""
        texts = [p.text for p in self.parts if isinstance(p, Refusal)]
        return "".join(texts) if texts else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple(p for p in self.parts if isinstance(p, ToolCall))

    @property
    def citations(self) -> tuple[Mapping[str, Any], ...]:
        """The annotations of the text, as JSON objects."""
        return tuple(c for p in self.parts if isinstance(p, Text) for c in p.citations)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete reply. `model` is the name in the response, rarely the requested id.

    `serving` is None where the service does not say who answered.
    `extra` holds top-level members that have no field here; `transport` is None until the client
    sets it, and is the only field in which a streamed and an unstreamed reply may differ.
    """

    id: str | None
    model: str | None
    created: int | None
    choices: tuple[Choice, ...]
    usage: Usage | None = None
    cost: Cost | None = None
    endpoint: Endpoint = "chat"
    extra: Mapping[str, Any] = field(default_factory=dict)
    transport: Transport | None = None
    serving: Serving | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """New text of choice `choice`. `logprobs` is the JSON object for this delta."""

    text: str
    choice: int = 0
    logprobs: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """New reasoning text."""

    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class RefusalDelta:
    """New text of a refusal."""

    text: str
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A delta of the tool call `index` of choice `choice`.

    `index` counts from 0 without gaps. `id` and `name` are set once each, nearly always in the
    call's first delta; `arguments` is new JSON text, possibly "".
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class CitationDelta:
    """An annotation of the text so far, as a JSON object."""

    citation: Mapping[str, Any]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a stream: the complete reply."""

    reply: Reply


StreamEvent: TypeAlias = (
    TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | CitationDelta | Finished
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


@dataclass(frozen=True, slots=True)
class EmbeddingReply:
    """One vector per text, in the order of the texts. `model` is the name in the response.

    `usage` and `cost` are the sums over all requests, None if one did not report it;
    `transports`: the HTTP response of each request.
    """

    vectors: tuple[list[float], ...]
    model: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    transports: tuple[Transport, ...] = ()
