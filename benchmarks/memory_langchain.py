"""A LangChain chat model that answers from memory: what the framework itself costs.

It gives the chunks that `ChatAIMLAPI` gives for the same stream (a test holds them equal), made
with LangChain's own classes in the plainest way. With `base_url` it is the limit: each answer
comes over raw httpx, its JSON parsed, and is then given from memory; with `transports` each call in
flight has a bare transport of httpx.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import ToolCallChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from benchmarks.payloads import CALL, MODEL, WORD, Kind, arguments
from benchmarks.raw import RawChat, RawTransports, abeside, beside

_PROVIDER = "aimlapi"
_USAGE_DETAILS: Any = {
    "input_token_details": {"cache_read": 0},
    "output_token_details": {"reasoning": 0},
}


class MemoryChat(BaseChatModel):
    """`count` words, or deltas of one kind."""

    kind: Kind = "text"
    count: int = 100
    base_url: str = ""
    transports: bool = False

    _raw: RawChat | None = PrivateAttr(default=None)
    _transports: RawTransports | None = PrivateAttr(default=None)

    def model_post_init(self, context: Any, /) -> None:
        """Make the raw client, which opens nothing yet."""
        super().model_post_init(context)
        self._raw = RawChat(self.base_url) if self.base_url else None
        self._transports = RawTransports(self.base_url) if self.transports else None

    @property
    def _llm_type(self) -> str:
        return "memory"

    def _result(self) -> ChatResult:
        message = AIMessage(
            content=WORD * self.count,
            response_metadata={**self._metadata(), "cost": 0.00006, "credits_used": 120},
            usage_metadata=self._usage(),
        )
        return ChatResult(
            generations=[ChatGeneration(message=message)],
            llm_output={"model_provider": _PROVIDER, "model_name": MODEL},
        )

    def _chunks(self) -> Iterator[ChatGenerationChunk]:
        for position, piece in enumerate(self._pieces()):
            yield ChatGenerationChunk(message=self._chunk(position, piece))
        last = AIMessageChunk(
            content="",
            response_metadata=self._metadata(),
            usage_metadata=self._usage(),
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _pieces(self) -> Iterator[str]:
        return arguments(self.count) if self.kind == "tool" else iter([WORD] * self.count)

    def _chunk(self, position: int, piece: str) -> AIMessageChunk:
        metadata = {"model_provider": _PROVIDER}
        if self.kind == "text":
            return AIMessageChunk(content=piece, response_metadata=metadata)
        if self.kind == "reasoning":
            kwargs = {"reasoning_content": piece}
            return AIMessageChunk(content="", additional_kwargs=kwargs, response_metadata=metadata)
        call = ToolCallChunk(
            name=CALL["name"] if position == 0 else None,
            args=piece,
            id=CALL["id"] if position == 0 else None,
            index=0,
            type="tool_call_chunk",
        )
        return AIMessageChunk(content="", tool_call_chunks=[call], response_metadata=metadata)

    def _metadata(self) -> dict[str, Any]:
        return {
            "model_provider": _PROVIDER,
            "model_name": MODEL,
            "served_model": MODEL,
            "finish_reason": "tool_calls" if self.kind == "tool" else "stop",
            "id": "chatcmpl-bench",
            "created": 1_760_000_000,
            "service_tier": "default",
            "system_fingerprint": "fp_bench",
            "token_usage": self._token_usage(),
        }

    def _token_usage(self) -> dict[str, Any]:
        counts = self._usage()
        return {
            "prompt_tokens": counts["input_tokens"],
            "completion_tokens": counts["output_tokens"],
            "total_tokens": counts["total_tokens"],
            "prompt_tokens_details": {"cached_tokens": counts["input_token_details"]["cache_read"]},
            "completion_tokens_details": {
                "reasoning_tokens": counts["output_token_details"]["reasoning"]
            },
        }

    def _usage(self) -> Any:
        return {
            "input_tokens": 12,
            "output_tokens": self.count,
            "total_tokens": 12 + self.count,
            **_USAGE_DETAILS,
        }

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        if self._raw is not None:
            self._raw.invoke(messages[-1].text)
        return self._result()

    async def _agenerate(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> ChatResult:
        raw = self._transports or self._raw
        if raw is not None:
            await raw.ainvoke(messages[-1].text)
        return self._result()

    def _stream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        if self._raw is None:
            return self._chunks()
        return beside(self._raw.stream(messages[-1].text), self._chunks())

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        if self._raw is None:
            for chunk in self._chunks():
                yield chunk
        else:
            async for chunk in abeside(self._raw.astream(messages[-1].text), self._chunks()):
                yield chunk
