"""The service's feed of models that are deprecated, superseded or withdrawn.

`GET /v1/models/deprecations` [D aimlapi/api-docs at 935f808e, 2026-08-24,
docs/api-references/service-endpoints/model-deprecations.md]. What a client has read is kept for
the process, so that an error of a later call can name the replacement without another request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from aimlapi_core._json_reading import as_mapping, as_mappings, nonempty_str
from aimlapi_core._values.readable import readable
from aimlapi_core.errors import UnexpectedReplyError
from aimlapi_core.models.lookup import is_spelling_of, nearest_model

PATH = "/v1/models/deprecations"
_MAX_ID_CHARS = 100


@dataclass(frozen=True, slots=True)
class Deprecation:
    """One model of the feed. `raw` is the JSON object; a date that is not known is None.

    `status`: "deprecated" (it answers, its end is announced), "superseded" (it answers, as
    `replaced_by`), "withdrawn" (its requests are a 404), or a new word of the service's.
    """

    id: str
    aliases: tuple[str, ...]
    status: str
    deprecated_at: date | None = None
    shutdown_at: date | None = None
    replaced_by: str | None = None
    reason: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_withdrawn(self) -> bool:
        """Whether its requests fail."""
        return self.status == "withdrawn"

    @property
    def has_ended(self) -> bool:
        """Whether it is withdrawn, or its announced end came after the feed was read."""
        is_over = self.shutdown_at is not None and self.shutdown_at <= date.today()
        return self.is_withdrawn or is_over

    def describe(self) -> str:
        """`withdrawn on 2026-08-10, replaced by 'openai/gpt-5.3-codex'`, and its documented id."""
        when = self.shutdown_at if self.is_withdrawn else self.deprecated_at
        parts = [f"{self.status} on {when}" if when else self.status]
        if self.shutdown_at is not None and not self.is_withdrawn:
            parts.append(f"to be shut down on {self.shutdown_at}")
        by = readable(self.replaced_by or "", _MAX_ID_CHARS)
        parts.append(f"replaced by {by!r}" if by else "no replacement")
        listed = nearest_model(by) if by else None
        return ", ".join(parts) + (f" (documented as {listed!r})" if listed else "")


def parse_deprecations(payload: Any) -> tuple[Deprecation, ...]:
    """The entries of the feed. Raises UnexpectedReplyError if there is none."""
    rows = as_mapping(payload).get("data")
    if not isinstance(rows, list):
        what = readable(repr(payload), 200)
        raise UnexpectedReplyError(f"No deprecations in the answer: {what}")
    return tuple(_parse(row) for row in as_mappings(rows) if nonempty_str(row.get("id")))


def _parse(row: Mapping[str, Any]) -> Deprecation:
    aliases = row.get("aliases")
    return Deprecation(
        id=str(row["id"]),
        aliases=tuple(
            name for name in (aliases if isinstance(aliases, list) else ()) if isinstance(name, str)
        ),
        status=readable(nonempty_str(row.get("status")) or "deprecated", 40).lower(),
        deprecated_at=_date(row.get("deprecated_at")),
        shutdown_at=_date(row.get("shutdown_at")),
        replaced_by=nonempty_str(row.get("replaced_by")),
        reason=nonempty_str(row.get("reason")),
        raw=row,
    )


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError):
        return None


def find_deprecation(model: str, entries: Iterable[Deprecation]) -> Deprecation | None:
    """The entry of a model, by its id or an alias; else by another spelling of one.

    The feed has the service's own ids, some of which the documents spell otherwise.
    """
    entries = tuple(entries)
    exact = (entry for entry in entries if model in (entry.id, *entry.aliases))
    same = (
        entry
        for entry in entries
        if any(is_spelling_of(model, name) for name in (entry.id, *entry.aliases))
    )
    return next(exact, None) or next(same, None)


_known: dict[str, tuple[Deprecation, ...]] = {}


def remember_deprecations(base_url: str, entries: tuple[Deprecation, ...]) -> None:
    """Keep the feed of this address for the process."""
    _known[base_url] = entries


def known_deprecation(base_url: str, model: str) -> Deprecation | None:
    """The entry of a model in the feed that was read last; None where none was."""
    return find_deprecation(model, _known.get(base_url, ()))
