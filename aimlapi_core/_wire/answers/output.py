"""Decodes the output items of a response into parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aimlapi_core._json_reading import (
    arguments_text,
    as_mappings,
    nonempty_str,
    without_placeholders,
)
from aimlapi_core._wire.answers.content import (
    UnreadableError,
    arguments_of,
    content_parts,
    is_nothing,
    lenient_parts,
    lenient_text,
    read_part,
)
from aimlapi_core.types import Part, ProviderItem, Reasoning, Refusal, Text, ToolCall

# Between two messages, or two reasoning summaries, of one response.
SEPARATOR = "\n\n"

# Items that are calls of the program's functions, with the member of their arguments. A custom
# tool's input is a text, so its call is invalid.
CALL_TYPES = {"function_call": "arguments", "custom_tool_call": "input"}
# For `in`: a type of another JSON type may not be hashable.
CALL_TYPE_NAMES = tuple(CALL_TYPES)


def parse_output(output: Any) -> tuple[Part, ...]:
    """The parts of an output in order; the text of all messages is joined in one Text."""
    parts: list[Part] = []
    texts: list[str] = []
    citations: list[Mapping[str, Any]] = []
    text_at = -1
    for item in as_mappings(output):
        kind = item.get("type")
        if is_message(item):
            rows = message_parts(item)
            contents = [read_part(row) for row in rows]
            message_text = "".join(content.text for content in contents)
            refusal = "".join(content.refusal for content in contents)
            if reasoning := "".join(content.reasoning for content in contents):
                parts.append(Reasoning(reasoning))
            citations += [c for row in rows for c in as_mappings(row.get("annotations"))]
            texts += [message_text] if message_text else []
            if text_at < 0 and (message_text or citations):
                text_at = len(parts)
                parts.append(Text(""))
            if refusal:
                parts.append(Refusal(refusal))
        elif kind in CALL_TYPE_NAMES:
            parts.append(to_tool_call(item, text_before=len(SEPARATOR.join(texts))))
        elif kind == "reasoning":
            rows = [*lenient_parts(item.get("summary")), *lenient_parts(item.get("content"))]
            reasoning = SEPARATOR.join(filter(None, (lenient_text(r.get("text")) for r in rows)))
            parts.append(Reasoning(reasoning, item))
        elif kind:
            parts.append(ProviderItem(item))
    if text_at >= 0:
        parts[text_at] = Text(SEPARATOR.join(texts), tuple(citations))
    return tuple(parts)


def is_message(item: Mapping[str, Any]) -> bool:
    """Whether an item is a message, by its type or by what it holds."""
    return item.get("type") == "message" or any(
        part.get("type") in ("output_text", "refusal") for part in as_mappings(item.get("content"))
    )


def to_tool_call(item: Mapping[str, Any], text_before: int = 0) -> ToolCall:
    """The call of an item of CALL_TYPES."""
    return ToolCall(
        id=call_id_of(item),
        name=nonempty_str(item.get("name")) or "",
        arguments=_call_arguments(item),
        item_id=nonempty_str(item.get("id")),
        text_before=text_before,
    )


def call_id_of(item: Mapping[str, Any]) -> str:
    """The id by which a result names its call."""
    return nonempty_str(item.get("call_id")) or nonempty_str(item.get("id")) or ""


def _call_arguments(item: Mapping[str, Any]) -> str:
    kind = str(item["type"])
    arguments = arguments_text(item_arguments(item))
    if kind == "custom_tool_call":  # may be a JSON object, and is no function's
        return json.dumps(arguments, ensure_ascii=False)
    return without_placeholders(arguments)


def item_arguments(item: Mapping[str, Any]) -> Any:
    """The arguments, or the input, of an item of CALL_TYPES, of any type."""
    return arguments_of(item) if item["type"] == "function_call" else item.get("input")


def message_parts(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parts of a message's content. Raises UnreadableError."""
    return content_parts(item.get("content") or item.get("text"))


def output_items(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The output items; `output_text` becomes a message if there is none.

    Raises UnreadableError.
    """
    output = response.get("output")
    rows = output if isinstance(output, list) else [output]
    items = [readable_item(row) for row in rows if not is_nothing(row)]
    output_text = response.get("output_text")
    if output_text and not any(item.get("type") == "message" for item in items):
        return [*items, {"type": "message", "content": output_text}]
    return items


def readable_item(item: Any) -> Mapping[str, Any]:
    """An output item with its type; a text, or a part of a content alone, becomes a message.

    Raises UnreadableError.
    """
    if isinstance(item, str):
        return {"type": "message", "content": item}
    if not isinstance(item, Mapping):
        raise UnreadableError("an output item", item)
    kind = item.get("type")
    if kind in ("output_text", "text", "refusal"):
        return {"type": "message", "content": [item]}
    if not kind:
        if "content" not in item and "text" not in item:
            raise UnreadableError("an output item without a type", item)
        return {**item, "type": "message"}
    if not isinstance(kind, str):
        raise UnreadableError("the type of an output item", kind)
    return item
