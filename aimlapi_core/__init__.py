"""AI/ML API's chat models over one HTTP core, without a framework.

from aimlapi_core import ChatRequest, Client, Message, Text

request = ChatRequest("openai/gpt-5-2", (Message("user", (Text("Hello"),)),))
print(Client().complete(request).choices[0].text)
"""

from typing import TYPE_CHECKING

from aimlapi_core import errors
from aimlapi_core._history.arguments import dumps_arguments
from aimlapi_core._history.half_characters import ReplacedCharacterWarning
from aimlapi_core._history.tool_results import HistoryWarning
from aimlapi_core._io.client import AsyncClient, Client
from aimlapi_core._json_reading import loads_arguments
from aimlapi_core._late import late_names
from aimlapi_core._otel import start_tracing, stop_tracing
from aimlapi_core._version import __version__
from aimlapi_core._wire.endpoint import UnknownModelWarning
from aimlapi_core._wire.usage import CREDITS_PER_USD
from aimlapi_core._wire.validation.by_model import UnsupportedParameterWarning
from aimlapi_core.errors import *  # noqa: F403  # listed once, where they are defined
from aimlapi_core.models import (
    MODELS,
    ModelInfo,
    listed_models,
    model_info,
    nearest,
    nearest_model,
)
from aimlapi_core.retry import RetryPolicy, is_retryable
from aimlapi_core.schema import drop_added_nulls, object_schema, strict_schema
from aimlapi_core.schema.strict import OpenSchemaWarning
from aimlapi_core.settings import DEFAULT_BASE_URL, DEFAULT_TIMEOUT_S, Settings
from aimlapi_core.types import (
    BuiltinTool,
    ChatRequest,
    Choice,
    CitationDelta,
    Cost,
    EmbeddingReply,
    EmbeddingRequest,
    Endpoint,
    File,
    Finished,
    Image,
    ImageDetail,
    JsonSchema,
    MediaData,
    Message,
    NamedTool,
    Part,
    ProviderItem,
    Reasoning,
    ReasoningDelta,
    Refusal,
    RefusalDelta,
    Reply,
    ResponseFormat,
    Role,
    Serving,
    StreamEvent,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    Transport,
    Usage,
)

# Imported when they are first used: a first call of a model needs none of them.
if TYPE_CHECKING:
    from aimlapi_core._io.track_costs import Costs, track_costs
    from aimlapi_core.account import Account, CatalogModel, LoggedCall, LogPage, Prices
    from aimlapi_core.costs.budget import BudgetWarning
    from aimlapi_core.costs.call_cost import CallCost
    from aimlapi_core.costs.ledger import note_cache_hit
    from aimlapi_core.costs.totals import Totals
    from aimlapi_core.costs.unknown_call import UnknownCall
    from aimlapi_core.embedding_models import EMBEDDINGS, EmbeddingInfo, embedding_info
    from aimlapi_core.models.deprecations import Deprecation
else:
    __getattr__ = late_names(
        __name__,
        {
            "aimlapi_core._io.track_costs": "Costs track_costs",
            "aimlapi_core.account": "Account CatalogModel LoggedCall LogPage Prices",
            "aimlapi_core.costs.budget": "BudgetWarning",
            "aimlapi_core.costs.call_cost": "CallCost",
            "aimlapi_core.costs.ledger": "note_cache_hit",
            "aimlapi_core.costs.totals": "Totals",
            "aimlapi_core.costs.unknown_call": "UnknownCall",
            "aimlapi_core.embedding_models": "EMBEDDINGS EmbeddingInfo embedding_info",
            "aimlapi_core.models.deprecations": "Deprecation",
        },
    )

__all__ = [
    "CREDITS_PER_USD",
    "DEFAULT_BASE_URL",
    "DEFAULT_TIMEOUT_S",
    "EMBEDDINGS",
    "MODELS",
    "Account",
    "AsyncClient",
    "BudgetWarning",
    "BuiltinTool",
    "CallCost",
    "CatalogModel",
    "ChatRequest",
    "Choice",
    "CitationDelta",
    "Client",
    "Cost",
    "Costs",
    "Deprecation",
    "EmbeddingInfo",
    "EmbeddingReply",
    "EmbeddingRequest",
    "Endpoint",
    "File",
    "Finished",
    "HistoryWarning",
    "Image",
    "ImageDetail",
    "JsonSchema",
    "LogPage",
    "LoggedCall",
    "MediaData",
    "Message",
    "ModelInfo",
    "NamedTool",
    "OpenSchemaWarning",
    "Part",
    "Prices",
    "ProviderItem",
    "Reasoning",
    "ReasoningDelta",
    "Refusal",
    "RefusalDelta",
    "ReplacedCharacterWarning",
    "Reply",
    "ResponseFormat",
    "RetryPolicy",
    "Role",
    "Serving",
    "Settings",
    "StreamEvent",
    "Text",
    "TextDelta",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "Totals",
    "Transport",
    "UnknownCall",
    "UnknownModelWarning",
    "UnsupportedParameterWarning",
    "Usage",
    "__version__",
    "drop_added_nulls",
    "dumps_arguments",
    "embedding_info",
    "is_retryable",
    "listed_models",
    "loads_arguments",
    "model_info",
    "nearest",
    "nearest_model",
    "note_cache_hit",
    "object_schema",
    "start_tracing",
    "stop_tracing",
    "strict_schema",
    "track_costs",
]
__all__ += errors.__all__


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
