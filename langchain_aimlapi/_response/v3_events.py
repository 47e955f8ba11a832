"""Encodes the core's stream events as LangChain's v3 streaming protocol.

For `stream_events(version="v3")` and LangGraph's streams of that version; other streams use
`to_chunks`. The finished blocks come from the complete reply, not from merged chunks, so a
truncated call ends with exactly the text that was received.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any, cast

from langchain_core.messages import AIMessage

from aimlapi_core import (
    Choice,
    Finished,
    ReasoningDelta,
    Reply,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
)
from langchain_aimlapi._base import PROVIDER
from langchain_aimlapi._response.content_blocks import translate_content
from langchain_aimlapi._response.messages import to_chat_result
from langchain_aimlapi._response.tool_calls import to_tool_call

if TYPE_CHECKING:
    from langchain_protocol.protocol import MessagesData


class V3EventEncoder:
    """Encodes one streamed answer. Feed until Finished, which ends the message."""

    def __init__(self, model: str, message_id: str | None, *, usage: bool) -> None:
        self._model = model
        self._message_id = message_id or ""
        self._usage = usage
        self._started = False
        self._open: dict[Hashable, int] = {}

    def feed(self, event: StreamEvent) -> Iterator[MessagesData]:
        """The protocol events for one event; refusals and citations are sent at the end."""
        for encoded in self._encode(event):
            yield cast("MessagesData", encoded)

    def _encode(self, event: StreamEvent) -> Iterator[dict[str, Any]]:
        if not self._started:
            self._started = True
            metadata = {"provider": PROVIDER, "model": self._model}
            start = {"event": "message-start", "role": "ai", "id": self._message_id}
            yield {**start, "metadata": metadata}
        if isinstance(event, TextDelta):
            yield from self._delta_events("text", {"type": "text", "text": ""}, "text", event.text)
        elif isinstance(event, ReasoningDelta):
            empty = {"type": "reasoning", "reasoning": ""}
            yield from self._delta_events("reasoning", empty, "reasoning", event.text)
        elif isinstance(event, ToolCallDelta):
            head = {"type": "tool_call_chunk", "id": event.id, "name": event.name, "args": ""}
            key = ("call", event.index)
            yield from self._delta_events(
                key, {**head, "index": event.index}, "args", event.arguments
            )
        elif isinstance(event, Finished):
            yield from self._final_events(event.reply)

    def _delta_events(
        self, key: Hashable, empty_block: dict[str, Any], member: str, text: str
    ) -> Iterator[dict[str, Any]]:
        """The start of a new block, then the delta when it is not empty."""
        if key not in self._open:
            self._open[key] = len(self._open)
            index = self._open[key]
            yield {"event": "content-block-start", "index": index, "content": empty_block}
        if text:
            kind = "tool-call-delta" if member == "args" else f"{member}-delta"
            delta = {"type": kind, member: text}
            yield {"event": "content-block-delta", "index": self._open[key], "delta": delta}

    def _final_events(self, reply: Reply) -> Iterator[dict[str, Any]]:
        message = to_chat_result(reply, self._model).generations[0].message
        assert isinstance(message, AIMessage)
        for key, block in _final_blocks(message, reply):
            if key not in self._open:
                self._open[key] = len(self._open)
                empty_block = {"type": block["type"], **({"value": {}} if "value" in block else {})}
                start = {"event": "content-block-start", "index": self._open[key]}
                yield {**start, "content": empty_block}
            yield {"event": "content-block-finish", "index": self._open[key], "content": block}
        finish: dict[str, Any] = {
            "event": "message-finish",
            "metadata": message.response_metadata,
            "additional_kwargs": message.additional_kwargs,
        }
        if self._usage and message.usage_metadata:
            finish["usage"] = message.usage_metadata
        yield finish


def _final_blocks(message: AIMessage, reply: Reply) -> Iterator[tuple[Hashable, dict[str, Any]]]:
    """The blocks of the complete answer, each with the key of its deltas."""
    choice = reply.choices[0] if reply.choices else Choice(0)
    blocks = cast("list[dict[str, Any]]", translate_content(message))
    for position, block in enumerate(blocks):
        kind = block["type"]
        if kind in ("text", "reasoning"):
            yield kind, block
        elif kind == "non_standard":
            yield position, block
        elif kind == "refusal":
            # Expected: the block is sent unchanged. What happens (langchain-core 1.8.3): its
            # stream drops the unknown type. Alone, that does no harm: the message's content is
            # then empty, and its `content_blocks` are made from `additional_kwargs`. Can go when
            # langchain-core's stream knows the type.
            yield position, block if len(blocks) == 1 else {"type": "non_standard", "value": block}
    for index, call in enumerate(choice.tool_calls):
        yield ("call", index), dict(to_tool_call(call, choice.finish_reason))
