"""`content_blocks` of this provider's messages, as LangChain's v1 blocks.

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
_REFUSALS_ARE_KNOWN = "refusal" in types.KNOWN_BLOCK_TYPES


def register() -> None:
    """Make `AIMessage.content_blocks` use this module for messages of this provider."""
    register_translator(PROVIDER, blocks_of, blocks_of_chunk)


def blocks_of(message: AIMessage) -> list[types.ContentBlock]:
    """The blocks of a whole message."""
    return _typed([*_spoken(message), *_calls(message), *_items(message)])


def blocks_of_chunk(chunk: AIMessageChunk) -> list[types.ContentBlock]:
    """The blocks of a piece, or of the sum of all pieces, whose tool calls are parsed."""
    if chunk.chunk_position == "last":
        return blocks_of(chunk)
    spoken = [{**block, "index": f"lc_{block['type']}"} for block in _spoken(chunk)]
    return _typed([*spoken, *_call_pieces(chunk)])


def _typed(blocks: list[dict[str, Any]]) -> list[types.ContentBlock]:
    return cast("list[types.ContentBlock]", blocks)


def _spoken(message: AIMessage) -> Iterator[dict[str, Any]]:
    extra = message.additional_kwargs
    if isinstance(extra.get("reasoning_content"), str):
        yield {"type": "reasoning", "reasoning": extra["reasoning_content"]}
    text = message.content if isinstance(message.content, str) else str(message.text)
    citations = [_citation(c) for c in extra.get("annotations") or () if isinstance(c, Mapping)]
    if text or citations:
        annotations = {"annotations": citations} if citations else {}
        yield {"type": "text", "text": text, **annotations}
    if isinstance(extra.get("refusal"), str):
        refusal = {"type": "refusal", "refusal": extra["refusal"]}
        yield refusal if _REFUSALS_ARE_KNOWN else {"type": "non_standard", "value": refusal}


def _calls(message: AIMessage) -> Iterator[dict[str, Any]]:
    for call in message.tool_calls:
        yield {"type": "tool_call", "id": call["id"], "name": call["name"], "args": call["args"]}
    for cut in message.invalid_tool_calls:
        yield {**cut, "type": "invalid_tool_call"}


def _call_pieces(chunk: AIMessageChunk) -> Iterator[dict[str, Any]]:
    for piece in chunk.tool_call_chunks:
        yield {**piece, "type": "tool_call_chunk", "index": f"lc_call_{piece.get('index') or 0}"}


def _items(message: AIMessage) -> Iterator[dict[str, Any]]:
    for item in message.additional_kwargs.get("provider_items") or ():
        yield {"type": "non_standard", "value": item}


def _citation(wire: Mapping[str, Any]) -> dict[str, Any]:
    """`url_citation`, nested as on chat or flat as on responses; others stay as they are."""
    nested = wire.get("url_citation")
    inner = nested if isinstance(nested, Mapping) else wire
    if wire.get("type") != "url_citation" or not inner.get("url"):
        return {"type": "non_standard_annotation", "value": dict(wire)}
    names = ("url", "title", "start_index", "end_index")
    return {"type": "citation", **{n: inner[n] for n in names if inner.get(n) is not None}}
