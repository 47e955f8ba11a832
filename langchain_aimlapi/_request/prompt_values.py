"""Prompts that a template filled in: their texts are retrieved ones, and end no run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompt_values import ChatPromptValue, PromptValue, StringPromptValue

from aimlapi_core._history.half_characters import warn_replaced

_WHERE = "A prompt made by a template"


def with_whole_characters(prompt: PromptValue) -> PromptValue:
    """The prompt with U+FFFD for halves of characters in users' messages; itself without any.

    The core replaces those in other messages.
    """
    if isinstance(prompt, StringPromptValue):
        text = warn_replaced(prompt.text, _WHERE)
        return prompt if text is prompt.text else StringPromptValue(text=text)
    if not isinstance(prompt, ChatPromptValue):
        return prompt
    messages = [_message(message) for message in prompt.messages]
    same = all(new is old for new, old in zip(messages, prompt.messages, strict=True))
    return prompt if same else ChatPromptValue(messages=messages)


def _message(message: BaseMessage) -> BaseMessage:
    if not isinstance(message, HumanMessage):
        return message
    content: Any = message.content
    if isinstance(content, str):
        replaced: Any = warn_replaced(content, _WHERE)
        return message if replaced is content else message.model_copy(update={"content": replaced})
    if not isinstance(content, list):  # nothing that a message can hold: its own error comes later
        return message
    replaced = [_block(block) for block in content]
    same = all(new is old for new, old in zip(replaced, content, strict=True))
    return message if same else message.model_copy(update={"content": replaced})


def _block(block: Any) -> Any:
    if isinstance(block, str):
        return warn_replaced(block, _WHERE)
    text = block.get("text") if isinstance(block, Mapping) else None
    if not isinstance(text, str):
        return block
    replaced = warn_replaced(text, _WHERE)
    return block if replaced is text else {**block, "text": replaced}
