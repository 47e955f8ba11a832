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
    required: dict[str, Validator], optional: dict[str, Validator] | None = None
) -> Validator:
    """An object with `type`, these properties and others."""
    return object_({"type": any_, **required}, optional)


def _input_parts(features: ResponsesFeatures) -> Validator:
    kinds = {"input_text": typed({"text": string()})}
    if features.pdfs:
        file = typed({}, {"file_data": check_file_data, "filename": string()})
        kinds["input_file"] = chain(file, check_filename)
    if features.images:
        kinds["input_image"] = typed(
            {},
            {"image_url": nullable(check_image_url), "detail": enum("high", "low", "auto")},
        )
    return array(discriminated_union("type", kinds), min=1)


def _output_parts() -> Validator:
    citation = typed(
        {
            "end_index": number(integer=True),
            "start_index": number(integer=True),
            "title": string(),
            "url": string(),
        },
    )
    text = typed(
        {
            "annotations": array(discriminated_union("type", {"url_citation": citation})),
            "text": string(),
        },
        {"logprobs": array(mapping(any_))},
    )
    refusal = typed({"refusal": string()})
    return array(discriminated_union("type", {"output_text": text, "refusal": refusal}))


def _message(features: ResponsesFeatures) -> Validator:
    parts = _input_parts(features)
    easy = object_(
        {
            "role": enum("user", "assistant", "system", "developer"),
            "content": union({"string": string(), "array": parts}),
        },
        {"type": enum("message")},
    )
    with_status = object_(
        {"role": enum("user", "system", "developer"), "content": parts},
        {"type": enum("message"), "status": STATUS},
    )
    output = object_(
        {
            "id": string(min=1),
            "role": enum("assistant"),
            "status": STATUS,
            "type": enum("message"),
            "content": _output_parts(),
        },
    )

    def check(value: Any, path: str) -> list[Problem]:
        if value.get("role") == "assistant" and ("id" in value or "status" in value):
            return output(value, path)
        return with_status(value, path) if "status" in value else easy(value, path)

    return check


def _mcp_items() -> dict[str, Validator]:
    call: dict[str, Validator] = {
        "arguments": string(),
        "id": string(),
        "name": string(),
        "server_label": string(),
    }
    tool = object_(
        {"input_schema": mapping(any_), "name": string()},
        {"annotations": nullable(mapping(any_)), "description": TEXT},
    )
    return {
        "mcp_list_tools": typed(
            {"id": string(), "server_label": string(), "tools": array(tool)},
            {"error": TEXT},
        ),
        "mcp_approval_request": typed(call),
        "mcp_approval_response": typed(
            {"approval_request_id": string(), "approve": boolean},
            {"id": TEXT, "reason": TEXT},
        ),
        "mcp_call": typed(call, {"error": TEXT, "output": TEXT}),
    }


def _items(features: ResponsesFeatures, live: bool) -> dict[str, Validator]:
    # OpenAI's SDKs dump null for a member that the service did not send.
    status = nullable(STATUS) if live else STATUS
    kinds: dict[str, Validator] = {
        "message": _message(features),
        "web_search_call": typed(
            {"id": string(), "status": enum("in_progress", "completed", "searching", "failed")},
        ),
        "function_call": typed(
            {"call_id": _CALL_ID, "name": TOOL_NAME, "arguments": string()},
            {"id": TEXT if live else string(), "status": status},
        ),
        "function_call_output": typed(
            {"call_id": _CALL_ID, "output": string()},
            {"id": TEXT, "status": nullable(STATUS)},
        ),
        **_mcp_items(),
        "item_reference": object_({"id": string(min=1)}, {"type": any_}),
    }
    if features.reasoning_items:
        summary = typed({"text": string()})
        kinds["reasoning"] = typed(
            {"id": string(), "summary": array(summary)},
            {"encrypted_content": TEXT, "status": status},
        )
    if "local_shell" in features.tools:
        kinds["local_shell_call"] = typed(
            {"action": mapping(any_), "call_id": string(), "id": string(), "status": STATUS},
        )
        kinds["local_shell_call_output"] = typed(
            {"id": string(), "output": string()}, {"status": nullable(STATUS)}
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
