"""Converts LlamaIndex messages to core messages. Pure, but for `media`, which reads local files.

Rules: the caller's objects are not changed. Adjacent texts are joined by a newline, as in
`ChatMessage.content`. A tool result is text, so its images and documents move to a user message
after the last tool result of that turn; media that cannot be sent are described in the result,
since no result may end an agent's run. Unknown keys of `additional_kwargs` are ignored on
purpose: other integrations keep their own there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import (
    AudioBlock,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from aimlapi_core import (
    File,
    HistoryWarning,
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
from aimlapi_core._history.half_characters import replace_half_characters, warn_replaced
from aimlapi_core._values.warn_once import warn_once
from llama_index_aimlapi._request.invalid_calls import explain_invalid_call
from llama_index_aimlapi._request.media import to_file, to_image
from llama_index_aimlapi._request.tool_calls import as_mappings, to_tool_calls

# A message, and media to send in a later user message.
Converted: TypeAlias = tuple[Message, list[Part]]

# Key of the provider's reasoning data in a ThinkingBlock; other integrations use other keys.
REASONING_KEY = "aimlapi"

_ROLES: dict[MessageRole, Role] = {
    MessageRole.SYSTEM: "system",
    MessageRole.DEVELOPER: "developer",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "tool",
}

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
        if not isinstance(message, ChatMessage):
            raise InvalidRequestError(
                f"A message is a ChatMessage, not {type(message).__name__}: {message!r:.80}"
            )
        role = _ROLES[message.role]
        if role != "tool" and pending_media:
            out.append(Message("user", tuple(pending_media)))
            pending_media = []
        try:
            parts = _parts(message, role)
            if role == "tool" and not sees_images:
                parts = [_HIDDEN_IMAGE if isinstance(part, Image) else part for part in parts]
            converted, media = _MESSAGE_CONVERTERS[role](message, role, parts)
        except InvalidRequestError as exc:
            exc.args = (f"messages[{position}]: {exc}",)
            raise
        out.append(converted)
        pending_media += media
    if pending_media:
        out.append(Message("user", tuple(pending_media)))
    return tuple(out)


def _plain_message(message: ChatMessage, role: Role, parts: list[Part]) -> Converted:
    """A system, developer or user message."""
    if role != "user" and any(isinstance(part, (Image, File)) for part in parts):
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
    items = [ProviderItem(item) for item in as_mappings(extra.get("provider_items"))]
    calls = to_tool_calls(message)
    texts = _split_refusal("\n".join(p.text for p in parts if isinstance(p, Text)), extra)
    reasoning = [p for p in parts if isinstance(p, Reasoning)]
    return Message(role, (*reasoning, *items, *texts, *calls)), []


def _tool_message(message: ChatMessage, role: Role, parts: list[Part]) -> Converted:
    call_id = message.additional_kwargs.get("tool_call_id")
    media: list[Part] = [part for part in parts if isinstance(part, (Image, File))]
    text = explain_invalid_call("\n".join(p.text for p in parts if isinstance(p, Text)))
    if media:
        text = text or "The result is in the next user message."
        media = [_with_whole_name(part) for part in media]
        media.insert(0, Text(replace_half_characters(f"From the result of tool call {call_id}:")))
    if isinstance(call_id, str) and call_id:
        return Message(role, (Text(text),), tool_call_id=call_id), media
    name = message.additional_kwargs.get("name")  # of OpenAI's function messages
    return Message(role, (Text(text),), name if isinstance(name, str) else None), media


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
        if role == "assistant":
            parts += _assistant_block(block)
            continue
        try:
            parts += _block(block, role)
        except InvalidRequestError as exc:
            if role != "tool" or isinstance(block, ToolCallBlock):
                raise
            parts.append(Text(f"({exc})"))
    return parts


def _assistant_block(block: Any) -> list[Part]:
    """No block of an assistant is an error: a user cannot take it out of a memory."""
    if isinstance(block, (ImageBlock, DocumentBlock, AudioBlock, VideoBlock)):
        name = f": {block.title}" if isinstance(block, DocumentBlock) and block.title else ""
        return [Text(f"({block.block_type} made by the assistant{name})")]
    try:
        return _block(block, "assistant")
    except InvalidRequestError:
        _warn_left_out(f"A block of type {block.block_type!r}")
        return []


def _warn_left_out(what: str) -> None:
    warn_once(
        ("assistant block", what),
        f"{what} was left out: AI/ML API takes no such thing from an assistant.",
        HistoryWarning,
    )


def _block(block: Any, role: Role) -> list[Part]:
    for kind in type(block).__mro__:
        if kind in _BLOCK_CONVERTERS:
            return _BLOCK_CONVERTERS[kind](block, role)
    raise InvalidRequestError(
        f"The {block.block_type} block cannot be sent: send text, images or PDF documents, or take "
        "the block out."
    )


def _text(block: TextBlock, role: Role) -> list[Part]:
    return [Text(block.text)]


def _thinking(block: ThinkingBlock, role: Role) -> list[Part]:
    # Only the service's own reasoning goes back to it; another provider's would be refused.
    opaque = block.additional_information.get(REASONING_KEY)
    if isinstance(opaque, Mapping):
        return [Reasoning(block.content or "", opaque)]
    if block.additional_information:  # as others keep their signatures there
        _warn_left_out("Reasoning of another provider")
    return []


def _citable(block: CitableBlock, role: Role) -> list[Part]:
    children = block.content
    if role == "assistant":
        inner = [part for child in children for part in _assistant_block(child)]
    else:
        inner = [part for child in children for part in _block(child, role)]
    return [Text(f"{block.title} ({block.source})"), *inner]


def _citation(block: CitationBlock, role: Role) -> list[Part]:
    if role == "assistant":  # it quotes the message's own text, which is sent already
        return []
    cited = _block(block.cited_content, role)
    return [Text(f"{block.title} ({block.source})"), *cited]


def _call(block: ToolCallBlock, role: Role) -> list[Part]:
    if role != "assistant":
        raise InvalidRequestError(
            f"A {role} message holds the call of tool {block.tool_name!r}: only assistant "
            "messages can."
        )
    return []  # `to_tool_calls` reads them together with the older list


def _reject_media(block: AudioBlock | VideoBlock, role: Role) -> list[Part]:
    raise InvalidRequestError(
        f"A {role} message holds {block.block_type}, which GPT-5.2 does not take: send a "
        "transcript as text, or images."
    )


_BLOCK_CONVERTERS: dict[type, Callable[[Any, Role], list[Part]]] = {
    TextBlock: _text,
    ImageBlock: lambda block, role: [to_image(block)],
    DocumentBlock: lambda block, role: [to_file(block)],
    AudioBlock: _reject_media,
    VideoBlock: _reject_media,
    CachePoint: lambda block, role: [],  # the service caches long prompts by itself
    CitableBlock: _citable,
    CitationBlock: _citation,
    ThinkingBlock: _thinking,
    ToolCallBlock: _call,
}


def _join_texts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """`parts` with adjacent texts joined."""
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
