"""Warnings that are given once, at the line of the caller's own program."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from types import FrameType

# Packages whose frames are not the caller's: ours, the frameworks, and what runs code for them.
_LIBRARIES = frozenset(
    "aimlapi_core langchain_aimlapi llama_index_aimlapi aimlapi_ray llama_index "
    "llama_index_instrumentation workflows langchain langchain_core langchain_classic "
    "langchain_community langgraph deepagents langsmith asyncio concurrent contextlib contextvars "
    "functools threading queue selectors pydantic tenacity tqdm wrapt nest_asyncio anyio "
    "uvloop".split()
)
_FRAMEWORKS = ("lang", "llama_index", "aimlapi", "deepagents", "workflows")
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
    warn_user(message, category)


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the user's line.

    In a worker thread, as of LangChain's `batch` and LangGraph's streams, that is the line that
    waits for it in another thread; where none or several do, the line of the library's caller.
    """
    frame = _users_frame(sys._getframe(1)) or _waiting_frame()
    if frame is None:
        warnings.warn(message, category, stacklevel=3)
        return
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=frame.f_globals.get("__name__") or "unknown",
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _users_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that is of no library; None where there is none."""
    while frame is not None and _package(frame) in _LIBRARIES:
        frame = frame.f_back
    return frame


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _waiting_frame() -> FrameType | None:
    """The user's frame in the one other thread that is inside a framework or this package."""
    found = []
    for thread_id, innermost in sys._current_frames().items():
        frame = None if thread_id == threading.get_ident() else _users_frame(innermost)
        if frame is not None and any(map(_is_framework, _frames(innermost, frame))):
            found.append(frame)
    return found[0] if len(found) == 1 else None


def _frames(innermost: FrameType, end: FrameType) -> Iterator[FrameType]:
    frame: FrameType | None = innermost
    while frame is not None and frame is not end:
        yield frame
        frame = frame.f_back


def _is_framework(frame: FrameType) -> bool:
    return _package(frame).startswith(_FRAMEWORKS)


def _after_fork() -> None:
    """The lock may have been held by another thread of the parent."""
    global _warned_lock
    _warned_lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)
