"""Models that are being withdrawn, as the vendor's feed lists them.

By the page and the OpenAPI file of `GET /v1/models/deprecations` (aimlapi/api-docs at 935f808e,
2026-08-24): the two rows of its sample, and the model that its schema names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from aimlapi_emulator.catalog.features import check_words

Status = Literal["deprecated", "superseded", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Deprecation:
    """One model of the feed. Dates are `YYYY-MM-DD`; None: not known."""

    id: str
    aliases: tuple[str, ...] = ()
    status: Status = "withdrawn"
    """`deprecated` and `superseded` models answer; a `withdrawn` one is a 404."""
    deprecated_at: str | None = None
    shutdown_at: str | None = None
    replaced_by: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        check_words("status", [self.status], Status)

    @property
    def dates(self) -> tuple[str, ...]:
        """Those that are known, the date of the end first."""
        return tuple(date for date in (self.shutdown_at, self.deprecated_at) if date)

    def to_json(self) -> dict[str, Any]:
        """The object of the feed."""
        return {**asdict(self), "aliases": list(self.aliases)}


DEPRECATIONS: tuple[Deprecation, ...] = (
    Deprecation(
        id="openai/gpt-5.3-chat",
        aliases=("gpt-5.3-chat",),
        deprecated_at="2026-08-10",
        shutdown_at="2026-08-10",
        replaced_by="openai/gpt-5.3-codex",
        reason="provider_delisted",
    ),
    Deprecation(
        id="openai/gpt-5-codex",
        aliases=("gpt-5-codex",),
        deprecated_at="2026-07-30",
        shutdown_at="2026-07-30",
        reason="provider_delisted",
    ),
    Deprecation(
        id="aura-2-zeus-en",
        aliases=("deepgram/aura-2-zeus-en", "#g1_aura-2-zeus-en"),
        status="superseded",
        deprecated_at="2026-06-26",
        replaced_by="deepgram/aura-2",
        reason="consolidated",
    ),
)


def is_withdrawn(model: str, deprecations: Iterable[Deprecation]) -> bool:
    """Whether requests for this id are answered by a 404."""
    return any(
        row.status == "withdrawn" and model in (row.id, *row.aliases) for row in deprecations
    )
