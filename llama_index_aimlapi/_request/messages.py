"""Converts LlamaIndex messages to core messages. Pure, but for `media`, which reads local files.

Rules: the caller's objects are not changed. Adjacent texts are joined by a newline, as in
`ChatMessage.content`. A tool result is text, so its images and documents move to a user message
after the last tool result of that turn; media that cannot be sent are described in the result,
since no result may end an agent's run. Unknown keys of `additional_kwargs` are ignored on
purpose: other integrations keep their own there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import (
    ChatMessage,
    TextBlock,
    ToolCallBlock,
)

from aimlapi_core import (
    File,
    Image,
    InvalidRequestError,
    Message,
    Part,
    ProviderItem,
    Reasoning,
    Refusal,
    Role,
    Text,
)
from aimlapi_core._history.foreign_calls import first_text
from aimlapi_core._history.half_characters import warn_replaced
from aimlapi_core._history.names import ROLES
from aimlapi_core._values.half_characters import replace_half_characters
from llama_index_aimlapi._request.content_blocks import assistant_parts, to_parts, warn_left_out
from llama_index_aimlapi._request.invalid_calls import explain_invalid_call
from llama_index_aimlapi._request.raw_blocks import has_raw_blocks, with_own_blocks
from llama_index_aimlapi._request.tool_calls import as_mappings, to_tool_calls

# A message, and media to send in a later user message.
Converted: TypeAlias = tuple[Message, list[Part]]

# Where other integrations keep the id of the call that a tool message answers.
_RESULT_IDS = ("tool_call_id", "call_id", "tool_use_id", "toolUseId", "toolCallId")
# Where they keep reasoning, and what a provider ran itself.
_NOT_SENT = ("reasoning_content", "thinking", "built_in_tool_calls")

# How results of tools begin that ReActAgent and CodeActAgent put into user messages.
_TOOL_OUTPUTS = ("Observation: ", "Result of executing the code given:")
_HIDDEN_IMAGE = Text("(an image, which this model cannot see)")


def to_messages(history: Sequence[ChatMessage], *, sees_images: bool = True) -> tuple[Message, ...]:
    """The conversation as core messages. Raises InvalidRequestError, naming the message.

    Without `sees_images`, images in tool results are replaced by a text; the core rejects those
    of users.
    """
    out: list[Message] = []
    pending_media: list[Part] = []
    for position, message in enumerate(history):
        try:
            role = ROLES.get(message.role) if isinstance(message, ChatMessage) else None
            if role is None or has_raw_blocks(message):
                found = _unusual(message, sees_images=sees_images)
            else:
                found = [_convert(message, role, sees_images=sees_images)]
            for converted, media in found:
                if converted.role != "tool" and pending_media:
                    out.append(Message("user", tuple(pending_media)))
                    pending_media = []
                out.append(converted)
                pending_media += media
        except InvalidRequestError as exc:
            exc.args = (f"messages[{position}]: {exc}",)
            raise
    if pending_media:
        out.append(Message("user", tuple(pending_media)))
    return tuple(out)


def _unusual(message: Any, *, sees_images: bool) -> list[Converted]:
    """What is no message of LlamaIndex's as its class makes it."""
    if not isinstance(message, ChatMessage):
        raise InvalidRequestError(
            f"A message is a ChatMessage, not {type(message).__name__}: {message!r:.80}"
        )
    role = _role(message)
    messages = with_own_blocks(message, role) if has_raw_blocks(message) else (message,)
    return [_convert(one, _role(one), sees_images=sees_images) for one in messages]


def _role(message: ChatMessage) -> Role:
    """The role of a message, as a stored history may write it too."""
    role = ROLES.get(message.role) or ROLES.get(str(message.role).lower())
    if role is None:
        raise InvalidRequestError(f"Unknown role {message.role!r}: roles are {', '.join(ROLES)}.")
    return role


def _convert(message: ChatMessage, role: Role, *, sees_images: bool) -> Converted:
    parts = _parts(message, role)
    if role == "tool" and not sees_images:
        parts = [_HIDDEN_IMAGE if isinstance(part, Image) else part for part in parts]
    return _MESSAGE_CONVERTERS[role](message, role, parts)


def _plain_message(message: ChatMessage, role: Role, parts: list[Part]) -> Converted:
    """A system, developer or user message."""
    for part in parts if role != "user" else ():
        if isinstance(part, (Image, File)):
            raise InvalidRequestError(
                f"A {role} message holds an image or a document: put it into a user message."
            )
    name = message.additional_kwargs.get("name")
    first = parts[0] if parts and role == "user" else None
    if isinstance(first, Text) and first.text.startswith(_TOOL_OUTPUTS):
        parts = [Text(warn_replaced(first.text, "A tool's result")), *parts[1:]]
    return Message(role, _join_texts(parts), name=name if isinstance(name, str) else None), []


def _assistant_message(message: ChatMessage, role: Role, parts: list[Part]) -> Converted:
    extra = message.additional_kwargs
    items: list[Part] = []
    calls = to_tool_calls(message)
    texts = _split_refusal(_joined(parts), extra)
    if extra:
        items += map(ProviderItem, as_mappings(extra.get("provider_items")))
        spoken = extra.get("tool_plan")
        texts = texts or ([Text(spoken)] if isinstance(spoken, str) and spoken else [])
        for key in _NOT_SENT:
            if extra.get(key):
                warn_left_out(f"{key!r} of additional_kwargs")
    reasoning = [p for p in parts if isinstance(p, Reasoning)]
    return Message(role, (*reasoning, *items, *texts, *calls)), []


def _tool_message(message: ChatMessage, role: Role, parts: list[Part]) -> Converted:
    call_id = message.additional_kwargs.get("tool_call_id")
    if not isinstance(call_id, str) or not call_id:
        call_id = first_text(message.additional_kwargs, _RESULT_IDS) or _echoed_call(message)
    media: list[Part] = [part for part in parts if isinstance(part, (Image, File))]
    text = explain_invalid_call(_joined(parts))
    if media:
        text = text or "The result is in the next user message."
        media = [_with_whole_name(part) for part in media]
        media.insert(0, Text(replace_half_characters(f"From the result of tool call {call_id}:")))
    if call_id:
        return Message(role, (Text(text),), tool_call_id=call_id), media
    name = message.additional_kwargs.get("name")  # of OpenAI's function messages
    return Message(role, (Text(text),), name if isinstance(name, str) else None), media


def _echoed_call(message: ChatMessage) -> str:
    """The id of the call that some programs put beside its result."""
    calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    return (calls[0].tool_call_id or calls[0].tool_name) if len(calls) == 1 else ""


def _with_whole_name(part: Part) -> Part:
    if isinstance(part, File) and part.filename:
        return replace(part, filename=replace_half_characters(part.filename))
    return part


_MESSAGE_CONVERTERS: dict[Role, Callable[[ChatMessage, Role, list[Part]], Converted]] = {
    "system": _plain_message,
    "developer": _plain_message,
    "user": _plain_message,
    "assistant": _assistant_message,
    "tool": _tool_message,
}


def _parts(message: ChatMessage, role: Role) -> list[Part]:
    parts: list[Part] = []
    for block in message.blocks:
        if type(block) is TextBlock:  # as nearly all are
            parts.append(Text(block.text))
            continue
        if role == "assistant":
            if type(block) is not ToolCallBlock:  # `to_tool_calls` reads those
                parts += assistant_parts(block)
            continue
        try:
            parts += to_parts(block, role)
        except InvalidRequestError as exc:
            if role != "tool":
                raise
            parts.append(Text(f"({exc})"))
    return parts


def _joined(parts: Sequence[Part]) -> str:
    """The texts in lines."""
    if len(parts) == 1 and isinstance(parts[0], Text):  # nearly all
        return parts[0].text
    return "\n".join([part.text for part in parts if isinstance(part, Text)])


def _join_texts(parts: Sequence[Part]) -> tuple[Part, ...]:
    """`parts` with adjacent texts joined."""
    if len(parts) == 1:
        return tuple(parts)
    out: list[Part] = []
    for part in parts:
        if isinstance(part, Text) and out and isinstance(last := out[-1], Text):
            out[-1] = Text(f"{last.text}\n{part.text}")
        else:
            out.append(part)
    return tuple(out)


def _split_refusal(text: str, extra: Mapping[str, Any]) -> list[Part]:
    """Text and refusal of a message of this adapter, whose content ends with the refusal."""
    refusal = extra.get("refusal")
    if isinstance(refusal, str) and refusal:
        rest = text.removesuffix(refusal)
        return [*([Text(rest)] if rest else []), Refusal(refusal)]
    return [Text(text)] if text else []
