"""Keys among the arguments of a call: refused before LlamaIndex has an event or a span of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import ChatMessage

from aimlapi_core import InvalidRequestError
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI

KEY = "sk-canary-7f3a9c51deadbeef"


class Events(BaseEventHandler):
    seen: ClassVar[list[str]] = []

    def handle(self, event: Any, **_: Any) -> None:
        self.seen.append(f"{event!r} {event.model_dump()}")


class Spans(SimpleSpanHandler):
    seen: ClassVar[list[str]] = []

    def new_span(self, id_: str, bound_args: Any, *more: Any, **kwargs: Any) -> Any:
        self.seen.append(f"{id_} {bound_args}")
        return super().new_span(id_, bound_args, *more, **kwargs)


@pytest.fixture
def recorded() -> Iterator[list[str]]:
    """All events and spans of LlamaIndex."""
    root, seen = get_dispatcher(), list[str]()
    Events.seen = Spans.seen = seen
    root.event_handlers.append(events := Events())
    root.span_handlers.append(spans := Spans())
    yield seen
    root.event_handlers.remove(events)
    root.span_handlers.remove(spans)


SECRET_ARGUMENTS: tuple[dict[str, Any], ...] = (
    {"api_key": KEY},
    {"openai_api_key": KEY},
    {"default_headers": {"X-Key": KEY}},
    {"headers": {"X-Key": KEY}},
    {"extra_headers": {"Authorization": f"Bearer {KEY}"}},
)


@pytest.mark.parametrize("given", SECRET_ARGUMENTS, ids=lambda given: next(iter(given)))
async def test_a_refused_key_of_a_call_is_in_no_event_and_no_span(
    emu: Emulator, recorded: list[str], given: dict[str, Any]
) -> None:
    debug = LlamaDebugHandler(print_trace_on_end=False)
    llm = AIMLAPI(
        api_key="sk-of-mine-0000", base_url=emu.base_url, callback_manager=CallbackManager([debug])
    )
    messages = [ChatMessage(content="hi")]
    for call in (llm.chat, llm.stream_chat):
        with pytest.raises(InvalidRequestError):
            call(messages, **given)
    for call in (llm.complete, llm.stream_complete):
        with pytest.raises(InvalidRequestError):
            call("hi", **given)
    for acall in (llm.achat, llm.astream_chat):
        with pytest.raises(InvalidRequestError):
            await acall(messages, **given)
    for acall in (llm.acomplete, llm.astream_complete):
        with pytest.raises(InvalidRequestError):
            await acall("hi", **given)
    assert debug.get_events() == []
    assert KEY not in "".join(recorded)

    llm.chat(messages, extra_headers={"X-Request-Name": "a"}, max_tokens=20)
    span = next(text for text in recorded if text.startswith("AIMLAPI.chat-"))
    assert "X-Request-Name" in span
