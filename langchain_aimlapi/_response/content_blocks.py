"""Translates this provider's messages to LangChain's v1 `content_blocks`.

Order: reasoning, text with its citations, refusal, tool calls, what the service ran itself.
Block indexes are strings ("lc_txt_0"): langchain-core merges blocks by index, and a number
would merge the text with the first tool call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages import content as types
from langchain_core.messages.block_translators import register_translator

from langchain_aimlapi._base import PROVIDER

# From langchain-core 1.7.5 on; its parsers look for this block.
_HAS_REFUSAL_BLOCKS = "refusal" in types.KNOWN_BLOCK_TYPES


def register() -> None:
    """Make `AIMessage.content_blocks` use this module for messages of this provider."""
    register_translator(PROVIDER, translate_content, translate_content_chunk)


def translate_content(message: AIMessage) -> list[types.ContentBlock]:
    """The blocks of a complete message."""
    return _typed(
        [*_text_blocks(message), *_tool_call_blocks(message), *_provider_item_blocks(message)]
    )


def translate_content_chunk(chunk: AIMessageChunk) -> list[types.ContentBlock]:
    """The blocks of a chunk, or of the sum of all chunks, whose tool calls are parsed."""
    if chunk.chunk_position == "last":
        blocks = cast("list[dict[str, Any]]", translate_content(chunk))
        is_alone = not (chunk.content or chunk.tool_call_chunks)  # no sum, which needs no places
        return _typed([_indexed(b, at) if is_alone else b for at, b in enumerate(blocks)])
    spoken = [{**block, "index": f"lc_{block['type']}"} for block in _text_blocks(chunk)]
    return _typed([*spoken, *_tool_call_chunk_blocks(chunk)])


def _indexed(block: dict[str, Any], position: int) -> dict[str, Any]:
    """A block of the last chunk with its place in the sum.

    Its citations belong to the text of the chunks before it; what the service ran are blocks of
    their own, which langchain-core would number, and so merge, by their type.
    """
    if block.get("text") == "":
        return {**block, "index": "lc_text"}
    return {**block, "index": f"lc_item_{position}"} if block["type"] == "non_standard" else block


def _typed(blocks: list[dict[str, Any]]) -> list[types.ContentBlock]:
    return cast("list[types.ContentBlock]", blocks)


def _text_blocks(message: AIMessage) -> Iterator[dict[str, Any]]:
    extra = message.additional_kwargs
    if isinstance(extra.get("reasoning_content"), str):
        yield {"type": "reasoning", "reasoning": extra["reasoning_content"]}
    text = message.content if isinstance(message.content, str) else str(message.text)
    citations = [_citation(c) for c in extra.get("annotations") or () if isinstance(c, Mapping)]
    if text or citations:
        annotations = {"annotations": citations} if citations else {}
        yield {"type": "text", "text": text, **annotations}
    if extra.get("refusal") and isinstance(extra["refusal"], str):
        refusal = {"type": "refusal", "refusal": extra["refusal"]}
        yield refusal if _HAS_REFUSAL_BLOCKS else {"type": "non_standard", "value": refusal}


def _tool_call_blocks(message: AIMessage) -> Iterator[dict[str, Any]]:
    for call in message.tool_calls:
        yield {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
    for invalid_call in message.invalid_tool_calls:
        yield {**invalid_call, "type": "invalid_tool_call"}


def _tool_call_chunk_blocks(chunk: AIMessageChunk) -> Iterator[dict[str, Any]]:
    for call in chunk.tool_call_chunks:
        yield {**call, "type": "tool_call_chunk", "index": f"lc_call_{call.get('index') or 0}"}


def _provider_item_blocks(message: AIMessage) -> Iterator[dict[str, Any]]:
    for item in message.additional_kwargs.get("provider_items") or ():
        yield {"type": "non_standard", "value": item}


def _citation(wire: Mapping[str, Any]) -> dict[str, Any]:
    """`url_citation`, nested (chat) or flat (responses); other annotations are kept unchanged."""
    nested = wire.get("url_citation")
    inner = nested if isinstance(nested, Mapping) else wire
    if wire.get("type") != "url_citation" or not inner.get("url"):
        return {"type": "non_standard_annotation", "value": dict(wire)}
    names = ("url", "title", "start_index", "end_index")
    return {"type": "citation", **{n: inner[n] for n in names if inner.get(n) is not None}}
