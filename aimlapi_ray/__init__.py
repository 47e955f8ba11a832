"""Batch inference over a Ray data set: a resumable journal, cost totals, one budget.

from aimlapi_ray import answer_rows

report = answer_rows(dataset, model=model, ask=ask, job="summaries", journal="summaries.sqlite")

Ray Data is the engine; this package adds the journal, the cost totals and the end of a run. Only
`answer_rows` needs Ray: a journal can be read without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aimlapi_ray.report import (
    DatasetError,
    JournalError,
    Progress,
    Report,
    RunEndedError,
    Spend,
    TooManyFailedError,
)

if TYPE_CHECKING:
    from aimlapi_ray.run import answer_rows

__all__ = [
    "DatasetError",
    "JournalError",
    "Progress",
    "Report",
    "RunEndedError",
    "Spend",
    "TooManyFailedError",
    "answer_rows",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name != "answer_rows":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from aimlapi_ray.run import answer_rows
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("ray", "pyarrow", "pandas"):
            raise
        raise ImportError(
            "aimlapi_ray.answer_rows needs Ray: pip install 'aimlapi-integrations[ray]'"
        ) from exc
    return answer_rows
