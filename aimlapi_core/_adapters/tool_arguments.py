"""Whether a tool call may be run, and what the model hears of one that may not."""

from __future__ import annotations

from typing import Any

from aimlapi_core._json_reading import loads_arguments, without_placeholders
from aimlapi_core.types import TRUNCATED_FINISH_REASONS

NOT_AN_OBJECT = "The arguments are not a JSON object: "


NO_NAME = "The call names no tool."


def parse_arguments(arguments: str, finish_reason: str | None, name: str | None) -> dict[str, Any]:
    """The arguments of the call of `name`. Raises ValueError, with why it must not be run.

    A call without any argument text in a truncated answer counts as truncated: its arguments
    may have been about to follow. So does `{}`, which some servers send before the arguments.
    """
    truncated = finish_reason in TRUNCATED_FINISH_REASONS
    if truncated and without_placeholders(arguments) in ("", "{}"):
        raise ValueError(f"The answer was cut ({finish_reason}) before the arguments began.")
    try:
        found = loads_arguments(arguments)
    except ValueError as exc:
        cut = f"The answer was cut ({finish_reason}). " if truncated else ""
        raise ValueError(f"{cut}{NOT_AN_OBJECT}{exc}") from exc
    if not name:
        raise ValueError(NO_NAME)
    return found


def invalid_call_result(name: str | None, reason: str) -> str:
    """The result of a call that was not run, from which a model can call again."""
    end = "" if reason.endswith(".") else "."
    return (
        f"{name or 'The tool'} was not run: {reason}{end} "
        "Call it again with arguments that are one JSON object."
    )
