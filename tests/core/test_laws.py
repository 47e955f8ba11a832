"""The laws that hold for every answer, each run over every case."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aimlapi_core import (
    ChatRequest,
    Finished,
    Message,
    StreamCutError,
    StreamError,
    StreamEvent,
    Text,
    TextDelta,
    ToolCallDelta,
)
from aimlapi_core._endpoint import Plan, plan
from tests.core.cases import CASES, RESPONSES_CASES, Case

ROOT = Path(__file__).parents[2]
ALL = (*CASES, *RESPONSES_CASES)
cases = pytest.mark.parametrize("case", ALL, ids=str)
chat_cases = pytest.mark.parametrize("case", CASES, ids=str)


def plan_for(case: Case) -> Plan:
    request = ChatRequest(
        "openai/gpt-5-2",
        (Message("user", (Text("hi"),)),),
        n=case.n if case.n > 1 else None,
        endpoint=case.endpoint,
    )
    return plan(request, stream=True)


def events_of(case: Case, pieces: list[bytes]) -> Iterator[StreamEvent]:
    reader = plan_for(case).reader()
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.close()


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@cases
def test_streamed_reply_equals_the_decoded_one(case: Case) -> None:
    *_, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    assert last.reply == plan_for(case).decode(case.body, {})


@cases
@pytest.mark.parametrize(
    ("size", "newline"),
    [(1, "\n"), (3, "\n"), (7, "\r\n"), (1, "\r")],
    ids=["1-lf", "3-lf", "7-crlf", "1-cr"],
)
def test_pieces_give_the_same_events_as_the_whole(case: Case, size: int, newline: str) -> None:
    whole = list(events_of(case, [case.sse()]))
    assert list(events_of(case, cut(case.sse(newline=newline), size))) == whole


@cases
def test_deltas_add_up_to_the_reply(case: Case) -> None:
    *deltas, last = events_of(case, [case.sse()])
    assert isinstance(last, Finished)
    for choice in last.reply.choices:
        mine = [d for d in deltas if d.choice == choice.index]  # type: ignore[union-attr]  # no Finished before the last
        assert "".join(d.text for d in mine if isinstance(d, TextDelta)) == choice.text
        for index, call in enumerate(choice.tool_calls):
            pieces = [d for d in mine if isinstance(d, ToolCallDelta) and d.index == index]
            assert "".join(d.arguments for d in pieces) == call.arguments
            assert [d.id for d in pieces if d.id] == [call.id]
            assert [d.name for d in pieces if d.name] == [call.name]


@cases
def test_every_prefix_before_the_closing_event_raises(case: Case) -> None:
    for length in range(len(case.chunks) + 1):
        prefix = replace(case, chunks=case.chunks[:length]).sse(done=False)
        if length <= case.closing:
            with pytest.raises(StreamCutError) as caught:
                list(events_of(case, [prefix]))
            assert caught.value.partial is not None
        else:
            *_, last = events_of(case, [prefix])
            assert isinstance(last, Finished)


@cases
def test_every_prefix_in_bytes_is_the_answer_or_a_cut(case: Case) -> None:
    whole = next(reversed(list(events_of(case, [case.sse()]))))
    assert isinstance(whole, Finished)
    stream = case.sse(done=False)
    rng = random.Random(7)
    for length in sorted(rng.sample(range(len(stream)), min(200, len(stream)))):
        try:
            *_, last = events_of(case, [stream[:length]])
        except StreamCutError:
            continue
        assert isinstance(last, Finished)
        assert last.reply.choices == whole.reply.choices


@cases
def test_what_follows_done_is_ignored(case: Case) -> None:
    more = b'data: {"choices":[{"index":0,"delta":{"content":"MORE"}}]}\n\ndata: {broken\n\n'
    assert list(events_of(case, [case.sse() + more])) == list(events_of(case, [case.sse()]))


@chat_cases
def test_text_after_the_finish_reason_raises(case: Case) -> None:
    late = b'data: {"choices":[{"index":0,"delta":{"content":"late"}}]}\n\n'
    with pytest.raises(StreamError, match="after its finish reason"):
        list(events_of(case, [case.sse(done=False) + late]))


ORDER = [
    {"types", "_read", "_copies", "_installation"},
    {"errors"},
    {"models", "retry", "cost", "_sse", "_usage", "schema", "settings", "_version"},
    {"_chat_choice", "_responses_items"},
    {"_chat_fold", "_stop", "_check", "_responses_fold"},
    {"_chat", "_responses", "_embeddings"},
    {"_endpoint", "account", "_otel", "totals"},
    {"budget"},
    {"calls", "tracking"},
    {"settling"},
    {"_io"},
    {"__init__", "__main__"},
]


def imports_of(path: Path, package: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {n for n in names if n.startswith(package)}


def rank(module: str) -> int:
    return next(i for i, names in enumerate(ORDER) if module in names)


CORE_FILES = sorted((ROOT / "aimlapi_core").rglob("*.py"))


@pytest.mark.parametrize("path", CORE_FILES, ids=lambda p: p.stem)
def test_core_imports_point_one_way(path: Path) -> None:
    relative = path.relative_to(ROOT / "aimlapi_core")
    own = relative.parts[0].removesuffix(".py")
    source = path.read_text()
    for name in imports_of(path, "aimlapi_core"):
        part = name.split(".")[1] if "." in name else ""
        if any(part in names for names in ORDER) and not (own == "errors" and part == "types"):
            assert rank(part) <= rank(own), f"{own} imports {part}"
    if own != "_io":
        for forbidden in ("httpx", "asyncio", "time"):
            runtime = [
                node
                for node in ast.parse(source).body
                if isinstance(node, (ast.Import, ast.ImportFrom))
                and forbidden in ast.unparse(node).replace(",", " ").split()
            ]
            assert not runtime, f"{own} imports {forbidden}"
    assert not imports_of(path, "langchain")
    assert not imports_of(path, "llama_index")
    assert not imports_of(path, "aimlapi_emulator")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "aimlapi_emulator").rglob("*.py")), ids=lambda p: p.stem
)
def test_emulator_knows_neither_core_nor_frameworks(path: Path) -> None:
    for package in ("aimlapi_core", "langchain", "llama_index"):
        assert not imports_of(path, package)


@pytest.mark.parametrize("path", sorted((ROOT / "aimlapi_ray").rglob("*.py")), ids=lambda p: p.stem)
def test_batches_know_the_core_and_no_framework(path: Path) -> None:
    for package in ("langchain", "llama_index", "aimlapi_emulator"):
        assert not imports_of(path, package)
    if path.stem != "run":
        assert not imports_of(path, "ray")
