"""A received request, read the same way on every endpoint, whether its body is valid or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aimlapi_emulator.billing.ledger import ZERO_USAGE
from aimlapi_emulator.billing.usage import Usage
from aimlapi_emulator.catalog.any_model import any_chat_model, any_embedding_model
from aimlapi_emulator.catalog.chat_model_row import ChatModelRow
from aimlapi_emulator.catalog.chat_models import find
from aimlapi_emulator.catalog.embedding_models import PATH as EMBEDDINGS_PATH
from aimlapi_emulator.catalog.embedding_models import EmbeddingModelRow, find_embedding_model
from aimlapi_emulator.prompt import Message, Prompt, from_chat, from_responses

ENDPOINTS: Mapping[str, str] = {
    "/v1/chat/completions": "chat",
    "/chat/completions": "chat",
    "/v1/responses": "responses",
    EMBEDDINGS_PATH: "embeddings",
}


def find_row(model: str, path: str) -> ChatModelRow | EmbeddingModelRow | None:
    """The row that answers `model` on `path`, or None."""
    return find_embedding_model(model) if path == EMBEDDINGS_PATH else find(model, path)


def is_in_table(model: str) -> bool:
    """Whether a row has this id or alias, whatever the endpoint."""
    return any(find_row(model, path) is not None for path in ENDPOINTS)


def any_row(model: str, path: str) -> ChatModelRow | EmbeddingModelRow:
    """A permissive row for a model that no table has."""
    return any_embedding_model(model) if path == EMBEDDINGS_PATH else any_chat_model(model)


@dataclass(frozen=True, slots=True)
class RequestView:
    """A received request. What it does not hold, as the body of a GET, is empty."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Lower-case names; of keys and cookies only the last four characters."""
    body: Any
    """Parsed JSON, or bytes that were none."""
    previous_items: tuple[Mapping[str, Any], ...] = ()
    """On Responses: the items of the response that `previous_response_id` names."""

    @property
    def endpoint(self) -> str:
        """`chat`, `responses`, `embeddings`, or "" for another path."""
        return ENDPOINTS.get(self.path.split("?", 1)[0], "")

    @property
    def model(self) -> str:
        """The requested model id."""
        return str(self._field("model") or "")

    @property
    def stream(self) -> bool:
        """Whether a stream is requested."""
        return self._field("stream") is True

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, with `role` (system, user, assistant or tool), `text` and `calls`."""
        return self.prompt.messages

    @property
    def system_text(self) -> str:
        """All system, developer and `instructions` texts."""
        return self.prompt.system_text

    @property
    def last_message(self) -> str:
        """The user's last text or, after a tool call, the latest tool results.

        Results of parallel calls are one line each. For embeddings: the texts.
        """
        found: list[str] = []
        for message in reversed(self.messages):
            if found and message.role != "tool":
                break
            if message.role == "user":
                return message.text
            if message.role == "tool":
                found.insert(0, message.text)
        return "\n".join(found)

    @property
    def tools(self) -> list[str]:
        """Names of the tools that may be called; of the service's own tools their type."""
        own = [str(tool["type"]) for tool in self.prompt.hosted]
        return [tool.name for tool in self.prompt.tools] + own

    @property
    def tool_results(self) -> list[tuple[str, str]]:
        """(tool name, result) since the last user message, in order."""
        return self.prompt.turn_results()

    @property
    def prompt(self) -> Prompt:
        """The prompt that an answer is made from; without messages if the body is invalid."""
        try:
            if self.endpoint == "chat":
                return from_chat(self.body)
            if self.endpoint == "responses":
                return from_responses(self.body, self.previous_items)
        except (AttributeError, KeyError, TypeError, ValueError):  # a body that breaks the schema
            pass
        text = self.user_text
        return Prompt((Message("user", text),) if text else ())

    @property
    def user_text(self) -> str:
        """The user's last text, tool results or not."""
        items = self._field("messages") or self._field("input")
        if isinstance(items, str):
            return items
        if isinstance(items, list) and items and all(isinstance(item, str) for item in items):
            return "\n".join(items)  # texts to embed
        for item in reversed(items) if isinstance(items, list) else ():
            if isinstance(item, dict) and item.get("role") == "user":
                content = item.get("content")
                parts = content if isinstance(content, list) else [{"text": content}]
                texts = [part.get("text") for part in parts if isinstance(part, dict)]
                return "\n".join(text for text in texts if isinstance(text, str))
        return ""

    def _field(self, name: str) -> Any:
        return self.body.get(name) if isinstance(self.body, dict) else None


@dataclass(frozen=True, slots=True)
class SeenRequest(RequestView):
    """A complete request and its outcome."""

    connection: int = 0
    """1 for the first connection that the emulator accepted; `clear` does not reset the count."""
    problems: tuple[str, ...] = ()
    """Violations of the strict schema, or why a rule or fault was refused; else empty."""
    status: int = 0
    """The response status; 0 when a fault dropped the connection instead."""
    ineffective_fault_fields: tuple[str, ...] = ()
    """Fields of the request's fault that had no effect on the response, e.g. a cut past its end."""
    rule: str = ""
    """The scripted rule that answered, as source text; "" when none did."""
    usage: Usage = ZERO_USAGE
    """Tokens, `credits` and `usd` of the answer; all 0 for a failure, which is not billed."""
    called: tuple[str, ...] = ()
    """Names of the tools that the answer calls."""
    note: str = ""
    """Why the answer calls none of the tools that are offered; "" when it calls one."""
    size: int = 0
    """Bytes of the body as it was received."""
