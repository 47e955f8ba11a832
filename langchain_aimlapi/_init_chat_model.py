"""Registers the provider for `init_chat_model("aimlapi:openai/gpt-5-2")`, on request."""

from __future__ import annotations

from typing import Any

from langchain_aimlapi._base import PROVIDER
from langchain_aimlapi.errors import ConfigurationError


def register() -> None:
    """Register the provider "aimlapi" with LangChain's `init_chat_model`; may be called again.

    Work-around: LangChain keeps its providers in a private table without an entry point, and
    accepts no third-party rows (langchain-ai/langchain issue 34287). This writes one row.
    Raises ConfigurationError, with what to write instead, when `langchain` is missing or the
    table has moved or changed its form.
    """
    try:
        from langchain.chat_models import base
    except ImportError as exc:
        raise ConfigurationError("init_chat_model needs LangChain: pip install langchain") from exc
    table = getattr(base, "_BUILTIN_PROVIDERS", None)
    row = table.get("openai") if isinstance(table, dict) else None
    if not isinstance(table, dict) or not (
        isinstance(row, tuple) and len(row) == 3 and callable(row[2])
    ):
        raise ConfigurationError(
            "This LangChain keeps its providers in another way, so that init_chat_model cannot "
            "be taught 'aimlapi': write ChatAIMLAPI(model=…) instead."
        )
    table[PROVIDER] = ("langchain_aimlapi", "ChatAIMLAPI", _construct)


def _construct(cls: type[Any], **arguments: Any) -> Any:
    return cls(**arguments)
