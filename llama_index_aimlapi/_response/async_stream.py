"""An asynchronous stream of responses, which a caller may leave early."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar, cast

from llama_index.core.base.llms.types import ChatResponse

from aimlapi_core import StreamEvent
from llama_index_aimlapi._response.messages import StreamAccumulator

Item = TypeVar("Item")


class AsyncStream(AsyncGenerator[Item, None]):
    """The responses of a core stream. `aclose()` ends the call.

    Not an async generator function: an event loop that ends closes all such generators at once,
    and one that closes another then fails with "already running".
    """

    def __init__(
        self,
        events: AsyncGenerator[StreamEvent, None],
        accumulator: StreamAccumulator,
        shape: Callable[[ChatResponse], Item],
    ) -> None:
        self._events = events
        self._accumulator = accumulator
        self._shape = shape

    async def __anext__(self) -> Item:
        try:
            async for event in self._events:
                if (item := self._accumulator.feed(event)) is not None:
                    return self._shape(item)
        except BaseException:
            await self.aclose()
            raise
        raise StopAsyncIteration

    async def asend(self, value: None) -> Item:
        return await anext(self)

    async def athrow(self, *error: Any) -> Item:
        return cast("Item", await self._events.athrow(*error))

    async def aclose(self) -> None:
        await self._events.aclose()
