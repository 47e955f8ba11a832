"""Removes local variables from tracebacks: crash reports show them, and one may hold a key. Pure.

A frame keeps its variables as long as its traceback lives, also those of functions that were
interrupted or cancelled. The frames of the caller's own code are left as they are, and so are those
that still run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast

# Whose frames are cleared: this project's, those of what it calls, and of what calls it back.
_LIBRARIES = sys.stdlib_module_names | frozenset(
    "aimlapi_core langchain_aimlapi llama_index_aimlapi anyio certifi h11 h2 hpack httpcore "
    "httpcore2 httpx httpx2 idna langchain_core llama_index pydantic sniffio socksio".split()
)

Function = TypeVar("Function", bound=Callable[..., Any])


def clear_locals(error: BaseException) -> None:
    """Clear the finished frames of `error`, and of what led to it.

    Not of an exception that the caller was handling when the call began, which is its context too.
    """
    seen: set[int] = set()
    chain: list[BaseException | None] = [error]
    while chain:
        one = chain.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        trace = one.__traceback__
        if one is not error and not (trace is not None and _is_library(trace.tb_frame)):
            continue
        while trace is not None:
            if _is_library(trace.tb_frame):
                _clear(trace.tb_frame)
            trace = trace.tb_next
        chain += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            chain += one.exceptions


def _is_library(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] in _LIBRARIES


def _clear(frame: FrameType) -> None:
    try:
        frame.clear()
    except RuntimeError:  # it still runs
        return


class _WithoutLocals:
    """Context manager that clears the frames inside it of what it raises. The frame with the
    `with` still runs, and keeps its variables.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            clear_locals(error)


without_locals = _WithoutLocals()


def clears_locals(function: Function) -> Function:
    """Decorator: what the function raises shows neither its arguments nor its variables."""

    @wraps(function)
    def cleared(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            clear_locals(error)
            raise

    return cast("Function", cleared)
