"""Argument names of other packages, and the right spelling of a wrong name."""

from __future__ import annotations

from collections.abc import Iterable

from aimlapi_core._adapters.arguments import closest_argument

# What OpenAILike has to be told of a model or of its client, and nothing here asks for.
OPENAI_LIKE_ONLY = frozenset(
    "api_version is_chat_model is_function_calling_model reuse_client "
    "should_use_structured_outputs strict tokenizer".split()
)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` Did you mean 'temperature'?`, or "" when nothing is near."""
    near = closest_argument(name, candidates)
    return f" Did you mean {near!r}?" if near else ""
