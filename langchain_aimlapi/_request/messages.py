"""Converts LangChain messages to core messages. Pure: the caller's messages are not changed.

Nothing is dropped because the service's schema has no place for it: images in a tool result move
to a user message after the last tool result of that turn, since a tool message is text only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from aimlapi_core import (
    Image,
    InvalidRequestError,
    Message,
    Part,
    ProviderItem,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    dumps_arguments,
    nearest,
)
from aimlapi_core._json_reading import as_mappings
from langchain_aimlapi._base import PROVIDER
from langchain_aimlapi._request.assistant_blocks import assistant_parts, parts_and_calls
from langchain_aimlapi._request.content_blocks import Block, to_part
from langchain_aimlapi._request.tool_results import describe_hidden_images, to_result

# Key in additional_kwargs of the model's own text of invalid calls, by their ids.
INVALID_ARGUMENTS_KEY = "invalid_arguments"

# Role names that users write in ChatMessage, each with its wire role.
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "tool": "tool",
    "function": "tool",
}


def to_messages(
    messages: Sequence[BaseMessage], *, sees_images: bool = True
) -> tuple[Message, ...]:
    """The conversation as core messages. Raises InvalidRequestError, naming the message.

    Without `sees_images`, images in tool results are replaced by a text, since an agent cannot
    choose what its tools return; the core rejects those of users.
    """
    answered = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)} - {""}
    out: list[Message] = []
    pending_media: list[Part] = []
    for position, message in enumerate(messages):
        for converted, attachments in _with_position(message, position, answered):
            if pending_media and converted.role != "tool":
                out.append(Message("user", tuple(pending_media)))
                pending_media = []
            if any(isinstance(part, Image) for part in attachments) and not sees_images:
                converted, attachments = describe_hidden_images(converted, attachments)
            out.append(converted)
            pending_media.extend(attachments)
    if pending_media:
        out.append(Message("user", tuple(pending_media)))
    return tuple(out)


def _with_position(
    message: BaseMessage, position: int, answered: set[str]
) -> Iterator[tuple[Message, tuple[Part, ...]]]:
    try:
        yield from _convert_message(message, answered)
    except InvalidRequestError as exc:
        exc.args = (f"messages[{position}]: {exc}",)
        raise


def _convert_message(
    message: BaseMessage, answered: set[str]
) -> Iterator[tuple[Message, tuple[Part, ...]]]:
    """The core messages for one message, each with parts to send in a later user message."""
    if isinstance(message, ToolMessage):
        yield to_result(message)
    elif isinstance(message, AIMessage):
        converted = _assistant_message(message, answered)
        if converted is not None:
            yield converted, ()
    elif isinstance(message, HumanMessage):
        yield from _user_messages(message)
    else:
        yield _plain_message(message)


def _plain_message(message: BaseMessage) -> tuple[Message, tuple[Part, ...]]:
    role = _role(message)
    if role == "tool":  # of ChatMessage, or a FunctionMessage, which has its call's name alone
        call_id = message.additional_kwargs.get("tool_call_id")
        result = ToolMessage(message.content, tool_call_id=call_id or "")
        converted, attachments = to_result(result)
        return replace(converted, name=message.name, tool_call_id=call_id), attachments
    if role == "assistant":
        return Message(role, tuple(assistant_parts(message.content)), message.name), ()
    return Message(role, _parts(message.content), message.name), ()


def _role(message: BaseMessage) -> Role:
    if isinstance(message, SystemMessage):
        # langchain-core keeps ("developer", "…") as a system message with this key.
        role = message.additional_kwargs.get("__openai_role__")
        return "developer" if role == "developer" else "system"
    name = message.role if isinstance(message, ChatMessage) else message.type
    if isinstance(message, RemoveMessage):
        raise InvalidRequestError(
            "A RemoveMessage is an instruction to LangGraph's add_messages and no part of a "
            "conversation: return it from a node, and leave it out of what the model is sent."
        )
    if name not in _ROLES:
        near = nearest(name, _ROLES)
        hint = f"did you mean {near!r}?" if near else f"roles are {', '.join(_ROLES)}."
        raise InvalidRequestError(f"Unknown role {name!r} of a {type(message).__name__}: {hint}")
    return _ROLES[name]


def _parts(content: str | Sequence[str | Block]) -> tuple[Part, ...]:
    blocks: Iterable[str | Block] = [content] if isinstance(content, str) else content
    return tuple(part for block in blocks if (part := to_part(block)) is not None)


def _user_messages(message: HumanMessage) -> Iterator[tuple[Message, tuple[Part, ...]]]:
    """One tool message per Anthropic `tool_result` block, then one message with the rest."""
    if isinstance(message.content, str):
        yield Message("user", (Text(message.content),), message.name), ()
        return
    rest: list[str | Block] = []
    for block in message.content:
        if isinstance(block, Mapping) and block.get("type") == "tool_result":
            result = ToolMessage(
                block.get("content") or "",
                tool_call_id=str(block.get("tool_use_id")),
                status="error" if block.get("is_error") else "success",
            )
            yield to_result(result)
        else:
            rest.append(block)
    parts = _parts(rest)
    if parts or len(rest) == len(message.content):
        yield Message("user", parts, message.name), ()


def _assistant_message(message: AIMessage, answered: set[str]) -> Message | None:
    """An assistant message; None when nothing of it can be sent.

    An invalid tool call is sent only when a tool message answers it: the service rejects
    unanswered calls, and agents do not run invalid ones.
    """
    is_own = message.response_metadata.get("model_provider") == PROVIDER
    parts, block_calls = parts_and_calls(message, answered, is_own=is_own)
    refusal = message.additional_kwargs.get("refusal")
    if isinstance(refusal, str) and refusal and not any(isinstance(p, Refusal) for p in parts):
        parts.append(Refusal(refusal))
    if is_own:
        parts = [*_echoed_reasoning(message), *parts, *_echoed_items(message)]
    invalid_calls = _answered_invalid_calls(message, answered)
    calls = [*_tool_calls(message), *block_calls, *invalid_calls]
    if not parts and not calls and (message.invalid_tool_calls or message.content):
        return None
    return Message("assistant", (*parts, *calls), message.name)


def _echoed_reasoning(message: AIMessage) -> list[Part]:
    """This provider's reasoning, to be sent back where the endpoint accepts it."""
    details = message.additional_kwargs.get("reasoning_details")
    return [Reasoning("", opaque=d) for d in as_mappings(details)]


def _echoed_items(message: AIMessage) -> list[Part]:
    items = message.additional_kwargs.get("provider_items")
    return [ProviderItem(item) for item in as_mappings(items)]


def _tool_calls(message: AIMessage) -> list[ToolCall]:
    """The message's own list, else OpenAI's single call of before 2023-11."""
    extras = message.additional_kwargs.get("tool_call_extras") or {}
    calls = [
        ToolCall(
            id=call.get("id") or "",
            name=call["name"],
            arguments=dumps_arguments(call["args"], call["name"]),
            **(extras.get(call.get("id")) or {}),
        )
        for call in message.tool_calls
    ]
    old = message.additional_kwargs.get("function_call")
    if not calls and isinstance(old, Mapping) and isinstance(old.get("name"), str):
        calls = [ToolCall("", old["name"], str(old.get("arguments") or ""))]
    return calls


def _answered_invalid_calls(message: AIMessage, answered: set[str]) -> list[ToolCall]:
    texts = invalid_arguments(message)
    return [
        ToolCall(id=str(call["id"]), name=call["name"] or "", arguments=text)
        for call, text in zip(message.invalid_tool_calls, texts, strict=True)
        if call["id"] in answered
    ]


def invalid_arguments(message: AIMessage) -> list[str]:
    """The arguments of the invalid calls as the model wrote them.

    In the sum of a stream's chunks a call's own `args` ends in a bracket more.
    """
    written = message.additional_kwargs.get(INVALID_ARGUMENTS_KEY) or {}
    return [written.get(call["id"], call["args"] or "") for call in message.invalid_tool_calls]
