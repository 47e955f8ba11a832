"""The wire shapes of /v1/responses: a whole response, and what is kept of it for the next one.

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
from aimlapi_emulator.catalog.chat_models import ChatModelRow
from aimlapi_emulator.faults.bad_usage import corrupt_usage
from aimlapi_emulator.faults.fault import Fault
from aimlapi_emulator.ids import Ids
from aimlapi_emulator.prompt import as_json, input_items
from aimlapi_emulator.state import RequestContext, StoredResponse

_SOURCE_URL = "https://example.com/"
_SUMMARY = "The request was read, and an answer was chosen by the emulator's rules."


@dataclass(frozen=True, slots=True)
class ResponsesAnswer:
    """All that a response tells."""

    id: str
    created: int
    body: Mapping[str, Any]
    model: ChatModelRow
    made: Answer
    output: Sequence[dict[str, Any]]
    usage: Usage
    fault: Fault

    @property
    def cut(self) -> str | None:
        """Why the response is incomplete, as the endpoint spells it; None when it is whole."""
        reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
        return reasons.get(self.made.finish)

    @property
    def status(self) -> str:
        """`completed` or `incomplete`."""
        return "completed" if self.cut is None else "incomplete"


def responses_answer(
    context: RequestContext, model: ChatModelRow, made: Answer, usage: Usage
) -> ResponsesAnswer:
    """The answer to a valid request, with ids."""
    body, ids = context.body, context.state.ids
    status = "incomplete" if made.finish in ("length", "content_filter") else "completed"
    return ResponsesAnswer(
        output=_output(body, made, ids, status),
        id=ids.hex("resp_"),
        created=int(time.time()),
        body=body,
        model=model,
        made=made,
        usage=usage,
        fault=context.fault,
    )


def _output(body: Mapping[str, Any], made: Answer, ids: Ids, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    thought = made.reasoning
    if thought is None and (body.get("reasoning") or {}).get("summary"):
        thought = _SUMMARY
    if thought is not None or "reasoning.encrypted_content" in (body.get("include") or ()):
        items.append(_reasoning_item(body, thought, ids))
    if made.searched is not None:
        items.append({"id": ids.hex("ws_"), "type": "web_search_call", "status": "completed"})
    if made.mcp is not None:
        items += _mcp_items(made.mcp, ids)
    for index, call in enumerate(made.calls):
        last = index == len(made.calls) - 1
        items.append(
            {
                "id": ids.hex("fc_"),
                "type": "function_call",
                "status": status if last else "completed",
                "call_id": ids.next("call_", 24),
                "name": call.name,
                "arguments": call.arguments,
            }
        )
    if not made.calls:
        items.append(
            {
                "id": ids.hex("msg_"),
                "type": "message",
                "status": status,
                "content": _content(made),
                "role": "assistant",
            }
        )
    return items


def _reasoning_item(body: Mapping[str, Any], thought: str | None, ids: Ids) -> dict[str, Any]:
    summary = [] if thought is None else [{"type": "summary_text", "text": thought}]
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


def _content(made: Answer) -> list[dict[str, Any]]:
    if made.refusal is not None:
        return [{"type": "refusal", "refusal": made.refusal}]
    annotations = []
    if made.searched is not None and "example.com" in made.text:
        start = made.text.index("example.com")
        annotations.append(
            {
                "type": "url_citation",
                "start_index": start,
                "end_index": start + len("example.com"),
                "url": _SOURCE_URL,
                "title": "Example Domain",
            }
        )
    return [{"type": "output_text", "annotations": annotations, "logprobs": [], "text": made.text}]


def envelope(told: ResponsesAnswer, status: str, output: Sequence[Any]) -> dict[str, Any]:
    """The response object in a state; usage, cost and the texts come with the final ones."""
    body = told.body
    final = status in ("completed", "incomplete")
    found: dict[str, Any] = {
        "id": told.id,
        "object": "response",
        "created_at": told.created,
        "status": status,
        "background": body.get("background", False),
        "error": None,
        "incomplete_details": {"reason": told.cut} if final and told.cut else None,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "model": told.model.response_model_name,
        "output": list(output),
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "reasoning": {
            "effort": _shown_effort(told),
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
        found["output_text"] = told.made.text if told.made.refusal is None else ""
        if told.fault.usage != "missing":
            found["usage"] = corrupt_usage(told.usage.responses(), told.fault.usage)
        if told.fault.cost_metadata:
            found["meta"] = told.usage.meta()
    return found


def _shown_effort(told: ResponsesAnswer) -> str | None:
    """The effort in force; the published enum knows no `none`, so that is told as null."""
    effort = (told.body.get("reasoning") or {}).get("effort") or told.model.default_effort
    return None if effort == "none" else str(effort)


def whole(told: ResponsesAnswer) -> dict[str, Any]:
    """The body of a response that is not streamed."""
    return envelope(told, told.status, told.output)


def stored(
    earlier: Sequence[Mapping[str, Any]], body: Mapping[str, Any], told: ResponsesAnswer
) -> StoredResponse:
    """What is kept of a response, `earlier` being what its predecessor left."""
    items = (*earlier, *input_items(body), *told.output)
    answered = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    return StoredResponse(items, tuple(call for call in calls if call not in answered))
