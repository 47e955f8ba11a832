"""What a Responses request may hold, per model family, strict or live.

The families pro and codex have published schemas; gpt-5-2 and chat-latest are listed on
/v1/responses by the live specification alone (https://api.aimlapi.com/docs-yaml, read
2026-08-29). `strict` closes every object and wants an explicit `strict` on function tools.
"""

from __future__ import annotations

from functools import cache

from aimlapi_emulator.validation.chat import MAX_TOOLS, TOOL_NAME, parameters, strict_parameters
from aimlapi_emulator.validation.responses_items import TEXT, WITH_REASONING, item_check, typed
from aimlapi_emulator.validation.validators import (
    Check,
    anything,
    array,
    boolean,
    chain,
    mapping,
    nullable,
    number,
    one_of,
    record,
    string,
    tagged,
    union,
)

_WITH_INTERPRETER = frozenset({"chat-latest", "gpt-5-2"})


def _tools(family: str, live: bool) -> Check:
    needed: dict[str, Check] = {"name": TOOL_NAME, "parameters": parameters}
    optional: dict[str, Check] = {"description": string()}
    (optional if live else needed)["strict"] = nullable(boolean) if live else boolean
    place = record(
        {"type": one_of("approximate")},
        {"city": TEXT, "country": TEXT, "region": TEXT, "timezone": TEXT},
        closed=not live,
    )
    search = typed(
        {},
        {"search_context_size": one_of("low", "medium", "high"), "user_location": nullable(place)},
        live=live,
    )
    kinds: dict[str, Check] = {
        "function": chain(typed(needed, optional, live=live), strict_parameters("parameters")),
        "web_search_preview": search,
        "web_search_preview_2025_03_11": search,
        "mcp": typed(
            {"server_label": string(low=1), "server_url": string(low=1)},
            {
                "allowed_tools": anything,
                "headers": nullable(mapping(string())),
                "require_approval": anything,
            },
            live=live,
        ),
    }
    if family == "codex":
        kinds["local_shell"] = typed({}, live=live)
    if family in _WITH_INTERPRETER:
        kinds["code_interpreter"] = typed({}, {"container": anything}, live=live)
    return array(tagged("type", kinds), low=1, high=MAX_TOOLS)


def _tool_choice() -> Check:
    builtin = record({"type": anything})
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
    kinds["function"] = record({"type": anything, "name": TOOL_NAME})
    return union({"string": one_of("none", "auto", "required"), "object": tagged("type", kinds)})


def _text() -> Check:
    schema = chain(
        record(
            {
                "type": anything,
                "name": string(low=1, high=64, pattern="[A-Za-z0-9_-]+", says="Invalid name"),
                "schema": mapping(anything),
            },
            {"strict": nullable(boolean), "description": string()},
        ),
        strict_parameters("schema"),
    )
    plain = record({"type": anything})
    kinds = {"text": plain, "json_object": plain, "json_schema": schema}
    return record({"format": tagged("type", kinds)})


def _by_family(family: str) -> dict[str, Check]:
    if family not in WITH_REASONING:
        return {}
    efforts = (
        ("none", "low", "medium", "high") if family == "gpt-5-2" else ("low", "medium", "high")
    )
    reasoning = record(
        {},
        {
            "effort": nullable(one_of(*efforts)),
            "summary": nullable(one_of("auto", "concise", "detailed")),
        },
    )
    found: dict[str, Check] = {"reasoning": nullable(reasoning)}
    if family == "gpt-5-2":
        found |= {"temperature": nullable(number(0, 2)), "top_p": number(0.01, 1)}
    return found


@cache
def responses_body(family: str, live: bool) -> Check:
    """The checker of a whole request body."""
    items = array(item_check(family, live), low=1)
    includes = one_of(
        "message.input_image.image_url",
        "computer_call_output.output.image_url",
        "reasoning.encrypted_content",
        "code_interpreter_call.outputs",
    )
    prompt = record(
        {"id": string(low=1)},
        {"variables": nullable(mapping(anything)), "version": TEXT},
        closed=not live,
    )
    return record(
        {"model": string(low=1), "input": union({"string": string(), "array": items})},
        {
            "background": boolean,
            "instructions": TEXT,
            "include": nullable(array(includes)),
            "max_output_tokens": number(16, whole=True),
            "previous_response_id": TEXT,
            "prompt": nullable(prompt),
            "store": nullable(boolean),
            "stream": nullable(boolean),
            "text": _text(),
            "truncation": one_of("auto", "disabled"),
            "tools": _tools(family, live),
            "tool_choice": _tool_choice(),
            "parallel_tool_calls": nullable(boolean),
            **_by_family(family),
        },
        closed=not live,
    )
