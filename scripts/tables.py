"""Write the tables that are made from code: `python -m scripts.tables`.

README's models come from `aimlapi_core.models`, the faults of docs/reliability.md from the tests'
own matrix.
"""

from __future__ import annotations

from pathlib import Path

from aimlapi_core.models import MODELS, ModelInfo
from aimlapi_core.types import Endpoint
from tests.faults import matrix

ROOT = Path(__file__).parents[1]

# What a reader looks for, by the names of the constructors' arguments.
_SHOWN = {
    "temperature": "`temperature`, `top_p`",
    "reasoning_effort": "`reasoning_effort`",
    "reasoning_summary": "`reasoning_summary`",
    "logprobs": "`logprobs`",
    "n": "`n`",
    "seed": "`seed`",
    "stop": "`stop`",
}


def models() -> str:
    """The table of models in Markdown: a row for each id and endpoint, the preferred first."""
    head = (
        "| model | endpoint | takes, beside tools, structured output and `max_tokens` "
        "| images | PDFs | context, tokens | largest output, tokens |\n"
        "|---|---|---|---|---|---|---|"
    )
    return "\n".join([head, *(_row(m, e) for m in MODELS.values() for e in m.endpoints)])


def _row(info: ModelInfo, endpoint: Endpoint) -> str:
    preferred = endpoint == info.endpoints[0]
    takes = [shown for name, shown in _SHOWN.items() if name in info.params[endpoint]]
    if "reasoning_effort" in info.params[endpoint]:
        efforts = ", ".join(info.reasoning_efforts)
        takes[takes.index("`reasoning_effort`")] = f"`reasoning_effort` ({efforts})"
    cells = [
        f"`{info.id}`" if preferred else "",
        endpoint if preferred else f'`endpoint="{endpoint}"`',
        ", ".join(takes) or "nothing more",
        "yes" if endpoint in info.images else "no",
        "yes" if info.pdfs else "no",
        f"{info.context_window:,}" if preferred and info.context_window else "",
        f"{info.max_output_tokens:,}" if preferred and info.max_output_tokens else "",
    ]
    return f"| {' | '.join(cells)} |"


# (file, name of the table between `<!-- name: begin -->` and `<!-- name: end -->`, its maker)
TABLES = (
    (ROOT / "README.md", "models", models),
    (ROOT / "docs" / "reliability.md", "faults", matrix.table),
)


def updated(text: str, name: str, table: str) -> str:
    """`text` with the table of that name as it is now."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    for path, name, make in TABLES:
        text = path.read_text(encoding="utf-8")
        path.write_text(updated(text, name, make()), encoding="utf-8")
