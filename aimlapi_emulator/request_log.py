"""The command's live log: one line for each request on stderr, bodies in a folder if wanted."""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path

from aimlapi_emulator.messages import Response
from aimlapi_emulator.scripting.request_view import SeenRequest

_MAX_REASON = 200


class RequestLog(logging.Handler):
    """Writes what the logger `aimlapi_emulator.requests` is given; attach it once."""

    def __init__(self, bodies: Path | None = None, *, quiet: bool = False) -> None:
        super().__init__(logging.DEBUG)
        self._bodies, self._quiet, self._count = bodies, quiet, 0
        if bodies is not None:
            bodies.mkdir(parents=True, exist_ok=True)

    def attach(self) -> None:
        """Log the requests of every emulator of this process, and warnings of the rules' file."""
        logger = logging.getLogger("aimlapi_emulator.requests")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a request's line and bodies."""
        seen, out = record.__dict__["request"], record.__dict__["response"]
        if not self._quiet:
            print(time.strftime("%H:%M:%S"), line(seen, out), file=sys.stderr, flush=True)
        if self._bodies is not None:
            self._count += 1
            name = f"{self._count:04d}-{seen.endpoint or 'other'}"
            body = json.dumps(seen.body, ensure_ascii=False, indent=2, default=repr)
            (self._bodies / f"{name}-request.json").write_text(body, encoding="utf-8")
            ending = "json" if out.events is None else "txt"
            content = out.body if out.events is None else b"".join(out.events)
            (self._bodies / f"{name}-response.{ending}").write_bytes(content)


def line(seen: SeenRequest, out: Response) -> str:
    """Status, path, model, stream, tools offered and called, tokens; or why it was refused."""
    parts = [str(seen.status or "dropped"), seen.method, seen.path, seen.model]
    parts += ["stream"] * seen.stream
    if seen.tools:
        called = ", ".join(seen.called) or "none"
        parts.append(f"tools: {len(seen.tools)} offered, called: {called}")
    if seen.usage.prompt:
        parts.append(f"{seen.usage.prompt} + {seen.usage.completion} tokens")
    why = seen.note or (_reason(seen, out) if seen.status >= 400 else "")
    parts += [f"by {seen.rule}" if seen.rule else "", f"- {why}" if why else ""]
    return "".join(c if c.isprintable() else " " for c in " ".join(filter(None, parts)))


def _reason(seen: SeenRequest, out: Response) -> str:
    """The first detail of an error in the response, else its message.

    `SeenRequest.problems` are of `strict`, whichever schema is in force.
    """
    try:
        body = json.loads(out.body)
        error = body.get("error") or body
        detail = (error.get("details") or [{}])[0]
        text = f"{detail['path']}: {detail['reason']}" if detail else str(error["message"])
        return text[:_MAX_REASON]
    except (ValueError, KeyError, TypeError, AttributeError):
        return seen.problems[0] if seen.problems else ""
