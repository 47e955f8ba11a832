"""The core's errors, each also one of LangChain's `ModelError` family.

`except aimlapi_core.RateLimitError`, `except langchain_aimlapi.RateLimitError` and
`except langchain_core.exceptions.ModelRateLimitError` catch the same error. The core's class
comes first in every base list, so `is_retryable` is the core's: LangChain's classes call every
lost connection retryable, though the request may already be billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import langchain_core.exceptions as lc
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import BaseMessage

import aimlapi_core as core
from aimlapi_core import AIMLAPIError as AIMLAPIError
from aimlapi_core._adapters import output_errors, package_conflict

# Where the older distribution has overwritten `__init__`, this module is what is left to say it.
package_conflict.check()


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """The HTTP response of an error, as LangChain's tracers read it."""

    status_code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    def json(self) -> Any:
        """The parsed body, or the beginning of a text."""
        return self.body


class _NotRepeated(RuntimeError):
    """Base class of errors that are not retryable, so that LangGraph does not repeat them.

    Its default `RetryPolicy()` repeats every exception but those of some built-in classes.
    """


class ConfigurationError(core.ConfigurationError, lc.ModelInvalidRequestError):
    """A setting that cannot work, or one that does not exist."""


class MissingKeyError(core.MissingKeyError, ConfigurationError, lc.ModelAuthenticationError):
    """No API key was given, neither as an argument nor in the environment."""


class InvalidRequestError(core.InvalidRequestError, lc.ModelInvalidRequestError):
    """A request that the service would refuse; found before anything was sent."""


class UnsupportedParameterError(core.UnsupportedParameterError, InvalidRequestError):
    """A parameter that this model does not take, under `unsupported_params="raise"`."""


class BudgetExceededError(core.BudgetExceededError, lc.ModelError, _NotRepeated):
    """A budget's ceiling is reached, so the request was not sent; see `spent_usd`."""


class UnknownCostError(core.UnknownCostError, BudgetExceededError):
    """The cost of an earlier call is unknown, so a budget cannot be enforced."""


class ConnectFailedError(core.ConnectFailedError, lc.ModelConnectionError):
    """No connection could be made, so nothing was sent."""


class ConcurrencyTimeoutError(core.ConcurrencyTimeoutError, lc.ModelTimeoutError):
    """No concurrency slot became free in time under `max_concurrency`; nothing was sent."""


class ConnectionLostError(core.ConnectionLostError, lc.ModelConnectionError, _NotRepeated):
    """The connection ended after the request was sent and before a response began."""


class RequestTimeoutError(core.RequestTimeoutError, lc.ModelTimeoutError, _NotRepeated):
    """The service sent nothing for longer than the read time-out."""


class StreamCutError(core.StreamCutError, lc.ModelConnectionError, _NotRepeated):
    """The stream stopped before its closing event; `partial` is what was received."""


class StreamFailedError(core.StreamFailedError, lc.ModelAPIError, _NotRepeated):
    """A stream with an error in it, or one that cannot be read on; `partial` is what came."""


class UnexpectedReplyError(core.UnexpectedReplyError, lc.ModelAPIError, _NotRepeated):
    """A 2xx response that is not the requested answer."""


class AnswerFailedError(core.AnswerFailedError, StreamFailedError, UnexpectedReplyError):
    """An answer with status 200 that reports an error, whole or streamed; see `partial`."""


class StatusError(core.StatusError, lc.ModelError):
    """The service refused: see `status_code`, `request_id`, `fields`."""

    @property
    def response(self) -> ErrorResponse:
        """The HTTP response for LangChain's tracers, without cookies."""
        headers = {k: v for k, v in self.headers.items() if k != "set-cookie"}
        return ErrorResponse(self.status_code, headers, self.body)


class BadRequestError(core.BadRequestError, StatusError, lc.ModelInvalidRequestError, _NotRepeated):
    """The service found the request wrong."""


class ContextTooLongError(core.ContextTooLongError, BadRequestError, lc.ContextOverflowError):
    """The messages do not fit the model's context window."""


class AuthenticationError(
    core.AuthenticationError, StatusError, lc.ModelAuthenticationError, _NotRepeated
):
    """The key is missing, wrong or disabled."""


class PermissionDeniedError(
    core.PermissionDeniedError, StatusError, lc.ModelPermissionDeniedError, _NotRepeated
):
    """The key is good but may not do this."""


class InsufficientFundsError(
    core.InsufficientFundsError, StatusError, lc.ModelPermissionDeniedError, _NotRepeated
):
    """The account has no funds left."""


class NotFoundError(core.NotFoundError, StatusError, lc.ModelNotFoundError, _NotRepeated):
    """No such model on this endpoint, or no such path."""


class RateLimitError(core.RateLimitError, StatusError, lc.ModelRateLimitError):
    """Too many requests."""


class QuotaExceededError(core.QuotaExceededError, RateLimitError, _NotRepeated):
    """A quota is used up; waiting a few seconds does not help."""


class ServerError(core.ServerError, StatusError, lc.ModelAPIError):
    """The service, or the provider behind it, failed."""


class FinalServerError(ServerError, _NotRepeated):
    """A `ServerError` whose request may have been answered, or never will be: 460, 499, 501, 505.

    LangGraph's default policy judges by classes, and would repeat it.
    """


class MaintenanceError(core.MaintenanceError, ServerError, _NotRepeated):
    """The service says that the model is under maintenance."""


class UpstreamRejectedError(core.UpstreamRejectedError, ServerError, _NotRepeated):
    """A 5xx whose text is an upstream provider's 4xx: a retry gives the same."""


class OutputError(output_errors.OutputError, lc.ModelError, OutputParserException):
    """Model output that is not the structured object that was requested.

    `llm_output` is its text, `raw_message` the whole message where there is one.
    """

    def __init__(
        self,
        message: str,
        llm_output: str | None = None,
        *,
        raw_message: BaseMessage | None = None,
    ) -> None:
        # Not OutputParserException's, which adds a link of LangChain's to the message.
        Exception.__init__(self, message)
        self.body = llm_output or ""
        self.llm_output = llm_output
        self.raw_message = raw_message
        self.observation: str | None = None
        self.send_to_llm = False


# langchain-core has a class for refusals from 1.7.5 on: ours is one of them where it exists.
_Refusal: Any = getattr(lc, "ModelRefusalError", lc.ModelError)


class OutputRefusedError(
    output_errors.OutputRefusedError,
    OutputError,
    _Refusal,  # type: ignore[misc]  # chosen at run time
):
    """The model refused; the message holds its own words."""


class OutputTruncatedError(output_errors.OutputTruncatedError, OutputError):
    """The output stopped at a limit or a filter before the object was complete."""


class OutputFilteredError(
    output_errors.OutputFilteredError,
    OutputTruncatedError,
    _Refusal,  # type: ignore[misc]  # chosen at run time
):
    """A content filter stopped the output: a refusal too, so that fallbacks for these act."""


class OutputEmptyError(output_errors.OutputEmptyError, OutputError):
    """The model's output holds no object at all."""


class OutputInvalidError(output_errors.OutputInvalidError, OutputError):
    """The output is complete, but is not JSON or does not fit the schema; see `__cause__`."""


# By the core's class.
_CLASSES: dict[type[AIMLAPIError], type[AIMLAPIError]] = {
    kind.__bases__[0]: kind
    for kind in list(globals().values())
    if isinstance(kind, type) and issubclass(kind, AIMLAPIError) and kind.__module__ == __name__
}
# These are never raised themselves.
_ABSTRACT = (core.AIMLAPIError, core.TransportError, core.StreamError)


def _langchain_class(kind: type[AIMLAPIError]) -> type[AIMLAPIError]:
    """This package's class for one of the core's, created from its parent's where there is none."""
    if kind not in _CLASSES:
        parent = next((_CLASSES[base] for base in kind.__mro__ if base in _CLASSES), lc.ModelError)
        members = {"__doc__": kind.__doc__, "__module__": __name__}
        more = () if kind.is_retryable or issubclass(parent, _NotRepeated) else (_NotRepeated,)
        _CLASSES[kind] = type(kind.__name__, (kind, parent, *more), members)
    return _CLASSES[kind]


def __getattr__(name: str) -> Any:
    """The class of a core error that is not defined above, for `except` and pickle."""
    kind = getattr(core.errors, name, None)
    if isinstance(kind, type) and issubclass(kind, AIMLAPIError) and kind not in _ABSTRACT:
        return _langchain_class(kind)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def to_langchain_error(error: AIMLAPIError) -> AIMLAPIError:
    """`error` as this package's class, with its attributes; unchanged if it is one already."""
    kind = next((k for k in type(error).__mro__ if k.__module__ == core.errors.__name__), None)
    if kind is None or kind in _ABSTRACT or isinstance(error, _langchain_class(kind)):
        return error
    ours = _langchain_class(kind)
    if ours is ServerError and not error.is_retryable:
        ours = FinalServerError
    new = ours.__new__(ours, *error.args)
    new.args = error.args
    new.__dict__.update(error.__dict__)
    return new


class translate_errors:  # as `contextlib.suppress`
    """Inside it, the core's errors are raised as this package's classes, with `__cause__`."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, AIMLAPIError):
            new = to_langchain_error(error)
            if new is not error:
                raise new from error
