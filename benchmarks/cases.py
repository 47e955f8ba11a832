"""The cases: what is measured beside what, and the goal that each ratio is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.payloads import KINDS

FEW = 3  # rounds of a case of which one takes long
Job = Mapping[str, Any]
Figures = dict[str, float]
Round = Mapping[str, Figures]  # by label


@dataclass(frozen=True)
class Goal:
    """A value of one round's figures, held against a bound; without one it is only shown."""

    what: str
    value: Callable[[Round], float]
    bound: float | None
    at_least: bool = False
    unit: str = "x"

    def holds(self, value: float) -> bool | None:
        """Whether a measured value meets the goal; None where there is none."""
        if self.bound is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Case:
    """Jobs by label, run one after the other in each round, and their goals.

    `shown` is the figure that is printed of each job, `unit` its unit. `most_rounds`: fewer than
    the run's, where one round takes long.
    """

    name: str
    jobs: Mapping[str, Job]
    goals: tuple[Goal, ...] = ()
    shown: str = "cpu_us"
    unit: str = "us"
    most_rounds: int = 7


class Side(NamedTuple):
    """One framework's subjects: ours, the one in memory, the limit, peers, and the one to beat."""

    name: str
    ours: str
    memory: str
    limit: str
    peers: tuple[str, ...]
    rival: str


LANGCHAIN = Side(
    "langchain", "ChatAIMLAPI", "memory", "limit", ("ChatOpenAI", "ChatMistralAI"), "ChatOpenAI"
)
LLAMA_INDEX = Side(
    "llama_index",
    "AIMLAPI",
    "memory LlamaIndex",
    "limit LlamaIndex",
    ("OpenAILike", "OpenAI"),
    "OpenAILike",
)


def _to_limit(side: Side, bound: float) -> Goal:
    """Ours over the limit: a model in memory whose answers come over raw httpx, JSON parsed."""
    return _ratio("ours over the limit", side.ours, side.limit, bound)


def _to_halves(side: Side) -> Goal:
    """Ours over the limit's halves, each in a loop of its own, where caches stay warm; no goal."""

    def value(found: Round) -> float:
        return found[side.ours]["cpu_us"] / (
            found[side.memory]["cpu_us"] + found["httpx"]["cpu_us"]
        )

    return Goal("ours over the halves apart", value, None)


def _ratio(what: str, of: str, over: str, bound: float, figure: str = "cpu_us") -> Goal:
    return Goal(what, lambda found: found[of][figure] / found[over][figure], bound)


def _faster(peer: str, ours: str, bound: float) -> Goal:
    """How many times our CPU time the peer's is."""

    def value(found: Round) -> float:
        return found[peer]["cpu_us"] / found[ours]["cpu_us"]

    return Goal(f"{peer} over ours", value, bound, at_least=True)


def _figure(what: str, label: str, figure: str, bound: float, unit: str = "") -> Goal:
    return Goal(what, lambda found: found[label][figure], bound, unit=unit)


def _jobs(job: Job, *subjects: str) -> dict[str, Job]:
    return {subject: {**job, "subject": subject} for subject in subjects}


def _subjects(side: Side) -> tuple[str, ...]:
    return side.ours, side.limit, side.memory, "httpx"


def _per_call(side: Side) -> Iterator[Case]:
    names = ("invoke", "ainvoke") if side is LANGCHAIN else ("chat", "achat")
    for name, measure in zip(names, ("call", "acall"), strict=True):
        yield Case(
            f"{side.name}.{name}",
            _jobs({"measure": measure, "times": 300}, *_subjects(side), *side.peers),
            (_to_limit(side, 0.9), _to_halves(side), _faster(side.rival, side.ours, 2)),
        )


def _per_chunk(side: Side) -> Iterator[Case]:
    names = ("stream", "astream") if side is LANGCHAIN else ("stream_chat", "astream_chat")
    for name, measure in zip(names, ("stream", "astream"), strict=True):
        for kind in KINDS:
            job = {"measure": measure, "kind": kind, "count": 1000, "times": 4}
            peers = side.peers if kind == "text" else ()
            goals = [_to_limit(side, 1.1)]
            subjects: tuple[str, ...] = (side.ours, side.limit)
            if kind == "text":
                goals += [_to_halves(side), _faster(side.rival, side.ours, 3)]
                subjects = _subjects(side)
            if "ChatMistralAI" in peers:
                goals.append(_faster("ChatMistralAI", side.ours, 1))
            yield Case(
                f"{side.name}.{name}.{kind}",
                _jobs(job, *subjects, *peers),
                tuple(goals),
            )


def _agent() -> Iterator[Case]:
    job = {"measure": "agent", "steps": 10, "times": 8}
    ours, rival, memory = LANGCHAIN.ours, LANGCHAIN.rival, "memory agent"

    def share(found: Round) -> float:
        return 100 * (1 - found[memory]["cpu_us"] / found[ours]["cpu_us"])

    yield Case(
        "langchain.agent",
        _jobs(job, ours, memory, rival),
        (
            Goal("our share, over a model in memory", share, 25, unit=" %"),
            _faster(rival, ours, 2.3),
        ),
    )


def _embeddings() -> Iterator[Case]:
    job = {"measure": "embed", "count": 10_000}
    for name, ours, rival, to_limit, to_rival in (
        ("langchain.embed_documents", "AIMLAPIEmbeddings", "OpenAIEmbeddings", 1.3, 2.4),
        ("llama_index.get_text_embedding_batch", "AIMLAPIEmbedding", "OpenAIEmbedding", 1.6, 1.6),
    ):
        limit = "embeddings limit"
        yield Case(
            name,
            _jobs(job, ours, limit, rival),
            (_ratio("ours over the limit", ours, limit, to_limit), _faster(rival, ours, to_rival)),
            most_rounds=FEW,
        )


def _in_flight() -> Iterator[Case]:
    ours, rival = LANGCHAIN.ours, LANGCHAIN.rival
    job = {"measure": "in_flight", "delay_ms": 50, "count": 1000}
    yield Case(
        "in_flight.1000",
        {
            **_jobs(job, ours, *LANGCHAIN.peers, "httpx"),
            "one after another": {"measure": "acall", "times": 300, "subject": ours},
        },
        (
            _ratio("ours over one after another", ours, "one after another", 2),
            _faster(rival, ours, 8),
        ),
        most_rounds=FEW,
    )
    yield Case(
        "in_flight.5000",
        {
            **_jobs({**job, "count": 5000}, ours),
            "100 in flight": {**job, "count": 100, "subject": ours},
        },
        (
            _figure("errors", ours, "errors", 0),
            _ratio("5,000 over 100 in flight", ours, "100 in flight", 1.1),
        ),
        most_rounds=FEW,
    )
    cold = {**job, "cold": True, "tls": True}
    yield Case("in_flight.1000_cold_tls", _jobs(cold, ours, "httpx"), most_rounds=FEW)
    # Not ChatMistralAI: it takes no certificates but its own package's.
    yield Case(
        "cold_start.tls", _jobs({"measure": "first_call", "tls": True}, ours, "httpx", rival)
    )


def _construction() -> Iterator[Case]:
    for side, share in ((LANGCHAIN, 5), (LLAMA_INDEX, 2)):
        ours = side.ours
        yield Case(
            f"{side.name}.construct",
            _jobs({"measure": "construct", "times": 200}, ours, "ChatOpenAI", *side.peers),
            (
                _ratio("ours over ChatOpenAI", ours, "ChatOpenAI", 1 / 7),
                _ratio("the first, over ChatOpenAI's", ours, "ChatOpenAI", 1 / 7, "first_cpu_us"),
                _figure("files, sockets, TLS opened", ours, "opened", 0),
            ),
        )
        yield Case(
            f"{side.name}.import",
            _jobs({"measure": "imports", "module": f"{side.name}_aimlapi"}, ours),
            (_figure("our modules' share", ours, "share", share, " %"),),
            shown="share",
            unit="%",
        )
        yield Case(
            f"{side.name}.objects",
            _jobs({"measure": "objects", "count": 10_000}, ours),
            (
                _figure("memory of one object", ours, "bytes", 20_000, " B"),
                _figure("sockets of 10,000 objects", ours, "sockets", 1),
            ),
            shown="bytes",
            unit="B",
            most_rounds=FEW,
        )


def _streams() -> Iterator[Case]:
    together = {"measure": "together", "streams": 200, "count": 2000}
    for side in (LANGCHAIN, LLAMA_INDEX):
        fair = Goal(
            "the last's progress at the first's end",
            lambda found, ours=side.ours: found[ours]["progress"],  # type: ignore[misc]  # bound now
            90,
            at_least=True,
            unit=" %",
        )
        yield Case(
            f"{side.name}.streams_together", _jobs(together, side.ours), (fair,), most_rounds=FEW
        )
        yield _long(side)
    held = {"measure": "held", "streams": 200, "count": 2000, "subject": "aimlapi_core"}
    yield Case(
        "core.stream_memory",
        {"aimlapi_core": held},
        (_figure("held for each chunk", "aimlapi_core", "bytes_a_chunk", 100, " B"),),
        shown="mb_long",
        unit="MB",
        most_rounds=FEW,
    )


def _long(side: Side) -> Case:
    job = {"measure": "stream", "kind": "text"}
    short, long = {**job, "count": 1000, "times": 10}, {**job, "count": 100_000, "times": 1}
    jobs: dict[str, Job] = {}
    for length, given in (("1,000", short), ("100,000", long)):
        for who, subject in (("ours", side.ours), ("memory", side.memory)):
            jobs[f"{who} {length}"] = {**given, "subject": subject}

    def growth(found: Round) -> float:
        of_long = found["ours 100,000"]["cpu_us"] - found["memory 100,000"]["cpu_us"]
        return of_long / (found["ours 1,000"]["cpu_us"] - found["memory 1,000"]["cpu_us"])

    goal = Goal("a chunk of 100,000 over one of 1,000", growth, 1.2)
    return Case(f"{side.name}.long_stream", jobs, (goal,), most_rounds=FEW)


def _size_of_work() -> Iterator[Case]:
    for side in (LANGCHAIN, LLAMA_INDEX):
        job = {"measure": "size_of_work", "times": 5}
        jobs: dict[str, Job] = {
            f"{who} {count}": {**job, "count": count, "subject": subject}
            for who, subject in (("ours", side.ours), ("memory", side.memory))
            for count in (1000, 2000)
        }

        def own_peak(found: Round) -> float:
            return found["ours 1000"]["peak_over_body"] - found["memory 1000"]["peak_over_body"]

        yield Case(
            f"{side.name}.size_of_work",
            jobs,
            (
                _ratio("2,000 messages over 1,000", "ours 2000", "ours 1000", 2.2),
                Goal("our peak memory over the body", own_peak, 1.25 if side is LANGCHAIN else 1.5),
            ),
            most_rounds=FEW,
        )


def _all() -> Iterator[Case]:
    for side in (LANGCHAIN, LLAMA_INDEX):
        yield from _per_call(side)
        yield from _per_chunk(side)
    yield from _agent()
    yield from _embeddings()
    yield from _in_flight()
    yield from _construction()
    yield from _streams()
    yield from _size_of_work()


CASES = tuple(_all())
