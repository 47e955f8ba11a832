"""Names: of tools on the wire, and the right spelling of a wrong argument."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from aimlapi_core import nearest

_ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HASH_LENGTH = 8
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


def wire_name(name: str) -> str:
    """The name under which the service knows a tool: at most 64 of `[A-Za-z0-9_-]`.

    A name that fits stays. Any other is cleaned, shortened and ended with a hash of the whole,
    so that two names never meet, and the same name is the same in every request.
    """
    if _ALLOWED.fullmatch(name) or not name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    clean = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return f"{clean[: 64 - _HASH_LENGTH - 1]}_{digest}"


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` Did you mean 'temperature'?`, or "" when nothing is near."""
    candidates = tuple(candidates)
    near = _SYNONYMS.get(name)
    if near not in candidates:
        near = nearest(name, candidates)
    return f" Did you mean {near!r}?" if near else ""
