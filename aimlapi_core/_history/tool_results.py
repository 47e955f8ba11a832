"""Puts one result right behind each tool call of a conversation, as the API requires.

After an interrupt, a cancelled run or a crash, a history holds calls without results, and agents
cannot take them out: such a conversation must go on. Ids of calls and names of functions are made
fit here too, on calls and results alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aimlapi_core._history.names import TOOL_NAME, fit_call_id, fit_tool_name
from aimlapi_core._values.warn_once import warn_once
from aimlapi_core.errors import InvalidRequestError
from aimlapi_core.types import ChatRequest, Message, Text, ToolCall

NO_RESULT = "No result: the call was interrupted."


class HistoryWarning(UserWarning):
    """Something of a conversation's history was not sent as it is."""


def pair_tool_results(request: ChatRequest, max_id_length: int) -> ChatRequest:
    """The request with each tool call followed by one result, and with ids and names that fit.

    A result that is elsewhere is moved to its call, a call without one gets NO_RESULT, a result
    without a call is left out; the last two with a warning. With `unanswered_tool_calls="raise"`
    all three are an InvalidRequestError.
    """
    continues = _continues_response(request)
    if _is_paired(request.messages, max_id_length, continues=continues):
        return request
    if request.unanswered_tool_calls == "raise":
        _check_tool_results(request.messages, continues=continues)
    history = _History(request.messages, max_id_length, continues=continues)
    messages = tuple(history.paired())
    if not messages:
        raise InvalidRequestError(
            "The messages are results of tools only, and no assistant message makes the calls: "
            "send the conversation that they belong to."
        )
    history.warn()
    return replace(request, messages=messages)


def _continues_response(request: ChatRequest) -> bool:
    """Whether the service holds the beginning of the conversation, with calls that are not here."""
    extra = request.extra_body
    return bool(
        request.previous_response_id
        or extra.get("previous_response_id")
        or extra.get("conversation")
    )


def _tool_calls(message: Message) -> list[ToolCall]:
    return [part for part in message.parts if isinstance(part, ToolCall)]


def _is_paired(messages: Sequence[Message], max_id_length: int, *, continues: bool) -> bool:
    """Whether the conversation can be sent as it is, as nearly all can."""
    waiting: list[str] = []
    seen: set[str] = set()
    for message in messages:
        if message.role == "tool":
            call_id = message.tool_call_id
            if call_id in waiting:
                waiting.remove(call_id)
            elif not (continues and call_id and call_id not in seen):
                return False
            continue
        if waiting:
            return False
        if message.role == "assistant":
            for part in message.parts:
                if not isinstance(part, ToolCall):
                    continue
                unfit = not part.id or len(part.id) > max_id_length or part.id in seen
                if unfit or not TOOL_NAME.fullmatch(part.name):
                    return False
                seen.add(part.id)
                waiting.append(part.id)
    return not waiting


@dataclass(slots=True)
class _Call:
    """A call at message `at`, the id that it is sent with, and its result, once found."""

    at: int
    call: ToolCall
    sent_id: str
    result_at: int | None = None


class _History:
    """A conversation whose results are matched to its calls when it is made."""

    def __init__(self, messages: Sequence[Message], max_id_length: int, *, continues: bool) -> None:
        self._messages = messages
        self._continues = continues
        self._calls = list(_numbered_calls(messages, max_id_length))
        self._calls_by_id: dict[str, list[_Call]] = {}
        for call in self._calls:
            self._calls_by_id.setdefault(call.call.id or call.call.name, []).append(call)
        self._orphans = self._match_results()

    def paired(self) -> Iterator[Message]:
        """The messages, each call followed by its result."""
        calls_at: dict[int, list[_Call]] = {}
        for call in self._calls:
            calls_at.setdefault(call.at, []).append(call)
        for position, message in enumerate(self._messages):
            if position in calls_at:
                yield _with_calls(message, calls_at[position])
                yield from self._results(calls_at[position])
            elif message.role != "tool" or (self._continues and position in self._orphans):
                yield message

    def warn(self) -> None:
        """Warn, once for each call, of results that were put in or left out."""
        missing = [call.call for call in self._calls if call.result_at is None]
        if missing:
            named = _listed(f"{call.name} ({call.id})" for call in missing)
            warn_once(
                ("missing tool results", *(call.id for call in missing)),
                f"The tool calls {named} have no result in the history: {NO_RESULT!r} was sent in "
                'the place of each. unanswered_tool_calls="raise" makes it an error.',
                HistoryWarning,
            )
        if self._orphans and not self._continues:
            ids = [str(self._messages[at].tool_call_id) for at in self._orphans]
            warn_once(
                ("orphaned tool results", *ids),
                f"The results of the tool calls {_listed(ids)} were left out: no assistant message "
                "of the history makes these calls, or they have a result already. Keep the "
                "assistant message with its tool calls when you trim a history. "
                'unanswered_tool_calls="raise" makes it an error.',
                HistoryWarning,
            )

    def _match_results(self) -> list[int]:
        """Match each result to its call; the positions of those that no call is left for.

        Those with an id first: one without can be any call's.
        """
        results = [at for at, message in enumerate(self._messages) if message.role == "tool"]
        unmatched = []
        for group in (
            [at for at in results if self._messages[at].tool_call_id],
            [at for at in results if not self._messages[at].tool_call_id],
        ):
            later = [at for at in group if not self._match(at, before=True)]
            unmatched += [at for at in later if not self._match(at, before=False)]
        return sorted(unmatched)

    def _match(self, result_at: int, *, before: bool) -> bool:
        """Give the result to the nearest call that it can be of, before it or behind it.

        A result without an id can be any call's, or any of the function that it names.
        """
        result = self._messages[result_at]
        call_id = result.tool_call_id
        candidates = [
            call
            for call in (self._calls_by_id.get(call_id, ()) if call_id else self._calls)
            if call.result_at is None and (call.at < result_at) == before
        ]
        if not call_id and result.name:
            candidates = [call for call in candidates if call.call.name == result.name]
        if not candidates:
            return False
        nearest = (candidates[-1] if before else candidates[0]).at
        next(call for call in candidates if call.at == nearest).result_at = result_at
        return True

    def _results(self, calls: Sequence[_Call]) -> Iterator[Message]:
        """The results of one message's calls, in the order in which they came."""
        last = len(self._messages)
        for call in sorted(calls, key=lambda c: last if c.result_at is None else c.result_at):
            if call.result_at is None:
                yield Message("tool", (Text(NO_RESULT),), tool_call_id=call.sent_id)
            else:
                yield replace(self._messages[call.result_at], tool_call_id=call.sent_id)


def _numbered_calls(messages: Sequence[Message], max_id_length: int) -> Iterator[_Call]:
    """The calls, those with the same id or without one distinguished by their number."""
    occurrences: dict[str, int] = {}
    for position, message in enumerate(messages):
        for call in _tool_calls(message) if message.role == "assistant" else ():
            occurrence = occurrences.get(call.id, 0)
            occurrences[call.id] = occurrence + 1
            yield _Call(position, call, fit_call_id(call.id, occurrence, max_id_length))


def _with_calls(message: Message, calls: Iterable[_Call]) -> Message:
    """The message with its calls under the ids and names that are sent."""
    in_order = iter(calls)
    return replace(
        message,
        parts=tuple(
            replace(part, id=next(in_order).sent_id, name=fit_tool_name(part.name))
            if isinstance(part, ToolCall)
            else part
            for part in message.parts
        ),
    )


def _listed(names: Iterable[str]) -> str:
    """At most five names."""
    names = list(names)
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _check_tool_results(messages: Sequence[Message], *, continues: bool) -> None:
    """Raise InvalidRequestError unless each call has its result before the next message.

    Calls are counted, as integrations without call ids use the same id for two calls of a tool.
    """
    open_calls: dict[str, int] = {}
    called_at = 0
    for position, message in enumerate(messages):
        if message.role == "tool":
            call_id = message.tool_call_id
            if not call_id:
                raise InvalidRequestError(f"Message {position} (tool) has no tool_call_id.")
            if open_calls.get(call_id, 0) < 1 and not continues:
                raise InvalidRequestError(
                    f"Message {position} is the result of the tool call {call_id!r}, which no "
                    "assistant message right before it makes. Keep the assistant message "
                    "with its tool calls in the history."
                )
            open_calls[call_id] = open_calls.get(call_id, 0) - 1
            continue
        _raise_missing_tool_results(open_calls, called_at)
        open_calls, called_at = {}, position
        for call in _tool_calls(message):
            open_calls[call.id] = open_calls.get(call.id, 0) + 1
    _raise_missing_tool_results(open_calls, called_at)


def _raise_missing_tool_results(open_calls: Mapping[str, int], called_at: int) -> None:
    unanswered = sorted(call_id for call_id, count in open_calls.items() for _ in range(count))
    if unanswered:
        raise InvalidRequestError(
            f"The tool calls {unanswered} of message {called_at} have no result: add a "
            "tool message for each before the next message, or take the calls out. "
            'unanswered_tool_calls="repair" puts in a result that says so.'
        )
