"""Which entries of the service's logs are those of which calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from aimlapi_core._wire.usage import MAX_CREDITS
from aimlapi_core.account import LoggedCall


class IdentifiedCall(Protocol):
    """A call with its ids."""

    @property
    def client_request_id(self) -> str:
        """The id that its last request carried."""

    @property
    def inference_id(self) -> str | None:
        """The service's id of it; None unless it was received."""

    @property
    def model(self) -> str:
        """The requested id."""

    @property
    def has_unique_id(self) -> bool:
        """Whether no other call can have its client request id."""

    @property
    def is_routed(self) -> bool:
        """Whether it has a second entry: what the choice of a model cost."""


CallT = TypeVar("CallT", bound=IdentifiedCall)


def match_calls_to_logs(
    calls: Iterable[CallT], entries: Iterable[LoggedCall], claimed: Iterable[str] = ()
) -> dict[CallT, LoggedCall]:
    """The log entry of each call that has one; `claimed` are inference ids of other calls.

    An entry whose cost no call can have settles none.
    """
    calls, claimed = list(calls), set(claimed)
    by_inference_id = {
        entry.inference_id: entry
        for entry in entries
        if entry.inference_id and 0 <= entry.credits <= MAX_CREDITS
    }
    by_client_id: dict[str, list[LoggedCall]] = {}
    for entry in by_inference_id.values():
        if entry.client_request_id and entry.inference_id not in claimed:
            by_client_id.setdefault(entry.client_request_id, []).append(entry)
    client_ids = [call.client_request_id for call in calls if call.inference_id is None]
    matches = {}
    for call in calls:
        if call.inference_id is not None:
            match = by_inference_id.get(call.inference_id)
        else:
            candidates = by_client_id.get(call.client_request_id, [])
            if call.is_routed:
                match = _answer_of_router(call, candidates) if call.has_unique_id else None
            else:
                is_unique = len(candidates) == 1 and client_ids.count(call.client_request_id) == 1
                match = candidates[0] if is_unique else None
        if match is not None:
            matches[call] = match
    return matches


def _answer_of_router(call: IdentifiedCall, entries: list[LoggedCall]) -> LoggedCall | None:
    """The entry of the answer: that of the requested model, else the one that cost the most."""
    own = [entry for entry in entries if entry.model == call.model]
    return max(own or entries, key=lambda entry: entry.credits, default=None)


def match_choices_to_logs(
    calls: Iterable[CallT], entries: Iterable[LoggedCall]
) -> dict[CallT, tuple[LoggedCall, ...]]:
    """The log entries of each call beside its own: a router's choice is a request of its own.

    They have the client request id of the call, if no other call has it, or the request id of its
    own entry. That they do is inferred: the documents say only that there is a second line.
    """
    entries = [entry for entry in entries if 0 < entry.credits <= MAX_CREDITS]
    found = {}
    for call in calls:
        own = next((one for one in entries if one.inference_id == call.inference_id), None)
        others = tuple(
            entry
            for entry in entries
            if entry.inference_id not in (None, call.inference_id)
            and (
                (call.has_unique_id and entry.client_request_id == call.client_request_id)
                or (own is not None and own.request_id and entry.request_id == own.request_id)
            )
        )
        if others and call.inference_id is not None:
            found[call] = others
    return found
