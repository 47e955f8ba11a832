"""Typed wrappers of LlamaIndex's callback decorators, which keep the method's signature."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, cast

from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback

from llama_index_aimlapi._request.argument_validation import check_messages

Method = TypeVar("Method", bound=Callable[..., Any])


def chat_callback(method: Method) -> Method:
    """`llm_chat_callback`: start, progress and end events, and the rate limiter.

    Rejects anything but a list of messages first: the events would raise pydantic's error.
    """
    call = llm_chat_callback()(method)

    # Not `wraps(method)`: LlamaIndex marks methods by a `__wrapped__` that is not a function.
    @wraps(call)
    def checked(self: Any, messages: Any, **kwargs: Any) -> Any:
        check_messages(messages)
        return call(self, messages, **kwargs)

    @wraps(call)
    async def acheck(self: Any, messages: Any, **kwargs: Any) -> Any:
        check_messages(messages)
        return await call(self, messages, **kwargs)

    return cast("Method", acheck if iscoroutinefunction(method) else checked)


def completion_callback(method: Method) -> Method:
    """`llm_completion_callback`: the same for completions."""
    return cast("Method", llm_completion_callback()(method))
