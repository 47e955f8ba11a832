"""AI/ML API inside LangChain: `ChatAIMLAPI`, `AIMLAPIEmbeddings`, and the errors they raise.

Made over `aimlapi_core`, without any vendor's SDK.
"""

from __future__ import annotations

try:
    import langchain_core as _langchain_core  # noqa: F401  # only to see whether it is there
except ModuleNotFoundError as exc:
    if exc.name != "langchain_core":
        raise
    raise ImportError(
        "langchain_aimlapi needs langchain-core: pip install 'aimlapi-integrations[langchain]'"
    ) from exc

from langchain_aimlapi._register import register
from langchain_aimlapi._version import __version__
from langchain_aimlapi.chat_models import ChatAIMLAPI
from langchain_aimlapi.embeddings import AIMLAPIEmbeddings
from langchain_aimlapi.errors import (
    AIMLAPIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    ContextTooLongError,
    CutAnswerError,
    EmptyAnswerError,
    InsufficientFundsError,
    InvalidAnswerError,
    InvalidRequestError,
    MaintenanceError,
    MissingKeyError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    RefusedAnswerError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    StreamCutError,
    StreamFailedError,
    UnexpectedReplyError,
    UnsupportedParameterError,
    UnusableAnswerError,
    UpstreamRejectedError,
)

__all__ = [
    "AIMLAPIEmbeddings",
    "AIMLAPIError",
    "AuthenticationError",
    "BadRequestError",
    "ChatAIMLAPI",
    "ConfigurationError",
    "ConnectFailedError",
    "ConnectionLostError",
    "ContextTooLongError",
    "CutAnswerError",
    "EmptyAnswerError",
    "InsufficientFundsError",
    "InvalidAnswerError",
    "InvalidRequestError",
    "MaintenanceError",
    "MissingKeyError",
    "NotFoundError",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "RefusedAnswerError",
    "RequestTimeoutError",
    "ServerError",
    "StatusError",
    "StreamCutError",
    "StreamFailedError",
    "UnexpectedReplyError",
    "UnsupportedParameterError",
    "UnusableAnswerError",
    "UpstreamRejectedError",
    "__version__",
    "register",
]
