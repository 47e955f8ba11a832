"""Counts tokens and computes costs, consistently wherever they are reported.

Words and punctuation marks are tokens; completion tokens include reasoning tokens. Cost is
whole credits at the model's published price, two million credits to the dollar
(https://docs.aimlapi.com/capabilities/request-tracing-and-cost, read 2026-11).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.answer import Answer
from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.chat_models import CREDITS_PER_USD
from aimlapi_emulator.prompt import Prompt, as_json
from aimlapi_emulator.text.bounds import forget_oldest
from aimlapi_emulator.text.words import count_tokens

_TOKENS_PER_MESSAGE = 3
_TOKENS_PER_ATTACHMENT = 85
_MIN_CACHED_TOKENS = 1024
_CACHE_STEP = 128
_MAX_PREFIXES = 10_000
_REASONING_TOKENS = {"none": 0, "low": 32, "medium": 128, "high": 512}


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage of one answer or several; `completion` includes `reasoning`, `prompt` `cached`."""

    prompt: int
    cached: int
    completion: int
    reasoning: int
    credits: int

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.cached + other.cached,
            self.completion + other.completion,
            self.reasoning + other.reasoning,
            self.credits + other.credits,
        )

    @property
    def usd(self) -> float:
        """The cost in dollars, exact to nine places."""
        return round(self.credits / CREDITS_PER_USD, 9)

    @property
    def usd_header(self) -> str:
        """The cost as formatted in the header."""
        return f"{self.credits / CREDITS_PER_USD:.9f}"

    def chat(self, completion: int | None = None) -> dict[str, Any]:
        """`usage` of chat completions; `completion` overrides the count, for a part of a stream."""
        tokens = self.completion if completion is None else completion
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": tokens,
            "total_tokens": self.prompt + tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": min(self.reasoning, tokens),
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def responses(self) -> dict[str, Any]:
        """`usage` of Responses."""
        return {
            "input_tokens": self.prompt,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.completion,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.prompt + self.completion,
        }

    def meta(self) -> dict[str, Any]:
        """`meta`, the service's own cost member."""
        return {"usage": {"credits_used": self.credits, "usd_spent": self.usd}}


def credits_for(tokens: int, usd_per_million: float) -> int:
    """Whole credits for tokens at a price, rounded up."""
    per_million = round(usd_per_million * CREDITS_PER_USD)
    return -(-tokens * per_million // 1_000_000)


def cost_headers(usage: Usage, reported: bool) -> dict[str, str]:
    """Cost headers of an answer that is not streamed; none if the cost is not reported."""
    if not reported:
        return {}
    return {"x-aimlapi-credits-used": str(usage.credits), "x-aimlapi-usd-spent": usage.usd_header}


def reasoning_tokens(model: ChatModelRow, effort: str | None, limit: int | None) -> int:
    """Reasoning tokens for an effort, at most half of an output limit."""
    tokens = _REASONING_TOKENS[effort or model.default_effort]
    return tokens if limit is None else min(tokens, limit // 2)


def _message_sizes(prompt: Prompt) -> list[int]:
    tools = count_tokens(as_json([(t.name, t.description, t.parameters) for t in prompt.tools]))
    sizes = [tools if prompt.tools else 0]
    for message in prompt.messages:
        calls = sum(
            count_tokens(call.name) + count_tokens(call.arguments) for call in message.calls
        )
        attached = _TOKENS_PER_ATTACHMENT * len(message.attachments)
        sizes.append(_TOKENS_PER_MESSAGE + count_tokens(message.text) + calls + attached)
    return sizes


def prompt_tokens(prompt: Prompt) -> int:
    """Tokens of a prompt with its tools."""
    return sum(_message_sizes(prompt))


def answer_tokens(answer: Answer) -> int:
    """Tokens of an answer without its reasoning."""
    calls = sum(count_tokens(call.name) + count_tokens(call.arguments) for call in answer.calls)
    return count_tokens(answer.text) + calls + count_tokens(answer.refusal or "")


class PrefixCache:
    """Prefixes of long prompts; a prefix counts as cached from its second request on.

    The newest `_MAX_PREFIXES` are kept.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, None] = {}

    def clear(self) -> None:
        """Forget all prefixes."""
        self._seen.clear()

    def count_cached(self, model: str, prompt: Prompt, sizes: Sequence[int]) -> int:
        """Cached tokens of this prompt; its prefixes are added to the cache."""
        if sum(sizes) < _MIN_CACHED_TOKENS:
            return 0
        digest = hashlib.sha256(repr((model, prompt.tools)).encode())
        total, cached = sizes[0], 0
        for message, size in zip(prompt.messages, sizes[1:], strict=True):
            digest.update(repr(message).encode("utf-8", "surrogatepass"))
            total += size
            if total >= _MIN_CACHED_TOKENS:
                key = digest.digest()
                if key in self._seen:
                    cached = total - total % _CACHE_STEP
                self._seen[key] = None
        forget_oldest(self._seen, _MAX_PREFIXES)
        return cached


def measure(
    model: ChatModelRow,
    prompt: Prompt,
    answers: Iterable[Answer],
    reasoning: int,
    cache: PrefixCache,
) -> Usage:
    """The usage of these answers to this prompt, with `reasoning` tokens for each."""
    sizes = _message_sizes(prompt)
    reasoning_total, visible = 0, 0
    for answer in answers:
        reasoning_total += max(reasoning, count_tokens(answer.reasoning or ""))
        visible += answer_tokens(answer)
    spent = credits_for(sum(sizes), model.in_usd_per_million)
    spent += credits_for(reasoning_total + visible, model.out_usd_per_million)
    return Usage(
        prompt=sum(sizes),
        cached=cache.count_cached(model.id, prompt, sizes),
        completion=reasoning_total + visible,
        reasoning=reasoning_total,
        credits=spent,
    )
