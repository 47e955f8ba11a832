"""Registers the provider for `init_chat_model("aimlapi:openai/gpt-5-2")` and `init_embeddings`."""

from __future__ import annotations

from contextlib import suppress
from types import ModuleType
from typing import Any

from langchain_aimlapi._base import PROVIDER
from langchain_aimlapi.errors import ConfigurationError


def register() -> None:
    """Register the provider "aimlapi" with LangChain; may be called again.

    For `init_chat_model`, and for `init_embeddings` where its table has the same form.

    Work-around: LangChain keeps its providers in private tables without an entry point, and
    accepts no third-party rows (langchain-ai/langchain issues 34287, 34388). This writes a row.
    Raises ConfigurationError, with what to write instead, when `langchain` is missing or the
    table of chat models has moved or changed its form.
    """
    try:
        import langchain.chat_models.base as chat_models
    except ImportError as exc:
        raise ConfigurationError("init_chat_model needs LangChain: pip install langchain") from exc
    if not _add_row(chat_models, "ChatAIMLAPI"):
        raise ConfigurationError(
            "This LangChain keeps its providers in another way, so that init_chat_model cannot "
            "be taught 'aimlapi': write ChatAIMLAPI(model=…) instead."
        )
    with suppress(ImportError):
        import langchain.embeddings.base as embeddings

        _add_row(embeddings, "AIMLAPIEmbeddings")


def _add_row(module: ModuleType, class_name: str) -> bool:
    """Add the class to the table of providers; False when the module has no such table."""
    table = getattr(module, "_BUILTIN_PROVIDERS", None)
    row = table.get("openai") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not (
        isinstance(row, tuple) and len(row) == 3 and callable(row[2])
    ):
        return False
    table[PROVIDER] = ("langchain_aimlapi", class_name, _construct)
    return True


def _construct(cls: type[Any], **arguments: Any) -> Any:
    return cls(**arguments)
