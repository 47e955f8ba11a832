"""Cross-field validation of requests: tools, tool results, streaming and logprobs options.

It runs after a request has passed its schema. The service passes such bodies on to its upstream,
which refuses them with a 400.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aimlapi_emulator.validation.validators import Problem


def _problem(path: str, reason: str) -> Problem:
    return Problem(path, reason, "custom")


def _check_tools(body: Mapping[str, Any], names: Sequence[str]) -> Iterable[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield _problem("tools", f"Tool names must be unique, {name!r} is not")
    choice = body.get("tool_choice")
    wanted = None
    if isinstance(choice, dict) and choice.get("type") == "function":
        wanted = choice.get("name") or (choice.get("function") or {}).get("name")
    if wanted is not None and wanted not in names:
        yield _problem("tool_choice", f"Tool choice {wanted!r} not found in 'tools'")


# OpenAI's refusals, as reported (meta-llama/PurpleLlama#94, ultimatejimmy/xray.koplugin#33 of chat;
# miracodeai/mira#267 of Responses, whose `instructions` do not count; seen 2026-11-29). The word
# may be in any message, also in a tool's arguments or result, in any case, and a part of another.
_CHAT_WITHOUT_JSON = (
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
    "'json_object'."
)
_INPUT_WITHOUT_JSON = (
    "Response input messages must contain the word 'json' in some form to use 'text.format' of "
    "type 'json_object'."
)
_MEDIA = ("image_url", "file", "file_data")


def _has_word_json(value: Any) -> bool:
    if isinstance(value, str):
        return "json" in value.lower()
    if isinstance(value, dict):
        return any(_has_word_json(inner) for key, inner in value.items() if key not in _MEDIA)
    return isinstance(value, list | tuple) and any(map(_has_word_json, value))


def check_chat_fields(body: Mapping[str, Any], *, needs_word_json: bool = True) -> list[Problem]:
    """Problems across the fields of a chat completion request.

    `needs_word_json`: whether its model takes `json_object` only where a message has that word.
    """
    names = [tool["function"]["name"] for tool in body.get("tools", ()) if "function" in tool]
    found = [
        _problem(key, f"'{key}' is only allowed when 'tools' are specified")
        for key in ("tool_choice", "parallel_tool_calls")
        if "tools" not in body and body.get(key) is not None
    ]
    if "tools" in body:
        found += _check_tools(body, names)
    if "stream_options" in body and not body.get("stream"):
        found.append(
            _problem("stream_options", "'stream_options' is only allowed when 'stream' is enabled")
        )
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        found.append(_problem("top_logprobs", "'top_logprobs' needs 'logprobs' to be true"))
    is_json = needs_word_json and (body.get("response_format") or {}).get("type") == "json_object"
    if is_json and not _has_word_json(body["messages"]):
        found.append(_problem("messages", _CHAT_WITHOUT_JSON))
    return found + list(_check_tool_results(body["messages"]))


def _check_tool_results(messages: Sequence[Mapping[str, Any]]) -> Iterable[Problem]:
    waiting: list[str] = []
    answered: dict[str, int] = {}  # by call id: the index of its result
    for index, message in enumerate(messages):
        path = f"messages.{index}"
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                text = (
                    "A tool message must answer a preceding call of 'tool_calls'; no call has id "
                )
                yield _problem(f"{path}.tool_call_id", text + repr(message["tool_call_id"]))
            elif message["tool_call_id"] in answered:  # agno-agi/agno#5116, seen 2026-11-29
                first, call_id = answered[message["tool_call_id"]], message["tool_call_id"]
                text = (
                    f"Duplicate value for 'tool_call_id' of '{call_id}', in messages[{first}] and "
                )
                yield _problem(f"{path}.tool_call_id", f"{text}messages[{index}]")
            else:
                waiting.remove(message["tool_call_id"])
                answered[message["tool_call_id"]] = index
            continue
        if waiting:
            yield _missing_results(path, waiting)
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
        answered = {}
        if message["role"] == "assistant" and not (
            waiting or message.get("content") is not None or message.get("refusal")
        ):
            yield _problem(path, "An assistant message needs 'content' or 'tool_calls'")
    if waiting:
        yield _missing_results("messages", waiting)


def _missing_results(path: str, waiting: Sequence[str]) -> Problem:
    text = "'tool_calls' must be followed by tool messages that answer each call; unanswered: "
    return _problem(path, text + ", ".join(waiting))


def check_responses_fields(
    body: Mapping[str, Any],
    known_calls: Iterable[str] | None,
    earlier: Sequence[Mapping[str, Any]] = (),
) -> list[Problem]:
    """Problems across the fields of a Responses request.

    `known_calls`: ids of unanswered calls in the previous response; None if there is no such
    response, which is the request's only problem then. `earlier`: its items, which are input too.
    """
    tools = body.get("tools", ())
    names = [tool["name"] for tool in tools if tool["type"] == "function"]
    found = list(_check_tools(body, names))
    if body.get("tool_choice") == "required" and not tools:
        found.append(_problem("tool_choice", "Tool choice 'required' needs 'tools'"))
    if known_calls is not None:
        found += _check_outputs(body["input"], known_calls)
    form = (body.get("text") or {}).get("format") or {}
    if form.get("type") == "json_object" and not _has_word_json([*earlier, body["input"]]):
        found.append(_problem("input", _INPUT_WITHOUT_JSON))
    return found


def _check_outputs(items: Any, known_calls: Iterable[str]) -> Iterable[Problem]:
    unanswered_calls = list(known_calls)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        kind = item.get("type")
        if kind == "function_call":
            unanswered_calls.append(item["call_id"])
        elif kind == "function_call_output":
            if item["call_id"] not in unanswered_calls:
                text = f"No function call found with call_id {item['call_id']!r}"
                yield _problem(f"input.{index}.call_id", text)
            else:
                unanswered_calls.remove(item["call_id"])
    for call_id in unanswered_calls:
        yield _problem("input", f"No tool output found for function call {call_id}")
