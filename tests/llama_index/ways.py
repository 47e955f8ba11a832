"""One call, made by any of the public methods: what comes is a list, of one item unstreamed."""

from __future__ import annotations

from typing import Any

from aimlapi_core.models.gpt_5_2 import GPT_5_2

CHAT = ("chat", "stream_chat", "achat", "astream_chat")
COMPLETE = ("complete", "stream_complete", "acomplete", "astream_complete")
WITH_TOOLS = (
    "chat_with_tools",
    "stream_chat_with_tools",
    "achat_with_tools",
    "astream_chat_with_tools",
)
STRUCTURED = (
    "structured_predict",
    "stream_structured_predict",
    "astructured_predict",
    "astream_structured_predict",
)
# Every id of GPT-5.2 on every endpoint that serves it: arguments of the constructor.
SETUPS = {
    f"{info.id.removeprefix('openai/')}-{endpoint}": {"model": info.id, "endpoint": endpoint}
    for info in GPT_5_2
    for endpoint in info.endpoints
}


async def items(llm: Any, way: str, *args: Any, **kwargs: Any) -> list[Any]:
    """All that `llm.<way>(...)` gives."""
    made = getattr(llm, way)(*args, **kwargs)
    if way.startswith("a"):
        made = await made
    if "stream" not in way:
        return [made]
    if way.startswith("a"):
        return [item async for item in made]
    return list(made)


async def last(llm: Any, way: str, *args: Any, **kwargs: Any) -> Any:
    """The last thing that `llm.<way>(...)` gives: the whole answer."""
    return (await items(llm, way, *args, **kwargs))[-1]
