"""A LangChain chat model whose agent runs from memory: what LangGraph and LangChain cost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from benchmarks.payloads import WORD, agent_calls


class MemoryAgent(BaseChatModel):
    """Two tool calls in each of `steps` answers, then a text."""

    steps: int = 10

    @property
    def _llm_type(self) -> str:
        return "memory agent"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        """The model itself: it reads no tools."""
        return self.bind()

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        done = sum(isinstance(message, ToolMessage) for message in messages) // 2
        message = self._called(done) if done < self.steps else AIMessage(content=WORD * 100)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _called(self, step: int) -> AIMessage:
        calls = [
            ToolCall(
                name=call["function"]["name"],
                args=json.loads(call["function"]["arguments"]),
                id=call["id"],
                type="tool_call",
            )
            for call in agent_calls(step)
        ]
        return AIMessage(content="", tool_calls=calls)
