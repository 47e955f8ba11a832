"""Schemas of the input items of a Responses request, made of a model's features."""

from __future__ import annotations

from typing import Any

from aimlapi_emulator.catalog.features import ResponsesFeatures
from aimlapi_emulator.validation.chat import TOOL_NAME, call_id
from aimlapi_emulator.validation.media import check_file_data, check_filename, check_image_url
from aimlapi_emulator.validation.validators import (
    Problem,
    Validator,
    any_,
    array,
    boolean,
    chain,
    discriminated_union,
    enum,
    json_type,
    mapping,
    nullable,
    number,
    object_,
    string,
    union,
)

# OpenAI's limit on the Responses API, as reported (decolua/9router#393, seen 2026-11-29).
_CALL_ID = call_id(64)
STATUS = enum("in_progress", "completed", "incomplete")
TEXT = nullable(string())


def typed(
    required: dict[str, Validator], optional: dict[str, Validator] | None = None, *, live: bool
) -> Validator:
    """An object with `type` and these properties; unknown keys are allowed if live."""
    return object_({"type": any_, **required}, optional, passthrough=live)


def _input_parts(features: ResponsesFeatures, live: bool) -> Validator:
    kinds = {"input_text": typed({"text": string()}, live=live)}
    if features.pdfs:
        file = typed({}, {"file_data": check_file_data, "filename": string()}, live=live)
        kinds["input_file"] = chain(file, check_filename)
    if features.images:
        kinds["input_image"] = typed(
            {},
            {"image_url": nullable(check_image_url), "detail": enum("high", "low", "auto")},
            live=live,
        )
    return array(discriminated_union("type", kinds), min=1)


def _output_parts(live: bool) -> Validator:
    citation = typed(
        {
            "end_index": number(integer=True),
            "start_index": number(integer=True),
            "title": string(),
            "url": string(),
        },
        live=live,
    )
    text = typed(
        {
            "annotations": array(discriminated_union("type", {"url_citation": citation})),
            "text": string(),
        },
        {"logprobs": array(mapping(any_))},
        live=live,
    )
    refusal = typed({"refusal": string()}, live=live)
    return array(discriminated_union("type", {"output_text": text, "refusal": refusal}))


def _message(features: ResponsesFeatures, live: bool) -> Validator:
    parts = _input_parts(features, live)
    easy = object_(
        {
            "role": enum("user", "assistant", "system", "developer"),
            "content": union({"string": string(), "array": parts}),
        },
        {"type": enum("message")},
        passthrough=live,
    )
    with_status = object_(
        {"role": enum("user", "system", "developer"), "content": parts},
        {"type": enum("message"), "status": STATUS},
        passthrough=live,
    )
    output = object_(
        {
            "id": string(min=1),
            "role": enum("assistant"),
            "status": STATUS,
            "type": enum("message"),
            "content": _output_parts(live),
        },
        passthrough=live,
    )

    def check(value: Any, path: str) -> list[Problem]:
        if value.get("role") == "assistant" and ("id" in value or "status" in value):
            return output(value, path)
        return with_status(value, path) if "status" in value else easy(value, path)

    return check


def _mcp_items(live: bool) -> dict[str, Validator]:
    call: dict[str, Validator] = {
        "arguments": string(),
        "id": string(),
        "name": string(),
        "server_label": string(),
    }
    tool = object_(
        {"input_schema": mapping(any_), "name": string()},
        {"annotations": nullable(mapping(any_)), "description": TEXT},
        passthrough=live,
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


def _items(features: ResponsesFeatures, live: bool) -> dict[str, Validator]:
    kinds: dict[str, Validator] = {
        "message": _message(features, live),
        "web_search_call": typed(
            {"id": string(), "status": enum("in_progress", "completed", "searching", "failed")},
            live=live,
        ),
        "function_call": typed(
            {"call_id": _CALL_ID, "name": TOOL_NAME, "arguments": string()},
            {"id": string(), "status": STATUS},
            live=live,
        ),
        "function_call_output": typed(
            {"call_id": _CALL_ID, "output": string()},
            {"id": TEXT, "status": nullable(STATUS)},
            live=live,
        ),
        **_mcp_items(live),
        "item_reference": object_({"id": string(min=1)}, {"type": any_}, passthrough=live),
    }
    if features.reasoning_items:
        summary = typed({"text": string()}, live=live)
        kinds["reasoning"] = typed(
            {"id": string(), "summary": array(summary)},
            {"encrypted_content": TEXT, "status": STATUS},
            live=live,
        )
    if "local_shell" in features.tools:
        kinds["local_shell_call"] = typed(
            {"action": mapping(any_), "call_id": string(), "id": string(), "status": STATUS},
            live=live,
        )
        kinds["local_shell_call_output"] = typed(
            {"id": string(), "output": string()}, {"status": nullable(STATUS)}, live=live
        )
    return kinds


def item_check(features: ResponsesFeatures, live: bool) -> Validator:
    """The validator of one input item. Only some models take reasoning items."""
    kinds = _items(features, live)
    by_type = discriminated_union("type", kinds)

    def check(value: Any, path: str) -> list[Problem]:
        if not isinstance(value, dict):
            return [Problem(path, f"Expected object, received {json_type(value)}", "invalid_union")]
        if "type" in value and value["type"] is not None:
            return by_type(value, path)
        return kinds["message" if "role" in value else "item_reference"](value, path)

    return check
