"""One way to call a model, sync or async, so that no test stands twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any


def invoke(how: str, runnable: Any, *args: Any, **kwargs: Any) -> Any:
    """`invoke`, or `ainvoke` in a loop of its own."""
    if how == "sync":
        return runnable.invoke(*args, **kwargs)
    return asyncio.run(runnable.ainvoke(*args, **kwargs))


def stream(how: str, runnable: Any, *args: Any, **kwargs: Any) -> list[Any]:
    """All that `stream` gives, or `astream` in a loop of its own."""
    if how == "sync":
        return list(runnable.stream(*args, **kwargs))

    async def collect() -> list[Any]:
        return [piece async for piece in runnable.astream(*args, **kwargs)]

    return asyncio.run(collect())


def call(how: str, streaming: bool, runnable: Any, *args: Any, **kwargs: Any) -> Any:
    """The whole answer by one of the four ways."""
    if streaming:
        return total(stream(how, runnable, *args, **kwargs))
    return invoke(how, runnable, *args, **kwargs)


def total(pieces: Iterable[Any]) -> Any:
    """The sum of the pieces."""
    whole, *rest = pieces
    for piece in rest:
        whole = whole + piece
    return whole


def bodies(seen: Sequence[Any]) -> list[Any]:
    """The JSON bodies that arrived."""
    return [request.body for request in seen]


def embedded(how: str, embeddings: Any, texts: Any) -> Any:
    """`embed_documents` of a list, `embed_query` of a string, or their async twins."""
    name = "embed_query" if isinstance(texts, str) else "embed_documents"
    if how == "sync":
        return getattr(embeddings, name)(texts)
    return asyncio.run(getattr(embeddings, f"a{name}")(texts))
