"""`Emulator`: starts and stops the server, holds its faults and rules, records requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

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
from aimlapi_emulator.server.origin import is_loopback
from aimlapi_emulator.server.router import route
from aimlapi_emulator.state import State, request_view

_STOP_WITHIN_S = 5.0
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # a wildcard address cannot be connected to
_LOG = logging.getLogger("aimlapi_emulator")
_REQUESTS = logging.getLogger("aimlapi_emulator.requests")


class Emulator:
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
        max_requests: `requests` keeps at least so many of the newest; None keeps all.

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
        self.host = host
        self.port = port
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
        )
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()

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

    @property
    def base_url(self) -> str:
        """The base URL for a client."""
        host = _REACHED_AT.get(self.host, self.host)
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}/v1"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Listen; returns when connections are accepted. Does nothing if it is running."""
        if self._thread is not None and self._thread.is_alive():
            return self
        ready = threading.Event()
        failed: list[BaseException] = []
        thread = threading.Thread(
            target=self._run, args=(ready, failed), name="aimlapi-emulator", daemon=True
        )
        thread.start()
        ready.wait()
        if failed:
            thread.join(_STOP_WITHIN_S)
            raise failed[0]
        self._thread = thread
        return self

    def stop(self) -> None:
        """Close every connection and end the thread; returns within seconds."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join(_STOP_WITHIN_S)

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

    def _receive_pending(self) -> None:
        """Return when requests whose bytes have arrived are recorded in `requests`."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None or thread is threading.current_thread():
            return
        done = threading.Event()

        def next_iteration(left: int) -> None:
            if left:
                loop.call_soon(next_iteration, left - 1)
            else:
                done.set()

        # From an accepted connection to its entry in `requests` a loop needs about six iterations.
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself
            loop.call_soon_threadsafe(next_iteration, 12)
            done.wait(_STOP_WITHIN_S if thread.is_alive() else 0)

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
        )
        self._recorded += 1
        self.requests.append(seen)
        if self._max_requests is not None and len(self.requests) >= 2 * self._max_requests:
            del self.requests[: -self._max_requests]
        extra = {"request": seen, "schema": self.schema, "response": out}
        _REQUESTS.debug("%s %s: %s", seen.method, seen.path, status or "no answer", extra=extra)

    def _run(self, ready: threading.Event, failed: list[BaseException]) -> None:
        # A signal that is delivered to this thread, as after Ctrl-Z, would not wake the main
        # thread, which alone runs Python's handlers.
        if sys.platform != "win32":
            ours = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
            signal.pthread_sigmask(signal.SIG_BLOCK, ours)
        try:
            asyncio.run(self._serve(ready))
        except BaseException as exc:  # re-raised by `start` in its own thread
            if ready.is_set():
                raise
            failed.append(exc)
        finally:
            self._loop = None
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        if not is_loopback(self.host):
            _LOG.warning("The emulator listens on %s: other machines can reach it.", self.host)
        server = await asyncio.start_server(self._accept, self.host, self.port, backlog=2048)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        clears = self._clears
        self._accepted += 1
        self.connections += 1
        self.open_connections += 1
        self.peak_connections = max(self.peak_connections, self.open_connections)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await Connection(self, self._accepted, reader, writer).serve()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            if clears == self._clears:
                self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
