"""Warnings that are given once, at the line of the caller's own program."""

from __future__ import annotations

import os
import sys
import threading
import warnings

# Packages whose frames are not the caller's: ours, the frameworks, and what runs code for them.
_LIBRARIES = frozenset(
    "aimlapi_core langchain_aimlapi llama_index_aimlapi aimlapi_ray llama_index "
    "llama_index_instrumentation workflows langchain langchain_core langchain_classic "
    "langchain_community langgraph deepagents asyncio concurrent contextlib contextvars functools "
    "threading pydantic tenacity wrapt nest_asyncio anyio uvloop".split()
)
# Beyond so many keys the oldest are forgotten: a server's threads are not to fill its memory.
_MAX_KEYS = 10_000

_warned: dict[tuple[str, ...], None] = {}
_warned_lock = threading.Lock()


def warn_once(key: tuple[str, ...], message: str, category: type[Warning]) -> None:
    """Warn, unless a warning with this key was given before in this process."""
    with _warned_lock:
        if key in _warned:
            return
        _warned[key] = None
        if len(_warned) > _MAX_KEYS:
            del _warned[next(iter(_warned))]
    warnings.warn(message, category, stacklevel=user_stacklevel())


def user_stacklevel() -> int:
    """The `stacklevel` at which the caller of this function warns at the user's line.

    Where the user's program is not on the stack, as in a worker thread: that of the caller.
    """
    frame = sys._getframe(1)
    level = 1
    while frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES:
        if frame.f_back is None:
            return 2
        frame = frame.f_back
        level += 1
    return level


def _after_fork() -> None:
    """The lock may have been held by another thread of the parent."""
    global _warned_lock
    _warned_lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
