"""Long conversations with images, for the size of a request's work."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks.subjects import SUBJECTS

IMAGE_BYTES = 75_000
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT = "A turn of a conversation, about as long as a sentence or two usually are. " * 2


def _image(seed: int) -> str:
    image = _PNG + random.Random(seed).randbytes(IMAGE_BYTES)
    return "data:image/png;base64," + base64.b64encode(image).decode()


def _wire(turns: int, images: int) -> list[dict[str, Any]]:
    """Turns in chat form, user and assistant by turns, images spread over the user's."""
    every = 2 * (turns // (2 * images))
    out: list[dict[str, Any]] = []
    for number in range(turns):
        content: Any = _TEXT
        if number % every == 0 and number // every < images:
            url = {"url": _image(number)}
            content = [{"type": "text", "text": _TEXT}, {"type": "image_url", "image_url": url}]
        out.append({"role": "assistant" if number % 2 else "user", "content": content})
    return out


def made(subject: str, turns: int, images: int) -> tuple[list[Any], int]:
    """A conversation in the subject's own messages, and its size in bytes as a request's body."""
    wire = _wire(turns, images)
    size = len(json.dumps(wire))
    if SUBJECTS[subject].is_llama_index:
        return [_llama_index_message(turn) for turn in wire], size
    convert = import_module("langchain_core.messages").convert_to_messages
    return convert(wire), size


def _llama_index_message(turn: dict[str, Any]) -> Any:
    types = import_module("llama_index.core.base.llms.types")
    if isinstance(turn["content"], str):
        return types.ChatMessage(role=turn["role"], content=turn["content"])
    encoded = turn["content"][1]["image_url"]["url"].partition(",")[2].encode()
    picture = types.ImageBlock(image=encoded, image_mimetype="image/png")
    return types.ChatMessage(role=turn["role"], blocks=[types.TextBlock(text=_TEXT), picture])


def asking(subject: str, model: Any) -> Callable[[list[Any]], Any]:
    """The subject's call with a conversation."""
    call: Callable[[list[Any]], Any] = (
        model.chat if SUBJECTS[subject].is_llama_index else model.invoke
    )
    return call
