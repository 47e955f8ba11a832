"""Request schema of Responses, made of a model's features, strict or live.

The pro and codex ids have published schemas; `openai/gpt-5-2` and its chat-latest are listed on
/v1/responses by the live specification alone (https://api.aimlapi.com/docs-yaml, read
2026-08-29). The schemas close two forms of `text.format` and nothing else. `strict` refuses keys
of the body that the model does not take, as on chat, and wants an explicit `strict` on function
tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from aimlapi_emulator.catalog.features import (
    BuiltinTool,
    ResponsesFeatures,
    ResponsesParam,
    check_complete,
)
from aimlapi_emulator.validation.chat import MAX_TOOLS, TOOL_NAME, parameters, strict_parameters
from aimlapi_emulator.validation.responses_items import TEXT, item_check, typed
from aimlapi_emulator.validation.validators import (
    Validator,
    any_,
    array,
    boolean,
    chain,
    discriminated_union,
    enum,
    mapping,
    nullable,
    number,
    object_,
    string,
    union,
)

PARAMS: Mapping[ResponsesParam, Validator] = {
    "temperature": nullable(number(0, 2)),
    "top_p": number(0.01, 1),
}
check_complete("validation.responses.PARAMS", PARAMS, ResponsesParam)


def _builtin_tools() -> dict[BuiltinTool, Validator]:
    place = object_(
        {"type": enum("approximate")},
        {"city": TEXT, "country": TEXT, "region": TEXT, "timezone": TEXT},
    )
    search = typed(
        {},
        {"search_context_size": enum("low", "medium", "high"), "user_location": nullable(place)},
    )
    return {
        "web_search_preview": search,
        "web_search_preview_2025_03_11": search,
        "mcp": typed(
            {"server_label": string(min=1), "server_url": string(min=1)},
            {
                "allowed_tools": any_,
                "headers": nullable(mapping(string())),
                "require_approval": any_,
            },
        ),
        "local_shell": typed({}),
        "code_interpreter": typed({}, {"container": any_}),
    }


check_complete("validation.responses tools", _builtin_tools(), BuiltinTool)


def _tools(features: ResponsesFeatures, live: bool) -> Validator:
    needed: dict[str, Validator] = {"name": TOOL_NAME, "parameters": parameters}
    optional: dict[str, Validator] = {"description": string()}
    (optional if live else needed)["strict"] = nullable(boolean) if live else boolean
    function = chain(typed(needed, optional), strict_parameters("parameters"))
    kinds: dict[str, Validator] = {"function": function}
    kinds |= {kind: tool for kind, tool in _builtin_tools().items() if kind in features.tools}
    return array(discriminated_union("type", kinds), max=MAX_TOOLS)


def _tool_choice() -> Validator:
    builtin = object_({"type": any_})
    kinds = dict.fromkeys(
        (
            "web_search_preview",
            "web_search_preview_2025_03_11",
            "computer_use_preview",
            "code_interpreter",
            "mcp",
        ),
        builtin,
    )
    kinds["function"] = object_({"type": any_, "name": TOOL_NAME})
    return union(
        {"string": enum("none", "auto", "required"), "object": discriminated_union("type", kinds)}
    )


def _text() -> Validator:
    schema = chain(
        object_(
            {
                "type": any_,
                "name": string(min=1, max=64, pattern="[A-Za-z0-9_-]+", message="Invalid name"),
                "schema": mapping(any_),
            },
            {"strict": nullable(boolean), "description": string()},
        ),
        strict_parameters("schema"),
    )
    plain = object_({"type": any_}, closed=True)
    kinds = {"text": plain, "json_object": plain, "json_schema": schema}
    return object_({"format": discriminated_union("type", kinds)})


def _by_model(features: ResponsesFeatures) -> dict[str, Validator]:
    found: dict[str, Validator] = {name: PARAMS[name] for name in features.params}
    if features.efforts:
        inner = {
            "effort": nullable(enum(*features.efforts)),
            "summary": nullable(enum("auto", "concise", "detailed")),
        }
        found["reasoning"] = nullable(object_({}, inner))
    return found


@cache
def responses_members(features: ResponsesFeatures, live: bool) -> Mapping[str, Validator]:
    """The known members of a request body."""
    items = array(item_check(features, live), min=1)
    includes = enum(
        "message.input_image.image_url",
        "computer_call_output.output.image_url",
        "reasoning.encrypted_content",
        "code_interpreter_call.outputs",
    )
    prompt = object_(
        {"id": string(min=1)},
        {"variables": nullable(mapping(any_)), "version": TEXT},
    )
    return {
        "model": string(min=1),
        "input": union({"string": string(), "array": items}),
        "background": boolean,
        "instructions": TEXT,
        "include": nullable(array(includes)),
        "max_output_tokens": number(16, integer=True),
        "previous_response_id": TEXT,
        "prompt": nullable(prompt),
        "store": nullable(boolean),
        "stream": nullable(boolean),
        "text": _text(),
        "truncation": enum("auto", "disabled"),
        "tools": _tools(features, live),
        "tool_choice": _tool_choice(),
        "parallel_tool_calls": nullable(boolean),
        **_by_model(features),
    }


@cache
def responses_body(features: ResponsesFeatures, live: bool) -> Validator:
    """The validator of a request body."""
    members = responses_members(features, live)
    required = {name: members[name] for name in ("model", "input")}
    return object_(required, members, closed=not live)
