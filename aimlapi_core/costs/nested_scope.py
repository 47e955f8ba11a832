"""Nested scopes: which one is the innermost of a context, and the lock that all of them share."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Self, cast

from aimlapi_core.errors import ConfigurationError

_innermost: ContextVar[NestedScope | None] = ContextVar("aimlapi_costs", default=None)


def innermost_scope() -> NestedScope | None:
    """The innermost open scope of the current context; None if there is none."""
    return _innermost.get()


class NestedScope:
    """A scope that is opened once, and closed in any context. All open ones are of one class."""

    # One for all scopes, since a call is added to nested ones in one step, and a fork must find it
    # free. Reentrant: the garbage collector may close an abandoned stream, which reports its call,
    # while this thread holds it.
    _lock = threading.RLock()

    def __init__(self) -> None:
        self._parent: Self | None = None
        self._was_opened = False
        self._previous: NestedScope | None = None  # innermost again after this scope's end

    def open(self) -> None:
        """Make this the innermost scope. Raises ConfigurationError the second time."""
        if self._was_opened:
            raise ConfigurationError("A scope of costs is opened once; make another one.")
        self._was_opened = True
        self._previous = _innermost.get()
        self._parent = cast("Self | None", self._previous)
        _innermost.set(self)

    def close(self) -> None:
        """Make the scope around it the innermost again."""
        inside = _innermost.get()
        if inside is self:
            _innermost.set(self._previous)
        # Left in another context than entered: nothing to undo. Left before a scope inside it,
        # which a generator may hold open: that one's end must not bring this one back.
        while inside is not None and inside is not self:
            if inside._previous is self:
                inside._previous = self._previous
            inside = inside._previous

    @contextmanager
    def innermost(self) -> Iterator[None]:
        """Be the innermost scope for a while, in a context that is not the one it was opened in."""
        token = _innermost.set(self)
        try:
            yield
        finally:
            _innermost.reset(token)

    def chain(self) -> Iterator[Self]:
        """This scope and its parents, innermost first."""
        scope: Self | None = self
        while scope is not None:
            yield scope
            scope = scope._parent


_FORK_WAIT_S = 1.0  # it is held for microseconds, unless a hook for warnings takes its time
_held_at_fork: list[bool] = []


def _before_fork() -> None:
    """Wait until no other thread changes a scope, so that a child's sums are whole."""
    _held_at_fork.append(NestedScope._lock.acquire(timeout=_FORK_WAIT_S))


def _after_fork_in_parent() -> None:
    if _held_at_fork.pop():
        NestedScope._lock.release()


def _after_fork_in_child() -> None:
    """The threads that hold or wait for the lock are the parent's."""
    _held_at_fork.clear()
    NestedScope._lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
