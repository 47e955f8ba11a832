"""Answers of another form than the schema's, for `Fault.answer_error`, `.content_form` and
`.arguments_form`: what gateways send that report a failure after a 200, or parse what they pass on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aimlapi_emulator.faults.fault import Fault

_Json = dict[str, Any]


def _is_odd(fault: Fault) -> bool:
    """Whether the fault changes the form of an answer."""
    return (fault.answer_error, fault.content_form, fault.arguments_form) != (None, "text", "text")


def odd_chat(payload: _Json, fault: Fault) -> _Json:
    """A chat completion or a chunk of one, in the form of the fault."""
    if not _is_odd(fault):
        return payload
    choices = [_odd_choice(choice, fault) for choice in payload.get("choices") or ()]
    found = {**payload, "choices": choices} if choices else payload
    is_end = any(choice.get("finish_reason") for choice in choices)
    return {**found, "error": _error(fault)} if fault.answer_error == "top" and is_end else found


def odd_chat_chunks(chunks: Iterable[_Json], fault: Fault) -> Iterator[_Json]:
    """The chunks of a stream in the form of the fault."""
    return (odd_chat(chunk, fault) for chunk in chunks)


def _odd_choice(choice: _Json, fault: Fault) -> _Json:
    name = "message" if "message" in choice else "delta"
    message = dict(choice[name])
    if message.get("content"):
        message["content"] = _odd_content(message["content"], "text", fault.content_form)
    if message.get("tool_calls"):
        message["tool_calls"] = [_odd_call(call, fault) for call in message["tool_calls"]]
    found = {**choice, name: message}
    if fault.answer_error == "choice" and choice.get("finish_reason"):
        found |= {"error": _error(fault), "finish_reason": "error"}
    return found


def _odd_call(call: _Json, fault: Fault) -> _Json:
    function = call["function"]
    arguments = odd_arguments(function.get("arguments"), fault.arguments_form)
    return {**call, "function": {**function, "arguments": arguments}}


def odd_response(payload: _Json, fault: Fault) -> _Json:
    """A response object, or an event of its stream, in the form of the fault."""
    if not _is_odd(fault):
        return payload
    found = dict(payload)
    if "response" in found:
        found["response"] = odd_response(found["response"], fault)
    if "item" in found:
        found["item"] = _odd_item(found["item"], fault)
    if "delta" in found and found.get("type") == "response.output_text.delta":
        found["delta"] = _odd_content(found["delta"], "output_text", fault.content_form)
    if found.get("object") == "response":
        found["output"] = [_odd_item(item, fault) for item in found["output"]]
        if fault.answer_error == "top" and found["status"] != "in_progress":
            found["error"] = _error(fault)
    return found


def odd_response_events(events: Iterable[_Json], fault: Fault) -> Iterator[_Json]:
    """The events of a response in the form of the fault; arguments come in their item alone."""
    for event in events:
        if fault.arguments_form == "text" or "function_call_arguments" not in event["type"]:
            yield odd_response(event, fault)


def _odd_item(item: _Json, fault: Fault) -> _Json:
    found = dict(item)
    if item["type"] == "message" and item["content"] and "text" in item["content"][0]:
        text = item["content"][0]["text"]
        if fault.content_form != "text":
            found["content"] = _odd_content(text, "output_text", fault.content_form)
    if item["type"] == "function_call":
        found["arguments"] = odd_arguments(item["arguments"], fault.arguments_form)
    is_end = item.get("status") in ("completed", "incomplete")
    if fault.answer_error == "choice" and item["type"] in ("message", "function_call") and is_end:
        found["status"] = "failed"
    return found


def _odd_content(text: str, kind: str, form: str) -> Any:
    forms = {"strings": [text], "part": {"type": kind, "text": text}, "object": {"value": text}}
    return forms.get(form, text)


def odd_arguments(text: str | None, form: str) -> Any:
    """The arguments of a call; as they are where there is no text or no other form."""
    if form == "text" or not text:
        return text
    try:
        value = json.loads(text)
    except ValueError:  # broken by a rule, or a piece of a stream
        return text
    return {"object": value, "list": [value], "number": 5, "null": None}[form]


def _error(fault: Fault) -> Mapping[str, Any]:
    message = fault.message or "Upstream error from the provider"
    return {"code": 502, "message": message, "metadata": {"provider_name": "emulator"}}
