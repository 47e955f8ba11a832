"""A request in one form for both endpoints: what was said, which tools, which form is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aimlapi_emulator.validation.media import describe_file, describe_image


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call of an assistant message; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `role` is system, user, assistant or tool."""

    role: str
    text: str = ""
    attachments: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that may be called."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that an answer is made from."""

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    choice: str = "auto"
    forced: str | None = None
    parallel: bool = True
    schema: Mapping[str, Any] | None = None
    json_object: bool = False
    hosted: tuple[Mapping[str, Any], ...] = ()
    """Tools that run at the service's side: web search, MCP."""

    @property
    def last_user(self) -> int:
        """Index of the last user message, -1 when there is none."""
        for index in range(len(self.messages) - 1, -1, -1):
            if self.messages[index].role == "user":
                return index
        return -1

    @property
    def user_text(self) -> str:
        """Text of the last user message."""
        index = self.last_user
        return self.messages[index].text if index >= 0 else ""

    @property
    def turn(self) -> tuple[Message, ...]:
        """What followed the last user message."""
        return self.messages[self.last_user + 1 :]

    @property
    def system_text(self) -> str:
        """All system and developer texts."""
        return "\n\n".join(m.text for m in self.messages if m.role == "system" and m.text)

    def turn_calls(self) -> list[Call]:
        """Calls made in this turn, in order."""
        return [call for message in self.turn for call in message.calls]

    def turn_results(self) -> list[tuple[str, str]]:
        """(tool name, result) of this turn, in order."""
        names = {call.id: call.name for message in self.messages for call in message.calls}
        return [(names.get(m.call_id, "tool"), m.text) for m in self.turn if m.role == "tool"]


_ROLES = {"developer": "system"}


def _read_content(content: Any) -> tuple[str, tuple[str, ...]]:
    if isinstance(content, str):
        return content, ()
    texts: list[str] = []
    attachments: list[str] = []
    for part in content or ():
        kind = part.get("type")
        if kind in ("text", "input_text", "output_text"):
            texts.append(part["text"])
        elif kind == "refusal":
            texts.append(part["refusal"])
        elif kind == "image_url":
            attachments.append(describe_image(part["image_url"]["url"]))
        elif kind == "input_image":
            attachments.append(describe_image(part.get("image_url") or "no url"))
        elif kind in ("file", "input_file"):
            attachments.append(describe_file(part.get("file") or part))
    return "\n".join(texts), tuple(attachments)


def _text(value: Any) -> str:
    """A text or an id; of a body that breaks the schema it may be anything, and is empty then."""
    return value if isinstance(value, str) else ""


def _call(call_id: Any, made: Mapping[str, Any]) -> Call:
    return Call(_text(call_id), _text(made["name"]), _text(made["arguments"]))


def _chat_message(raw: Mapping[str, Any]) -> Message:
    text, attachments = _read_content(raw.get("content"))
    calls = tuple(
        _call(call["id"], call["function"])
        for call in raw.get("tool_calls") or ()
        if call.get("type") == "function"
    )
    role = _ROLES.get(raw["role"], raw["role"])
    return Message(role, text, attachments, calls, _text(raw.get("tool_call_id")))


def _tool(raw: Mapping[str, Any]) -> Tool:
    return Tool(_text(raw["name"]), raw.get("description") or "", raw.get("parameters") or {})


def _choice(raw: Any) -> tuple[str, str | None]:
    if isinstance(raw, str):
        return raw, None
    if isinstance(raw, dict):
        if raw.get("type") == "allowed_tools":
            return raw["allowed_tools"]["mode"], None
        name = raw.get("name") or (raw.get("function") or {}).get("name")
        return ("required", name) if name else ("required", None)
    return "auto", None


def from_chat(body: Mapping[str, Any]) -> Prompt:
    """The prompt of a valid chat completion request."""
    choice, forced = _choice(body.get("tool_choice"))
    form = body.get("response_format") or {}
    schema = (form.get("json_schema") or {}).get("schema")
    return Prompt(
        messages=tuple(map(_chat_message, body["messages"])),
        tools=tuple(_tool(t["function"]) for t in body.get("tools") or () if "function" in t),
        choice=choice,
        forced=forced,
        parallel=body.get("parallel_tool_calls", True) is not False,
        schema=schema,
        json_object=form.get("type") in ("json_object", "json_schema") and schema is None,
    )


def _items(items: Iterable[Mapping[str, Any]]) -> list[Message]:
    """Messages of Responses input items; calls join the assistant message before them."""
    found: list[Message] = []
    for item in items:
        kind = item.get("type") or ("message" if "role" in item else "item_reference")
        if kind == "message":
            text, attachments = _read_content(item["content"])
            role = item["role"]
            found.append(Message(_ROLES.get(role, role), text, attachments))
        elif kind == "function_call":
            call = _call(item["call_id"], item)
            if found and found[-1].role == "assistant":
                last = found.pop()
                call_message = Message("assistant", last.text, (), (*last.calls, call))
            else:
                call_message = Message("assistant", calls=(call,))
            found.append(call_message)
        elif kind == "function_call_output":
            text, attachments = _read_content(item["output"])
            found.append(Message("tool", text, attachments, call_id=_text(item["call_id"])))
    return found


def input_items(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The `input` of a Responses request as a list of items."""
    given = body["input"]
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return list(given)


def from_responses(body: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]]) -> Prompt:
    """The prompt of a valid Responses request; `earlier` items stand before its input."""
    choice, forced = _choice(body.get("tool_choice"))
    form = (body.get("text") or {}).get("format") or {}
    messages = _items([*earlier, *input_items(body)])
    if body.get("instructions"):
        messages.insert(0, Message("system", _text(body["instructions"])))
    tools = body.get("tools") or ()
    return Prompt(
        messages=tuple(messages),
        tools=tuple(_tool(t) for t in tools if t["type"] == "function"),
        choice=choice,
        forced=forced,
        parallel=body.get("parallel_tool_calls") is not False,
        schema=form.get("schema"),
        json_object=form.get("type") == "json_object",
        hosted=tuple(t for t in tools if t["type"] != "function"),
    )


def as_json(value: Any) -> str:
    """Compact JSON text with raw UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
