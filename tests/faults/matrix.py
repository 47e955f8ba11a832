"""Every fault, and what each caller must see of it: the right answer or the right typed error.

A row holds for both frameworks, both client kinds and both endpoints, unless it names its
endpoint; what differs between a whole answer and a stream stands in two columns. `requests` is
how often the POST may reach the server with `max_retries=1`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aimlapi_core as core
from aimlapi_emulator import Fault

# What a call may end in: the whole answer, an answer that says that it was cut, or an error.
ANSWER, MARKED = "answer", "answer, marked"
Outcome = str | type[core.AIMLAPIError]


@dataclass(frozen=True)
class Row:
    """One fault. `whole` or `stream` is None where there is no such fault."""

    name: str
    faults: Sequence[Fault | None]
    whole: Outcome | None
    stream: Outcome | None
    requests: int = 1
    unread: int = 0
    """How many of the requests the server did not read, so that its ledger lacks them."""
    calls: int = 1
    """How many calls one model object makes in turn; all but the last are answered."""
    connections: int = 2
    """How many connections are opened at most; fewer where one is left of a call before."""
    endpoint: str | None = None
    """The one endpoint that can have the fault."""

    @property
    def needs_text(self) -> bool:
        """Whether the fault is in the text of an answer or beside it."""
        return any(
            fault and (fault.answer_error or fault.content_form != "text") for fault in self.faults
        )

    @property
    def title(self) -> str:
        """The fault, and its endpoint when it has one."""
        return self.name if self.endpoint is None else f"{self.endpoint}: {self.name}"


def _status(status: int, error: type[core.AIMLAPIError], requests: int, **more: object) -> Row:
    fault = Fault(status=status, **more)  # type: ignore[arg-type]  # any member of a Fault
    shape = f", {more['shape']}" if "shape" in more else ""
    text = f": “{more['message']}”" if "message" in more else ""
    return Row(f"{status}{shape}{text}", [fault] * 3, error, error, requests)


def _harmless(name: str, **more: object) -> Row:
    fault = Fault(**more)  # type: ignore[arg-type]  # any member of a Fault
    return Row(name, [fault], ANSWER, ANSWER)


def _in_stream(name: str, outcome: Outcome, endpoint: str | None = None, **more: object) -> Row:
    """A fault that only a stream can have."""
    fault = Fault(**more)  # type: ignore[arg-type]  # any member of a Fault
    return Row(name, [fault], None, outcome, endpoint=endpoint)


def _on_reuse(name: str, fault: Fault, unread: int) -> Row:
    """A connection that serves one call, and ends when the next one comes."""
    error = core.ConnectionLostError
    return Row(name, [None, fault], error, error, 2, unread, calls=2, connections=1)


ROWS = (
    Row("no fault", [], ANSWER, ANSWER),
    # Refusals.
    _status(400, core.BadRequestError, 1),
    _status(401, core.AuthenticationError, 1),
    _status(403, core.PermissionDeniedError, 1, message="Verification required"),
    _status(403, core.InsufficientFundsError, 1, message="You've run out of funds"),
    _status(404, core.NotFoundError, 1),
    _status(413, core.ContextTooLongError, 1, message="maximum context length is 400000"),
    _status(425, core.ServerError, 2),
    _status(429, core.RateLimitError, 2),
    _status(429, core.QuotaExceededError, 1, message="Free-tier limit: none left"),
    _status(500, core.ServerError, 2),
    _status(500, core.ServerError, 2, shape="text"),
    _status(500, core.UpstreamRejectedError, 1, shape="legacy", message="400 Bad tool"),
    _status(500, core.MaintenanceError, 1, message="The model is under maintenance"),
    _status(502, core.ServerError, 2, shape="html"),
    _status(503, core.ServerError, 2, shape="openai"),
    _status(504, core.ServerError, 2, shape="legacy"),
    _status(524, core.ServerError, 2, shape="empty"),
    _status(499, core.ServerError, 1, shape="text"),
    _status(529, core.ServerError, 2, shape="openai"),
    Row("429, then the answer", [Fault(status=429)], ANSWER, ANSWER, 2),
    Row("500, then the answer", [Fault(status=500)], ANSWER, ANSWER, 2),
    # The way to the service.
    Row(
        "closed before the request was read",
        [Fault(drop="before_read")] * 2,
        core.ConnectionLostError,
        core.ConnectionLostError,
        unread=1,
    ),
    Row(
        "FIN instead of an answer",
        [Fault(drop="after_read")] * 2,
        core.ConnectionLostError,
        core.ConnectionLostError,
    ),
    Row(
        "RST instead of an answer",
        [Fault(drop="after_read", drop_with="rst")] * 2,
        core.ConnectionLostError,
        core.ConnectionLostError,
    ),
    Row(
        "silence instead of an answer",
        [Fault(delay_head_s=3600)] * 2,
        core.RequestTimeoutError,
        core.RequestTimeoutError,
    ),
    Row(
        "silence after the head",
        [Fault(delay_body_s=3600)] * 2,
        core.RequestTimeoutError,
        core.StreamCutError,
    ),
    Row(
        "103 Early Hints, then silence",
        [Fault(interim=(103,), delay_head_s=3600)] * 2,
        core.RequestTimeoutError,
        core.RequestTimeoutError,
    ),
    _on_reuse(
        "an open connection closed when the next request comes, unread",
        Fault(drop="before_read"),
        1,
    ),
    _on_reuse(
        "an open connection closed when the next request was read", Fault(drop="after_read"), 0
    ),
    _on_reuse(
        "an open connection reset when the next request was read",
        Fault(drop="after_read", drop_with="rst"),
        0,
    ),
    # Success that is none.
    Row(
        "204",
        [Fault(success_status=204)],
        core.UnexpectedReplyError,
        core.StreamCutError,
    ),
    Row(
        "200 with a page of HTML",
        [Fault(raw_body=b"<html>Hello</html>", content_type="text/html")],
        core.UnexpectedReplyError,
        core.UnexpectedReplyError,
    ),
    Row(
        "200 with the image answer of the vendor's page",
        [Fault(raw_body=b'{"object":"image","data":[]}', content_type="application/json")],
        core.UnexpectedReplyError,
        core.UnexpectedReplyError,
    ),
    Row(
        "200 with an error object",
        [Fault(raw_body=b'{"error":{"message":"no"}}', content_type="application/json")],
        core.AnswerFailedError,
        core.AnswerFailedError,
    ),
    Row(
        "200 with nothing",
        [Fault(raw_body=b"", content_type="application/json")],
        core.UnexpectedReplyError,
        core.StreamCutError,
    ),
    # Answers that stop.
    Row(
        "FIN after 300 bytes",
        [Fault(cut_after_bytes=300)],
        core.ConnectionLostError,
        core.StreamCutError,
    ),
    Row(
        "RST after 300 bytes",
        [Fault(cut_after_bytes=300, drop_with="rst")],
        core.ConnectionLostError,
        core.StreamCutError,
    ),
    *(
        Row(name, [Fault(**more)], core.AnswerFailedError, core.AnswerFailedError)  # type: ignore[arg-type]
        for name, more in (
            ("an error beside the answer", {"answer_error": "top"}),
            ("an error in the answer's choice or item", {"answer_error": "choice"}),
            ("an object where a text belongs", {"content_form": "object"}),
        )
    ),
    _harmless("a list of texts where a text belongs", content_form="strings"),
    _harmless("one content part where a text belongs", content_form="part"),
    _in_stream("FIN after 4 events", core.StreamCutError, cut_after_events=4),
    _in_stream("RST after 4 events", core.StreamCutError, cut_after_events=4, drop_with="rst"),
    _in_stream(
        "a clean end after 4 events", core.StreamCutError, cut_after_events=4, drop_with="end"
    ),
    _in_stream("OpenAI's error frame", core.AnswerFailedError, error_event="openai"),
    _in_stream("problem+json as a frame", core.AnswerFailedError, error_event="problem"),
    _in_stream("the legacy object as a frame", core.AnswerFailedError, error_event="legacy"),
    _in_stream("`event: error`", core.AnswerFailedError, error_event="event"),
    _in_stream("broken JSON in a frame", core.StreamFailedError, malformed_event=True),
    # Events twice, or out of order.
    _in_stream("the first event twice", ANSWER, repeat_event=0),
    _in_stream("the last event twice", ANSWER, repeat_event=-1),
    _in_stream("the first two events swapped", ANSWER, swap_event=0),
    _in_stream("the last two events swapped", ANSWER, swap_event=-2),
    _in_stream("the finish reason twice", ANSWER, "chat", repeat_event=-3),
    _in_stream("the usage twice", ANSWER, "chat", repeat_event=-2),
    _in_stream("text behind the finish reason", ANSWER, "chat", swap_event=-4),
    _in_stream("a text event twice", ANSWER, "responses", repeat_event=6),
    _in_stream("two text events swapped", core.StreamFailedError, "responses", swap_event=6),
    _in_stream("text behind the whole text", core.StreamFailedError, "responses", swap_event=-5),
    Row("the output limit", [Fault(finish_reason="length")], MARKED, MARKED),
    Row("the content filter", [Fault(finish_reason="content_filter")], MARKED, MARKED),
    # Odd but whole.
    _harmless("201", success_status=201),
    _harmless("1 byte at a time", piece_size=1),
    _harmless("7 bytes at a time, CRLF", piece_size=7, newline="\r\n"),
    _harmless("3 bytes at a time, lone CR", piece_size=3, newline="\r"),
    _in_stream("comments between events", ANSWER, comments=True),
    _in_stream("no blank line at the end", ANSWER, final_blank_line=False),
    _in_stream("no `[DONE]`", ANSWER, "chat", done_sentinel=False),
    _harmless("a byte order mark", bom=True),
    _harmless("a byte order mark, 1 byte at a time", bom=True, piece_size=1),
    _harmless("pieces that end inside characters", split_characters=True),
    _in_stream("an event of 4 MB", ANSWER, pad_event_bytes=4_000_000),
    _in_stream("the text in one event", ANSWER, single_delta=True),
    _harmless("100 Continue and 103 Early Hints", interim=(100, 103)),
    _harmless(
        "103, a byte order mark, comments, CRLF, 5 bytes at a time",
        interim=(103,),
        bom=True,
        comments=True,
        newline="\r\n",
        piece_size=5,
    ),
    _harmless("no usage", usage="missing"),
    _harmless("negative usage", usage="negative"),
    _harmless("usage in strings", usage="strings"),
    _harmless("usage in part", usage="partial"),
    _harmless("usage that does not add up", usage="wrong_sum"),
    _in_stream("cumulative usage", ANSWER, "chat", usage="cumulative"),
    _harmless("no cost", cost_metadata=False),
    _in_stream("the cost in a chunk of its own", ANSWER, "chat", cost_chunk="bare"),
    _harmless("a stream marked as plain text", content_type="text/plain"),
)


def shown(outcome: Outcome | None) -> str:
    """An outcome as the table in docs/ shows it."""
    if outcome is None:
        return "-"
    return outcome if isinstance(outcome, str) else f"`{outcome.__name__}`"


def table() -> str:
    """The matrix in Markdown."""
    said = (
        "`-`: only a stream has this fault. A row that names an endpoint runs on that one alone. "
        "What\nfails a whole answer fails embeddings in the same way, "
        "but for what they cannot hold.\n"
    )
    head = "| fault | whole answer | stream | requests |\n|---|---|---|---|"
    rows = [f"| {r.title} | {shown(r.whole)} | {shown(r.stream)} | {r.requests} |" for r in ROWS]
    return "\n".join([said, head, *rows])
