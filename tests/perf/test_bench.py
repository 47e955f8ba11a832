"""The benchmarks' own promises: each goal has its case, a run ends in time, a miss is shown."""

from __future__ import annotations

import gc
import json
import threading
import time
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest

from benchmarks import page, profile
from benchmarks.cases import CASES
from benchmarks.goals import Case, Goal, figure, ratio
from benchmarks.ray_rows import figures
from benchmarks.results import Result, rows
from benchmarks.run import MINUTES, Plan, run_case
from benchmarks.stopwatch import PART, Sampler, Stopwatch
from benchmarks.workers import Workers

GOALS = {f"{case.name}: {goal.what}": goal.asks for case in CASES for goal in case.goals}

# Patterns of goals, how many there are, and what they ask.
WANTED = [
    ("*.invoke: ours over the limit", 1, "at most 0.9x"),
    ("*.ainvoke: ours over the limit", 1, "at most 0.9x"),
    ("llama_index.*chat: ours over the limit", 2, "at most 0.9x"),
    ("langchain.*stream.*: ours over the limit", 6, "at most 1.1x"),
    ("llama_index.*stream_chat.*: ours over the limit", 6, "at most 1.1x"),
    ("in_flight.1000: ChatOpenAI over ours", 1, "at least 8x"),
    ("in_flight.1000: ours over the limit in flight", 1, "at most 1.25x"),
    ("in_flight.5000: errors", 1, "at most 0"),
    ("in_flight.5000: 5,000 over 100 in flight", 1, "at most 1.1x"),
    ("langchain.import: our modules' share", 1, "at most 5 %"),
    ("llama_index.import: our modules' share", 1, "at most 2 %"),
    ("langchain.size_of_work: peak memory above*", 1, "at most 1.25x"),
    ("llama_index.size_of_work: peak memory above*", 1, "at most 1.5x"),
    ("*.streams_together: *", 2, "at least 90 %"),
    ("langchain.embed_documents: ours over the limit", 1, "at most 1.3x"),
    ("langchain.embed_documents: OpenAIEmbeddings over ours", 1, "at least 2.4x"),
    ("llama_index.get_text_embedding_batch: ours over the limit", 1, "at most 1.6x"),
    ("llama_index.get_text_embedding_batch: OpenAIEmbedding over ours", 1, "at least 1.6x"),
    ("langchain.agent: our share*", 1, "at most 25 %"),
    ("langchain.agent: ChatOpenAI over ours", 1, "at least 2.3x"),
    ("ray.rows*: rows a second*", 2, "at least 0.8x"),
    ("ray.rows*: the journal's share*", 2, "at most 5 %"),
]


@pytest.mark.parametrize(("pattern", "count", "asks"), WANTED, ids=[one[0] for one in WANTED])
def test_each_goal_has_its_case(pattern: str, count: int, asks: str) -> None:
    assert [wanted for name, wanted in GOALS.items() if fnmatch(name, pattern)] == [asks] * count


def test_a_whole_run_is_planned_to_end_in_time() -> None:
    assert sum(case.rounds * case.seconds for case in CASES) <= MINUTES * 60


def test_without_time_left_a_case_gets_one_round() -> None:
    case = Case("slow", {}, rounds=7, seconds=10)
    assert Plan([case], minutes=10).rounds(case) == 7
    assert 1 <= Plan([case], minutes=0.5).rounds(case) <= 3
    assert Plan([case], minutes=0).rounds(case) == 1


FIRST = {"measure": "construct", "times": 2, "subject": "memory"}
HALF = (
    ratio("ours over the peer", "ours", "ChatOpenAI", 1),
    figure("opened", "ours", "opened", 0),
)


def test_a_job_that_fails_is_said_in_its_rows_and_the_others_are_measured() -> None:
    broken = {**FIRST, "subject": "ChatOpenAI", "times": "no number"}
    case = Case("mixed", {"ours": FIRST, "ChatOpenAI": broken}, HALF)
    with Workers({"http": "http://127.0.0.1:9"}) as workers:
        result = run_case(case, 2, workers)
    beside_peer, alone = rows(case, result)
    assert beside_peer["measured"] is None
    assert beside_peer["held"] is None
    (why,) = beside_peer["failures"].values()
    assert "langchain_openai is not installed" in why or "Error" in why
    assert alone["held"] is True
    assert alone["rounds"] == 2
    assert not alone["failures"]


@pytest.fixture
def report() -> dict[str, Any]:
    """A run of one case with a goal that is held and one that is missed."""
    goals = (ratio("ours over the limit", "ours", "limit", 0.9), figure("errors", "ours", "n", 0))
    jobs = {name: {"subject": name} for name in ("ours", "ChatOpenAI", "limit")}
    case = Case("langchain.invoke", jobs, goals, "limit")
    found = {"ours": 1200.0, "ChatOpenAI": 3000.0, "limit": 1000.0}
    figures = {name: [{"cpu_us": cpu_us, "n": 0.0}] * 3 for name, cpu_us in found.items()}
    machine = {"cores": 2, "processor": "x", "python": "CPython 3", "load": 0.1, "versions": {}}
    return {
        "date": "2026-01-01",
        "quick": False,
        "machine": machine,
        "goals": rows(case, Result({**figures}, {})),
        "figures": {"langchain.invoke": figures},
    }


def test_a_missed_goal_is_called_missed_with_its_reason(report: dict[str, Any]) -> None:
    assert page.verdict(report) == "Of 2 goals 1 are held, 1 missed."
    missed, held = page.table(report).splitlines()[-2:]
    assert missed == (
        "| `langchain.invoke`: ours over the limit | at most 0.9x | 1.2x (1.2 to 1.2), 1.2 ms: "
        "**missed** | ChatOpenAI 3 ms | 1 ms |"
    )
    assert "held" in held
    text = page.missed(report)
    assert text.startswith("### A call beside the limit")
    assert "at most 0.9x: **missed** with 1.2x" in text
    assert "errors" not in text
    assert page.verdict(report) in page.readme(report)


def test_each_missed_goal_gets_one_reason(report: dict[str, Any]) -> None:
    """Whatever a run misses: the last entry takes all that the others do not name."""
    (row, _) = report["goals"]
    for name in GOALS:
        case, what = name.split(": ", 1)
        text = page.missed({**report, "goals": [{**row, "case": case, "what": what}]})
        assert text.count("**What it would take:**") == 1
    entries = tomllib.loads(page.MISSES.read_text(encoding="utf-8"))["miss"]
    for entry in entries[:-1]:
        for pattern in entry["goals"]:
            assert any(fnmatch(name, pattern) for name in GOALS), f"no such goal: {pattern}"


clocks = pytest.mark.skipif(
    not hasattr(time, "pthread_getcpuclockid"), reason="this system has no clocks of threads"
)


def _collected(phase: str, info: dict[str, int]) -> None:
    """A callback of somebody else."""


@clocks
def test_the_sampler_books_the_time_on_who_spends_it(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(Stopwatch, "sampler", Sampler())
    gc.callbacks.append(_collected)  # as Hypothesis has one
    request.addfinalizer(lambda: gc.callbacks.remove(_collected))
    watch = Stopwatch()
    kept = [[number] for number in range(100_000)]
    for _ in range(10):
        gc.collect()
    found = watch.per(1)
    parts = {name: cpu_us for name, cpu_us in found.items() if name.startswith(PART)}
    assert kept
    assert 0.5 * found["cpu_us"] <= sum(parts.values()) <= found["cpu_us"]
    assert parts[f"{PART}garbage collection"] > 0.5 * sum(parts.values())


@clocks
def test_the_sampler_sees_other_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stopwatch, "sampler", Sampler())
    watch = Stopwatch()
    thread = threading.Thread(target=lambda: [json.loads("[1]") for _ in range(30_000)])
    thread.start()
    while thread.is_alive():
        thread.join(0.001)
    found = watch.per(1)
    assert found[f"{PART}json"] > 0.3 * found["cpu_us"]


def test_the_profile_s_shares_are_of_the_whole() -> None:
    ours = {"cpu_us": 100.0, f"{PART}h11": 75.0, f"{PART}httpx": 25.0}
    limit = {"cpu_us": 50.0, f"{PART}httpx": 50.0}
    drawn = {"profile.langchain.invoke": {"ChatAIMLAPI": [ours], "limit": [limit]}}
    report = {"figures": drawn, "date": "2026-01-01"}
    assert profile.table(report).splitlines()[2:] == ["| h11 | 75 |", "| httpx | 25 |"]
    assert ">2.00</text>" in profile.drawn(report)


def test_rows_a_second_and_the_journal_s_share() -> None:
    """Two workers; what each has waited so far stands in its rows."""
    answers = ["[0.0, 3.0, 1, 0.5]", "[1.0, 4.0, 2, 0.25]", "[4.0, 8.0, 1, 1.0]"]
    found = figures(answers)
    assert found["rows_a_second"] == 3 / 8
    assert found["journal"] == pytest.approx(100 * 1.25 / 11.25)


def test_a_goal_says_what_it_asks() -> None:
    at_least = Goal("x", lambda found: 1.0, 90, at_least=True, unit=" %")
    assert at_least.asks == "at least 90 %"
    assert at_least.holds(90)
    assert not at_least.holds(89)
