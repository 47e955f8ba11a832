"""`Emulator`: a server that holds faults and rules, and records requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from aimlapi_emulator.billing.ledger import Ledger
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.deprecations import Deprecation
from aimlapi_emulator.faults.fault import NO_FAULT, Fault, ineffective_fields
from aimlapi_emulator.latency import NO_LATENCY, Latency
from aimlapi_emulator.messages import QueuedResponse, Request, Response
from aimlapi_emulator.scripting.request_view import ENDPOINTS, SeenRequest
from aimlapi_emulator.scripting.rule import Rule
from aimlapi_emulator.scripting.rule_validation import as_tool_calls, check_rule
from aimlapi_emulator.scripting.rules_file import RulesFile
from aimlapi_emulator.scripting.types import Arguments, Condition, JSONObject, Text, ToolCalls
from aimlapi_emulator.server.connection import Connection, internal_error
from aimlapi_emulator.server.router import route
from aimlapi_emulator.server.thread import ServerThread
from aimlapi_emulator.state import MAX_KEPT_BYTES, State, request_view

_LOG = logging.getLogger("aimlapi_emulator")
_REQUESTS = logging.getLogger("aimlapi_emulator.requests")


class Emulator(ServerThread):
    """A local server that behaves as the documented API.

    Use it as a context manager, or `start` and `stop` it; it runs in one daemon thread. It may be
    started again after a stop, on the same port.

    Args:
        port: 0 takes a free one.
        host: the address to listen on. Another than of this machine alone is warned of: whoever
            reaches it can use the emulator.
        schema: `strict` validates requests by the narrowest published schemas, a linter for what
            one's own code sends; `live` by the newer, looser specification, which drops unknown
            keys as the real service does. The command and the pytest plugin start `live`.
        latency: how long answers take; the default sends them at once.
        only_known_models: whether ids that the tables of models do not have are refused, in words
            that name the emulator. Otherwise they are answered, and marked in the header
            `x-emulator-model` and on the log.
        cost_chunk: where a chat stream has its cost, as `Fault.cost_chunk`: `merged` or `bare`.
        tools: `named` calls the tools that a message names, by their names or words of these;
            `eager` calls the best-fitting one for any task.
        max_requests: of how many requests at least something is kept, in `requests`, as stored
            responses and in the log of the account, and 64 MB of bodies; the oldest go first, and
            sums of costs are of all. None keeps all.

    Raises:
        OSError: from `start`, when the address is taken.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        schema: str = "strict",
        *,
        latency: Latency = NO_LATENCY,
        cost_chunk: str = "merged",
        tools: str = "named",
        only_known_models: bool = False,
        max_requests: int | None = None,
    ) -> None:
        if schema not in ("strict", "live"):
            raise ValueError(f"schema must be 'strict' or 'live', not {schema!r}")
        if cost_chunk not in ("merged", "bare"):
            raise ValueError(f"cost_chunk must be 'merged' or 'bare', not {cost_chunk!r}")
        if tools not in ("named", "eager"):
            raise ValueError(f"tools must be 'named' or 'eager', not {tools!r}")
        super().__init__(host, port)
        self.schema = schema
        self.latency = self._first_latency = latency
        self.requests: list[SeenRequest] = []
        self._max_requests = max_requests
        self._recorded = 0
        self.faults: list[Fault | None] = []
        self.connections = 0
        self.open_connections = 0
        self.peak_connections = 0
        self.open_requests = 0
        self.peak_requests = 0
        self._accepted = 0
        self._clears = 0
        self._state = State(
            schema == "live",
            tools == "eager",
            cost_chunk=cost_chunk,
            only_known_models=only_known_models,
            max_kept=max_requests,
        )

    def __repr__(self) -> str:
        state = "running" if self._thread else "stopped"
        return f"Emulator({self.host}:{self.port}, schema={self.schema!r}, {state})"

    @property
    def latency(self) -> Latency:
        """How long the answers to the next requests take."""
        return self._latency

    @latency.setter
    def latency(self, given: Latency) -> None:
        if not isinstance(given, Latency):
            raise TypeError(f"latency takes a Latency, not {given!r}")
        self._latency = given

    @property
    def cost(self) -> Usage:
        """Total usage of all answers: `usd`, `credits` and tokens.

        At the one price that the vendor publishes for each model; a count, never a bill.
        """
        return self.ledger.total

    @property
    def deprecations(self) -> list[Deprecation]:
        """The feed of `GET /v1/models/deprecations`: append to it to withdraw a model."""
        return self._state.deprecations

    @property
    def ledger(self) -> Ledger:
        """The cost of every request; balance and logs are views of it."""
        return self._state.ledger

    def clear(self) -> None:
        """Forget requests, faults, queued responses, rules, costs, counters and stored responses.

        Ids continue, and the latency is reset to the constructor's. Open connections and requests
        are no longer counted, so that one emulator can serve many tests. Requests that have
        already been sent, even by callers that have cancelled them, are forgotten too.
        """
        self._receive_pending()
        self.requests.clear()
        self._recorded = 0
        self.faults.clear()
        self._clears += 1
        self.connections = self.open_connections = self.peak_connections = 0
        self.open_requests = self.peak_requests = 0
        self._state.clear()
        self.latency = self._first_latency

    def when(
        self,
        condition: Condition,
        *,
        text: Text | None = None,
        json: JSONObject | None = None,
        tool_call: str | None = None,
        arguments: Arguments | None = None,
        tool_calls: ToolCalls | None = None,
        fault: Fault | None = None,
        model: str | None = None,
        endpoint: str | None = None,
        times: int | None = None,
    ) -> Rule:
        """Script the answers to matching requests; the first rule that matches wins.

        Rules come after `faults`, directives and `enqueue_response`, and before the built-in rules.
        A request that does not allow the answer gets a 400 that says why. The arguments are
        documented in `Rule`; `tool_call` and `arguments` are one call, `tool_calls` several.

        Raises:
            RuleError: for a rule that could never act.
        """
        calls = as_tool_calls(tool_call, arguments, tool_calls)
        rule = Rule(condition, text, json, calls, fault, model, endpoint, times)
        check_rule(rule, only_known_models=self._state.only_known_models)
        self._state.rules.append(rule)
        return rule

    def load_rules(self, path: str | Path) -> None:
        """Take further rules from a YAML or JSON file, and again whenever it changes.

        Each entry is the arguments of `when`, which is its text or, as `pattern`, a regular
        expression; a fault is written as `status=503`. Rules of `when` go before these.

        Raises:
            RuleError: for a file that cannot be read, or a rule that could never act.
        """
        self._state.rules_file = RulesFile(path)

    def unused_rules(self) -> list[Rule]:
        """The scripted rules that have not answered any request so far."""
        return [rule for rule in self._state.rules if not rule.use_count]

    def enqueue_response(self, response: QueuedResponse) -> None:
        """Queue the response to the next POST; several are sent in order.

        Args:
            response: str is the text of an ordinary answer; dict a JSON body, bytes a raw one, and
                list[str] the data of each event of a stream, all three sent unchanged (status
                200) without validating the request.
        """
        self._state.queued_responses.append(response)

    def next_fault(self) -> Fault | None:
        """The queued fault for the POST that has just begun."""
        try:
            fault = self.faults.pop(0)
        except IndexError:
            return None
        if fault is None or isinstance(fault, Fault):
            return fault
        return Fault(status=500, message=f"Emulator.faults holds {fault!r}, which is no Fault")

    def respond(self, request: Request, connection: int, fault: Fault | None) -> Response:
        """The response to a complete request, which is recorded in `requests`."""
        try:
            out = route(request, self._state, fault)
        except Exception as exc:  # a bug of ours becomes a 500, and the server continues
            out = internal_error(request, exc)
        status = 0 if out.fault.drop is not None else out.status
        ineffective: tuple[str, ...] = ()
        if out.fault is not NO_FAULT:
            target = out.as_fault_target(ENDPOINTS.get(request.path, ""))
            ineffective = ineffective_fields(out.fault, target)
        if ineffective:
            names = ", ".join(ineffective)
            _LOG.warning("%s did nothing to the answer of %s", names, request.path)
        self._record(request, connection, out, status, ineffective)
        if self.latency == NO_LATENCY or (out.usage is None and out.events is None):
            return out
        return replace(out, latency=self.latency.of_request(self._recorded))

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """Entered while a complete request is answered; `peak_requests` counts these."""
        clears = self._clears
        self.open_requests += 1
        self.peak_requests = max(self.peak_requests, self.open_requests)
        try:
            yield
        finally:
            if clears == self._clears:
                self.open_requests -= 1

    def note_dropped(self, request: Request, connection: int) -> None:
        """Record a complete request that a fault leaves without a response."""
        out = route(request, State(live=self._state.live), None)
        self._record(request, connection, replace(out, usage=None), 0)

    def _record(
        self,
        request: Request,
        connection: int,
        out: Response,
        status: int,
        ineffective: tuple[str, ...] = (),
    ) -> None:
        view = request_view(request, out.request_body, self._state)
        seen = SeenRequest(
            *(view.method, view.path, view.headers),
            request.content if view.body is None and request.content else view.body,
            view.previous_items,
            connection,
            out.problems,
            status,
            ineffective,
            repr(out.rule) if out.rule is not None else "",
            out.billed_usage,
            out.called,
            out.note,
            len(request.content),
        )
        self._recorded += 1
        self.requests.append(seen)
        if self._max_requests is not None:
            self._forget_oldest(self._max_requests)
        extra = {"request": seen, "schema": self.schema, "response": out}
        _REQUESTS.debug("%s %s: %s", seen.method, seen.path, status or "no answer", extra=extra)

    def _forget_oldest(self, most: int) -> None:
        if len(self.requests) >= 2 * most:
            del self.requests[: len(self.requests) - most]
        size = sum(seen.size for seen in self.requests)
        while size > MAX_KEPT_BYTES and len(self.requests) > 1:
            size -= self.requests.pop(0).size

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        clears = self._clears
        self._accepted += 1
        self.connections += 1
        self.open_connections += 1
        self.peak_connections = max(self.peak_connections, self.open_connections)
        try:
            await Connection(self, self._accepted, reader, writer).serve()
        finally:
            if clears == self._clears:
                self.open_connections -= 1
