"""Where CPU time goes: pictures from a run, and functions of one case.

`python -m benchmarks.profile langchain.stream.text [LINES]` prints functions, by cProfile in this
process around our subject's measure, own time first. It makes calls dearer than they are: the
shares of a run, which a sampler takes (`stopwatch`), are the ones to believe.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from benchmarks.stopwatch import COLLECTION, PART, REST

CASE = "profile."  # what the names of the cases with shares begin with
_OURS = ("ChatAIMLAPI", "AIMLAPI")
_WIDTH, _LEFT, _BAR = 760, 230, 16
_SCALE = 220.0  # pixels for the CPU time of one limit
_MOST = 2.3  # limits that fit
_COLUMNS = 4  # of the legend
_COLOURS = {
    "ours: connections": "#0969da",
    "ours: requests, answers": "#54aeff",
    "h11": "#953800",
    "httpcore, sockets": "#bc4c00",
    "httpx": "#fb8f44",
    "anyio": "#d4a72c",
    "asyncio": "#9a6700",
    "json": "#8250df",
    "pydantic": "#bf3989",
    "numpy": "#6639ba",
    "LangChain": "#1a7f37",
    "LlamaIndex": "#2da44e",
    COLLECTION: "#cf222e",
    REST: "#818b98",
}
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e }
.in { font-size: 10px; fill: #ffffff }
.case { font-weight: 600 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .small { fill: #9198a1 } }
"""


class Bar(NamedTuple):
    """A subject's CPU time in microseconds, and its parts."""

    label: str
    cpu_us: float
    parts: dict[str, float]


def bars(report: dict[str, Any]) -> dict[str, list[Bar]]:
    """Ours and the limit, by the name of the case."""
    out: dict[str, list[Bar]] = {}
    for case, jobs in report["figures"].items():
        if not case.startswith(CASE):
            continue
        found = {label: rounds[0] for label, rounds in jobs.items() if rounds[0] is not None}
        out[case.removeprefix(CASE)] = [
            Bar(label, figures["cpu_us"], _parts(figures)) for label, figures in found.items()
        ]
    return {case: found for case, found in out.items() if found}


def _parts(figures: dict[str, float]) -> dict[str, float]:
    return {name: figures[PART + name] for name in _COLOURS if figures.get(PART + name, 0.0) > 0.0}


def table(report: dict[str, Any]) -> str:
    """The shares of ours in per cent: a column for each case."""
    ours = {case: found[0] for case, found in bars(report).items()}
    heads = [f"`{case}`" for case in ours]
    rows = [f"| per cent of ours | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for name in _COLOURS:
        cells = [_share(bar, name) for bar in ours.values()]
        if any(cells):
            rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _share(bar: Bar, name: str) -> str:
    share = 100 * bar.parts.get(name, 0.0) / sum(bar.parts.values())
    return f"{share:.0f}" if share >= 0.5 else ""


def drawn(report: dict[str, Any]) -> str:
    """The bars as SVG, each case scaled by its own limit."""
    rows: list[str] = []
    top = 56
    for case, found in bars(report).items():
        rows.append(f'<text class="case" x="16" y="{top}">{escape(case)}</text>')
        top += 8
        unit = found[-1].cpu_us
        for bar in found:
            rows += _bar(bar, unit, top)
            top += _BAR + 4
        top += 20
    used = {name for found in bars(report).values() for bar in found for name in bar.parts}
    names = [name for name in _COLOURS if name in used]
    legend = list(_legend(names, top))
    box = f"0 0 {_WIDTH} {top + 20 * (1 + (len(names) - 1) // _COLUMNS) + 10}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img">',
            "<title>Where CPU time goes, ours and the limit's</title>",
            f"<style>{_STYLE}</style>",
            '<text class="case" x="16" y="24">Where the CPU time goes; each case scaled by its '
            f"limit ({escape(report['date'])})</text>",
            *rows,
            *legend,
            "</svg>",
            "",
        ]
    )


def _bar(bar: Bar, limit_us: float, top: int) -> Iterator[str]:
    yield (f'<text x="{_LEFT - 8}" y="{top + 12}" text-anchor="end">{escape(bar.label)}</text>')
    total, x = sum(bar.parts.values()), float(_LEFT)
    length = bar.cpu_us / limit_us
    for name, cpu_us in bar.parts.items():
        width = _SCALE * min(length, _MOST) * cpu_us / total
        yield (
            f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" '
            f'fill="{_COLOURS[name]}"><title>{escape(name)}</title></rect>'
        )
        short = name.removeprefix("ours: ").split(",")[0]
        if width > 6 * len(short):
            yield f'<text class="in" x="{x + 4:.1f}" y="{top + 12}">{escape(short)}</text>'
        x += width
    yield f'<text class="small" x="{x + 6:.1f}" y="{top + 12}">{length:.2f}</text>'


def _legend(names: list[str], top: int) -> Iterator[str]:
    for number, name in enumerate(names):
        x, y = 16 + 182 * (number % _COLUMNS), top + 20 * (number // _COLUMNS)
        yield f'<rect x="{x}" y="{y}" width="12" height="12" fill="{_COLOURS[name]}"/>'
        yield f'<text class="small" x="{x + 18}" y="{y + 10}">{escape(name)}</text>'


def main() -> None:
    """Print the functions that took most, by own time and by time with what they called."""
    from benchmarks import server
    from benchmarks.cases import CASES
    from benchmarks.worker import MEASURES

    name, lines = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    case = next(case for case in CASES if case.name == name)
    job = next(iter(case.jobs.values()))
    with server.running() as origin:
        given = {**job, "origin": origin}
        measure = MEASURES[job["measure"]]
        measure(given)  # imports and first connections are not the point
        found = cProfile.Profile()
        found.runcall(measure, given)
    stats = pstats.Stats(found)
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(lines)


if __name__ == "__main__":
    main()
