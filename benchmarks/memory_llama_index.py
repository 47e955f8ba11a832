"""A LlamaIndex LLM that answers from memory: what the framework itself costs.

It gives the items that `AIMLAPI` gives for the same stream (a test holds them equal), made with
LlamaIndex's own classes in the plainest way. With `base_url` it is the limit: each answer comes
over raw httpx, its JSON parsed, and is then given from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    ContentBlock,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.llms.llm import LLM
from pydantic import PrivateAttr

from benchmarks.payloads import CALL, MODEL, WORD, Kind, arguments, usage
from benchmarks.raw import RawChat, abeside, beside

Method = TypeVar("Method", bound=Callable[..., Any])


def _called_back(method: Method) -> Method:
    return cast("Method", llm_chat_callback()(method))


class MemoryLLM(LLM):
    """`count` words, or deltas of one kind."""

    kind: Kind = "text"
    count: int = 100
    base_url: str = ""

    _raw: RawChat | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Make the raw client, which opens nothing yet."""
        super().model_post_init(context)
        self._raw = RawChat(self.base_url) if self.base_url else None

    @property
    def metadata(self) -> LLMMetadata:
        """A chat model."""
        return LLMMetadata(is_chat_model=True, model_name=MODEL)

    def _whole(self, blocks: list[ContentBlock], delta: str | None = None) -> ChatResponse:
        message = ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)
        facts = {"prompt_tokens": 12, "completion_tokens": self.count, "finish_reason": "stop"}
        raw = {"id": "chatcmpl-bench", "model": MODEL, "usage": usage(self.count)}
        return ChatResponse(message=message, raw=raw, delta=delta, additional_kwargs=facts)

    def _items(self) -> Iterator[ChatResponse]:
        grown = ""
        for piece in arguments(self.count) if self.kind == "tool" else [WORD] * self.count:
            grown += piece
            yield self._item(grown, piece)
        text = "" if self.kind == "reasoning" else grown
        yield self._whole([TextBlock(text=text)], delta="")

    def _item(self, grown: str, piece: str) -> ChatResponse:
        marks: dict[str, Any] = {"is_partial": True}
        legacy: dict[str, Any] = {}
        blocks: list[ContentBlock] = [TextBlock(text=grown)]
        if self.kind == "tool":
            block = ToolCallBlock(
                tool_call_id=CALL["id"], tool_name=CALL["name"], tool_kwargs=grown
            )
            blocks = [block]
            function = {"name": CALL["name"], "arguments": grown}
            legacy = {"tool_calls": [{"id": CALL["id"], "type": "function", "function": function}]}
        elif self.kind == "reasoning":
            blocks = [ThinkingBlock(content=grown), TextBlock(text="")]
            marks["thinking_delta"] = piece
        message = ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs=legacy)
        return ChatResponse(
            message=message,
            raw={"usage": None},
            delta=piece if self.kind == "text" else "",
            additional_kwargs=marks,
        )

    @_called_back
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole answer."""
        if self._raw is not None:
            self._raw.invoke(messages[-1].content or "")
        return self._whole([TextBlock(text=WORD * self.count)])

    @_called_back
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole answer."""
        if self._raw is not None:
            await self._raw.ainvoke(messages[-1].content or "")
        return self._whole([TextBlock(text=WORD * self.count)])

    @_called_back
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The deltas."""

        def items() -> ChatResponseGen:
            if self._raw is None:
                yield from self._items()
            else:
                yield from beside(self._raw.stream(messages[-1].content or ""), self._items())

        return items()

    @_called_back
    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """The deltas."""

        async def items() -> ChatResponseAsyncGen:
            if self._raw is None:
                for item in self._items():
                    yield item
            else:
                payloads = self._raw.astream(messages[-1].content or "")
                async for item in abeside(payloads, self._items()):
                    yield item

        return items()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Not measured."""
        raise NotImplementedError

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Not measured."""
        raise NotImplementedError

    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """Not measured."""
        raise NotImplementedError

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Not measured."""
        raise NotImplementedError
