"""Tokens and cost, counted so that they add up wherever they are told.

Words and punctuation marks are tokens; reasoning tokens stand inside the completion's. Cost is
whole credits at the model's published price, two million credits to the dollar
(https://docs.aimlapi.com/capabilities/request-tracing-and-cost, read 2026-11).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.answers.answer import Answer
from aimlapi_emulator.catalog.chat_models import CREDITS_PER_USD, Variant
from aimlapi_emulator.prompt import Prompt, as_json
from aimlapi_emulator.text.words import count

_PER_MESSAGE = 3
_PER_ATTACHMENT = 85
_CACHE_FROM = 1024
_CACHE_STEP = 128
_REASONING = {"none": 0, "low": 32, "medium": 128, "high": 512}


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer took, or several; `completion` holds `reasoning`, `prompt` `cached`."""

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
        """The cost as the header spells it."""
        return f"{self.credits / CREDITS_PER_USD:.9f}"

    def chat(self, completion: int | None = None) -> dict[str, Any]:
        """As chat completions tell it; `completion` stands for a part of the whole."""
        made = self.completion if completion is None else completion
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": made,
            "total_tokens": self.prompt + made,
            "prompt_tokens_details": {"cached_tokens": self.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": min(self.reasoning, made),
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }

    def responses(self) -> dict[str, Any]:
        """As Responses tell it."""
        return {
            "input_tokens": self.prompt,
            "input_tokens_details": {"cached_tokens": self.cached},
            "output_tokens": self.completion,
            "output_tokens_details": {"reasoning_tokens": self.reasoning},
            "total_tokens": self.prompt + self.completion,
        }

    def meta(self) -> dict[str, Any]:
        """The service's own cost member."""
        return {"usage": {"credits_used": self.credits, "usd_spent": self.usd}}


def credits_for(tokens: int, usd_per_million: float) -> int:
    """Whole credits for tokens at a price, rounded up."""
    per_million = round(usd_per_million * CREDITS_PER_USD)
    return -(-tokens * per_million // 1_000_000)


def cost_headers(usage: Usage, told: bool) -> dict[str, str]:
    """The headers of an answer that is no stream; none when the cost is not told."""
    if not told:
        return {}
    return {"x-aimlapi-credits-used": str(usage.credits), "x-aimlapi-usd-spent": usage.usd_header}


def reasoning_tokens(variant: Variant, effort: str | None, limit: int | None) -> int:
    """Reasoning tokens for an effort, never more than half of an output limit."""
    tokens = _REASONING[effort or variant.default_effort]
    return tokens if limit is None else min(tokens, limit // 2)


def _message_sizes(prompt: Prompt) -> list[int]:
    tools = count(as_json([(t.name, t.description, t.parameters) for t in prompt.tools]))
    sizes = [tools if prompt.tools else 0]
    for message in prompt.messages:
        calls = sum(count(call.name) + count(call.arguments) for call in message.calls)
        attached = _PER_ATTACHMENT * len(message.attachments)
        sizes.append(_PER_MESSAGE + count(message.text) + calls + attached)
    return sizes


def answer_tokens(made: Answer) -> int:
    """Tokens of an answer's visible part and of its reasoning text."""
    calls = sum(count(call.name) + count(call.arguments) for call in made.calls)
    return count(made.text) + calls + count(made.refusal or "")


class PrefixCache:
    """Long prompts seen before; the second sight of a prefix counts as cached. Lives with an
    emulator."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def clear(self) -> None:
        """Forget all prefixes."""
        self._seen.clear()

    def look(self, model: str, prompt: Prompt, sizes: Sequence[int]) -> int:
        """Cached tokens of this prompt, whose prefixes are kept for the next look."""
        if sum(sizes) < _CACHE_FROM:
            return 0
        digest = hashlib.sha256(repr((model, prompt.tools)).encode())
        total, cached = sizes[0], 0
        for message, size in zip(prompt.messages, sizes[1:], strict=True):
            digest.update(repr(message).encode("utf-8", "surrogatepass"))
            total += size
            if total >= _CACHE_FROM:
                key = digest.digest()
                if key in self._seen:
                    cached = total - total % _CACHE_STEP
                self._seen.add(key)
        return cached


def measure(
    variant: Variant, prompt: Prompt, answers: Iterable[Answer], reasoning: int, cache: PrefixCache
) -> Usage:
    """What these answers to this prompt took; `reasoning` tokens are spent on each."""
    sizes = _message_sizes(prompt)
    thought, visible = 0, 0
    for made in answers:
        thought += max(reasoning, count(made.reasoning or ""))
        visible += answer_tokens(made)
    spent = credits_for(sum(sizes), variant.in_usd_per_million)
    spent += credits_for(thought + visible, variant.out_usd_per_million)
    return Usage(
        prompt=sum(sizes),
        cached=cache.look(variant.id, prompt, sizes),
        completion=thought + visible,
        reasoning=thought,
        credits=spent,
    )
