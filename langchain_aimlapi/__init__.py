"""AI/ML API inside LangChain: `ChatAIMLAPI`, `AIMLAPIEmbeddings`, and the errors they raise.

Made over `aimlapi_core`, without any vendor's SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aimlapi_core._adapters import package_conflict as _package_conflict

try:
    from langchain_aimlapi.chat_models import ChatAIMLAPI, ChatAimlapi
except ModuleNotFoundError as exc:
    _package_conflict.explain_missing(exc, __path__[0])
    raise

from aimlapi_core import __version__, is_retryable
from aimlapi_core._late import late_names
from langchain_aimlapi import errors
from langchain_aimlapi._init_chat_model import register
from langchain_aimlapi._invalid_tool_calls import invalid_tool_call_results
from langchain_aimlapi._request.legacy_arguments import REMOVED_NAMES
from langchain_aimlapi.errors import (
    AIMLAPIError,
    AnswerFailedError,
    AuthenticationError,
    BadRequestError,
    BudgetExceededError,
    ConcurrencyTimeoutError,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    ContextTooLongError,
    InsufficientFundsError,
    InvalidRequestError,
    MaintenanceError,
    MissingKeyError,
    NotFoundError,
    OutputEmptyError,
    OutputError,
    OutputFilteredError,
    OutputInvalidError,
    OutputRefusedError,
    OutputTruncatedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    StreamCutError,
    StreamFailedError,
    UnexpectedReplyError,
    UnknownCostError,
    UnsupportedParameterError,
    UpstreamRejectedError,
)

__all__ = [
    "AIMLAPIEmbeddings",
    "AIMLAPIError",
    "AimlapiEmbeddings",
    "AnswerFailedError",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExceededError",
    "ChatAIMLAPI",
    "ChatAimlapi",
    "ConcurrencyTimeoutError",
    "ConfigurationError",
    "ConnectFailedError",
    "ConnectionLostError",
    "ContextTooLongError",
    "InsufficientFundsError",
    "InvalidRequestError",
    "MaintenanceError",
    "MissingKeyError",
    "NotFoundError",
    "OutputEmptyError",
    "OutputError",
    "OutputFilteredError",
    "OutputInvalidError",
    "OutputRefusedError",
    "OutputTruncatedError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "RequestTimeoutError",
    "ServerError",
    "StatusError",
    "StreamCutError",
    "StreamFailedError",
    "UnexpectedReplyError",
    "UnknownCostError",
    "UnsupportedParameterError",
    "UpstreamRejectedError",
    "__version__",
    "invalid_tool_call_results",
    "is_retryable",
    "register",
]


# Imported when they are first used: a chat model needs none of them.
if TYPE_CHECKING:
    from langchain_aimlapi.embeddings import AIMLAPIEmbeddings, AimlapiEmbeddings

_late_name = late_names(
    __name__, {"langchain_aimlapi.embeddings": "AIMLAPIEmbeddings AimlapiEmbeddings"}
)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name in ("AIMLAPIEmbeddings", "AimlapiEmbeddings"):
        try:
            return _late_name(name)
        except ModuleNotFoundError as exc:
            _package_conflict.explain_missing(exc, __path__[0])
            raise
    if name in REMOVED_NAMES:
        raise ImportError(
            f"{name} of the older distribution langchain-aimlapi is not in this one, which has "
            f"the same import name. {REMOVED_NAMES[name]}"
        )
    return getattr(errors, name)  # the core's errors without a class of their own here
