"""Accumulates chat completion chunks into events and a Reply; an unstreamed answer is one chunk.

The same code reads both, so both give the same Reply. Any member may be missing, null or unknown;
members without a field in Reply are kept in `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from aimlapi_core._json_reading import (
    as_index,
    as_int,
    as_mapping,
    non_placeholder_str,
    nonempty_str,
)
from aimlapi_core._wire.answers.content import (
    UnreadableError,
    check_finish_reason,
    choices_of,
    message_of,
)
from aimlapi_core._wire.answers.failures import REPORTING_MEMBERS, reported_failure
from aimlapi_core._wire.chat_choice import ChoiceAccumulator
from aimlapi_core._wire.stream_reader import Accumulator
from aimlapi_core._wire.usage import CHAT_USAGE, parse_cost, parse_serving
from aimlapi_core.errors import StreamCutError
from aimlapi_core.types import Finished, Reply, StreamEvent


class ChatAccumulator(Accumulator):
    """Accumulates the chunks of a chat completion; `done` after `[DONE]`.

    `expected_choices` is the requested number of choices (`n`). A reply is complete when each has
    its finish reason; later chunks may add usage, cost or another finish reason. Where more of the
    answer follows one, which some servers send in each chunk, only `[DONE]` completes it.
    """

    def __init__(
        self,
        expected_choices: int = 1,
        *,
        tool_names: Set[str] = frozenset(),
    ) -> None:
        self._expected_choices = expected_choices
        self._tool_names = tool_names
        self._id: str | None = None
        self._model: str | None = None
        self._created: int | None = None
        self._usage: Any = None
        self._meta: Any = None
        self._extra: dict[str, Any] = {}
        self._metadata: dict[str, Any] = {}
        self._choices: dict[int, ChoiceAccumulator] = {}
        self._only_done_completes = False

    @property
    def has_choices(self) -> bool:
        return bool(self._choices)

    @property
    def complete(self) -> bool:
        """Whether every expected choice has its finish reason; later chunks are optional."""
        if self._only_done_completes:
            return False
        finished = sum(choice.finish_reason is not None for choice in self._choices.values())
        return finished >= max(self._expected_choices, len(self._choices))

    def feed(self, name: str, data: str) -> list[StreamEvent]:
        if self.done:
            return []
        if not data.startswith("{"):
            stripped = data.strip()
            if stripped == "[DONE]":
                self.done = True
                return self._finish(expected=1)
            if not stripped:
                return []
        chunk = self._parse_object(data, name)
        # A cheap check of what error_in_payload needs: nearly no chunk has it.
        if "choices" not in chunk or "error" in chunk or name == "error":
            self._raise_reported(chunk, name)
        return self.add_chunk(chunk)

    def close(self) -> list[StreamEvent]:
        if self.done:
            return []
        self.done = True
        if self._only_done_completes:
            raise self._cut_error("more of it followed a finish reason, and no [DONE]")
        return self._finish(expected=self._expected_choices)

    def add_chunk(self, chunk: dict[str, Any], *, whole: bool = False) -> list[StreamEvent]:
        """Add one chunk, or with `whole` one unstreamed answer. Modifies `chunk`."""
        events: list[StreamEvent] = []
        choices = chunk.pop("choices", None)
        chunk.pop("obfuscation", None)  # random padding against side-channel attacks
        if chunk != self._metadata:  # mostly the same in each chunk
            self._metadata = chunk
            self._add_metadata(chunk)
            if not (whole or REPORTING_MEMBERS.isdisjoint(chunk)):
                self._raise_reported(chunk)
        try:
            for position, row in enumerate(choices_of(choices)):
                self._add_choice(row, position, whole, events)
        except UnreadableError as exc:
            details = {"choices": choices}
            raise self._stream_error(f"it cannot be read: {exc}", None, details) from exc
        return events

    def _add_metadata(self, metadata: dict[str, Any]) -> None:
        for key, value in metadata.items():
            if value is None or key == "object":
                continue
            if key == "id":
                self._id = nonempty_str(value) or self._id
            elif key == "model":
                self._model = nonempty_str(value) or self._model
            elif key == "created":
                self._created = as_int(value)
            elif key == "usage":
                self._usage = value  # may be cumulative: the last one is the total
            elif key == "meta":
                self._meta = value
            else:
                self._extra[key] = value

    def _add_choice(
        self, row: Mapping[str, Any], position: int, whole: bool, events: list[StreamEvent]
    ) -> None:
        given = as_index(row.get("index"))
        index = position if given is None or (whole and given in self._choices) else given
        choice = self._choices.get(index)
        if choice is None:
            choice = self._choices[index] = ChoiceAccumulator(index, self._tool_names)
        # Some servers stream `message` instead of `delta`, or answer with `delta` unstreamed.
        delta = row.get("message" if whole else "delta")
        if not delta or type(delta) is not dict:
            names = ("message", "delta") if whole else ("delta", "message")
            first, second = (as_mapping(row.get(name)) for name in names)
            delta = first or second or message_of(row)
        new = choice.add_delta(delta, row, whole)
        if choice.has_escapes:
            self.may_hold_halves = True
        if choice.error:
            self._raise_reported({"error": choice.error})
        if new and choice.finish_reason is not None:
            self._only_done_completes = True
        events += new
        if (reason := row.get("finish_reason")) is not None:
            if type(reason) is not str:
                check_finish_reason(reason)
            if (reason := non_placeholder_str(reason)) is not None:
                choice.set_finish_reason(reason)
        if whole:
            events += choice.finish(self._id)

    def raise_if_failed(self, answer: Mapping[str, Any] | None = None) -> None:
        """Raise the error for a choice whose finish reason names a failure.

        `answer`: the unstreamed answer, whose own error counts too.
        """
        if answer and not REPORTING_MEMBERS.isdisjoint(answer):
            self._raise_reported(answer)
        for choice in self._choices.values():
            if found := choice.failure(whole=answer is not None):
                why, code = found
                raise self._stream_error(why, code, {"finish_reason": choice.finish_reason})

    def _raise_reported(self, details: Mapping[str, Any], event: str = "") -> None:
        failure = reported_failure(details, event)
        if failure:
            raise self._stream_error(f"the service reported: {failure[0]}", failure[1], details)

    def _finish(self, *, expected: int) -> list[StreamEvent]:
        self.raise_if_failed()
        finished = [c for c in self._choices.values() if c.finish_reason is not None]
        if len(finished) < max(expected, len(self._choices)):
            raise self._cut_error("no finish reason")
        events = [e for _, c in sorted(self._choices.items()) for e in c.finish(self._id)]
        return [*events, Finished(self.reply({}))]

    def _cut_error(self, why: str) -> StreamCutError:
        return StreamCutError(
            f"The stream ended before the answer did ({why}): what came is not "
            "the whole answer. Ask again; the part that came is in .partial.",
            partial=self.reply({}),
        )

    def reply(self, headers: Mapping[str, str]) -> Reply:
        return Reply(
            id=self._id,
            model=self._model,
            created=self._created,
            choices=tuple([self._choices[i].to_choice() for i in sorted(self._choices)]),
            usage=CHAT_USAGE.parse(self._usage),
            cost=parse_cost(headers, self._meta),
            serving=parse_serving(headers, self._meta),
            extra=self._extra,
        )
