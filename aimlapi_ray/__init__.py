"""Answers for every row of a Ray data set, over a cluster, each row asked once.

from aimlapi_ray import answer_rows

report = answer_rows(dataset, model=model, ask=ask, job="summaries", journal="summaries.sqlite")

Ray Data is the engine; this package adds the journal, the sums and the end of a run. Only
`answer_rows` needs Ray, so that a journal can be read without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aimlapi_ray.report import (
    JournalError,
    Progress,
    Report,
    RowsError,
    RunEndedError,
    Spend,
    TooManyFailedError,
)

if TYPE_CHECKING:
    from aimlapi_ray.run import answer_rows

__all__ = [
    "JournalError",
    "Progress",
    "Report",
    "RowsError",
    "RunEndedError",
    "Spend",
    "TooManyFailedError",
    "answer_rows",
]


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
