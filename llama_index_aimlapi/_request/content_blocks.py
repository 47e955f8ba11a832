"""Converts LlamaIndex's content blocks to core parts, and JSON that no object of its stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    BaseContentBlock,
    CachePoint,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from aimlapi_core import HistoryWarning, InvalidRequestError, Part, Reasoning, Role, Text
from aimlapi_core._values.nearest_json import nearest_json
from aimlapi_core._values.warn_once import warn_once
from llama_index_aimlapi._request.media import to_file, to_image

# Key of the provider's reasoning data in a ThinkingBlock; other integrations use other keys.
REASONING_KEY = "aimlapi"

_MEDIA = re.compile("image|audio|video|file|document|media", re.IGNORECASE)


def assistant_parts(block: Any) -> list[Part]:
    """No block of an assistant is an error: a user cannot take it out of a memory."""
    if isinstance(block, (ImageBlock, DocumentBlock, AudioBlock, VideoBlock)):
        name = f": {block.title}" if isinstance(block, DocumentBlock) and block.title else ""
        return [Text(f"({block.block_type} made by the assistant{name})")]
    try:
        return to_parts(block, "assistant")
    except InvalidRequestError:
        if isinstance(block, Mapping) and _MEDIA.search(_kind(block)):
            return [Text(f"({_kind(block)} made by the assistant)")]
        warn_left_out(f"A block of type {_kind(block)!r}")
        return []


def warn_left_out(what: str, of: str = "assistant") -> None:
    warn_once(
        (f"{of} block", what),
        f"{what} was left out: AI/ML API takes no such thing from {'a' if of[0] == 't' else 'an'} "
        f"{of}.",
        HistoryWarning,
    )


def to_parts(block: Any, role: Role) -> list[Part]:
    for kind in type(block).__mro__:
        if kind in _BLOCK_CONVERTERS:
            return _BLOCK_CONVERTERS[kind](block, role)
    if role == "tool" and not isinstance(block, BaseContentBlock):
        return [Text(json.dumps(nearest_json(block)[0], ensure_ascii=False))]
    if isinstance(block, Mapping) and block.get("type") == "tool_result":
        raise InvalidRequestError(
            "A block of type 'tool_result' is the result of a tool: send it as "
            "ChatMessage(role='tool', additional_kwargs={'tool_call_id': ...})."
        )
    raise InvalidRequestError(
        f"The {_kind(block)} block cannot be sent: send text, images or PDF documents, or take "
        "the block out."
    )


def _kind(block: Any) -> str:
    """The type of a block of any kind."""
    if isinstance(block, Mapping):
        return str(block.get("type") or block.get("block_type") or next(iter(block), "empty"))
    return getattr(block, "block_type", None) or type(block).__name__.removesuffix("Type")


def _text(block: TextBlock, role: Role) -> list[Part]:
    return [Text(block.text)]


def _thinking(block: ThinkingBlock, role: Role) -> list[Part]:
    # Only the service's own reasoning goes back to it; another provider's would be refused.
    opaque = block.additional_information.get(REASONING_KEY)
    if isinstance(opaque, Mapping):
        return [Reasoning(block.content or "", opaque)]
    if block.additional_information:  # as others keep their signatures there
        warn_left_out("Reasoning of another provider")
    return []


def _citable(block: CitableBlock, role: Role) -> list[Part]:
    children = block.content
    if role == "assistant":
        inner = [part for child in children for part in assistant_parts(child)]
    else:
        inner = [part for child in children for part in to_parts(child, role)]
    return [Text(f"{block.title} ({block.source})"), *inner]


def _citation(block: CitationBlock, role: Role) -> list[Part]:
    if role == "assistant":  # it quotes the message's own text, which is sent already
        return []
    cited = to_parts(block.cited_content, role)
    return [Text(f"{block.title} ({block.source})"), *cited]


def _call(block: ToolCallBlock, role: Role) -> list[Part]:
    if role == "tool":
        warn_left_out(f"The call of {block.tool_name!r} in a tool's message", "tool message")
    elif role != "assistant":
        raise InvalidRequestError(
            f"A {role} message holds the call of tool {block.tool_name!r}: only assistant "
            "messages can. Put it into one, or take the block out."
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
