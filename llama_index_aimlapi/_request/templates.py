"""Prompts that a template filled in: their texts are retrieved ones, and end no run. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ContentBlock, TextBlock

from aimlapi_core._history.half_characters import warn_replaced


def with_whole_characters(text: str) -> str:
    """The text with U+FFFD for halves of characters, of which the first is warned of."""
    return warn_replaced(text, "A prompt made by a template")


def arguments_with_whole_characters(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a template is filled with, its texts as above."""
    return {
        name: with_whole_characters(value) if isinstance(value, str) else value
        for name, value in arguments.items()
    }


def messages_with_whole_characters(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages with U+FFFD for halves of characters; those without any are the same objects."""
    return [_message(message) for message in messages]


def _message(message: ChatMessage) -> ChatMessage:
    blocks = [_block(block) for block in message.blocks]
    same = all(new is old for new, old in zip(blocks, message.blocks, strict=True))
    return message if same else message.model_copy(update={"blocks": blocks})


def _block(block: ContentBlock) -> ContentBlock:
    if not isinstance(block, TextBlock):
        return block
    text = with_whole_characters(block.text)
    return block if text is block.text else block.model_copy(update={"text": text})
