"""Request schema of chat completions, made of a model's features, strict or live.

`strict` is the model's published schema (https://docs.aimlapi.com, OpenAPI files read 2026-11).
Objects inside the body are closed where it closes them: system, developer and tool messages,
tools, their functions and `response_format` of the dashed ids, `response_format` alone of the
dotted ones. A key of the body that the model does not take is refused by name, though the real
service drops it in silence. `live` follows the newer specification at
https://api.aimlapi.com/docs-yaml (read 2026-08-29): unknown keys pass, tool `parameters` are
optional, an assistant's content may be null, tool results may be text parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from aimlapi_emulator.catalog.features import ChatFeatures, ChatParam, check_complete
from aimlapi_emulator.validation.json_schema import check_parameters, check_patterns
from aimlapi_emulator.validation.media import check_file_data, check_filename, check_image_url
from aimlapi_emulator.validation.strict_json_schema import check_strict
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

TOOL_NAME = string(
    min=1,
    max=64,
    pattern="[A-Za-z0-9_-]+",
    # OpenAI's refusal, as reported (run-llama/llama_index#16093, seen 2026-11-29).
    message="string does not match pattern. Expected a string that matches the pattern "
    "'^[a-zA-Z0-9_-]+$'",
)
# OpenAI's refusal, as reported (langchain-ai/langchain#35054, langgraph#248, seen 2026-11-29).
_MESSAGE_NAME = string(
    pattern=r"[^\s<|\\/>]+",
    message="string does not match pattern. Expected a string that matches the pattern "
    r"'^[^\s<|\\/>]+$'",
)
MAX_TOOLS = 128
_CACHE = object_({"type": enum("ephemeral")}, {"ttl": enum("5m", "1h")})


def parameters(value: Any, path: str) -> list[Problem]:
    """A function's JSON Schema: an object schema that lists its properties."""
    if not isinstance(value, dict):
        return [Problem(path, f"Expected object, received {json_type(value)}")]
    return check_parameters(value, path)


def strict_parameters(key: str) -> Validator:
    """Validates the JSON Schema under `key`: all of it if its sibling `strict` is true."""

    def check(value: Any, path: str) -> list[Problem]:
        if value.get("strict") is not True:
            return check_patterns(value.get(key), f"{path}.{key}")
        return check_strict(value.get(key), f"{path}.{key}")

    return check


def call_id(max_length: int) -> Validator:
    """The id of a tool call; the refusal is in OpenAI's words, as reported (vercel/ai#8132)."""

    def check(value: Any, path: str) -> list[Problem]:
        if len(value) <= max_length:
            return []
        text = (
            f"string too long. Expected a string with maximum length {max_length}, but got a "
            f"string with length {len(value)} instead."
        )
        return [Problem(path, text, "too_big")]

    return chain(string(min=1), check)


_CALL_ID = call_id(40)  # langgenius/dify#28987, seen 2026-11-29


def _parts(cached: bool, *, images: bool = False, pdfs: bool = False) -> Validator:
    extra: dict[str, Validator] = {"cache_control": _CACHE} if cached else {}
    kinds = {"text": object_({"type": any_, "text": string()}, extra)}
    if images:
        image = object_({"url": check_image_url}, {"detail": enum("low", "high", "auto")})
        kinds["image_url"] = object_({"type": any_, "image_url": image}, extra)
    if pdfs:
        inner: dict[str, Validator] = {"file_data": check_file_data, "filename": string()}
        if cached:
            inner["file_id"] = string()
        file = chain(object_({}, inner), check_filename)
        kinds["file"] = object_({"type": any_, "file": file}, extra)
    return array(discriminated_union("type", kinds), min=1)


def _content(parts: Validator) -> Validator:
    return union({"string": string(), "array": parts})


def _tool_call(loose: bool) -> Validator:
    extra: dict[str, Validator] = {"extra_content": mapping(any_)} if loose else {}
    function = object_({"name": TOOL_NAME, "arguments": string()})
    kinds = {"function": object_({"id": _CALL_ID, "type": any_, "function": function}, extra)}
    if loose:
        custom = object_({"name": string(), "input": string()})
        kinds["custom"] = object_({"id": _CALL_ID, "type": any_, "custom": custom}, extra)
    return discriminated_union("type", kinds)


def _assistant(loose: bool) -> Validator:
    refusal = object_({"type": any_, "refusal": string()})
    text = object_({"type": any_, "text": string()}, {"cache_control": _CACHE} if loose else {})
    parts = array(discriminated_union("type", {"text": text, "refusal": refusal}), min=1)
    by_kind: dict[str, Validator] = {"string": string(), "array": parts}
    if loose:
        by_kind["null"] = any_
    return object_(
        {"role": any_},
        {
            "content": union(by_kind),
            "name": _MESSAGE_NAME,
            "tool_calls": array(_tool_call(loose), min=1),
            "refusal": nullable(string()),
        },
    )


def _messages(features: ChatFeatures, loose: bool) -> Validator:
    text = _content(_parts(loose))
    media = _content(_parts(loose, images=features.images, pdfs=features.pdfs))
    name: dict[str, Validator] = {"name": _MESSAGE_NAME}
    instructions = object_({"role": any_, "content": text}, name, closed=not loose)
    kinds = {
        "system": instructions,
        **({"developer": instructions} if features.developer_role else {}),
        "user": object_({"role": any_, "content": media}, name),
        "assistant": _assistant(loose),
        "tool": object_(
            {"role": any_, "content": text if loose else string(), "tool_call_id": _CALL_ID},
            {"name": nullable(_MESSAGE_NAME)},
            closed=not loose,
        ),
    }
    return array(discriminated_union("role", kinds), min=1)


def _tools(loose: bool) -> Validator:
    needed: dict[str, Validator] = {"name": TOOL_NAME}
    optional: dict[str, Validator] = {"description": string(), "strict": nullable(boolean)}
    (optional if loose else needed)["parameters"] = parameters
    function = chain(object_(needed, optional, closed=not loose), strict_parameters("parameters"))
    extra: dict[str, Validator] = {"cache_control": _CACHE} if loose else {}
    kinds = {"function": object_({"type": any_, "function": function}, extra, closed=not loose)}
    if loose:
        custom = object_({"name": string()}, {"description": string(), "format": any_})
        kinds["custom"] = object_({"type": any_, "custom": custom}, extra)
    return array(discriminated_union("type", kinds), min=1, max=MAX_TOOLS)


def _tool_choice(loose: bool) -> Validator:
    named = object_({"name": TOOL_NAME})
    kinds = {"function": object_({"type": any_, "function": named})}
    if loose:
        allowed = object_({"mode": enum("auto", "required"), "tools": array(any_)})
        kinds["allowed_tools"] = object_({"type": any_, "allowed_tools": allowed})
        kinds["custom"] = object_({"type": any_, "custom": named})
    return union(
        {"string": enum("none", "auto", "required"), "object": discriminated_union("type", kinds)}
    )


def _response_format() -> Validator:
    inner = chain(
        object_(
            {"name": string(min=1, max=64, pattern="[A-Za-z0-9_-]+", message="Invalid name")},
            {"schema": mapping(any_), "strict": nullable(boolean), "description": string()},
            closed=True,
        ),
        strict_parameters("schema"),
    )
    plain = object_({"type": any_}, closed=True)
    schema = object_({"type": any_, "json_schema": inner}, closed=True)
    return discriminated_union("type", {"text": plain, "json_object": plain, "json_schema": schema})


def _common(features: ChatFeatures, loose: bool) -> dict[str, Validator]:
    members: dict[str, Validator] = {
        "max_tokens": number(1),
        "stream": boolean,
        "stream_options": object_({"include_usage": boolean}),
        "tools": _tools(loose),
        "tool_choice": _tool_choice(loose),
        "parallel_tool_calls": boolean,
        "response_format": _response_format(),
    }
    without = set() if features.response_format else {"response_format"}
    without |= set() if features.tools else {"tools", "tool_choice", "parallel_tool_calls"}
    return {name: member for name, member in members.items() if name not in without}


PARAMS: Mapping[ChatParam, Validator] = {
    "temperature": number(0, 2),
    "top_p": number(0.01, 1),
    # OpenAI's maximum, by its refusal (thisisartium/continuous-alignment-testing#25).
    "n": nullable(number(1, 128, integer=True)),
    "seed": number(1, integer=True),
    "logprobs": nullable(boolean),
    "top_logprobs": nullable(number(0, 20)),
    "max_completion_tokens": number(1, integer=True),
    "stop": nullable(union({"string": string(), "array": array(string())})),
    "frequency_penalty": nullable(number(-2, 2)),
    "presence_penalty": nullable(number(-2, 2)),
    "repetition_penalty": nullable(number()),
    "logit_bias": nullable(mapping(number(-100, 100))),
    "prediction": object_({"type": enum("content"), "content": any_}),
    "web_search_options": object_(
        {},
        {
            "search_context_size": enum("low", "medium", "high"),
            "user_location": nullable(
                object_({"approximate": mapping(string()), "type": enum("approximate")})
            ),
        },
    ),
    "search_mode": enum("academic", "web"),
    "search_domain_filter": array(string()),
    "return_images": boolean,
    "return_related_questions": boolean,
    "search_recency_filter": enum("day", "week", "month", "year"),
    "search_after_date_filter": string(),
    "search_before_date_filter": string(),
    "last_updated_after_filter": string(),
    "last_updated_before_filter": string(),
    "echo": boolean,
    "min_p": number(0.001, 0.999),
    "top_k": number(),
    "top_a": number(0, 1),
    "stop_sequences": array(string()),
    "system": string(),
    "metadata": mapping(string()),
    "thinking": object_({"type": enum("enabled"), "budget_tokens": number(1024, integer=True)}),
    "enable_thinking": boolean,
    "thinking_budget": number(1, integer=True),
    "provider": string(),
    "normalize_tool_schemas": boolean,
}
check_complete("validation.chat.PARAMS", PARAMS, ChatParam)


def _by_model(features: ChatFeatures, live: bool) -> dict[str, Validator]:
    names = features.params | features.live_params if live else features.params
    found: dict[str, Validator] = {name: PARAMS[name] for name in names}
    if not features.efforts:
        return found
    effort = enum(*features.efforts)
    found["reasoning_effort"] = effort
    if features.upstream == "openrouter":
        inner = {"effort": effort, "max_tokens": number(1, integer=True), "exclude": boolean}
        found["reasoning"] = object_({}, inner)
    return found


@cache
def chat_members(features: ChatFeatures, live: bool) -> Mapping[str, Validator]:
    """The known members of a request body."""
    loose = live or features.newer_form or features.upstream == "openrouter"
    required = {"model": string(min=1), "messages": _messages(features, loose)}
    return {**required, **_common(features, loose), **_by_model(features, live)}


@cache
def chat_body(features: ChatFeatures, live: bool) -> Validator:
    """The validator of a request body."""
    members = chat_members(features, live)
    required = {name: members[name] for name in ("model", "messages")}
    return object_(required, members, closed=not live)
