"""What this adapter raises beyond the core's errors: success answers that are not what was asked.

    UnexpectedReplyError            (aimlapi_core)
    ├── RefusalError                the model refused; `body` is its own sentence
    ├── CutAnswerError              the answer ended before it was whole
    ├── EmptyAnswerError            nothing came
    ├── BrokenToolCallError         a tool call whose arguments are no JSON object
    └── NoToolCallError             text where a tool call was asked for

The core's errors leave as they are.
"""

from __future__ import annotations

from aimlapi_core import UnexpectedReplyError


class RefusalError(UnexpectedReplyError):
    """The model refused to give the structured answer."""


class CutAnswerError(UnexpectedReplyError):
    """The answer was cut, by the limit on its length or by a filter, and is not used."""


class EmptyAnswerError(UnexpectedReplyError):
    """The model gave nothing to read an object from."""


class BrokenToolCallError(UnexpectedReplyError):
    """A tool call that cannot be run as the model wrote it. It is never repaired."""


class NoToolCallError(UnexpectedReplyError, ValueError):
    """The model called no tool. A ValueError too: LlamaIndex's own code expects one."""
