"""The values that pass between the adapters and the wire: frozen, slotted, framework-free.

Rules of this module: names are ours (the wire's are in the metadata of `ChatRequest`, in
`_wire.chat` and in `_wire.responses`); `None` always means "not given" on the way out and "did not
come" on the way in; nothing here does I/O, validates or converts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
Endpoint: TypeAlias = Literal["chat", "responses"]
ImageDetail: TypeAlias = Literal["low", "high", "auto"]
BOTH: tuple[Endpoint, ...] = ("chat", "responses")
# The values of `Choice.finish_reason` that mean incomplete output.
TRUNCATED_FINISH_REASONS = frozenset({"length", "content_filter"})


def param(default: Any = None, /, **facts: Any) -> Any:
    """A field of `ChatRequest` with its facts: the arguments of `request_params.RequestParam`."""
    return field(default=default, metadata=facts)


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text. `citations` are the service's annotations of it, kept as they came."""

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
    """The model's own words for why it does not answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning that the service showed. `opaque` is provider data to be echoed untouched."""

    text: str
    opaque: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model wants made.

    `arguments` is the JSON text as the model wrote it, perhaps empty, perhaps broken: a caller
    that runs the call parses it. `item_id` is the Responses item's own id, where there is one.
    """

    id: str
    name: str
    arguments: str
    item_id: str | None = None
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ProviderItem:
    """An item of a Responses output with no part of its own (`web_search_call`, `mcp_call`, …)."""

    item: Mapping[str, Any]


Part: TypeAlias = Text | Image | File | Refusal | Reasoning | ToolCall | ProviderItem


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `tool_call_id` names the call that a tool message answers."""

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call. `parameters` is a JSON Schema object."""

    name: str
    parameters: Mapping[str, Any]
    description: str | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class BuiltinTool:
    """A tool that the service runs itself, in wire form: `{"type": "web_search_preview", …}`."""

    wire: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NamedTool:
    """A `tool_choice` that forces the function of this name."""

    name: str


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | NamedTool | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A `response_format` that asks for an instance of `schema`."""

    name: str
    schema: Mapping[str, Any]
    strict: bool | None = None
    description: str | None = None


ResponseFormat: TypeAlias = Literal["text", "json_object"] | JsonSchema


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """All that one call asks for. A field that is None is not sent.

    A field's metadata is its row of `aimlapi_core.request_params`: a new parameter is one here.

    `stop` holds stop sequences; `max_output_tokens` is the limit on the answer in tokens,
    whatever its wire name. `extra_body` is merged last into the JSON body, as given;
    `extra_headers` into the request's headers. `client_request_id`: 1 to 128 characters of
    `[A-Za-z0-9._:-]`, stored by the service beside the call. `run_id`: a framework's name for
    the call, sent in its place where the caller gives none and the service would take it.
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
        chat="max_tokens",  # or what the model's row says
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
        chat="reasoning_effort", responses="reasoning.effort", group="reasoning"
    )
    reasoning_summary: str | None = param(
        chat="reasoning.summary", responses="reasoning.summary", group="reasoning"
    )
    stop: tuple[str, ...] = param((), chat="stop", is_client_side=True, otel="stop_sequences")
    stream_usage: bool = True
    # The next five are in no documented chat schema: sent there for ids without a row, and with
    # unsupported_params="send".
    instructions: str | None = param(
        chat="instructions", responses="instructions", in_every=("responses",)
    )
    previous_response_id: str | None = param(
        chat="previous_response_id", responses="previous_response_id", in_every=("responses",)
    )
    store: bool | None = param(chat="store", responses="store", in_every=("responses",))
    truncation: str | None = param(
        chat="truncation", responses="truncation", in_every=("responses",)
    )
    include: tuple[str, ...] = param(
        (), chat="include", responses="include", in_every=("responses",)
    )
    endpoint: Literal["auto", "chat", "responses"] = "auto"
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    client_request_id: str | None = param(scope="call")
    run_id: str | None = param(scope="internal")
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, metadata={"scope": "call"})


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the service counted them. None: it did not say.

    `cached_tokens` are part of `input_tokens`, `reasoning_tokens` part of `output_tokens`
    (third parties saw models whose output count leaves them out). `raw` is the wire object.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """What the service says that a call cost. 1 USD is 2,000,000 credits."""

    credits: int | None
    usd: float | None


@dataclass(frozen=True, slots=True)
class Transport:
    """Facts of the HTTP answer: status, the ids that name the call, headers in lower case."""

    status_code: int
    request_id: str | None = None
    inference_id: str | None = None
    client_request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer. `parts` are in the order of the answer; all text stands in one `Text`.

    `finish_reason` is the service's word (`stop`, `length`, `tool_calls`, `content_filter`, or
    one that this library has never seen). `logprobs` is the wire object. `extra` holds members
    of the message that have no field here.
    """

    index: int
    parts: tuple[Part, ...] = ()
    finish_reason: str | None = None
    logprobs: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The answer's text, "" when there is none."""
        return "".join(p.text for p in self.parts if isinstance(p, Text))

    @property
    def reasoning(self) -> str:
        """The reasoning that the service showed, "" when none."""
        return "".join(p.text for p in self.parts if isinstance(p, Reasoning))

    @property
    def refusal(self) -> str | None:
        """The refusal, None when the model did not refuse."""
        texts = [p.text for p in self.parts if isinstance(p, Refusal)]
        return "".join(texts) if texts else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that the model wants made, in its order."""
        return tuple(p for p in self.parts if isinstance(p, ToolCall))

    @property
    def citations(self) -> tuple[Mapping[str, Any], ...]:
        """The annotations of the text, in wire form."""
        return tuple(c for p in self.parts if isinstance(p, Text) for c in p.citations)


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer. `model` is the name that the service echoes, seldom the one asked for.

    `extra` holds top-level members with no field here; `transport` is None until the client
    sets it, and is the only field in which a streamed and an unstreamed answer may differ.
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


@dataclass(frozen=True, slots=True)
class TextDelta:
    """New text of choice `choice`. `logprobs` is the wire object for this piece."""

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
    """A piece of the tool call `index` of choice `choice`.

    `index` counts from 0 without gaps. `id` and `name` come once each, nearly always with the
    call's first piece; `arguments` is new JSON text, perhaps "".
    """

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class CitationDelta:
    """An annotation of the text so far, in wire form."""

    citation: Mapping[str, Any]
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a stream, always its last event: the whole answer."""

    reply: Reply


StreamEvent: TypeAlias = (
    TextDelta | ReasoningDelta | RefusalDelta | ToolCallDelta | CitationDelta | Finished
)


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts to embed, in any number: they are sent in as few requests as the limits allow.

    `input_type` is Voyage's ("document"). `batch_size` is the most texts in one request, None
    the model's own limit. `extra_body` is merged last into each JSON body, as given.
    """

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    input_type: str | None = None
    batch_size: int | None = None
    unsupported_params: Literal["warn", "raise", "send"] = "warn"
    client_request_id: str | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmbeddingReply:
    """One vector a text, in the order of the texts. `model` is the name that the service echoes.

    `usage` and `cost` are the sums over all requests, None where one of them did not say;
    `transports` holds the facts of each HTTP answer.
    """

    vectors: tuple[list[float], ...]
    model: str | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    transports: tuple[Transport, ...] = ()
