"""Converts LlamaIndex messages to core messages. Pure, but for `media`, which reads local files.

Rules: the caller's objects are not changed. Adjacent texts are joined by a newline, as in
`ChatMessage.content`. A tool result is text, so its images and documents move to a user message
after the last tool result of that turn; media that cannot be sent are described in the result,
since no result may end an agent's run. Unknown keys of `additional_kwargs` are ignored on
purpose: other integrations keep their own there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    Image,
    InvalidRequestError,
    Message,
    Part,
    ProviderItem,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    dumps_arguments,
)
from llama_index_aimlapi._request.invalid_calls import explain_invalid_call
from llama_index_aimlapi._request.media import to_file, to_image
from llama_index_aimlapi._request.tool_names import to_wire_tool_name

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
    if role == "user" and not any(not isinstance(p, Text) or p.text.strip() for p in parts):
        raise InvalidRequestError(
            "A user message is empty: give it text, an image or a document, or leave it out."
        )
    if role != "user" and any(isinstance(part, (Image, File)) for part in parts):
        raise InvalidRequestError(
            f"A {role} message holds an image or a document: put it into a user message."
        )
    name = message.additional_kwargs.get("name")
    return Message(role, _join_texts(parts), name=name if isinstance(name, str) else None), []


def _assistant_message(message: ChatMessage, role: Role, parts: list[Part]) -> Converted:
    if any(isinstance(part, (Image, File)) for part in parts):
        raise InvalidRequestError(
            "An assistant message holds an image or a document: put it into a user message."
        )
    extra = message.additional_kwargs
    items = [ProviderItem(item) for item in _as_mappings(extra.get("provider_items"))]
    calls = _tool_calls(message)
    texts = _split_refusal("\n".join(p.text for p in parts if isinstance(p, Text)), extra)
    reasoning = [p for p in parts if isinstance(p, Reasoning)]
    return Message(role, (*reasoning, *items, *texts, *calls)), []


def _tool_message(message: ChatMessage, role: Role, parts: list[Part]) -> Converted:
    call_id = message.additional_kwargs.get("tool_call_id")
    media: list[Part] = [part for part in parts if isinstance(part, (Image, File))]
    text = explain_invalid_call("\n".join(p.text for p in parts if isinstance(p, Text)))
    if media:
        text = text or "The result is in the next user message."
        media = [Text(f"From the result of tool call {call_id}:"), *media]
    call_id = call_id if isinstance(call_id, str) else None
    return Message(role, (Text(text),), tool_call_id=call_id), media


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
        try:
            parts += _block(block, role)
        except InvalidRequestError as exc:
            if role != "tool" or isinstance(block, ToolCallBlock):
                raise
            parts.append(Text(f"({exc})"))
    return parts


def _block(block: Any, role: Role) -> list[Part]:
    for kind in type(block).__mro__:
        if kind in _BLOCK_CONVERTERS:
            return _BLOCK_CONVERTERS[kind](block, role)
    raise InvalidRequestError(
        f"The {block.block_type} block cannot be sent: the service takes text, images and PDF "
        "documents."
    )


def _text(block: TextBlock, role: Role) -> list[Part]:
    return [Text(block.text)]


def _thinking(block: ThinkingBlock, role: Role) -> list[Part]:
    # Only the service's own reasoning goes back to it; another provider's would be refused.
    opaque = block.additional_information.get(REASONING_KEY)
    return [Reasoning(block.content or "", opaque)] if isinstance(opaque, Mapping) else []


def _citable(block: CitableBlock, role: Role) -> list[Part]:
    inner = [part for child in block.content for part in _block(child, role)]
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
    return []  # `_tool_calls` reads them together with the older list


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


def _tool_calls(message: ChatMessage) -> list[ToolCall]:
    """The calls of an assistant message: its blocks, else the list in `additional_kwargs`."""
    rows = _as_mappings(message.additional_kwargs.get("tool_calls"))
    legacy = [_call_from_dict(row) for row in rows]
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not blocks:
        return legacy
    by_id = {call.id: call for call in legacy}
    return [_call_from_block(block, by_id) for block in blocks]


def tool_call_blocks(message: ChatMessage) -> list[ToolCallBlock]:
    """The calls of a response as blocks: its own, else the list in `additional_kwargs`."""
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    rows = [] if blocks else _as_mappings(message.additional_kwargs.get("tool_calls"))
    functions = [(row.get("id"), row["function"]) for row in rows if row.get("function")]
    return blocks or [
        ToolCallBlock(
            tool_call_id=call_id,
            tool_name=function.get("name") or "",
            tool_kwargs=function.get("arguments") or "",
        )
        for call_id, function in functions
    ]


def _call_from_block(block: ToolCallBlock, legacy: Mapping[str, ToolCall]) -> ToolCall:
    arguments = block.tool_kwargs
    # Integrations without call ids use the tool's name in their results' tool_call_id.
    call_id = block.tool_call_id or block.tool_name
    dumped = legacy.get(call_id)
    return ToolCall(
        id=call_id,
        name=to_wire_tool_name(block.tool_name),
        arguments=arguments if isinstance(arguments, str) else dumps_arguments(arguments),
        item_id=dumped.item_id if dumped else None,
        extra=dumped.extra if dumped else None,
    )


def _call_from_dict(row: Mapping[str, Any]) -> ToolCall:
    function = row.get("function")
    function = function if isinstance(function, Mapping) else {}
    name = str(function.get("name") or "")
    arguments = function.get("arguments")
    return ToolCall(
        id=str(row.get("id") or name),
        name=to_wire_tool_name(name),
        arguments=arguments if isinstance(arguments, str) else dumps_arguments(arguments or {}),
        item_id=row.get("item_id"),
        extra=row.get("extra"),
    )


def _as_mappings(rows: Any) -> list[Mapping[str, Any]]:
    """The items of a list as mappings; pydantic objects of other integrations are dumped."""
    if not isinstance(rows, (list, tuple)):
        return []
    dumped = [row.model_dump() if hasattr(row, "model_dump") else row for row in rows]
    return [row for row in dumped if isinstance(row, Mapping)]
