"""What a chat completion request may hold, per model family, strict or live.

`strict` is the union of the published schemas at their narrowest
(https://docs.aimlapi.com, OpenAPI files read 2026-11): nested objects are closed, and a body key
that the family does not list is refused by name. The real service drops such a key without a
word; an emulator is there to say so. `live` follows the newer specification at
https://api.aimlapi.com/docs-yaml (read 2026-08-29): unknown keys pass, tool `parameters` are
optional, an assistant's content may be null, tool results may be text parts.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from aimlapi_emulator.validation.media import check_file_data, check_image_url
from aimlapi_emulator.validation.strict_json_schema import check_strict
from aimlapi_emulator.validation.validators import (
    Check,
    Problem,
    anything,
    array,
    boolean,
    chain,
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

TOOL_NAME = string(
    low=1,
    high=64,
    pattern="[A-Za-z0-9_-]+",
    says="Invalid tool name: use only letters, digits, '_' and '-'",
)
MAX_TOOLS = 128
_EFFORTS = ("low", "medium", "high")
_CACHE = record({"type": one_of("ephemeral")}, {"ttl": one_of("5m", "1h")})


def parameters(value: Any, path: str) -> list[Problem]:
    """A function's JSON Schema: an object schema that lists its properties."""
    if not isinstance(value, dict):
        return [Problem(path, f"Expected object, received {kind(value)}")]
    if value.get("type", "object") != "object":
        text = f"schema must be of type 'object', got {value['type']!r}"
        return [Problem(path, f"Invalid schema: {text}", "invalid_json_schema")]
    if value.get("type") == "object" and "properties" not in value and "$ref" not in value:
        text = "Invalid schema: object schema missing properties"
        return [Problem(path, text, "invalid_json_schema")]
    return []


def strict_parameters(key: str) -> Check:
    """Checks the schema under `key` when its neighbour `strict` is true."""

    def check(value: Any, path: str) -> list[Problem]:
        if value.get("strict") is not True:
            return []
        return check_strict(value.get(key), f"{path}.{key}")

    return check


def _parts(live: bool, cached: bool, *, files: bool) -> Check:
    closed = not live
    extra: dict[str, Check] = {"cache_control": _CACHE} if cached else {}
    kinds = {"text": record({"type": anything, "text": string()}, extra, closed=closed)}
    if files:
        image = record(
            {"url": check_image_url}, {"detail": one_of("low", "high", "auto")}, closed=closed
        )
        inner: dict[str, Check] = {"file_data": check_file_data, "filename": string()}
        if cached:
            inner["file_id"] = string()
        kinds["image_url"] = record({"type": anything, "image_url": image}, extra, closed=closed)
        kinds["file"] = record(
            {"type": anything, "file": record({}, inner, closed=closed)}, extra, closed=closed
        )
    return array(tagged("type", kinds), low=1)


def _content(live: bool, cached: bool, *, files: bool = False) -> Check:
    return union({"string": string(), "array": _parts(live, cached, files=files)})


def _tool_call(live: bool, loose: bool) -> Check:
    closed = not live
    extra: dict[str, Check] = {"extra_content": mapping(anything)} if loose else {}
    function = record({"name": TOOL_NAME, "arguments": string()}, closed=closed)
    kinds = {
        "function": record(
            {"id": string(low=1), "type": anything, "function": function}, extra, closed=closed
        )
    }
    if loose:
        custom = record({"name": string(), "input": string()}, closed=closed)
        kinds["custom"] = record(
            {"id": string(low=1), "type": anything, "custom": custom}, extra, closed=closed
        )
    return tagged("type", kinds)


def _assistant(live: bool, loose: bool) -> Check:
    closed = not live
    refusal = record({"type": anything, "refusal": string()}, closed=closed)
    text = record(
        {"type": anything, "text": string()},
        {"cache_control": _CACHE} if loose else {},
        closed=closed,
    )
    parts = array(tagged("type", {"text": text, "refusal": refusal}), low=1)
    by_kind: dict[str, Check] = {"string": string(), "array": parts}
    if loose:
        by_kind["null"] = anything
    return record(
        {"role": anything},
        {
            "content": union(by_kind),
            "name": string(),
            "tool_calls": array(_tool_call(live, loose), low=1),
            "refusal": nullable(string()),
        },
        closed=closed,
    )


def _messages(live: bool, loose: bool) -> Check:
    closed = not live
    plain = {"role": anything, "content": _content(live, loose)}
    tool_content = _content(live, loose) if loose else string()
    kinds = {
        "system": record(plain, {"name": string()}, closed=closed),
        "developer": record(plain, {"name": string()}, closed=closed),
        "user": record(
            {"role": anything, "content": _content(live, loose, files=True)},
            {"name": string()},
            closed=closed,
        ),
        "assistant": _assistant(live, loose),
        "tool": record(
            {"role": anything, "content": tool_content, "tool_call_id": string(low=1)},
            {"name": nullable(string())},
            closed=closed,
        ),
    }
    return array(tagged("role", kinds), low=1)


def _tools(live: bool, loose: bool) -> Check:
    closed = not live
    needed: dict[str, Check] = {"name": TOOL_NAME}
    optional: dict[str, Check] = {"description": string(), "strict": nullable(boolean)}
    (optional if loose else needed)["parameters"] = parameters
    function = chain(record(needed, optional, closed=closed), strict_parameters("parameters"))
    extra: dict[str, Check] = {"cache_control": _CACHE} if loose else {}
    kinds = {"function": record({"type": anything, "function": function}, extra, closed=closed)}
    if loose:
        custom = record({"name": string()}, {"description": string(), "format": anything})
        kinds["custom"] = record({"type": anything, "custom": custom}, extra, closed=closed)
    return array(tagged("type", kinds), low=1, high=MAX_TOOLS)


def _tool_choice(loose: bool) -> Check:
    named = record({"name": TOOL_NAME})
    kinds = {"function": record({"type": anything, "function": named})}
    if loose:
        allowed = record({"mode": one_of("auto", "required"), "tools": array(anything)})
        kinds["allowed_tools"] = record({"type": anything, "allowed_tools": allowed})
        kinds["custom"] = record({"type": anything, "custom": named})
    return union({"string": one_of("none", "auto", "required"), "object": tagged("type", kinds)})


def _response_format() -> Check:
    inner = chain(
        record(
            {"name": string(low=1, high=64, pattern="[A-Za-z0-9_-]+", says="Invalid name")},
            {"schema": mapping(anything), "strict": nullable(boolean), "description": string()},
        ),
        strict_parameters("schema"),
    )
    return tagged(
        "type",
        {
            "text": record({"type": anything}),
            "json_object": record({"type": anything}),
            "json_schema": record({"type": anything, "json_schema": inner}),
        },
    )


def _common(live: bool, loose: bool) -> dict[str, Check]:
    return {
        "max_tokens": number(1),
        "stream": boolean,
        "stream_options": record({"include_usage": boolean}, closed=not live),
        "tools": _tools(live, loose),
        "tool_choice": _tool_choice(loose),
        "parallel_tool_calls": boolean,
        "seed": number(1, whole=True),
        "response_format": _response_format(),
    }


_SAMPLING: dict[str, Check] = {"temperature": number(0, 2), "top_p": number(0.01, 1)}
_LOGPROBS: dict[str, Check] = {
    "logprobs": nullable(boolean),
    "top_logprobs": nullable(number(0, 20)),
}
_MANY: dict[str, Check] = {"n": nullable(number(1, whole=True))}
_LIVE: dict[str, Check] = {"provider": string(), "normalize_tool_schemas": boolean}
_DOTTED: dict[str, Check] = {
    **_LIVE,
    **_SAMPLING,
    **_LOGPROBS,
    "max_completion_tokens": number(1, whole=True),
    "stop": nullable(union({"string": string(), "array": array(string())})),
    "frequency_penalty": nullable(number(-2, 2)),
    "presence_penalty": nullable(number(-2, 2)),
    "repetition_penalty": nullable(number()),
    "logit_bias": nullable(mapping(number(-100, 100))),
    "prediction": record({"type": one_of("content"), "content": anything}),
    "reasoning_effort": one_of(*_EFFORTS),
    "reasoning": record(
        {}, {"effort": one_of(*_EFFORTS), "max_tokens": number(1, whole=True), "exclude": boolean}
    ),
    "web_search_options": record(
        {},
        {
            "search_context_size": one_of(*_EFFORTS),
            "user_location": nullable(
                record({"approximate": mapping(string()), "type": one_of("approximate")})
            ),
        },
    ),
    "search_mode": one_of("academic", "web"),
    "search_domain_filter": array(string()),
    "return_images": boolean,
    "return_related_questions": boolean,
    "search_recency_filter": one_of("day", "week", "month", "year"),
    "search_after_date_filter": string(),
    "search_before_date_filter": string(),
    "last_updated_after_filter": string(),
    "last_updated_before_filter": string(),
    "echo": boolean,
    "min_p": number(0.001, 0.999),
    "top_k": number(),
    "top_a": number(0, 1),
}


def _by_family(family: str, live: bool) -> dict[str, Check]:
    if family == "dotted":
        return _DOTTED
    if family == "chat-latest":
        # The live specification lists temperature, "only the provider default is supported".
        return {**_MANY, **_LIVE, "temperature": number(0, 2)} if live else _MANY
    efforts = ("none", *_EFFORTS) if live else _EFFORTS
    return {
        **_SAMPLING,
        **_LOGPROBS,
        **_MANY,
        "reasoning_effort": one_of(*efforts),
        **(_LIVE if live else {}),
    }


@cache
def chat_body(family: str, live: bool) -> Check:
    """The checker of a whole request body."""
    loose = live or family == "dotted"
    return record(
        {"model": string(low=1), "messages": _messages(live, loose)},
        {**_common(live, loose), **_by_family(family, live)},
        closed=not live,
    )
