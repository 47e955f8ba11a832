"""What pages and pictures say of a run: all of it is written from benchmarks/latest.json.

`publish` writes the file and them; `python -m scripts.tables` and `make pictures` write them again.
Why a goal is missed, and what it would take, stands in misses.toml, which holds no figures but
dated ones: the text of a goal is shown while the goal is missed.
"""

from __future__ import annotations

import json
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import chart, profile
from benchmarks.goals import number
from scripts.marked import updated

ROOT = Path(__file__).parents[1]
LATEST = ROOT / "benchmarks" / "latest.json"
MISSES = ROOT / "benchmarks" / "misses.toml"
PAGE = ROOT / "docs" / "performance.md"

Report = dict[str, Any]
Row = dict[str, Any]

_MARKS = {True: ": held", False: ": **missed**", None: ""}


def latest() -> Report:
    """The kept run."""
    report: Report = json.loads(LATEST.read_text(encoding="utf-8"))
    return report


def shown(figure: str, value: float | None) -> str:
    """A figure that stands beside a ratio, with its unit; empty for none."""
    if value is None:
        return ""
    if figure.endswith("_us"):
        scales = ((1e6, "s"), (1e3, "ms"), (0, "us"))
        scale, unit = next((scale or 1, unit) for scale, unit in scales if value >= scale)
        return f"{number(value / scale)} {unit}"
    units = {"rows_a_second": "rows/s", "peak_over_body": "bodies"}
    return f"{number(value)} {units[figure]}"


def measured(row: Row) -> str:
    """The median of a goal's rounds, with the least and the greatest."""
    if row["measured"] is None:
        return "not measured"
    value, low, high = (number(row[name]) for name in ("measured", "low", "high"))
    return f"{value}{row['unit']} ({low} to {high})"


def verdict(report: Report) -> str:
    """How many goals hold, in a sentence."""
    held = [row["held"] for row in report["goals"]]
    counts = f"{held.count(True)} are held, {held.count(False)} missed"
    unknown = f", {held.count(None)} not measured" if None in held else ""
    return f"Of {len(held)} goals {counts}{unknown}."


def circumstances(report: Report) -> str:
    """When and where the run was made."""
    machine, quick = report["machine"], ", a quick run" if report["quick"] else ""
    return (
        f"{report['date']}{quick}, {machine['cores']} cores ({machine['processor']}), "
        f"{machine['python']}, load {machine['load']:.1f} when it began"
    )


def table(report: Report) -> str:
    """A row for each goal."""
    head = (
        f"{circumstances(report)}. {verdict(report)} Measured is the median of the rounds, least "
        "and greatest in brackets, then ours itself; a ratio is of one run.\n\n"
        "| what | goal | measured | peers | limit |\n|---|---|---|---|---|"
    )
    return "\n".join([head, *map(_table_row, report["goals"])])


def _table_row(row: Row) -> str:
    ours = shown(row["figure"], row["ours"])
    cells = (
        f"`{row['case']}`: {row['what']}",
        row["goal"],
        f"{measured(row)}{f', {ours}' if ours else ''}{_MARKS[row['held']]}",
        ", ".join([*_peers(row), *_failures(row)]),
        shown(row["figure"], row["limit"]),
    )
    return f"| {' | '.join(cells)} |"


def _peers(row: Row) -> Iterator[str]:
    for label, value in row["peers"].items():
        if value is not None:
            yield f"{label} {shown(row['figure'], value)}"


def _failures(row: Row) -> Iterator[str]:
    for label, why in row["failures"].items():
        yield f"{label} failed: {why.replace('|', '/')}"


def missed(report: Report) -> str:
    """Each goal that is missed, why, and what it would take."""
    left = [row for row in report["goals"] if row["held"] is False]
    if not left:
        return "No goal is missed."
    parts = []
    for entry in tomllib.loads(MISSES.read_text(encoding="utf-8"))["miss"]:
        rows = [row for row in left if any(fnmatch(key(row), p) for p in entry["goals"])]
        left = [row for row in left if row not in rows]
        if rows:
            parts.append(_explained(entry, rows))
    return "\n\n".join(parts)


def key(row: Row) -> str:
    """What the patterns of misses.toml are held against."""
    return f"{row['case']}: {row['what']}"


def _explained(entry: dict[str, Any], rows: Iterable[Row]) -> str:
    items = [
        f"- `{row['case']}`: {row['what']}, {row['goal']}: **missed** with {measured(row)}"
        for row in rows
    ]
    why, takes = entry["why"], f"**What it would take:** {entry['takes']}"
    return "\n".join([f"### {entry['what']}", "", *items, "", _filled(why), "", _filled(takes)])


def _filled(text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()), width=110, break_long_words=False, break_on_hyphens=False
    )


def in_flight(report: Report) -> str:
    """1,000 calls in flight: everyone's CPU time and how long all took."""
    rows = ["| model | CPU time of a call | all 1,000 took |", "|---|---|---|"]
    for label, rounds in report["figures"].get("in_flight.1000", {}).items():
        found = [one for one in rounds if one is not None]
        if found and "total_s" in found[0]:
            cpu_us, total_s = (median(one[name] for one in found) for name in ("cpu_us", "total_s"))
            rows.append(f"| {label} | {shown('cpu_us', cpu_us)} | {number(total_s)} s |")
    return "\n".join(rows)


def readme(report: Report) -> str:
    """README's lines: what a call costs beside the peers, and how many goals are missed."""

    def times(case: str, what: str, digits: int = 1) -> str:
        found = (r["measured"] for r in report["goals"] if (r["case"], r["what"]) == (case, what))
        value = next(found, None)
        return "(not measured)" if value is None else f"{value:.{digits}f}"

    openai, like = "ChatOpenAI over ours", "OpenAILike over ours"
    limit = "ours over the limit"
    lines = (
        f"CPU time in one run ({circumstances(report)}): ChatOpenAI takes "
        f"{times('langchain.invoke', openai)} times ours for a call, "
        f"{times('langchain.stream.text', openai)} times for a streamed chunk and "
        f"{times('in_flight.1000', openai)} times with 1,000 calls in flight, OpenAILike "
        f"{times('llama_index.chat', like)} and {times('llama_index.stream_chat.text', like)} "
        "times for a call and a chunk. A call takes "
        f"{times('langchain.invoke', limit, 2)} times (LlamaIndex: "
        f"{times('llama_index.chat', limit, 2)}) what a model from memory over raw httpx takes.",
        f"{verdict(report)} Which, and why: [Performance](docs/performance.md).",
    )
    return "\n".join(lines)


def _of_latest(make: Callable[[Report], str]) -> str:
    return make(latest())


# (file, name of the part, its maker)
PARTS: tuple[tuple[Path, str, Callable[[Report], str]], ...] = (
    (ROOT / "README.md", "performance", readme),
    (PAGE, "bench", table),
    (PAGE, "missed", missed),
    (PAGE, "profile", profile.table),
    (PAGE, "in-flight", in_flight),
)
TABLES: tuple[tuple[Path, str, Callable[[], str]], ...] = tuple(
    (path, name, partial(_of_latest, make)) for path, name, make in PARTS
)
PICTURES: dict[str, Callable[[Report], str]] = {
    "performance": chart.drawn,
    "profile": profile.drawn,
}


def picture(name: str) -> str:
    """A picture of the kept run, as SVG."""
    return PICTURES[name](latest())


def publish(report: Report) -> None:
    """Keep the run, and write pages and pictures from it."""
    LATEST.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for path, name, make in PARTS:
        text = path.read_text(encoding="utf-8")
        path.write_text(updated(text, name, make(report)), encoding="utf-8")
    for name, draw in PICTURES.items():
        (ROOT / "docs" / f"{name}.svg").write_text(draw(report), encoding="utf-8")
