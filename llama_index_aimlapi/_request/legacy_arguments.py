"""Argument names of other packages, and the right spelling of a wrong name."""

from __future__ import annotations

from collections.abc import Iterable

from aimlapi_core import nearest

# Names from other packages that are no misspellings of ours.
_SYNONYMS = {
    "async_http_client": "http_async_client",
    "max_completion_tokens": "max_tokens",
    "max_output_tokens": "max_tokens",
    "model_id": "model",
    "model_name": "model",
    "num_output": "max_tokens",
    "request_timeout": "timeout",
    "stop_sequences": "stop",
}
# What OpenAILike has to be told of a model or of its client, and nothing here asks for.
OF_OPENAI_LIKE = frozenset(
    "api_version is_chat_model is_function_calling_model reuse_client "
    "should_use_structured_outputs strict tokenizer".split()
)


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` Did you mean 'temperature'?`, or "" when nothing is near."""
    candidates = tuple(candidates)
    near = _SYNONYMS.get(name)
    if near not in candidates:
        near = nearest(name, candidates)
    return f" Did you mean {near!r}?" if near else ""
