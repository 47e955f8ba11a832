"""GPT-5.2 of AI/ML API as a LlamaIndex LLM, and its embedding models."""

from typing import TYPE_CHECKING

from aimlapi_core._adapters import package_conflict as _package_conflict

try:
    _package_conflict.warn_once_of_conflict()  # `langchain_aimlapi` is broken, but not needed here
    from llama_index_aimlapi.llm import AIMLAPI
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "llama_index":
        raise
    raise ImportError(
        "llama_index_aimlapi needs LlamaIndex: pip install 'aimlapi-integrations[llama-index]'"
    ) from exc

from aimlapi_core import is_retryable
from aimlapi_core._late import late_names
from llama_index_aimlapi.errors import (
    InvalidToolCallError,
    NoToolCallError,
    OutputEmptyError,
    OutputError,
    OutputFilteredError,
    OutputRefusedError,
    OutputTruncatedError,
)

# Imported when they are first used: an LLM needs none of them.
if TYPE_CHECKING:
    from llama_index_aimlapi._embedding_usage import TotalUsage
    from llama_index_aimlapi.embedding import AIMLAPIEmbedding
    from llama_index_aimlapi.mcp import mcp_tools
else:
    __getattr__ = late_names(
        __name__,
        {
            "llama_index_aimlapi._embedding_usage": "TotalUsage",
            "llama_index_aimlapi.embedding": "AIMLAPIEmbedding",
            "llama_index_aimlapi.mcp": "mcp_tools",
        },
    )

__all__ = [
    "AIMLAPI",
    "AIMLAPIEmbedding",
    "InvalidToolCallError",
    "NoToolCallError",
    "OutputEmptyError",
    "OutputError",
    "OutputFilteredError",
    "OutputRefusedError",
    "OutputTruncatedError",
    "TotalUsage",
    "is_retryable",
    "mcp_tools",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
