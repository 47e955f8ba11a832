"""Core replies and stream events to LlamaIndex responses. Pure.

Rules: a message has one TextBlock, which grows; `delta` is only what is new; `raw` is a plain
dict that always has `usage`; the last item of a stream is what the same answer gives unstreamed
(but for `delta`). The words of a refusal are part of the text and stand in `refusal` too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CitationBlock,
    CompletionResponse,
    ContentBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from aimlapi_core import (
    Choice,
    Finished,
    ProviderItem,
    Reasoning,
    ReasoningDelta,
    RefusalDelta,
    Reply,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from aimlapi_core._adapters.model_cloner import Copies
from llama_index_aimlapi._request.messages import OPAQUE
from llama_index_aimlapi._request.prepared import Asked
from llama_index_aimlapi._response.metadata import facts, legacy_call, raw, to_logprobs
from llama_index_aimlapi._response.tool_calls import PARTIAL, returned

logger = logging.getLogger("aimlapi")

# A stream makes one of each for every delta.
_TEXTS = Copies(TextBlock(text=""))
_THINKING = Copies(ThinkingBlock(content=""))
_CALLS = Copies(ToolCallBlock(tool_call_id="", tool_name="", tool_kwargs=""))
_MESSAGES = Copies(ChatMessage(role=MessageRole.ASSISTANT, blocks=[], additional_kwargs={}))
_ITEMS = Copies(
    ChatResponse(
        message=ChatMessage(role=MessageRole.ASSISTANT),
        raw={"usage": None},
        delta="",
        logprobs=None,
        additional_kwargs={},
    )
)


def to_response(reply: Reply, asked: Asked, delta: str | None = None) -> ChatResponse:
    """A whole answer. Of several choices the first is the message; `raw` holds all."""
    choice = reply.choices[0] if reply.choices else Choice(0)
    return ChatResponse(
        message=_whole_message(choice, reply, asked),
        raw=raw(reply),
        delta=delta,
        logprobs=to_logprobs(choice.logprobs),
        additional_kwargs=facts(reply, choice),
    )


def to_completion(response: ChatResponse) -> CompletionResponse:
    """The completion that a chat response is."""
    return CompletionResponse(
        text=response.message.content or "",
        additional_kwargs={**response.message.additional_kwargs, **response.additional_kwargs},
        raw=response.raw,
        logprobs=response.logprobs,
        delta=response.delta,
    )


class Growing:
    """A stream's events in, one response out for each that shows something new."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._text = ""
        self._refusal = ""
        self._reasoning = ""
        self._calls: list[_GrowingCall] = []

    def feed(self, event: StreamEvent) -> ChatResponse | None:
        """The response that shows `event`; None for one that shows nothing."""
        if isinstance(event, Finished):
            return to_response(event.reply, self._asked, delta="")
        if event.choice != 0:
            return None
        if isinstance(event, TextDelta):
            self._text += event.text
            return self._item(event.text, logprobs=event.logprobs)
        if isinstance(event, RefusalDelta):
            self._refusal += event.text
            return self._item(event.text)
        if isinstance(event, ReasoningDelta):
            self._reasoning += event.text
            return self._item("", thinking_delta=event.text)
        if isinstance(event, ToolCallDelta) and self._grow_call(event):
            return self._item("")
        return None

    def _grow_call(self, event: ToolCallDelta) -> bool:
        if event.index > 0 and _one_call_only(self._asked):
            return False
        while len(self._calls) <= event.index:
            self._calls.append(_GrowingCall())
        call = self._calls[event.index]
        call.id = event.id or call.id
        if event.name:
            offered = self._asked.offered.get(event.name)
            call.name = offered.name if offered else event.name
        call.arguments += event.arguments
        return True

    def _item(
        self,
        delta: str,
        *,
        thinking_delta: str | None = None,
        logprobs: Mapping[str, Any] | None = None,
    ) -> ChatResponse:
        calls = [ToolCall(c.id, c.name, c.arguments) for c in self._calls if c.name]
        thinking = [_THINKING.copy({"content": self._reasoning})] if self._reasoning else []
        marks: dict[str, Any] = {PARTIAL: True}
        if thinking_delta is not None:
            marks["thinking_delta"] = thinking_delta
        return _ITEMS.copy(
            {
                "message": _message(thinking, self._text + self._refusal, (), calls),
                "delta": delta,
                "logprobs": to_logprobs(logprobs),
                "additional_kwargs": marks,
            }
        )


@dataclass(slots=True)
class _GrowingCall:
    """A tool call so far, by the name that the caller gave its tool."""

    id: str = ""
    name: str = ""
    arguments: str = ""


def _one_call_only(asked: Asked) -> bool:
    return asked.request.parallel_tool_calls is False


def _whole_message(choice: Choice, reply: Reply, asked: Asked) -> ChatMessage:
    calls = [returned(call, asked.offered) for call in choice.tool_calls]
    if len(calls) > 1 and _one_call_only(asked):
        logger.warning(
            "The model made %d tool calls where one was allowed: the first is used, "
            "raw has them all.",
            len(calls),
        )
        calls = calls[:1]
    message = _message(
        _thinking_blocks(choice, reply),
        choice.text + (choice.refusal or ""),
        _citation_blocks(choice),
        calls,
    )
    if choice.refusal is not None:
        message.additional_kwargs["refusal"] = choice.refusal
    items = [dict(part.item) for part in choice.parts if isinstance(part, ProviderItem)]
    if items:
        message.additional_kwargs["provider_items"] = items
    return message


def _message(
    thinking: Iterable[ThinkingBlock],
    text: str,
    citations: Iterable[CitationBlock],
    calls: list[ToolCall],
) -> ChatMessage:
    blocks: list[ContentBlock] = list(thinking)
    if text or not calls:
        blocks.append(_TEXTS.copy({"text": text}))
    blocks += citations
    blocks += [
        _CALLS.copy(
            {"tool_call_id": call.id, "tool_name": call.name, "tool_kwargs": call.arguments}
        )
        for call in calls
    ]
    # LlamaIndex's streaming programs and chat engines look at this older list alone.
    legacy = {"tool_calls": [legacy_call(call) for call in calls]} if calls else {}
    return _MESSAGES.copy({"blocks": blocks, "additional_kwargs": legacy})


def _thinking_blocks(choice: Choice, reply: Reply) -> list[ThinkingBlock]:
    parts = [part for part in choice.parts if isinstance(part, Reasoning)]
    tokens = reply.usage.reasoning_tokens if reply.usage and len(parts) == 1 else None
    return [
        ThinkingBlock(
            content=part.text,
            num_tokens=tokens,
            additional_information={} if part.opaque is None else {OPAQUE: dict(part.opaque)},
        )
        for part in parts
    ]


def _citation_blocks(choice: Choice) -> list[CitationBlock]:
    """The web citations of the text as blocks; other annotations stand in `raw`."""
    rows = [_web_citation(citation) for citation in choice.citations]
    return [
        CitationBlock(
            cited_content=TextBlock(text=choice.text[start:end]),
            source=url,
            title=title,
            additional_location_info={"start_index": start, "end_index": end},
        )
        for url, title, start, end in filter(None, rows)
    ]


def _web_citation(citation: Mapping[str, Any]) -> tuple[str, str, int, int] | None:
    """(url, title, start, end); chat nests them one level deeper than Responses."""
    inner = citation.get("url_citation")
    fields = inner if isinstance(inner, Mapping) else citation
    url, start, end = fields.get("url"), fields.get("start_index"), fields.get("end_index")
    if not (isinstance(url, str) and isinstance(start, int) and isinstance(end, int)):
        return None
    return url, str(fields.get("title") or url), start, end
