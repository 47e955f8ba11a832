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


def until_error(how: str, runnable: Any, prompt: Any) -> tuple[list[Any], Exception | None]:
    """The pieces of a stream that came, and the error that ended it."""
    pieces: list[Any] = []

    async def collect() -> None:
        async for piece in runnable.astream(prompt):
            pieces.append(piece)  # noqa: PERF401  # an error must not take what came

    try:
        if how == "async":
            asyncio.run(collect())
        else:
            for piece in runnable.stream(prompt):
                pieces.append(piece)  # noqa: PERF402  # as above
    except Exception as error:
        return pieces, error
    return pieces, None


def call(how: str, streaming: bool, runnable: Any, *args: Any, **kwargs: Any) -> Any:
    """The whole answer by one of the four ways."""
    if streaming:
        return total(stream(how, runnable, *args, **kwargs))
    return invoke(how, runnable, *args, **kwargs)


def events(how: str, model: Any, prompt: Any) -> tuple[list[Any], Any]:
    """All events of a v3 stream, and its message."""
    if how == "sync":
        stream = model.stream_events(prompt, version="v3")
        return list(stream), stream.output

    async def collect() -> tuple[list[Any], Any]:
        stream = await model.astream_events(prompt, version="v3")
        return [event async for event in stream], await stream.output

    return asyncio.run(collect())


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
