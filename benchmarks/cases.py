"""The cases: what is measured beside what, and the goal that each ratio is held to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.goals import Case, Goal, Job, Round, faster, figure, ratio
from benchmarks.payloads import KINDS

PROFILE = "profile."  # what the names of the cases without goals begin with

FEW = 3  # rounds of a case of which one takes long
PEERS = frozenset(
    (
        "ChatOpenAI",
        "ChatOpenAI with httpx-aiohttp",
        "ChatMistralAI",
        "OpenAILike",
        "OpenAI",
        "OpenAIEmbeddings",
        "OpenAIEmbedding",
    )
)


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
SIDES = (LANGCHAIN, LLAMA_INDEX)


def _to_limit(side: Side, bound: float) -> Goal:
    """Ours over the limit: a model in memory whose answers come over raw httpx, JSON parsed."""
    return ratio("ours over the limit", side.ours, side.limit, bound)


def _jobs(job: Job, *subjects: str) -> dict[str, Job]:
    return {subject: {**job, "subject": subject} for subject in subjects}


def _per_call(side: Side) -> Iterator[Case]:
    names = ("invoke", "ainvoke") if side is LANGCHAIN else ("chat", "achat")
    for name, measure in zip(names, ("call", "acall"), strict=True):
        yield Case(
            f"{side.name}.{name}",
            _jobs({"measure": measure, "times": 300}, side.ours, side.limit, *side.peers),
            (_to_limit(side, 0.9), faster(side.rival, side.ours, 2)),
            side.limit,
            rounds=7,
            seconds=3,
        )


def _per_chunk(side: Side) -> Iterator[Case]:
    names = ("stream", "astream") if side is LANGCHAIN else ("stream_chat", "astream_chat")
    for name, measure in zip(names, ("stream", "astream"), strict=True):
        for kind in KINDS:
            job = {"measure": measure, "kind": kind, "count": 1000, "times": 4}
            peers = side.peers if kind == "text" else ()
            goals = [_to_limit(side, 1.1)]
            if kind == "text":
                goals.append(faster(side.rival, side.ours, 3))
            if "ChatMistralAI" in peers:
                goals.append(faster("ChatMistralAI", side.ours, 1))
            yield Case(
                f"{side.name}.{name}.{kind}",
                _jobs(job, side.ours, side.limit, *peers),
                tuple(goals),
                side.limit,
                rounds=7,
                seconds=2 if peers else 0.7,
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
            Goal("our share, over a model in memory", share, 25, unit=" %", beside="cpu_us"),
            faster(rival, ours, 2.3),
        ),
        memory,
        seconds=4.5,
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
            (ratio("ours over the limit", ours, limit, to_limit), faster(rival, ours, to_rival)),
            limit,
            rounds=FEW,
            seconds=9,
        )


def _in_flight() -> Iterator[Case]:
    ours, rival, limit = LANGCHAIN.ours, LANGCHAIN.rival, "limit in flight"
    job = {"measure": "in_flight", "delay_ms": 50, "count": 1000}
    aiohttp = {**job, "extra": True}
    yield Case(
        "in_flight.1000",
        {
            **_jobs(job, ours, limit, *LANGCHAIN.peers),
            **_jobs(aiohttp, "ChatOpenAI with httpx-aiohttp", "ChatAIMLAPI with httpx-aiohttp"),
            "one after another": {"measure": "acall", "times": 300, "subject": ours},
        },
        (
            faster(rival, ours, 8),
            ratio("ours over the limit in flight", ours, limit, 1.25),
            ratio("ours over one after another", ours, "one after another", 2),
        ),
        limit,
        rounds=FEW,
        seconds=22,
    )
    yield Case(
        "in_flight.5000",
        {
            **_jobs({**job, "count": 5000, "soft_files": 1024}, ours),
            "100 in flight": {**job, "count": 100, "subject": ours},
        },
        (
            figure("errors", ours, "errors", 0),
            ratio("5,000 over 100 in flight", ours, "100 in flight", 1.1),
        ),
        rounds=FEW,
        seconds=25,
    )
    # Not ChatMistralAI: it takes no certificates but its own package's.
    cold = {"measure": "first_call", "tls": True}
    yield Case(
        "cold_start.tls", _jobs(cold, ours, "httpx", rival), limit="httpx", rounds=FEW, seconds=2
    )


def _rows() -> Iterator[Case]:
    """Rows a second by Ray and by a plain asyncio loop, as many calls in flight."""
    rows = {50: 1600, 500: 384}
    for delay_ms, count in rows.items():
        job = {"delay_ms": delay_ms, "count": count, "extra": True, "subject": LANGCHAIN.ours}
        yield Case(
            "ray.rows" if delay_ms == 500 else f"ray.rows.{delay_ms}_ms",
            {
                "Ray": {**job, "measure": "ray_rows"},
                "asyncio": {**job, "measure": "asyncio_rows"},
            },
            (
                Goal(
                    f"rows a second over a plain loop's, answers after {delay_ms} ms",
                    lambda found: found["Ray"]["rows_a_second"] / found["asyncio"]["rows_a_second"],
                    0.8,
                    at_least=True,
                    beside="rows_a_second",
                ),
                figure(
                    f"the journal's share of a row's time, answers after {delay_ms} ms",
                    "Ray",
                    "journal",
                    5,
                    " %",
                ),
            ),
            "asyncio",
            rounds=FEW,
            seconds=20,
        )


def _construction() -> Iterator[Case]:
    for side, share in ((LANGCHAIN, 5), (LLAMA_INDEX, 2)):
        ours = side.ours
        yield Case(
            f"{side.name}.construct",
            _jobs({"measure": "construct", "times": 200}, ours, "ChatOpenAI", *side.peers),
            (
                ratio("ours over ChatOpenAI", ours, "ChatOpenAI", 1 / 7),
                ratio("the first, over ChatOpenAI's", ours, "ChatOpenAI", 1 / 7, "first_cpu_us"),
                figure("files, sockets, TLS opened", ours, "opened", 0),
            ),
            seconds=1,
        )
        yield Case(
            f"{side.name}.import",
            _jobs({"measure": "imports", "module": f"{side.name}_aimlapi"}, ours),
            (figure("our modules' share", ours, "share", share, " %"),),
            seconds=4,
        )
        yield Case(
            f"{side.name}.objects",
            _jobs({"measure": "objects", "count": 10_000}, ours),
            (
                figure("memory of one object", ours, "bytes", 20_000, " B"),
                figure("sockets of 10,000 objects", ours, "sockets", 1),
            ),
            rounds=1,
            seconds=2,
        )


def _streams() -> Iterator[Case]:
    together = {"measure": "together", "streams": 200, "count": 2000}
    for side in SIDES:
        fair = Goal(
            "the last's progress at the first's end",
            lambda found, ours=side.ours: found[ours]["progress"],  # type: ignore[misc]  # bound now
            90,
            at_least=True,
            unit=" %",
        )
        yield Case(
            f"{side.name}.streams_together",
            _jobs(together, side.ours),
            (fair,),
            rounds=2,
            seconds=18,
        )
        yield _long(side)
    held = {"measure": "held", "streams": 25, "count": 2000, "subject": "aimlapi_core"}
    yield Case(
        "core.stream_memory",
        {"aimlapi_core": held},
        (figure("held for each chunk", "aimlapi_core", "bytes_a_chunk", 100, " B"),),
        rounds=1,
    )


def _long(side: Side) -> Case:
    job = {"measure": "stream", "kind": "text"}
    short, long = {**job, "count": 1000, "times": 20}, {**job, "count": 100_000, "times": 1}
    jobs: dict[str, Job] = {}
    for length, given in (("1,000", short), ("100,000", long)):
        for who, subject in (("ours", side.ours), ("memory", side.memory)):
            jobs[f"{who} {length}"] = {**given, "subject": subject}

    def growth(found: Round) -> float:
        of_long = found["ours 100,000"]["cpu_us"] - found["memory 100,000"]["cpu_us"]
        return of_long / (found["ours 1,000"]["cpu_us"] - found["memory 1,000"]["cpu_us"])

    goal = Goal("a chunk of 100,000 over one of 1,000", growth, 1.2)
    return Case(f"{side.name}.long_stream", jobs, (goal,), rounds=FEW, seconds=9)


def _size_of_work() -> Iterator[Case]:
    for side in SIDES:
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
                ratio("2,000 messages over 1,000", "ours 2000", "ours 1000", 2.2),
                Goal(
                    "peak memory above the framework's, over the body",
                    own_peak,
                    1.25 if side is LANGCHAIN else 1.5,
                    beside="peak_over_body",
                ),
            ),
            "memory 1000",
            rounds=FEW,
            seconds=2,
        )


def _profiles() -> Iterator[Case]:
    """Where the CPU time goes, ours and the limit's: pictures, no goals."""
    agent = {"of": "agent", "steps": 10, "times": 30}
    text = {"of": "stream", "kind": "text", "count": 1000, "times": 60}
    for name, job, *labels in (
        ("langchain.invoke", {"of": "call", "times": 2500}, LANGCHAIN.ours, LANGCHAIN.limit),
        ("llama_index.chat", {"of": "call", "times": 2500}, LLAMA_INDEX.ours, LLAMA_INDEX.limit),
        ("langchain.stream.text", text, LANGCHAIN.ours, LANGCHAIN.limit),
        ("llama_index.stream_chat.text", text, LLAMA_INDEX.ours, LLAMA_INDEX.limit),
        ("langchain.agent", agent, LANGCHAIN.ours, "memory agent"),
        (
            "in_flight.1000",
            {"of": "in_flight", "delay_ms": 50, "count": 1000},
            LANGCHAIN.ours,
            "limit in flight",
        ),
        (
            "langchain.embed_documents",
            {"of": "embed", "count": 10_000},
            "AIMLAPIEmbeddings",
            "embeddings limit",
        ),
    ):
        jobs = _jobs({**job, "measure": "profile"}, *labels)
        yield Case(f"{PROFILE}{name}", jobs, limit=labels[1], rounds=1, seconds=8)


def _all() -> Iterator[Case]:
    for side in SIDES:
        yield from _per_call(side)
        yield from _per_chunk(side)
    yield from _agent()
    yield from _embeddings()
    yield from _in_flight()
    yield from _rows()
    yield from _construction()
    yield from _streams()
    yield from _size_of_work()
    yield from _profiles()


CASES = tuple(_all())
