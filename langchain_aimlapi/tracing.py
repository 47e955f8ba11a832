"""A LangSmith tracer that adds the cost of each call. Not imported by the package itself."""

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
    """Pass it as a callback; LangChain then adds no tracer of its own.

    LangSmith reads a run's cost in USD as `total_cost` of its usage. Work-around: expected is that
    a message's `usage_metadata` holds it. What happens (langchain-core 1.7 to 1.8.2, `add_usage`):
    only integers are added, so chunks with a cost do not merge and callbacks that count usage
    fail at their second message. Here the cost is added to the traced copy only. Can go when
    `add_usage` takes floats.
    """

    @override
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> Run:
        """End the run, with its cost in the usage."""
        priced = [[_with_total_cost(one) for one in answers] for answers in response.generations]
        traced = response.model_copy(update={"generations": priced})
        return super().on_llm_end(traced, run_id=run_id, **kwargs)


def _with_total_cost(generation: Any) -> Generation | ChatGeneration:
    message = getattr(generation, "message", None)
    if not isinstance(message, AIMessage):
        return generation  # type: ignore[no-any-return]  # unchanged
    metadata = message.response_metadata
    if metadata.get("model_provider") != PROVIDER or "cost" not in metadata:
        return generation  # type: ignore[no-any-return]  # unchanged
    usage = {**(message.usage_metadata or {}), "total_cost": metadata["cost"]}
    return ChatGeneration(
        message=message.model_copy(update={"usage_metadata": usage}),
        generation_info=generation.generation_info,
    )
