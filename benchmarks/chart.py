"""The chart of a run as SVG: CPU time of ours, the peers and the limit, case by case.

Each case is scaled by its own limit, for only ratios of one run mean anything. Colours follow
the reader's light or dark theme by a media query inside the file.
"""

from __future__ import annotations

from html import escape
from statistics import median
from typing import Any, NamedTuple

_ROWS = {
    "langchain.invoke": "invoke",
    "langchain.ainvoke": "ainvoke",
    "langchain.stream.text": "stream, a chunk",
    "langchain.astream.text": "astream, a chunk",
    "llama_index.chat": "chat",
    "llama_index.achat": "achat",
    "llama_index.stream_chat.text": "stream_chat, a chunk",
    "llama_index.astream_chat.text": "astream_chat, a chunk",
}
_OURS = ("ChatAIMLAPI", "AIMLAPI")
_WIDTH, _LEFT, _BAR, _GAP = 760, 290, 14, 12
_SCALE = 70.0  # pixels for the width of one limit
_MOST = 5.2  # limits that fit; a longer bar is cut and keeps its number
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.small { font-size: 11px; fill: #59636e }
.case { font-weight: 600 }
.ours { fill: #0969da } .peer { fill: #afb8c1 } .limit { stroke: #1a7f37; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc } .small { fill: #9198a1 }
.ours { fill: #4493f8 } .peer { fill: #656c76 } .limit { stroke: #3fb950 }
}
"""


class Bar(NamedTuple):
    """A subject's CPU time in limits, and in microseconds."""

    label: str
    limits: float
    cpu_us: float


def bars(found: dict[str, list[dict[str, float] | None]]) -> list[Bar]:
    """The bars of one case, ours first."""
    limit = next(rounds for label, rounds in found.items() if label.split()[0] == "limit")
    subjects = [label for label in found if label.split()[0] != "limit"]
    subjects.sort(key=lambda label: label not in _OURS)
    out = []
    for label in subjects:
        both = [(one, of) for one, of in zip(found[label], limit, strict=True) if one and of]
        if both:  # no job of it failed in all rounds
            limits = median(one["cpu_us"] / of["cpu_us"] for one, of in both)
            out.append(Bar(label, limits, median(one["cpu_us"] for one, _ in both)))
    return out


def drawn(report: dict[str, Any]) -> str:
    """The chart. `report` is what a run writes as JSON."""
    rows: list[str] = []
    top = 56
    for case, title in _ROWS.items():
        if case not in report["figures"]:
            continue
        rows.append(f'<text class="case" x="16" y="{top + 11}">{escape(title)}</text>')
        first = top
        for bar in bars(report["figures"][case]):
            rows.append(_bar(bar, top))
            top += _BAR + 4
        x = _LEFT + _SCALE
        rows.append(f'<line class="limit" x1="{x}" y1="{first - 3}" x2="{x}" y2="{top - 1}"/>')
        top += _GAP
    where = report["machine"]
    note = f"{report['date']}, {where['cores']} cores, {where['processor']}, {where['python']}"
    packages = ", ".join(f"{name} {found}" for name, found in where["versions"].items())
    box = f"0 0 {_WIDTH} {top + 60}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img">',
            "<title>CPU time beside the peers and the limit</title>",
            f"<style>{_STYLE}</style>",
            '<text class="case" x="16" y="24">CPU time, in limits (1 = a model that answers '
            "from memory, over raw httpx)</text>",
            *rows,
            f'<text class="small" x="16" y="{top + 10}">{escape(note)}</text>',
            *_lines(packages, top + 26),
            "</svg>",
            "",
        ]
    )


def _bar(bar: Bar, top: int) -> str:
    kind = "ours" if bar.label in _OURS else "peer"
    width = _SCALE * min(bar.limits, _MOST)
    text = f"{bar.limits:.2f} ({bar.cpu_us:,.0f} us)"
    beside = _LEFT + max(width, _SCALE if bar.limits < 1 else 0.0) + 6  # not on the limit's line
    return (
        f'<text x="{_LEFT - 8}" y="{top + 11}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
        f'<text class="small" x="{beside:.1f}" y="{top + 11}">{text}</text>'
    )


def _lines(text: str, top: int) -> list[str]:
    """The text in lines that fit."""
    lines = [""]
    for word in text.split(", "):
        if len(lines[-1]) + len(word) > 110:
            lines.append("")
        lines[-1] += (", " if lines[-1] else "") + word
    return [
        f'<text class="small" x="16" y="{top + 15 * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
