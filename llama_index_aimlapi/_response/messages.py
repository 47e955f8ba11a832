"""Converts core replies and stream events to LlamaIndex responses. Pure.

Rules: a message has one TextBlock, with all text so far; `delta` is only the new text; `raw` is
a plain dict that always has `usage`; the last item of a stream equals the unstreamed response
(but for `delta`). The text of a refusal is part of the content, and in `refusal` too.
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
from aimlapi_core._adapters.model_cloner import ModelCloner
from aimlapi_core.types import TRUNCATED_FINISH_REASONS
from llama_index_aimlapi._request.content_blocks import REASONING_KEY
from llama_index_aimlapi._request.prepared import PreparedRequest
from llama_index_aimlapi._response.metadata import (
    function_call_row,
    openai_tool_call,
    raw_response,
    response_metadata,
    to_logprobs,
)
from llama_index_aimlapi._response.react import check_cut_action
from llama_index_aimlapi._response.tool_calls import IS_PARTIAL, restore_tool_call

logger = logging.getLogger("aimlapi")

# A stream makes one of each for every delta.
_TEXT_TEMPLATE = ModelCloner(TextBlock(text=""))
_THINKING_TEMPLATE = ModelCloner(ThinkingBlock(content=""))
_TOOL_CALL_TEMPLATE = ModelCloner(ToolCallBlock(tool_call_id="", tool_name="", tool_kwargs=""))
_MESSAGE_TEMPLATE = ModelCloner(
    ChatMessage(role=MessageRole.ASSISTANT, blocks=[], additional_kwargs={})
)
_RESPONSE_TEMPLATE = ModelCloner(
    ChatResponse(
        message=ChatMessage(role=MessageRole.ASSISTANT),
        raw={"usage": None},
        delta="",
        logprobs=None,
        additional_kwargs={},
    )
)


def to_response(reply: Reply, prepared: PreparedRequest, delta: str | None = None) -> ChatResponse:
    """The complete response. The first choice is the message; `raw` holds all."""
    choice = reply.choices[0] if reply.choices else Choice(0)
    if choice.finish_reason in TRUNCATED_FINISH_REASONS:
        check_cut_action(choice, prepared.request)
    return _RESPONSE_TEMPLATE.copy(
        {
            "message": _final_message(choice, reply, prepared),
            "raw": raw_response(reply),
            "delta": delta,
            "logprobs": to_logprobs(choice.logprobs) if choice.logprobs else None,
            "additional_kwargs": response_metadata(reply, choice),
        }
    )


def to_completion(response: ChatResponse) -> CompletionResponse:
    """A chat response as a completion."""
    return CompletionResponse(
        text=response.message.content or "",
        additional_kwargs={**response.message.additional_kwargs, **response.additional_kwargs},
        raw=response.raw,
        logprobs=response.logprobs,
        delta=response.delta,
    )


class StreamAccumulator:
    """Accumulates stream deltas: one response with the message so far for each event.

    A delta makes its own block anew; the blocks that did not change are the last response's.
    """

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared
        self._text = ""
        self._refusal = ""
        self._reasoning = ""
        self._calls: list[_PartialToolCall] = []
        self._text_block = _TEXT_TEMPLATE.copy({})
        self._thinking: list[ThinkingBlock] = []
        self._call_blocks: dict[int, ToolCallBlock] = {}
        self._call_rows: dict[int, dict[str, Any]] = {}

    def feed(self, event: StreamEvent) -> ChatResponse | None:
        """The response after `event`; None when it changes nothing."""
        if isinstance(event, Finished):
            return to_response(event.reply, self._prepared, delta=self._refusal)
        if event.choice != 0:
            return None
        if isinstance(event, TextDelta):
            self._text += event.text
            self._text_block = _TEXT_TEMPLATE.copy({"text": self._text})
            return self._response(event.text, logprobs=event.logprobs)
        if isinstance(event, RefusalDelta):
            self._refusal += event.text  # given out at the end: text may follow, which precedes it
        if isinstance(event, ReasoningDelta):
            self._reasoning += event.text
            self._thinking = [_THINKING_TEMPLATE.copy({"content": self._reasoning})]
            return self._response("", thinking_delta=event.text)
        if isinstance(event, ToolCallDelta) and self._add_tool_call_delta(event):
            return self._response("")
        return None

    def _add_tool_call_delta(self, event: ToolCallDelta) -> bool:
        index = event.index
        if index > 0 and _allows_one_call(self._prepared):
            return False
        while len(self._calls) <= index:
            self._calls.append(_PartialToolCall())
        call = self._calls[index]
        call.id = event.id or call.id
        if event.name:
            ref = self._prepared.tool_refs.get(event.name)
            call.name = ref.name if ref else event.name
        call.arguments += event.arguments
        if call.name:
            self._call_blocks[index] = _call_block(call)
            self._call_rows[index] = function_call_row(call)
        return True

    def _response(
        self,
        delta: str,
        *,
        thinking_delta: str | None = None,
        logprobs: Mapping[str, Any] | None = None,
    ) -> ChatResponse:
        additional_kwargs: dict[str, Any] = {IS_PARTIAL: True}
        if thinking_delta is not None:
            additional_kwargs["thinking_delta"] = thinking_delta
        blocks: list[ContentBlock] = [*self._thinking]
        legacy: dict[str, Any] = {}
        if self._text or not self._call_blocks:
            blocks.append(self._text_block)
        if self._call_blocks:
            blocks += self._call_blocks.values()
            legacy["tool_calls"] = [*self._call_rows.values()]
        return _RESPONSE_TEMPLATE.copy(
            {
                "message": _MESSAGE_TEMPLATE.copy({"blocks": blocks, "additional_kwargs": legacy}),
                "delta": delta,
                "logprobs": to_logprobs(logprobs) if logprobs else None,
                "additional_kwargs": additional_kwargs,
            }
        )


@dataclass(slots=True)
class _PartialToolCall:
    """A tool call so far, under the caller's name of the tool."""

    id: str = ""
    name: str = ""
    arguments: str = ""


def _allows_one_call(prepared: PreparedRequest) -> bool:
    return prepared.request.parallel_tool_calls is False


def _final_message(choice: Choice, reply: Reply, prepared: PreparedRequest) -> ChatMessage:
    calls = [restore_tool_call(call, prepared.tool_refs) for call in choice.tool_calls]
    if len(calls) > 1 and _allows_one_call(prepared):
        logger.warning(
            "The model made %d tool calls where one was allowed: the first is used, "
            "raw has them all.",
            len(calls),
        )
        calls = calls[:1]
    message = _message(
        _thinking_blocks(choice, reply),
        choice.text + ((refusal := choice.refusal) or ""),
        _citation_blocks(choice),
        calls,
    )
    if refusal is not None:
        message.additional_kwargs["refusal"] = refusal
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
        blocks.append(_TEXT_TEMPLATE.copy({"text": text}))
    blocks += citations
    blocks += map(_call_block, calls)
    # LlamaIndex's streaming programs and chat engines read only this older list.
    legacy = {"tool_calls": [openai_tool_call(call) for call in calls]} if calls else {}
    return _MESSAGE_TEMPLATE.copy({"blocks": blocks, "additional_kwargs": legacy})


def _call_block(call: ToolCall | _PartialToolCall) -> ToolCallBlock:
    return _TOOL_CALL_TEMPLATE.copy(
        {"tool_call_id": call.id, "tool_name": call.name, "tool_kwargs": call.arguments}
    )


def _thinking_blocks(choice: Choice, reply: Reply) -> list[ThinkingBlock]:
    parts = [part for part in choice.parts if isinstance(part, Reasoning)]
    tokens = reply.usage.reasoning_tokens if reply.usage and len(parts) == 1 else None
    return [
        ThinkingBlock(
            content=part.text,
            num_tokens=tokens,
            additional_information={}
            if part.opaque is None
            else {REASONING_KEY: dict(part.opaque)},
        )
        for part in parts
    ]


def _citation_blocks(choice: Choice) -> list[CitationBlock]:
    """The web citations of the text as blocks; other annotations are in `raw` only."""
    if not (citations := choice.citations):
        return []
    rows = [_web_citation(citation) for citation in citations]
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
