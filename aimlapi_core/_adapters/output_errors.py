"""Errors for model output that is not the object that was requested, the same in both adapters.

UnexpectedReplyError            (aimlapi_core)
└── OutputError
    ├── OutputRefusedError      the model refused
    ├── OutputTruncatedError    the output ended before it was complete
    │   └── OutputFilteredError because a content filter stopped it
    ├── OutputEmptyError        there was no output
    └── OutputInvalidError      not JSON, or not of the schema
"""

from __future__ import annotations

from aimlapi_core.errors import UnexpectedReplyError

MAX_REFUSAL_CHARS = 1_000
"""Of a refusal's words, in a message; `body` holds all."""


class OutputError(UnexpectedReplyError):
    """Model output that is not the object that was requested; `body` is its text."""


class OutputRefusedError(OutputError):
    """The model refused; `body` and the message hold its own words."""


class OutputTruncatedError(OutputError):
    """The output was truncated by the token limit or a filter, and is not used."""


class OutputFilteredError(OutputTruncatedError):
    """A content filter stopped the output before it was complete."""


class OutputEmptyError(OutputError):
    """The model's output holds nothing to parse."""


class OutputInvalidError(OutputError):
    """The output is complete, but is not JSON or does not fit the schema; see `__cause__`."""
