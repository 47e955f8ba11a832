"""`/v1/responses`: requests out in the narrowest form, answers read in the loosest.

Out: function tools are flat with an explicit `strict`, tool results are strings, assistant
turns go back in their simplest form. Source: aimlapi/api-docs gpt-5-2-pro-RESPONSES.json and
gpt-5-2-codex-RESPONSES.json, state 2026-08-21. In: only `id` and `output` or `output_text` are
counted on, for the documents' own samples lack the rest; see `responses_stream`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core._wire.responses_stream import Fold, decode
from aimlapi_core.models import ModelInfo
from aimlapi_core.request_params import add_params
from aimlapi_core.types import (
    BuiltinTool,
    ChatRequest,
    File,
    Image,
    JsonSchema,
    Message,
    NamedTool,
    Part,
    ProviderItem,
    Reasoning,
    Refusal,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)

__all__ = ["PATH", "Fold", "decode", "encode"]

PATH = "/responses"


def encode(request: ChatRequest, info: ModelInfo | None, *, stream: bool) -> dict[str, Any]:
    """The JSON body. `info` says whether the model's schema takes reasoning items back."""
    # Without `store` the service keeps nothing, so an item that is only a reference leads nowhere.
    replays = (info is None or info.replays_reasoning) and request.store is not True
    body: dict[str, Any] = {
        "model": request.model,
        "input": [
            item for message in request.messages for item in _encode_message(message, replays)
        ],
        "stream": stream or None,
    }
    if request.response_format:
        body["text"] = _encode_format(request.response_format)
    add_params(body, request, "responses")
    if request.tools:
        body["tools"] = [_encode_tool(tool) for tool in request.tools]
        body["tool_choice"] = _encode_tool_choice(request.tool_choice)
        body["parallel_tool_calls"] = request.parallel_tool_calls
    return {name: value for name, value in body.items() if value is not None}


def _encode_message(message: Message, replays: bool) -> Iterator[dict[str, Any]]:
    """The input items of one message; an assistant turn is as many as it has parts of note."""
    if message.role == "tool":
        output = "".join(part.text for part in message.parts if isinstance(part, Text))
        yield {
            "type": "function_call_output",
            "call_id": message.tool_call_id,
            "output": output,
        }
    elif message.role == "assistant":
        for part in message.parts or (Text(""),):
            item = _encode_assistant_part(part, replays)
            if item is not None:
                yield item
    elif len(message.parts) <= 1 and all(isinstance(part, Text) for part in message.parts):
        text = "".join(part.text for part in message.parts if isinstance(part, Text))
        yield {"role": message.role, "content": text}
    else:
        yield {"role": message.role, "content": [_encode_part(part) for part in message.parts]}


def _encode_assistant_part(part: Part, replays: bool) -> dict[str, Any] | None:
    """The simplest item that gives a part back to the model; None where there is none."""
    if isinstance(part, (Text, Refusal)):
        return {"role": "assistant", "content": part.text}
    if isinstance(part, ToolCall):
        return {
            "type": "function_call",
            "call_id": part.id,
            "name": part.name,
            "arguments": part.arguments or "{}",
        }
    if isinstance(part, Reasoning) and replays and part.opaque:
        item = {key: value for key, value in part.opaque.items() if value is not None}
        return item if item.get("encrypted_content") else None
    if isinstance(part, ProviderItem) and str(part.item.get("type")).startswith("mcp_"):
        return {key: value for key, value in part.item.items() if value is not None}
    return None


def _encode_part(part: Part) -> dict[str, Any]:
    if isinstance(part, Image):
        return {"type": "input_image", "image_url": part.url, "detail": part.detail or "auto"}
    if isinstance(part, File):
        filename = {"filename": part.filename} if part.filename else {}
        return {"type": "input_file", "file_data": part.data, **filename}
    return {"type": "input_text", "text": getattr(part, "text", "")}


def _encode_tool(tool: Tool | BuiltinTool) -> dict[str, Any]:
    if isinstance(tool, BuiltinTool):
        return dict(tool.wire)
    members = {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
        "strict": bool(tool.strict),  # required, and not nullable
    }
    return {key: value for key, value in members.items() if value is not None}


def _encode_tool_choice(choice: ToolChoice | None) -> Any:
    if isinstance(choice, NamedTool):
        return {"type": "function", "name": choice.name}
    return dict(choice) if isinstance(choice, Mapping) else choice


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _encode_format(response_format: ResponseFormat | None) -> dict[str, Any] | None:
    if isinstance(response_format, JsonSchema):
        members = _given(
            name=response_format.name,
            schema=dict(response_format.schema),
            strict=response_format.strict,
            description=response_format.description,
        )
        return {"format": {"type": "json_schema", **(members or {})}}
    return {"format": {"type": response_format}} if response_format else None
