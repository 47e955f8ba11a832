"""The limit on input, before and after the service refuses more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.exceptions import ContextOverflowError

from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import ChatAIMLAPI
from tests.langchain.calls import events, stream

Make = Callable[..., ChatAIMLAPI]


def test_a_long_thread_is_summarized_before_it_is_refused(emu: Emulator, chat: Make) -> None:
    """Of 300,000 tokens: 0.8 of a model's 272,000 tokens of input, but not of its window."""
    model = chat()
    middleware = SummarizationMiddleware(model, trigger=("fraction", 0.8), keep=("messages", 2))
    turn = "wor " * 2_500  # four letters a token, as langchain-core estimates
    history = [*[(role, turn) for _ in range(60) for role in ("user", "ai")], ("user", "And now?")]
    create_agent(model, [], middleware=[middleware]).invoke({"messages": history})
    assert [bool(request.problems) for request in emu.requests] == [False, False]
    assert "And now?" in str(emu.requests[-1].body["messages"][-1])
    assert len(str(emu.requests[-1].body)) < 300_000


@pytest.mark.parametrize(
    ("endpoint", "event"),
    [
        ("chat", "openai"),
        ("chat", "event"),
        ("responses", "error"),
        ("responses", "response.failed"),
    ],
)
def test_a_stream_that_refuses_the_context_is_an_overflow(
    how: str, endpoint: str, event: str, emu: Emulator, chat: Make
) -> None:
    """`ContextOverflowError`: SummarizationMiddleware and deepagents then shorten the thread."""
    model = chat(endpoint=endpoint, max_retries=2)
    refusal = Fault(
        error_event=event, error_after_events=1, message="Input tokens exceed the configured limit"
    )
    for use in (stream, events):
        emu.clear()
        emu.faults.append(refusal)
        with pytest.raises(ContextOverflowError, match="Shorten"):
            use(how, model, "hi")
        assert len(emu.requests) == 1
