"""Rows for ids that no table has, so that a program for another model can run here too.

They take what any documented model takes: the newer form of messages and tools, images, files, and
parameters of any name. Those that the emulator acts on are validated; the others do nothing. Limits
are wide, and prices those of `openai/gpt-5-2`: nothing is known of the real ones.
"""

from __future__ import annotations

from functools import lru_cache
from typing import get_args

from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow
from aimlapi_emulator.catalog.features import (
    BOTH_PATHS,
    BuiltinTool,
    ChatFeatures,
    ResponsesFeatures,
)

_MAX_ROWS = 1000
_CHAT = ChatFeatures(
    paths=BOTH_PATHS,
    params=frozenset({"n", "logprobs", "top_logprobs", "max_completion_tokens"}),
    newer_form=True,
)
_RESPONSES = ResponsesFeatures(
    paths=("/v1/responses",),
    reasoning_items=True,
    images=True,
    tools=frozenset(get_args(BuiltinTool)),
)


@lru_cache(maxsize=_MAX_ROWS)
def any_chat_model(model: str) -> ChatModelRow:
    """A row for the id of a chat model, on both endpoints."""
    return ChatModelRow(
        id=model,
        response_model_name=model,
        in_usd_per_million=2.275,
        out_usd_per_million=18.2,
        default_effort="none",
        context_length=1_000_000,
        output_max=128_000,
        developer="unknown",
        is_in_table=False,
        chat=_CHAT,
        responses=_RESPONSES,
    )


@lru_cache(maxsize=_MAX_ROWS)
def any_embedding_model(model: str) -> EmbeddingModelRow:
    """A row for the id of an embedding model."""
    return EmbeddingModelRow(
        id=model,
        family="openai",
        developer="unknown",
        response_model_name=model,
        aliases=(),
        size=1024,
        sizes=(1, 4096),
        context_length=32_000,
        usd_per_million=0.026,
        is_in_table=False,
    )
