"""The errors of this adapter beside the core's, for model output that is not what was requested.

    UnexpectedReplyError            (aimlapi_core)
    └── OutputError
        ├── OutputRefusedError      the model refused; `body` is its own sentence
        ├── OutputTruncatedError    the output ended before it was complete
        │   └── OutputFilteredError because a content filter stopped it
        ├── OutputEmptyError        there was no output
        ├── InvalidToolCallError    a tool call whose arguments are not a JSON object
        └── NoToolCallError         text instead of the required tool call

The core's errors are raised unchanged.
"""

from __future__ import annotations

from aimlapi_core._adapters.output_errors import (
    OutputEmptyError,
    OutputError,
    OutputFilteredError,
    OutputRefusedError,
    OutputTruncatedError,
)

__all__ = [
    "InvalidToolCallError",
    "NoToolCallError",
    "OutputEmptyError",
    "OutputError",
    "OutputFilteredError",
    "OutputRefusedError",
    "OutputTruncatedError",
]


class InvalidToolCallError(OutputError):
    """A tool call that cannot be run as the model wrote it. It is never repaired."""


class NoToolCallError(OutputError, ValueError):
    """The model called no tool. A ValueError too: LlamaIndex's own code expects one."""
