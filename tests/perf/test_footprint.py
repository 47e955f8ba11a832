"""What importing, constructing and streaming leave behind."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from aimlapi_core import ChatRequest, Client, Message, Settings, Text
from benchmarks.server import Answer
from tests.perf.modules import CLASSES, PINNED, imported, of_ours

NEVER = {
    "langchain_aimlapi": {"llama_index", "openai", "tiktoken", "h11"},
    "llama_index_aimlapi": {"langchain_core", "openai"},
}

# Of ours: what the first call of most programs does not need.
_CORE_LATE = ("_wire.responses", "models.catalogue", "_io.doctor")
LATE = {
    "langchain_aimlapi": (*_CORE_LATE, "_structured_output.plan", "_structured_output.parser"),
    "llama_index_aimlapi": _CORE_LATE,
}


# One test for each, since a process that imports a framework takes seconds.
@pytest.mark.parametrize(("name", "package"), CLASSES.items())
def test_what_an_adapter_imports_and_opens(name: str, package: str) -> None:
    """Of our packages the core alone; neither the other framework nor a vendor's client. The first
    object opens no file, no socket and no TLS context."""
    modules, opened = imported(package, name)
    assert opened == 0
    found = of_ours(modules)
    late = [module for module in found if any(part in module for part in LATE[package])]
    assert not late, f"{late}: import it in the function that needs it, as the first call does not"
    assert {module.split(".")[0] for module in found} == {package, "aimlapi_core"}
    pinned = json.loads(PINNED.read_text())[package]
    assert found == pinned, "a module more or less: run python -m tests.perf.modules"
    assert not NEVER[package] & {module.split(".")[0] for module in modules}


def _peak_bytes(origin: str, count: int) -> int:
    """The most memory that one stream of the core holds, in bytes."""
    answer = Answer(count=count, paced=True)
    request = ChatRequest(messages=(Message("user", (Text("Go."),)),), model="openai/gpt-5-2")
    settings = Settings(base_url=f"{origin}{answer.path}/v1", api_key="sk-bench")
    with Client(settings) as client:
        for _ in client.stream(request):
            pass
        tracemalloc.start()
        try:
            for _ in client.stream(request):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_a_stream_holds_its_text_and_nothing_else_of_its_chunks(origin: str) -> None:
    short, long = _peak_bytes(origin, 4_000), _peak_bytes(origin, 12_000)
    # A piece of text is a str of 54 bytes in a list, and the whole is joined once at the end.
    assert (long - short) / 8_000 < 110
