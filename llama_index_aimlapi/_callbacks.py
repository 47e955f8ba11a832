"""LlamaIndex's callback decorators with their types: they keep the method's own signature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback

Method = TypeVar("Method", bound=Callable[..., Any])


def chat_callback(method: Method) -> Method:
    """`llm_chat_callback`: start, progress and end events, and the rate limiter."""
    return cast("Method", llm_chat_callback()(method))


def completion_callback(method: Method) -> Method:
    """`llm_completion_callback`: the same for completions."""
    return cast("Method", llm_completion_callback()(method))
