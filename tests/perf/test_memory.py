"""What a conversation with images takes in memory: its body, and little beside it."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from benchmarks import conversations, subjects
from benchmarks.server import Answer

MESSAGES, IMAGES = 1000, 20


def _peak(subject: str, origin: str, conversation: list[Any]) -> int:
    model = subjects.made(subject, f"{origin}{Answer().path}/v1")
    ask = conversations.asking(subject, model)
    ask(conversation)
    gc.collect()
    tracemalloc.start()
    try:
        ask(conversation)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _own(given: list[Any], size: int, ours: str, memory: str, origin: str) -> float:
    """Our peak above that of a model in memory, in bodies."""
    return (_peak(ours, origin, given) - _peak(memory, origin, given)) / size


def _with_base64_blocks(message: Any) -> Any:
    """LangChain's own blocks in place of OpenAI's."""
    if isinstance(message.content, str):
        return message
    text, image = message.content
    encoded = image["image_url"]["url"].partition(",")[2]
    block = {"type": "image", "base64": encoded, "mime_type": "image/png"}
    return HumanMessage(content=[text, block])


@pytest.mark.parametrize("form", ["data URLs", "base64"])
def test_langchain_s_images_are_copied_once_into_the_body(form: str, origin: str) -> None:
    given, size = conversations.made("ChatAIMLAPI", MESSAGES, images=IMAGES)
    if form == "base64":
        given = [_with_base64_blocks(message) for message in given]
    assert _own(given, size, "ChatAIMLAPI", "memory", origin) < 1.23


def test_llama_index_s_images_are_copied_once_into_the_body(origin: str) -> None:
    given, size = conversations.made("AIMLAPI", MESSAGES, images=IMAGES)
    assert _own(given, size, "AIMLAPI", "memory LlamaIndex", origin) < 1.23
