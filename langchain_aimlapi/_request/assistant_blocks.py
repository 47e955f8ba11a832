"""Converts the content of assistant messages, written by models of any provider, to core parts.

No block of an assistant is an error, since an agent cannot take it out of its history: text,
refusals and calls of the caller's tools are kept, media are named in text, reasoning and what a
provider ran itself are left out, with a warning for each type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from typing import Any

from langchain_core.messages import AIMessage

from aimlapi_core import (
    File,
    HistoryWarning,
    Image,
    InvalidRequestError,
    Part,
    Refusal,
    Text,
    ToolCall,
    dumps_arguments,
)
from aimlapi_core._values.warn_once import warn_once
from langchain_aimlapi._request.content_blocks import (
    IGNORED_BLOCKS,
    OTHER_PROVIDER_BLOCKS,
    TOOL_CALL_BLOCKS,
    Block,
    block_type,
    to_part,
)

# Blocks that hold text below other members, of Bedrock and Anthropic.
_TEXT_HOLDERS = frozenset("citations_content citationsContent compaction".split())
_MEDIA = re.compile("image|audio|video|file|document|media", re.IGNORECASE)
_REASONING = re.compile("think|thought|reason|signature", re.IGNORECASE)
# Calls that a message has in its `tool_calls` too, but for messages that were made by hand.
_CALLS = frozenset("tool_call tool_use toolUse function_call".split())
_ARGUMENTS = ("arguments", "args", "input", "action", "actions", "operation")


def assistant_parts(content: str | Sequence[str | Block]) -> list[Part]:
    """The text and refusals of a content."""
    if isinstance(content, str):
        return [Text(content)] if content else []
    return [part for block in content for part in _parts(_unwrapped(block), is_own=False)]


def parts_and_calls(
    message: AIMessage, answered: Set[str], *, is_own: bool
) -> tuple[list[Part], list[ToolCall]]:
    """The text and refusals of a message, and the calls that are not in its `tool_calls`.

    Calls of a provider's own tools that the caller runs (a computer, a shell) are kept where a tool
    message answers them, as calls of functions with the names of these tools. Where `is_own`,
    nothing is warned of: what is left out here is kept elsewhere.
    """
    content, extra = message.content, message.additional_kwargs
    parts: list[Part] = []
    calls: list[ToolCall] = []
    if isinstance(content, str):
        parts += [Text(content)] if content else []
        content = []
    beside = extra.get("tool_outputs")  # where ChatOpenAI's older format has its blocks
    for block in map(_unwrapped, (*content, *(beside if isinstance(beside, list) else ()))):
        call = _call(block, message, answered)
        if call is not None:
            calls.append(call)
        else:
            parts += _parts(block, is_own)
    if not is_own:
        for name in ("reasoning_content", "reasoning"):
            if extra.get(name):
                warn_left_out(name)
        parts += _spoken(extra) if not parts else ()
    return parts, calls


def _unwrapped(block: str | Block) -> Any:
    """The block in a `non_standard` one."""
    if isinstance(block, Mapping) and block.get("type") == "non_standard":
        return block.get("value")
    return block


def _spoken(extra: Mapping[str, Any]) -> list[Part]:
    """The words of OpenAI's spoken answers."""
    audio = extra.get("audio")
    words = audio.get("transcript") if isinstance(audio, Mapping) else None
    return [Text(words)] if isinstance(words, str) and words else []


def _call(block: Any, message: AIMessage, answered: Set[str]) -> ToolCall | None:
    """The call that a block is, unless it is in the message's lists or is not run by a client."""
    kind = block_type(block) if isinstance(block, Mapping) else None
    if kind is None:
        return None
    inner = next((block[k] for k in (kind, "function") if isinstance(block.get(k), Mapping)), block)
    ids = (holder.get(k) for holder in (block, inner) for k in ("call_id", "toolUseId", "id"))
    call_id = next((i for i in ids if isinstance(i, str)), "")
    name = inner.get("name")
    if not isinstance(name, str):
        name = "" if kind in _CALLS else kind.removesuffix("_call")
    is_call = kind in _CALLS and not message.tool_calls
    if is_call and not name and call_id not in answered:
        warn_left_out(f"{kind} without a name")
        return None
    known = (call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls))
    if not (call_id in answered or is_call) or call_id in known:
        return None
    given: Any = next((inner[k] for k in _ARGUMENTS if inner.get(k)), {})
    if not isinstance(given, Mapping) and kind not in _CALLS:  # as a custom tool's input, a text
        given = {"input": given}
    text = given if isinstance(given, str) else dumps_arguments(given, name)
    return ToolCall(call_id, name, text)


def _parts(block: str | Block, is_own: bool) -> Iterator[Part]:
    if isinstance(block, str):
        if block:
            yield Text(block)
        return
    if not isinstance(block, Mapping):
        return
    kind = block_type(block) or "without a type"
    if kind == "refusal":
        if isinstance(block.get("refusal"), str) and block["refusal"]:
            yield Refusal(block["refusal"])
        return
    if kind in TOOL_CALL_BLOCKS or kind in _CALLS or kind in IGNORED_BLOCKS:
        return
    text = _text(block, kind)
    if text:
        yield Text(text)
    elif text is None and not is_own:
        warn_left_out(kind)


def warn_left_out(kind: str) -> None:
    """Warn once of a type of block, or of another member, that is not sent."""
    warn_once(
        ("assistant block", kind),
        f"{kind!r} of assistant messages was left out: reasoning and what a provider ran itself "
        "are not sent to AI/ML API.",
        HistoryWarning,
    )


def _text(block: Block, kind: str) -> str | None:
    """What is said of the block in text; None where it is left out."""
    if kind in _TEXT_HOLDERS:
        return "".join(_texts(block, kind)) or None
    if kind in OTHER_PROVIDER_BLOCKS or _REASONING.search(kind):
        return None
    with suppress(InvalidRequestError):
        part = to_part(block)
        if isinstance(part, (Image, File)):
            return _named(block, part)
        return part.text if isinstance(part, Text) else ""
    said = next((block[k] for k in ("text", "transcript") if isinstance(block.get(k), str)), None)
    return (
        said if said is not None or not _MEDIA.search(kind) else f"({kind} made by the assistant)"
    )


def _named(block: Block, part: Image | File) -> str:
    """A medium in words: the service takes media from users only."""
    if isinstance(part, File):
        return f"(a file made by the assistant: {part.filename or 'a PDF'})"
    where = "" if part.url.startswith("data:") else f": {part.url}"
    return f"(an image made by the assistant{where})"


def _texts(value: Any, kind: str) -> Iterator[str]:
    """The texts below a block's content, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        inner = next((value[k] for k in ("text", "content", kind) if value.get(k)), ())
        yield from _texts(inner, kind)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one, kind)
