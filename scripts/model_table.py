"""Write README's table of models from `aimlapi_core.models`: `python scripts/model_table.py`."""

from __future__ import annotations

from pathlib import Path

from aimlapi_core.models import MODELS, ModelInfo
from aimlapi_core.types import Endpoint

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- models: begin -->", "<!-- models: end -->"

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


def table() -> str:
    """The table in Markdown: a row for each id and endpoint, the preferred endpoint first."""
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


def updated(text: str) -> str:
    """README's text with the table as it is now."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    README.write_text(updated(README.read_text(encoding="utf-8")), encoding="utf-8")
