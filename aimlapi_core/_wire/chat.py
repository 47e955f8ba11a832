"""Encodes requests for `/v1/chat/completions` strictly, decodes responses leniently.

Requests: no nulls, no empty `tools`, tool results as strings, empty assistant content left out.
Each of these was rejected by the live service or by the strictest published schema
(aimlapi/api-docs gpt-5-2.json, state 2026-08-21; langchain-ai/langgraph examples/aimlapi
README, live 2026-09-03). Responses: any member may be missing, null or unknown; see `chat_stream`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aimlapi_core._error_reading.responses import describe_payload
from aimlapi_core._history.names import fit_message_name
from aimlapi_core._json_reading import as_mapping
from aimlapi_core._values.media import FILENAME, canonical_url
from aimlapi_core._wire.answers.failures import unexpected_reply
from aimlapi_core._wire.chat_stream import ChatAccumulator
from aimlapi_core.models import ModelInfo
from aimlapi_core.request_params import add_params
from aimlapi_core.schema import answer_schema, object_schema
from aimlapi_core.schema.values import description_text
from aimlapi_core.types import (
    BuiltinTool,
    ChatRequest,
    File,
    Image,
    JsonSchema,
    Message,
    NamedTool,
    Part,
    Refusal,
    Reply,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)

PATH = "/chat/completions"


def encode(request: ChatRequest, info: ModelInfo | None, *, stream: bool) -> dict[str, Any]:
    """The JSON body. `info` has the wire name of the model's output limit."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [_encode_message(message) for message in request.messages],
    }
    if request.tools:
        body["tools"] = [_encode_tool(tool) for tool in request.tools]
        if request.tool_choice is not None:
            body["tool_choice"] = _encode_tool_choice(request.tool_choice)
        if request.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = request.parallel_tool_calls
    if request.response_format:
        body["response_format"] = _encode_format(request.response_format)
    add_params(body, request, "chat")
    if info and "max_tokens" in body:
        body[info.chat_limit] = body.pop("max_tokens")
    if stream:
        body["stream"] = True
        if request.stream_usage:
            body["stream_options"] = {"include_usage": True}
    return body


def decode(payload: Any, headers: Mapping[str, str]) -> Reply:
    """Decode an unstreamed answer.

    Raises AnswerFailedError if it reports an error, UnexpectedReplyError if it is no answer.
    """
    accumulator = ChatAccumulator()
    accumulator.add_chunk(dict(as_mapping(payload)), whole=True)
    if not accumulator.has_choices:
        what = describe_payload(payload)
        raise unexpected_reply("a chat completion", what, payload, headers)
    accumulator.raise_if_failed(payload)
    return accumulator.reply(headers)


def _encode_message(message: Message) -> dict[str, Any]:
    role, parts = message.role, message.parts
    body: dict[str, Any] = {"role": role}
    if message.name and (name := fit_message_name(message.name)):
        body["name"] = name
    if role == "assistant":
        _add_assistant_fields(body, parts)
    elif len(parts) == 1 and isinstance(parts[0], Text):  # nearly all
        body["content"] = parts[0].text
    elif role == "tool" or not parts:
        body["content"] = "".join([part.text for part in parts if isinstance(part, Text)])
    else:
        body["content"] = [_encode_part(part) for part in parts]
    if role == "tool":
        body["tool_call_id"] = message.tool_call_id
    return body


def _add_assistant_fields(body: dict[str, Any], parts: Iterable[Part]) -> None:
    """Reasoning and provider items are left out: this schema has no field for them."""
    text = refusal = ""
    calls: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, ToolCall):
            function = {"name": part.name, "arguments": part.arguments or "{}"}
            call = {"id": part.id, "type": "function", "function": function}
            calls.append({**call, **part.extra} if part.extra else call)
        elif isinstance(part, Text):
            text += part.text
        elif isinstance(part, Refusal):
            refusal += part.text
    if text or not (calls or refusal):
        body["content"] = text
    if refusal:
        body["refusal"] = refusal
    if calls:
        body["tool_calls"] = calls


def _encode_part(part: Part) -> dict[str, Any]:
    if isinstance(part, Image):
        detail = {"detail": part.detail} if part.detail else {}
        return {"type": "image_url", "image_url": {"url": canonical_url(part.url), **detail}}
    if isinstance(part, File):
        file = {"file_data": canonical_url(part.data), "filename": part.filename or FILENAME}
        return {"type": "file", "file": file}
    return {"type": "text", "text": getattr(part, "text", "")}


def _encode_tool(tool: Tool | BuiltinTool) -> dict[str, Any]:
    if isinstance(tool, BuiltinTool):
        return dict(tool.wire)
    function: dict[str, Any] = {"name": tool.name}
    if (description := description_text(tool.description)) is not None:
        function["description"] = description
    function["parameters"] = object_schema(tool.parameters, f"the tool {tool.name!r}")
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _encode_tool_choice(choice: ToolChoice) -> Any:
    if isinstance(choice, NamedTool):
        return {"type": "function", "function": {"name": choice.name}}
    return dict(choice) if isinstance(choice, Mapping) else choice


def _encode_format(response_format: ResponseFormat) -> dict[str, Any]:
    if isinstance(response_format, JsonSchema):
        members = {
            "name": response_format.name,
            "schema": answer_schema(response_format),
            "strict": response_format.strict,
            "description": response_format.description,
        }
        wire = {key: value for key, value in members.items() if value is not None}
        return {"type": "json_schema", "json_schema": wire}
    return {"type": response_format}
