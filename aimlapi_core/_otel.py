"""OpenTelemetry spans with GenAI semantic conventions. OpenTelemetry is imported on first use.

Names: opentelemetry-semantic-conventions 0.66b2, `gen_ai` attributes (development status); other
attributes have the prefix `aimlapi.`. A span's parent is the current span at the start of the
call. Prompts and answers are recorded only with `record_content`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from aimlapi_core.errors import AIMLAPIError, ConfigurationError, StatusError
from aimlapi_core.request_params import REQUEST_PARAMS
from aimlapi_core.types import (
    ChatRequest,
    Choice,
    EmbeddingRequest,
    Message,
    Part,
    Reasoning,
    Refusal,
    Reply,
    Serving,
    Text,
    ToolCall,
    Usage,
)

# Of opentelemetry.trace, which need not be installed.
Span: TypeAlias = Any
TracerProvider: TypeAlias = Any

PROVIDER = "aimlapi"
SCOPE = "aimlapi_core"
_RECORDED_PARAMS = tuple(row for row in REQUEST_PARAMS.values() if row.otel)


class Tracing:
    """Creates the spans of calls. `content`: whether prompts and answers are recorded."""

    def __init__(self, provider: TracerProvider | None, content: bool) -> None:
        try:
            trace: Any = import_module("opentelemetry.trace")
        except ImportError as exc:
            raise ConfigurationError(
                "Spans need OpenTelemetry: pip install 'aimlapi-integrations[otel]'"
            ) from exc
        self._trace = trace
        self._tracer = trace.get_tracer(SCOPE, tracer_provider=provider)
        self.content = content

    def start(
        self, request: ChatRequest | EmbeddingRequest | None, model: str, url: str, operation: str
    ) -> Span:
        """Start the span of a call; its parent is the current span."""
        parts = urlsplit(url)
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.request.model": model,
            "server.address": parts.hostname,
            "server.port": parts.port or (443 if parts.scheme == "https" else 80),
        }
        if isinstance(request, ChatRequest):
            attributes |= _request_attributes(request)
            if self.content:
                attributes["gen_ai.input.messages"] = _as_json(map(_message, request.messages))
        elif isinstance(request, EmbeddingRequest):
            attributes["gen_ai.embeddings.dimension.count"] = request.dimensions
        return self._tracer.start_span(
            f"{operation} {model}",
            kind=self._trace.SpanKind.CLIENT,
            attributes=without_none(attributes),
        )

    def record_error(self, span: Span, error: BaseException) -> None:
        """Mark a span as failed. The key is in no description.

        An error's message may quote the request and the answer: without `content` the description
        is what the error means and what to do, not its message.
        """
        kind = f"HTTP {error.status_code}" if isinstance(error, StatusError) else type(error)
        name = kind if isinstance(kind, str) else kind.__name__
        span.set_attribute("error.type", name)
        message = _description(error, self.content) if isinstance(error, AIMLAPIError) else ""
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, message))

    def record_response(self, span: Span, reply: Reply) -> None:
        """Set the attributes of a reply, without its token counts."""
        reasons = [c.finish_reason for c in reply.choices if c.finish_reason]
        attributes = {
            "gen_ai.response.id": reply.id,
            "gen_ai.response.model": reply.model,
            "gen_ai.response.finish_reasons": reasons or None,
            **serving_attributes(reply.serving),
        }
        if self.content:
            attributes["gen_ai.output.messages"] = _as_json(map(_choice, reply.choices))
        span.set_attributes(without_none(attributes))


def _description(error: AIMLAPIError, content: bool) -> str:
    if content:
        return str(error)
    if isinstance(error, StatusError):
        return f"HTTP {error.status_code}. {error.hint}"
    return (type(error).__doc__ or "").partition("\n")[0]


active: Tracing | None = None


def start_tracing(
    tracer_provider: TracerProvider | None = None, *, record_content: bool = False
) -> None:
    """Create a span for each call of this process from now on; needs the extra `otel`.

    `tracer_provider` None is OpenTelemetry's global one. Prompts and answers are recorded only
    with `record_content`. Raises ConfigurationError where OpenTelemetry is not installed.
    """
    global active
    active = Tracing(tracer_provider, record_content)


def stop_tracing() -> None:
    """Stop creating spans."""
    global active
    active = None


def serving_attributes(serving: Serving | None) -> dict[str, Any]:
    """Who answered, and the service's own times."""
    if serving is None:
        return {}
    metrics = {
        f"aimlapi.metrics.{name}": value
        for name, value in serving.metrics.items()
        if isinstance(value, (int, float, str))
    }
    return {"aimlapi.served_model": serving.model, "aimlapi.provider": serving.provider, **metrics}


def usage_attributes(usage: Usage) -> dict[str, Any]:
    """Token counts as `gen_ai.usage` attributes."""
    counts = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }
    return without_none(counts)


def without_none(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes that have a value: OpenTelemetry takes no None."""
    return {name: value for name, value in attributes.items() if value is not None}


def _request_attributes(request: ChatRequest) -> dict[str, Any]:
    values = ((row.otel, getattr(request, row.name)) for row in _RECORDED_PARAMS)
    return {f"gen_ai.request.{name}": value for name, value in values if value not in (None, ())}


def _as_json(values: Iterator[Any]) -> str:
    return json.dumps(list(values), ensure_ascii=False, default=str)


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        text = "".join(p.text for p in message.parts if isinstance(p, Text))
        answer = {"type": "tool_call_response", "id": message.tool_call_id, "response": text}
        return {"role": "tool", "parts": [answer]}
    return {"role": message.role, "parts": _parts(message.parts)}


def _choice(choice: Choice) -> dict[str, Any]:
    parts = _parts(choice.parts)
    return {"role": "assistant", "parts": parts, "finish_reason": choice.finish_reason}


def _parts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text | Refusal):
        return {"type": "text", "content": part.text}
    if isinstance(part, Reasoning):
        return {"type": "reasoning", "content": part.text}
    if isinstance(part, ToolCall):
        called = {"id": part.id, "name": part.name, "arguments": part.arguments}
        return {"type": "tool_call", **called}
    return {"type": type(part).__name__.lower()}  # images and files: type only, no content
