"""Arguments of LlamaIndex's OpenAILike, and suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterable

from aimlapi_core._adapters.arguments import closest_argument

# Settings of OpenAILike that have no meaning here.
OPENAI_LIKE_ONLY = frozenset(
    "api_version is_chat_model is_function_calling_model reuse_client "
    "should_use_structured_outputs strict tokenizer".split()
)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` Did you mean 'temperature'?`, or "" when nothing is near."""
    near = closest_argument(name, candidates)
    return f" Did you mean {near!r}?" if near else ""
