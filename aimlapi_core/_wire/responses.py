"""Encodes requests for `/v1/responses` strictly, decodes responses leniently.

Requests: function tools are flat with an explicit `strict`, tool results are strings, assistant
messages are sent back in their simplest form. Source: aimlapi/api-docs
gpt-5-2-pro-RESPONSES.json and gpt-5-2-codex-RESPONSES.json, state 2026-08-21. Responses: only `id`
and `output` or `output_text` are required, as the documents' own samples lack the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aimlapi_core._error_reading.responses import describe_payload, error_in_payload
from aimlapi_core._json_reading import as_int, as_mapping, as_mappings, nonempty_str
from aimlapi_core._values.media import FILENAME, canonical_url
from aimlapi_core._wire.answers.content import UnreadableError
from aimlapi_core._wire.answers.failures import answer_failed, names_failure, unexpected_reply
from aimlapi_core._wire.answers.output import CALL_TYPE_NAMES, output_items, parse_output
from aimlapi_core._wire.usage import RESPONSES_USAGE, parse_cost, parse_serving
from aimlapi_core.models import ModelInfo
from aimlapi_core.request_params import REQUEST_PARAMS, add_params
from aimlapi_core.schema import answer_schema, object_schema
from aimlapi_core.schema.values import description_text
from aimlapi_core.types import (
    BuiltinTool,
    ChatRequest,
    Choice,
    File,
    Image,
    JsonSchema,
    Message,
    NamedTool,
    Part,
    ProviderItem,
    Reasoning,
    Refusal,
    Reply,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)

PATH = "/responses"

# Members that have a field in Reply, and those that only echo the request.
_KNOWN_FIELDS = frozenset(
    "id object created_at model status output output_text usage meta error incomplete_details "
    "tools tool_choice text parallel_tool_calls background max_tool_calls metadata "
    "prompt prompt_cache_key prompt_cache_retention safety_identifier user frequency_penalty "
    "presence_penalty".split()
) | frozenset(row.responses.partition(".")[0] for row in REQUEST_PARAMS.values())
# The items that are the answer; others report what the service did for it. No set: a type of
# another JSON type may not be hashable.
_ANSWERS = ("message", *CALL_TYPE_NAMES)
_FINISH_REASONS = {"max_output_tokens": "length"}


def encode(request: ChatRequest, info: ModelInfo | None, *, stream: bool) -> dict[str, Any]:
    """The JSON body. `info` has whether the model's schema accepts reasoning items as input."""
    # Without `store` the service keeps nothing, so a reference to a reasoning item is invalid.
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


def decode(payload: Any, headers: Mapping[str, str]) -> Reply:
    """Decode a finished response.

    Raises AnswerFailedError if it reports an error, UnexpectedReplyError if it is no response.
    """
    response = as_mapping(payload)
    request_id = headers.get("x-request-id")
    failure = _failure(response)
    is_response = isinstance(response.get("output"), list) or _has_output(response)
    if not (is_response or failure):
        raise unexpected_reply("a finished response", describe_payload(payload), payload, headers)
    try:
        reply = to_reply(response, parse_output(output_items(response)), headers)
    except UnreadableError as exc:
        partial = to_reply(response, (), headers)
        what = f"its output cannot be read: {exc}"
        raise answer_failed(what, partial, response, None, request_id) from exc
    if failure:
        what = f"the service reported: {failure[0]}"
        raise answer_failed(what, reply, response, failure[1], request_id)
    if not (response.get("status") or reply.choices[0].parts):
        what = "there is neither content nor a status"
        raise answer_failed(what, reply, response, None, request_id)
    return reply


def _has_output(response: Mapping[str, Any]) -> bool:
    return bool(response.get("output") or response.get("output_text"))


def _failure(response: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """(message, code) if a response object reports that it failed; None if it is finished."""
    status = response.get("status") or None
    reported = error_in_payload(response) if response.get("error") else None
    if status not in (None, "completed", "incomplete"):
        message = reported[0] if reported else failure_message(response)
        return f"status {status!r}, {message}", reported[1] if reported else str(status)
    if reported:
        return reported
    reason = as_mapping(response.get("incomplete_details")).get("reason")
    if names_failure(reason):
        return f"incomplete_details.reason={reason!r}", reason
    for item in as_mappings(response.get("output")):
        if item.get("type") not in _ANSWERS:
            continue
        if names_failure(item.get("status")):
            return f"an output item of status {item['status']!r}", item["status"]
        if item.get("error") and (found := error_in_payload(item)):
            return found
    return None


def to_reply(
    response: Mapping[str, Any], parts: tuple[Part, ...], headers: Mapping[str, str]
) -> Reply:
    """The Reply for a response object and its decoded parts."""
    return Reply(
        id=nonempty_str(response.get("id")),
        model=nonempty_str(response.get("model")),
        created=as_int(response.get("created_at")),
        choices=(Choice(0, parts, _finish_reason(response, parts)),),
        usage=RESPONSES_USAGE.parse(response.get("usage")),
        cost=parse_cost(headers, response.get("meta")),
        serving=parse_serving(headers, response.get("meta")),
        endpoint="responses",
        extra={k: v for k, v in response.items() if v is not None and k not in _KNOWN_FIELDS},
    )


def _finish_reason(response: Mapping[str, Any], parts: tuple[Part, ...]) -> str | None:
    """The finish reason in the terms of the chat endpoint."""
    status = response.get("status")
    if status == "in_progress":
        return None
    reason = as_mapping(response.get("incomplete_details")).get("reason")
    if reason or status == "incomplete" or _has_item_of_status("incomplete", response):
        return _FINISH_REASONS.get(str(reason), str(reason or "length"))
    return "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop"


def _has_item_of_status(status: str, response: Mapping[str, Any]) -> bool:
    """Whether a message or a call has this status, whatever the response says of itself."""
    rows = as_mappings(response.get("output"))
    return any(row.get("status") == status and row.get("type") in _ANSWERS for row in rows)


def failure_message(event: Any) -> str:
    """The error message of an `error` event or of a failed response."""
    for holder in (as_mapping(event), as_mapping(as_mapping(event).get("response"))):
        error = holder.get("error")
        message = as_mapping(error).get("message") or (error if isinstance(error, str) else None)
        if message or holder.get("message"):
            return str(message or holder["message"])
    return describe_payload(event)


def _encode_message(message: Message, replays: bool) -> Iterator[dict[str, Any]]:
    """The input items of one message: for an assistant, one per text, refusal or tool call."""
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
    """The simplest input item for a part of an assistant message; None if there is none."""
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
        url = canonical_url(part.url)
        return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
    if isinstance(part, File):
        data = canonical_url(part.data)
        return {"type": "input_file", "file_data": data, "filename": part.filename or FILENAME}
    return {"type": "input_text", "text": getattr(part, "text", "")}


def _encode_tool(tool: Tool | BuiltinTool) -> dict[str, Any]:
    if isinstance(tool, BuiltinTool):
        return dict(tool.wire)
    members = {
        "type": "function",
        "name": tool.name,
        "description": description_text(tool.description),
        "parameters": object_schema(tool.parameters, f"the tool {tool.name!r}"),
        "strict": bool(tool.strict),  # required, and not nullable
    }
    return {key: value for key, value in members.items() if value is not None}


def _encode_tool_choice(choice: ToolChoice | None) -> Any:
    if isinstance(choice, NamedTool):
        return {"type": "function", "name": choice.name}
    return dict(choice) if isinstance(choice, Mapping) else choice


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _encode_format(response_format: ResponseFormat | None) -> dict[str, Any] | None:
    if isinstance(response_format, JsonSchema):
        members = _without_none(
            name=response_format.name,
            schema=answer_schema(response_format),
            strict=response_format.strict,
            description=response_format.description,
        )
        return {"format": {"type": "json_schema", **(members or {})}}
    return {"format": {"type": response_format}} if response_format else None
