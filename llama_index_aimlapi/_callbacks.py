"""Typed wrappers of LlamaIndex's callback decorators, which keep the method's signature.

Events and spans show the arguments of a call: those that may hold a key are refused before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction, signature
from typing import Any, TypeVar, cast

from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index_instrumentation import get_dispatcher

from llama_index_aimlapi._request.argument_validation import check_messages, check_shown

Method = TypeVar("Method", bound=Callable[..., Any])


def chat_callback(method: Method) -> Method:
    """`llm_chat_callback`: start, progress and end events, and the rate limiter.

    Rejects anything but a list of messages first: the events would raise pydantic's error.
    """

    def check(messages: Any, **kwargs: Any) -> None:
        check_messages(messages)
        check_shown(kwargs)

    return _checked(method, llm_chat_callback()(method), check)


def completion_callback(method: Method) -> Method:
    """`llm_completion_callback`: the same for completions."""

    def check(prompt: Any = None, formatted: Any = False, **kwargs: Any) -> None:
        check_shown(kwargs)

    return _checked(method, llm_completion_callback()(method), check)


def _checked(method: Method, call: Any, check: Callable[..., None]) -> Method:
    call.__signature__ = signature(call)  # a span reads it at each call
    spanned: Any = get_dispatcher(method.__module__).span(call)

    # Not `wraps(method)`: LlamaIndex marks methods by a `__wrapped__` that is not a function. That
    # there is a span already is an attribute, which is copied too.
    @wraps(spanned)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(*args, **kwargs)
        return spanned.__get__(self, type(self))(*args, **kwargs)

    @wraps(spanned)
    async def acheck(self: Any, *args: Any, **kwargs: Any) -> Any:
        check(*args, **kwargs)
        return await spanned.__get__(self, type(self))(*args, **kwargs)

    return cast("Method", acheck if iscoroutinefunction(method) else checked)
