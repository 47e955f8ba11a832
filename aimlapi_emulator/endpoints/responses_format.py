"""Wire format of /v1/responses: a response body, and the items stored for the next request.

Members and item kinds follow the vendor's schema for the pro and codex rows
(https://docs.aimlapi.com, OpenAPI files read 2026-11). `responses_stream` makes the events.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.answer import Answer
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.faults.bad_usage import corrupt_usage
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.ids import Ids
from aimlapi_emulator.prompt import as_json, input_items
from aimlapi_emulator.state import RequestContext, StoredResponse

_SOURCE_URL = "https://example.com/"
_SUMMARY = "The request was read, and an answer was chosen by the emulator's rules."


@dataclass(frozen=True, slots=True)
class ModelResponse:
    """A response before it is rendered."""

    id: str
    created: int
    body: Mapping[str, Any]
    model: ChatModelRow
    answer: Answer
    output: Sequence[dict[str, Any]]
    usage: Usage
    fault: Fault

    @property
    def incomplete_reason(self) -> str | None:
        """`incomplete_details.reason`; None if the response is complete."""
        reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
        return reasons.get(self.answer.finish_reason)

    @property
    def status(self) -> str:
        """`completed` or `incomplete`."""
        return "completed" if self.incomplete_reason is None else "incomplete"


def build_response(
    context: RequestContext, model: ChatModelRow, answer: Answer, usage: Usage
) -> ModelResponse:
    """The response to a valid request, with ids."""
    body, ids = context.body, context.state.ids
    status = "incomplete" if answer.finish_reason in ("length", "content_filter") else "completed"
    return ModelResponse(
        output=_output(body, answer, ids, status),
        id=ids.hex("resp_"),
        created=int(time.time()),
        body=body,
        model=model,
        answer=answer,
        usage=usage,
        fault=context.fault,
    )


def _output(body: Mapping[str, Any], answer: Answer, ids: Ids, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    reasoning = answer.reasoning
    if reasoning is None and (body.get("reasoning") or {}).get("summary"):
        reasoning = _SUMMARY
    if reasoning is not None or "reasoning.encrypted_content" in (body.get("include") or ()):
        items.append(_reasoning_item(body, reasoning, ids))
    if answer.web_search_query is not None:
        items.append({"id": ids.hex("ws_"), "type": "web_search_call", "status": "completed"})
    if answer.mcp is not None:
        items += _mcp_items(answer.mcp, ids)
    for index, call in enumerate(answer.calls):
        ended = status if index == len(answer.calls) - 1 else "completed"
        item = {"id": ids.hex("fc_"), "type": "function_call", "status": ended}
        call_id = ids.next("call_", 24)
        items.append({**item, "call_id": call_id, "name": call.name, "arguments": call.arguments})
    if not answer.calls:
        item = {"id": ids.hex("msg_"), "type": "message", "status": status}
        items.append({**item, "content": _content(answer), "role": "assistant"})
    return items


def _reasoning_item(body: Mapping[str, Any], reasoning: str | None, ids: Ids) -> dict[str, Any]:
    summary = [] if reasoning is None else [{"type": "summary_text", "text": reasoning}]
    item: dict[str, Any] = {"id": ids.hex("rs_"), "type": "reasoning", "summary": summary}
    if "reasoning.encrypted_content" in (body.get("include") or ()):
        item["encrypted_content"] = ids.next("gAAAA", 60)
    return item


def _mcp_items(tool: Mapping[str, Any], ids: Ids) -> list[dict[str, Any]]:
    label = tool["server_label"]
    allowed = tool.get("allowed_tools")
    names = allowed.get("tool_names") if isinstance(allowed, dict) else allowed
    names = names or ["ask"]
    schema = {"type": "object", "properties": {"query": {"type": "string"}}}
    tools = [
        {"input_schema": schema, "name": name, "annotations": None, "description": None}
        for name in names
    ]
    return [
        {"id": ids.hex("mcpl_"), "type": "mcp_list_tools", "server_label": label, "tools": tools},
        {
            "id": ids.hex("mcp_"),
            "type": "mcp_call",
            "server_label": label,
            "name": names[0],
            "arguments": as_json({"query": label}),
            "output": "done",
            "error": None,
        },
    ]


def _content(answer: Answer) -> list[dict[str, Any]]:
    if answer.refusal is not None:
        return [{"type": "refusal", "refusal": answer.refusal}]
    annotations = []
    if answer.web_search_query is not None and "example.com" in answer.text:
        start = answer.text.index("example.com")
        place = {"start_index": start, "end_index": start + len("example.com")}
        source = {"url": _SOURCE_URL, "title": "Example Domain"}
        annotations.append({"type": "url_citation", **place, **source})
    part = {"type": "output_text", "annotations": annotations, "logprobs": [], "text": answer.text}
    return [part]


def response_object(response: ModelResponse, status: str, output: Sequence[Any]) -> dict[str, Any]:
    """The response object with this status; a final one also has text, usage and cost."""
    body = response.body
    final = status in ("completed", "incomplete")
    reason = response.incomplete_reason if final else None
    found: dict[str, Any] = {
        "id": response.id,
        "object": "response",
        "created_at": response.created,
        "status": status,
        "background": body.get("background", False),
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": response.model.response_model_name,
        "output": list(output),
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {
            "effort": _shown_effort(response),
            "summary": (body.get("reasoning") or {}).get("summary"),
        },
        "service_tier": "default",
        "store": bool(body.get("store")),
        "temperature": body.get("temperature") or 1,
        "text": body.get("text") or {"format": {"type": "text"}},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "top_p": body.get("top_p") or 0.98,
        "truncation": body.get("truncation", "disabled"),
        "metadata": {},
    }
    if final:
        found["output_text"] = response.answer.text if response.answer.refusal is None else ""
        if response.fault.usage != "missing":
            found["usage"] = corrupt_usage(response.usage.responses(), response.fault.usage)
        if response.fault.cost_metadata:
            found["meta"] = response.usage.meta()
    return found


def _shown_effort(response: ModelResponse) -> str | None:
    """The effort in force; null for `none`, which the published enum does not have."""
    effort = (response.body.get("reasoning") or {}).get("effort") or response.model.default_effort
    return None if effort == "none" else str(effort)


def render(response: ModelResponse) -> dict[str, Any]:
    """The body of a response that is not streamed."""
    return response_object(response, response.status, response.output)


def as_stored(
    previous_items: Sequence[Mapping[str, Any]], body: Mapping[str, Any], response: ModelResponse
) -> StoredResponse:
    """The stored form of a response; `previous_items` are those of the response before it."""
    items = (*previous_items, *input_items(body), *response.output)
    answered = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    return StoredResponse(items, tuple(call for call in calls if call not in answered))
