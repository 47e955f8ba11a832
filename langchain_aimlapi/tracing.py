"""LangSmith's tracer with what each call cost. Imported by those who want it only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from langchain_core.tracers import LangChainTracer
from langchain_core.tracers.schemas import Run
from typing_extensions import override

from langchain_aimlapi._base import PROVIDER


class CostTracer(LangChainTracer):
    """Give it as a callback; LangChain then adds no tracer of its own.

    LangSmith reads a run's dollars in its usage, as `total_cost`. Work-around: expected is that a
    message's `usage_metadata` holds it. What happens (langchain-core 1.7 to 1.8.2, `add_usage`):
    only whole numbers add up, so that chunks with dollars do not merge and callbacks that count
    usage fail at their second message. Here it is added to what is traced, and to nothing else.
    Can go when `add_usage` takes floats.
    """

    @override
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> Run:
        """End the run, its cost beside its tokens."""
        priced = [[_with_total_cost(one) for one in answers] for answers in response.generations]
        traced = response.model_copy(update={"generations": priced})
        return super().on_llm_end(traced, run_id=run_id, **kwargs)


def _with_total_cost(generation: Any) -> Generation | ChatGeneration:
    message = getattr(generation, "message", None)
    if not isinstance(message, AIMessage):
        return generation  # type: ignore[no-any-return]  # as it came
    stated = message.response_metadata
    if stated.get("model_provider") != PROVIDER or "cost" not in stated:
        return generation  # type: ignore[no-any-return]  # as it came
    usage = {**(message.usage_metadata or {}), "total_cost": stated["cost"]}
    return ChatGeneration(
        message=message.model_copy(update={"usage_metadata": usage}),
        generation_info=generation.generation_info,
    )
