"""Events, token counts and the rate limiter: each call counts exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, CBEventType, TokenCountingHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.core.types import PydanticProgramMode
from pydantic import BaseModel, Field

from aimlapi_core import InvalidRequestError
from aimlapi_emulator import Emulator
from llama_index_aimlapi import AIMLAPI
from tests.llama_index.ways import CHAT, COMPLETE, SETUPS, STRUCTURED, WITH_TOOLS, items

Make = Callable[..., AIMLAPI]
HELLO = [ChatMessage(content="Hello")]
ENDPOINT = pytest.mark.parametrize("endpoint", ["chat", "responses"])


def hum(tune: str) -> str:
    """Hum a tune."""
    return tune


class Song(BaseModel):
    title: str


class Seen(BaseEventHandler):
    """Keeps the class names of all events."""

    names: list[str] = Field(default_factory=list)
    last: Any = None

    @classmethod
    def class_name(cls) -> str:
        return "Seen"

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        self.names.append(event.class_name())
        self.last = event


@pytest.fixture
def seen() -> Iterator[Seen]:
    handler = Seen()
    root = get_dispatcher()
    root.add_event_handler(handler)
    yield handler
    root.event_handlers.remove(handler)


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
async def test_token_counts_are_the_services(make: Make, setup: str, way: str) -> None:
    counter = TokenCountingHandler(tokenizer=lambda text: ["wrong"] * 1000)
    llm = make(**SETUPS[setup], callback_manager=CallbackManager([counter]))
    (*_, answer) = await items(llm, way, HELLO if "chat" in way else "Hello")
    assert len(counter.llm_token_counts) == 1
    assert counter.prompt_llm_token_count == answer.additional_kwargs["prompt_tokens"] > 0
    assert counter.completion_llm_token_count == answer.additional_kwargs["completion_tokens"] > 0
    assert answer.raw["usage"]["prompt_tokens"] == counter.prompt_llm_token_count


@ENDPOINT
@pytest.mark.parametrize("way", [*CHAT, *COMPLETE])
async def test_each_call_has_one_start_and_one_end(
    make: Make, seen: Seen, endpoint: str, way: str
) -> None:
    came = await items(make(endpoint=endpoint), way, HELLO if "chat" in way else "Hello")
    kind = "Chat" if "chat" in way else "Completion"
    progress = len(came) if "stream" in way else 0
    assert [name for name in seen.names if name.startswith("LLM")] == [
        f"LLM{kind}StartEvent",
        *[f"LLM{kind}InProgressEvent"] * progress,
        f"LLM{kind}EndEvent",
    ]
    assert seen.last.response == came[-1]


@ENDPOINT
@pytest.mark.parametrize("mode", ["default", "function"])
@pytest.mark.parametrize("way", STRUCTURED)
async def test_structured_predictions_have_their_events(
    make: Make, seen: Seen, endpoint: str, mode: str, way: str
) -> None:
    llm = make(endpoint=endpoint, pydantic_program_mode=PydanticProgramMode(mode))
    await items(llm, way, Song, PromptTemplate("A {what}."), what="song")
    names = [name for name in seen.names if "Progress" not in name and name.startswith("LLM")]
    assert names == [
        "LLMStructuredPredictStartEvent",
        "LLMChatStartEvent",
        "LLMChatEndEvent",
        "LLMStructuredPredictEndEvent",
    ]


@pytest.mark.parametrize("way", [*CHAT, *COMPLETE, *WITH_TOOLS, *STRUCTURED])
async def test_the_rate_limiter_is_acquired_once(make: Make, way: str) -> None:
    class Limiter:
        count = 0

        def acquire(self) -> None:
            self.count += 1

        async def async_acquire(self) -> None:
            self.count += 1

    limiter = Limiter()
    arguments: Any = (HELLO,) if "chat" in way else ("Hello",)
    if way in WITH_TOOLS:
        arguments = ([FunctionTool.from_defaults(hum)], "Hello")
    if way in STRUCTURED:
        arguments = (Song, PromptTemplate("A song."))
    await items(make(rate_limiter=limiter), way, *arguments)
    assert limiter.count == 1


def test_errors_end_the_event(make: Make, emu: Emulator) -> None:
    ended: list[Any] = []

    class Handler(TokenCountingHandler):
        def on_event_end(self, event_type: CBEventType, payload: Any = None, **kw: Any) -> None:
            ended.append(payload)

    llm = make(callback_manager=CallbackManager([Handler()]))
    with pytest.raises(ValueError, match="temperature"):
        llm.chat(HELLO, temprature=1)
    assert len(ended) == 1


@pytest.mark.parametrize("way", CHAT)
@pytest.mark.parametrize(
    "wrong", ["Hello", HELLO[0], {"role": "user", "content": "Hello"}, iter(HELLO), None]
)
async def test_what_is_no_list_of_messages_is_refused_before_any_event(
    llm: AIMLAPI, emu: Emulator, seen: Seen, way: str, wrong: Any
) -> None:
    with pytest.raises(InvalidRequestError, match=r"messages is a list of ChatMessage.*complete"):
        await items(llm, way, wrong)
    assert emu.requests == []
    assert "LLMChatStartEvent" not in seen.names


def test_events_never_tell_the_key(make: Make, seen: Seen) -> None:
    make(api_key="sk-secret-key", temperature=0.5).chat(HELLO)
    payload = make(api_key="sk-secret-key", temperature=0.5).to_payload()
    assert (payload["model"], payload["temperature"]) == ("openai/gpt-5-2", 0.5)
    assert "sk-secret-key" not in str(payload) + str(seen.last)
