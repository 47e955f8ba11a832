"""Converts LangChain messages to core messages. Pure: the caller's messages are not changed.

Nothing is dropped because the service's schema has no place for it: images in a tool result move
to a user message after the last tool result of that turn, since a tool message is text only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

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
from aimlapi_core._history.foreign_blocks import content_blocks
from aimlapi_core._history.foreign_calls import as_tool_result, read_call
from aimlapi_core._history.names import ROLES
from aimlapi_core._json_reading import as_mappings
from langchain_aimlapi._base import PROVIDER
from langchain_aimlapi._request.assistant_blocks import parts_and_calls
from langchain_aimlapi._request.content_blocks import to_parts
from langchain_aimlapi._request.tool_results import describe_hidden_images, to_result

# A message, and parts to send in a later user message.
Converted: TypeAlias = tuple[Message, tuple[Part, ...]]

# Key in additional_kwargs of the model's own text of invalid calls, by their ids.
INVALID_ARGUMENTS_KEY = "invalid_arguments"
# Keys there that are for readers: nothing of them is sent back.
_UNSENT = frozenset(("reasoning_content", "annotations"))


def to_messages(
    messages: Sequence[BaseMessage], *, sees_images: bool = True
) -> tuple[Message, ...]:
    """The conversation as core messages. Raises InvalidRequestError, naming the message.

    Without `sees_images`, images in tool results are replaced by a text, since an agent cannot
    choose what its tools return; the core rejects those of users.
    """
    contents: list[Any] = []
    answered: set[str] = set()
    out: list[Message] = []
    pending_media: list[Part] = []
    for position, message in enumerate(messages):
        plain = _plain_message(message)
        if plain is not None:
            rows: Sequence[Converted] = ((plain, ()),)
        else:
            if not contents:
                contents = _contents(messages)
                answered = _answered(messages, contents)
            try:
                rows = _convert_message(message, contents[position], answered)
            except InvalidRequestError as exc:
                exc.args = (f"messages[{position}]: {exc}",)
                raise
        for converted, attachments in rows:
            if pending_media and converted.role != "tool":
                out.append(Message("user", tuple(pending_media)))
                pending_media = []
            if attachments and not sees_images and _has_image(attachments):
                converted, attachments = describe_hidden_images(converted, attachments)
            out.append(converted)
            pending_media.extend(attachments)
    if pending_media:
        out.append(Message("user", tuple(pending_media)))
    return tuple(out)


def _plain_message(message: BaseMessage) -> Message | None:
    """What `_convert_message` gives for a message of text and calls alone; None for any other.

    Nearly all messages are so, and an agent sends them again at each step.
    """
    text, extra = message.content, message.additional_kwargs
    if type(text) is not str:
        return None
    if isinstance(message, ToolMessage):
        if message.status == "error":
            return None
        return Message("tool", (Text(text),), tool_call_id=message.tool_call_id)
    if isinstance(message, AIMessage):
        if message.invalid_tool_calls or (extra and not _is_unsent(message)):
            return None
        calls = [
            ToolCall(
                call.get("id") or "", call["name"], dumps_arguments(call["args"], call["name"])
            )
            for call in message.tool_calls
        ]
        return Message("assistant", (Text(text), *calls) if text else tuple(calls), message.name)
    if isinstance(message, HumanMessage):
        return Message("user", (Text(text),), message.name)
    if isinstance(message, SystemMessage) and not extra:
        return Message("system", (Text(text),), message.name)
    return None


def _is_unsent(message: AIMessage) -> bool:
    """Whether all that is beside the content of a message is this package's, and not sent back."""
    is_own = message.response_metadata.get("model_provider") == PROVIDER
    return is_own and message.additional_kwargs.keys() <= _UNSENT


def _contents(messages: Sequence[BaseMessage]) -> list[Any]:
    """The contents with blocks in shapes that are read here; a tool's own JSON as it is."""
    return [
        content
        if type(content := message.content) is str or isinstance(message, ToolMessage)
        else content_blocks(content)
        for message in messages
    ]


def _answered(messages: Sequence[BaseMessage], contents: Sequence[Any]) -> set[str]:
    """The ids of the tool calls that have a result, in a message of its own or in a block."""
    found = {m.tool_call_id for m in messages if isinstance(m, ToolMessage)}
    found.update(
        as_tool_result(block)["tool_use_id"]
        for content in contents
        if type(content) is list
        for block in content
        if _is_result(block)
    )
    return found - {""}


def _is_result(block: Any) -> bool:
    # dict first: the ABC is slow.
    return isinstance(block, (dict, Mapping)) and block.get("type") == "tool_result"


def _has_image(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, Image) for part in parts)


def _convert_message(message: BaseMessage, content: Any, answered: set[str]) -> Sequence[Converted]:
    """The core messages for one message, each with parts to send in a later user message."""
    if isinstance(message, ToolMessage):
        return (to_result(message),)
    role = "assistant" if isinstance(message, AIMessage) else _role(message)
    if role == "assistant":
        converted = _assistant_message(message, content, answered)
        own: list[Converted] = [] if converted is None else [(converted, ())]
        return [*own, *_results(content)] if type(content) is list else own
    if role == "user":
        return _user_messages(message, content)
    if role == "tool":  # of ChatMessage, or a FunctionMessage, which has its call's name alone
        call_id = message.additional_kwargs.get("tool_call_id")
        result = ToolMessage(message.content, tool_call_id=call_id or "")
        converted, attachments = to_result(result)
        return ((replace(converted, name=message.name, tool_call_id=call_id), attachments),)
    return ((Message(role, to_parts(content), message.name), ()),)


def _role(message: BaseMessage) -> Role:
    if isinstance(message, HumanMessage):
        return "user"
    if isinstance(message, SystemMessage):
        # langchain-core keeps ("developer", "…") as a system message with this key.
        role = message.additional_kwargs.get("__openai_role__")
        return "developer" if role == "developer" else "system"
    name = (message.role if isinstance(message, ChatMessage) else message.type).strip().lower()
    if isinstance(message, RemoveMessage):
        raise InvalidRequestError(
            "A RemoveMessage is an instruction to LangGraph's add_messages and no part of a "
            "conversation: return it from a node, and leave it out of what the model is sent."
        )
    if name not in ROLES:
        near = nearest(name, ROLES)
        hint = f"did you mean {near!r}?" if near else f"roles are {', '.join(ROLES)}."
        raise InvalidRequestError(f"Unknown role {name!r} of a {type(message).__name__}: {hint}")
    return ROLES[name]


def _user_messages(message: BaseMessage, content: Any) -> Sequence[Converted]:
    """One tool message per result of a tool, as in Anthropic's users' turns, then the rest."""
    if isinstance(content, str):
        return ((Message("user", (Text(content),), message.name), ()),)
    results = list(_results(content))
    rest = [block for block in content if not _is_result(block)] if results else content
    parts = to_parts(rest)
    if parts or not results:
        results.append((Message("user", parts, message.name), ()))
    return results


def _results(content: Any) -> Iterator[Converted]:
    """The results of tools among the blocks of a content."""
    for block in content:
        if _is_result(block):
            found = as_tool_result(block)
            result = ToolMessage(
                found["content"],
                tool_call_id=found["tool_use_id"],
                status="error" if found["is_error"] else "success",
            )
            converted, attachments = to_result(result)
            name = found["name"] if not found["tool_use_id"] else None
            yield replace(converted, name=name or None), attachments


def _assistant_message(message: BaseMessage, content: Any, answered: set[str]) -> Message | None:
    """An assistant message; None when nothing of it can be sent.

    An invalid tool call is sent only when a tool message answers it: the service rejects
    unanswered calls, and agents do not run invalid ones.
    """
    given = message.content
    if not isinstance(message, AIMessage):  # a ChatMessage
        message = AIMessage("", name=message.name, additional_kwargs=message.additional_kwargs)
    is_own = message.response_metadata.get("model_provider") == PROVIDER
    parts, block_calls = parts_and_calls(message, content, answered, is_own=is_own)
    refusal = message.additional_kwargs.get("refusal")
    if isinstance(refusal, str) and refusal and not any(isinstance(p, Refusal) for p in parts):
        parts.append(Refusal(refusal))
    if is_own:  # what is sent back where the endpoint accepts it
        details = as_mappings(message.additional_kwargs.get("reasoning_details"))
        items = as_mappings(message.additional_kwargs.get("provider_items"))
        parts = [*(Reasoning("", opaque=one) for one in details), *parts, *map(ProviderItem, items)]
    invalid_calls = _answered_invalid_calls(message, answered) if message.invalid_tool_calls else ()
    calls = [*_tool_calls(message, has_more=bool(block_calls)), *block_calls, *invalid_calls]
    if not parts and not calls and (message.invalid_tool_calls or given):
        return None
    return Message("assistant", (*parts, *calls), message.name)


def _tool_calls(message: AIMessage, *, has_more: bool) -> list[ToolCall]:
    """The message's own list; where there is none, the rows beside its content.

    Those are what another provider's API gave, and OpenAI's single call of before 2023-11.
    `has_more`: the content holds calls, which are the same.
    """
    extra = message.additional_kwargs
    extras = extra.get("tool_call_extras") or {}
    calls = [
        ToolCall(
            id=call.get("id") or "",
            name=call["name"],
            arguments=dumps_arguments(call["args"], call["name"]),
            **(extras.get(call.get("id")) or {}),
        )
        for call in message.tool_calls
    ]
    if calls or has_more or message.invalid_tool_calls:
        return calls
    rows = as_mappings(extra.get("tool_calls")) or as_mappings([extra.get("function_call")])
    return [
        ToolCall(call_id, name, _text(arguments, name))
        for call_id, name, arguments in map(read_call, rows)
        if call_id or name
    ]


def _text(arguments: Any, name: str) -> str:
    return arguments if isinstance(arguments, str) else dumps_arguments(arguments, name)


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
