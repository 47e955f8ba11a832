"""Run in an environment that holds the wheel alone: `python -I smoke.py EXTRA` ("-" for none).

What the extra brings works, sync, async and streaming, against AIMLAPI_BASE_URL; what it does not
bring says which extra to install.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MODEL = "openai/gpt-5-2"


def core() -> None:
    """Without any extra."""
    import aimlapi_core
    from aimlapi_core import AsyncClient, ChatRequest, Client, Finished, Message, Text

    assert Path(sys.prefix) in Path(aimlapi_core.__file__).parents, aimlapi_core.__file__
    assert aimlapi_core.__version__ == version("aimlapi-integrations")
    request = ChatRequest(MODEL, (Message("user", (Text("Hello"),)),))

    async def ask() -> str:
        async with AsyncClient() as client:
            return (await client.complete(request)).choices[0].text

    with Client() as client:
        assert "Hello" in client.complete(request).choices[0].text
        *_, last = client.stream(request)
    assert isinstance(last, Finished)
    assert "Hello" in last.reply.choices[0].text
    assert "Hello" in asyncio.run(ask())


def langchain() -> None:
    """The model and the embeddings of LangChain."""
    from langchain_aimlapi import AIMLAPIEmbeddings, ChatAIMLAPI

    model = ChatAIMLAPI(model=MODEL)
    assert "Hello" in str(model.invoke("Hello").text)
    assert "Hello" in "".join(str(chunk.text) for chunk in model.stream("Hello"))
    assert "Hello" in str(asyncio.run(model.ainvoke("Hello")).text)
    assert len(AIMLAPIEmbeddings().embed_query("Hello")) == 1536
    model.close()


def llama_index() -> None:
    """The model and the embeddings of LlamaIndex, by both names."""
    from llama_index.core.node_parser import SentenceSplitter

    import llama_index_aimlapi
    from llama_index.embeddings.aimlapi import AIMLAPIEmbedding
    from llama_index.llms.aimlapi import AIMLAPI

    assert llama_index_aimlapi.AIMLAPI is AIMLAPI
    assert SentenceSplitter  # LlamaIndex's own part of the namespace is still there
    llm = AIMLAPI(MODEL)
    assert "Hello" in llm.complete("Hello").text
    assert "Hello" in "".join(piece.delta or "" for piece in llm.stream_complete("Hello"))
    assert "Hello" in asyncio.run(llm.acomplete("Hello")).text
    assert len(AIMLAPIEmbedding().get_text_embedding("Hello")) == 1536
    llm.close()


def emulator() -> None:
    """The emulator answers the core."""
    from aimlapi_core import ChatRequest, Client, Message, Settings, Text
    from aimlapi_emulator import Emulator

    request = ChatRequest(MODEL, (Message("user", (Text("Hello"),)),))
    with Emulator() as own, Client(Settings(base_url=own.base_url, api_key="any")) as client:
        assert "Hello" in client.complete(request).choices[0].text
        assert [seen.status for seen in own.requests] == [200]


def otel() -> None:
    """Spans can be asked for."""
    from aimlapi_core import start_tracing, stop_tracing

    start_tracing()
    stop_tracing()


# By extra: what shows that it works, the distribution that it brings, and how one finds out that
# it is missing.
PARTS: dict[str, tuple[Callable[[], None], str, Callable[[], object]]] = {
    "langchain": (
        langchain,
        "langchain-core",
        lambda: importlib.import_module("langchain_aimlapi"),
    ),
    "llama-index": (
        llama_index,
        "llama-index-core",
        lambda: importlib.import_module("llama_index_aimlapi"),
    ),
    "emulator": (emulator, "h11", lambda: importlib.import_module("aimlapi_emulator")),
    "otel": (otel, "opentelemetry-api", otel),
}
# httpx brings h11 too, so the emulator works without its extra.
ALWAYS = {"emulator"}


def is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


def main(extra: str) -> None:
    """AssertionError, or whatever went wrong."""
    core()
    for name, (works, distribution, missed) in PARTS.items():
        if is_installed(distribution):
            assert name in (extra, *ALWAYS) or extra not in (*PARTS, "-"), f"{name} came too"
            works()
            continue
        assert extra not in (name, "all"), f"{extra} does not bring {distribution}"
        told = ""
        try:
            missed()
        except (ImportError, ValueError) as error:
            told = str(error)
        assert f"aimlapi-integrations[{name}]" in told, f"without {name} it says {told!r}"


if __name__ == "__main__":
    main(sys.argv[1])
