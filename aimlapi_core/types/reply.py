"""Replies, and the events of a stream that ends in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aimlapi_core.types.content import Endpoint, Part, Reasoning, Refusal, Text, ToolCall

# The values of `Choice.finish_reason` that mean incomplete output.
TRUNCATED_FINISH_REASONS = frozenset({"length", "content_filter"})


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

    # Loops, since each answer reads all of these.
    @property
    def text(self) -> str:
        """The answer's text, "" if there is none."""
        text = ""
        for part in self.parts:
            if isinstance(part, Text):
                text += part.text
        return text

    @property
    def reasoning(self) -> str:
        """The reasoning text, "" if there is none."""
        text = ""
        for part in self.parts:
            if isinstance(part, Reasoning):
                text += part.text
        return text

    @property
    def refusal(self) -> str | None:
        """The refusal, None if the model did not refuse."""
        refusal: str | None = None
        for part in self.parts:
            if isinstance(part, Refusal):
                refusal = (refusal or "") + part.text
        return refusal

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple([part for part in self.parts if isinstance(part, ToolCall)])

    @property
    def citations(self) -> tuple[Mapping[str, Any], ...]:
        """The annotations of the text, as JSON objects."""
        found: list[Mapping[str, Any]] = []
        for part in self.parts:
            if isinstance(part, Text):
                found += part.citations
        return tuple(found)


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
