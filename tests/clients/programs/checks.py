"""Runs the checks of a client and reports each as a line of JSON; imports no package.

The programs here run in environments that do not have this project.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Callable
from typing import Any

BASE_URL = os.environ["AIMLAPI_BASE_URL"]
KEY = os.environ["AIMLAPI_API_KEY"]
MODEL = "openai/gpt-5-2"
EMBEDDER = "text-embedding-3-small"
QUESTION = "What is the weather in Paris?"
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def weather(city: str) -> str:
    """The weather in a city."""
    return f"18 degrees in {city}"


def run(*checks: Callable[[], Any]) -> None:
    """Run each check; it fails by any exception. Its name is the function's."""
    for check in checks:
        row: dict[str, Any] = {"check": check.__name__.replace("_", " "), "error": None}
        try:
            outcome = check()
            if inspect.isawaitable(outcome):
                asyncio.run(_awaited(outcome))
        except Exception as exc:
            row["error"] = f"{type(exc).__name__}: {exc}"[:300]
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


async def _awaited(outcome: Any) -> Any:
    return await outcome


def holds(part: str, text: Any) -> None:
    """Fail unless the text has this part."""
    if part not in str(text):
        raise AssertionError(f"{part!r} is not in {text!r}")
