"""The kinds of input items that a Responses request may hold, per model family."""

from __future__ import annotations

from typing import Any

from aimlapi_emulator.validation.chat import TOOL_NAME
from aimlapi_emulator.validation.media import check_file_data, check_image_url
from aimlapi_emulator.validation.validators import (
    Check,
    Problem,
    anything,
    array,
    boolean,
    kind,
    mapping,
    nullable,
    number,
    one_of,
    record,
    string,
    tagged,
    union,
)

STATUS = one_of("in_progress", "completed", "incomplete")
TEXT = nullable(string())
WITH_REASONING = frozenset({"codex", "gpt-5-2"})
_WITH_IMAGES = frozenset({"chat-latest"})


def typed(
    required: dict[str, Check], optional: dict[str, Check] | None = None, *, live: bool
) -> Check:
    """An object with a `type` beside these keys; closed unless live."""
    return record({"type": anything, **required}, optional, closed=not live)


def _input_parts(family: str, live: bool) -> Check:
    kinds = {
        "input_text": typed({"text": string()}, live=live),
        "input_file": typed({}, {"file_data": check_file_data, "filename": string()}, live=live),
    }
    if family in _WITH_IMAGES:
        kinds["input_image"] = typed(
            {},
            {"image_url": nullable(check_image_url), "detail": one_of("high", "low", "auto")},
            live=live,
        )
    return array(tagged("type", kinds), low=1)


def _output_parts(live: bool) -> Check:
    citation = typed(
        {
            "end_index": number(whole=True),
            "start_index": number(whole=True),
            "title": string(),
            "url": string(),
        },
        live=live,
    )
    text = typed(
        {"annotations": array(tagged("type", {"url_citation": citation})), "text": string()},
        {"logprobs": array(mapping(anything))},
        live=live,
    )
    refusal = typed({"refusal": string()}, live=live)
    return array(tagged("type", {"output_text": text, "refusal": refusal}))


def _message(family: str, live: bool) -> Check:
    closed = not live
    parts = _input_parts(family, live)
    easy = record(
        {
            "role": one_of("user", "assistant", "system", "developer"),
            "content": union({"string": string(), "array": parts}),
        },
        {"type": one_of("message")},
        closed=closed,
    )
    with_status = record(
        {"role": one_of("user", "system", "developer"), "content": parts},
        {"type": one_of("message"), "status": STATUS},
        closed=closed,
    )
    output = record(
        {
            "id": string(low=1),
            "role": one_of("assistant"),
            "status": STATUS,
            "type": one_of("message"),
            "content": _output_parts(live),
        },
        closed=closed,
    )

    def check(value: Any, path: str) -> list[Problem]:
        if value.get("role") == "assistant" and ("id" in value or "status" in value):
            return output(value, path)
        return with_status(value, path) if "status" in value else easy(value, path)

    return check


def _mcp_items(live: bool) -> dict[str, Check]:
    call: dict[str, Check] = {
        "arguments": string(),
        "id": string(),
        "name": string(),
        "server_label": string(),
    }
    tool = record(
        {"input_schema": mapping(anything), "name": string()},
        {"annotations": nullable(mapping(anything)), "description": TEXT},
        closed=not live,
    )
    return {
        "mcp_list_tools": typed(
            {"id": string(), "server_label": string(), "tools": array(tool)},
            {"error": TEXT},
            live=live,
        ),
        "mcp_approval_request": typed(call, live=live),
        "mcp_approval_response": typed(
            {"approval_request_id": string(), "approve": boolean},
            {"id": TEXT, "reason": TEXT},
            live=live,
        ),
        "mcp_call": typed(call, {"error": TEXT, "output": TEXT}, live=live),
    }


def _items(family: str, live: bool) -> dict[str, Check]:
    kinds: dict[str, Check] = {
        "message": _message(family, live),
        "web_search_call": typed(
            {"id": string(), "status": one_of("in_progress", "completed", "searching", "failed")},
            live=live,
        ),
        "function_call": typed(
            {"call_id": string(low=1), "name": TOOL_NAME, "arguments": string()},
            {"id": string(), "status": STATUS},
            live=live,
        ),
        "function_call_output": typed(
            {"call_id": string(low=1), "output": string()},
            {"id": TEXT, "status": nullable(STATUS)},
            live=live,
        ),
        **_mcp_items(live),
        "item_reference": record({"id": string(low=1)}, {"type": anything}, closed=not live),
    }
    if family in WITH_REASONING:
        summary = typed({"text": string()}, live=live)
        kinds["reasoning"] = typed(
            {"id": string(), "summary": array(summary)},
            {"encrypted_content": TEXT, "status": STATUS},
            live=live,
        )
    if family == "codex":
        kinds["local_shell_call"] = typed(
            {"action": mapping(anything), "call_id": string(), "id": string(), "status": STATUS},
            live=live,
        )
        kinds["local_shell_call_output"] = typed(
            {"id": string(), "output": string()}, {"status": nullable(STATUS)}, live=live
        )
    return kinds


def item_check(family: str, live: bool) -> Check:
    """The checker of one input item; pro takes no reasoning items, codex does."""
    kinds = _items(family, live)
    by_type = tagged("type", kinds)

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return [Problem(path, f"Expected object, received {kind(value)}", "invalid_union")]
        if "type" in value and value["type"] is not None:
            return by_type(value, path)
        return kinds["message" if "role" in value else "item_reference"](value, path)

    return check
