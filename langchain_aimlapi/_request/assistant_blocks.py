"""Converts the content of assistant messages, written by models of any provider, to core parts.

No block of an assistant is an error, since an agent cannot take it out of its history: text,
refusals and calls of the caller's tools are kept, media are named in text, reasoning and what a
provider ran itself are left out, with a warning for each type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
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
from aimlapi_core._history.foreign_blocks import (
    TEXT_HOLDERS,
    content_blocks,
    is_plain_text,
    texts_of,
)
from aimlapi_core._values.warn_once import warn_once
from langchain_aimlapi._request.content_blocks import (
    CALL_BLOCKS,
    IGNORED_BLOCKS,
    OTHER_PROVIDER_BLOCKS,
    TOOL_CALL_BLOCKS,
    Block,
    block_type,
    to_part,
)

_MEDIA = re.compile("image|audio|video|file|document|media", re.IGNORECASE)
_REASONING = re.compile("think|thought|reason|signature", re.IGNORECASE)
_ARGUMENTS = ("arguments", "args", "input", "action", "actions", "operation")


def parts_and_calls(
    message: AIMessage, content: str | list[Any], answered: Set[str], *, is_own: bool
) -> tuple[list[Part], list[ToolCall]]:
    """The text and refusals of a message, and the calls that are not in its `tool_calls`.

    `content` is the message's, its blocks as `foreign_blocks` gives them.

    Calls of a provider's own tools that the caller runs (a computer, a shell) are kept where a tool
    message answers them, as calls of functions with the names of these tools. Where `is_own`,
    nothing is warned of: what is left out here is kept elsewhere.
    """
    extra = message.additional_kwargs
    parts: list[Part] = []
    calls: list[ToolCall] = []
    if isinstance(content, str):
        parts += [Text(content)] if content else []
        content = []
    # Where ChatOpenAI's older format has its blocks.
    beside = content_blocks(extra["tool_outputs"]) if "tool_outputs" in extra else ()
    for block in (*content, *beside):
        if is_plain_text(block):  # as nearly all are
            parts += [Text(block["text"])] if block["text"] else ()
            continue
        call = _call(block, message, answered)
        if call is not None:
            calls.append(call)
        else:
            parts += _parts(block, is_own)
    if extra and not is_own:
        for name in ("reasoning_content", "reasoning", "thinking"):
            if extra.get(name):
                warn_left_out(name)
        parts += _words_beside(extra) if not parts else ()
    return parts, calls


def _words_beside(extra: Mapping[str, Any]) -> list[Part]:
    """The words of OpenAI's spoken answers, or Cohere's of the calls that follow."""
    audio = extra.get("audio")
    spoken = audio.get("transcript") if isinstance(audio, Mapping) else None
    found = (spoken, extra.get("tool_plan"))
    return [Text(words) for words in found if isinstance(words, str) and words]


def _call(block: Any, message: AIMessage, answered: Set[str]) -> ToolCall | None:
    """The call that a block is, unless it is in the message's lists or is not run by a client."""
    kind = block_type(block) if isinstance(block, (dict, Mapping)) else None
    if kind is None:
        return None
    inner = next((block[k] for k in (kind, "function") if isinstance(block.get(k), Mapping)), block)
    ids = (holder.get(k) for holder in (block, inner) for k in ("call_id", "toolUseId", "id"))
    call_id = next((i for i in ids if isinstance(i, str)), "")
    name = inner.get("name")
    if not isinstance(name, str):
        name = "" if kind in CALL_BLOCKS else kind.removesuffix("_call")
    is_call = kind in CALL_BLOCKS and not message.tool_calls
    if is_call and not name and call_id not in answered:
        warn_left_out(f"{kind} without a name")
        return None
    known = (call["id"] for call in (*message.tool_calls, *message.invalid_tool_calls))
    if call_id in known:
        return None
    if not (call_id in answered or is_call):
        _warn_of_removed(message, kind, call_id, name)
        return None
    given: Any = next((inner[k] for k in _ARGUMENTS if inner.get(k)), {})
    if not isinstance(given, Mapping) and kind not in CALL_BLOCKS:
        given = {"input": given}  # as a custom tool's input, a text
    text = given if isinstance(given, str) else dumps_arguments(given, name)
    return ToolCall(call_id, name, text)


def _warn_of_removed(message: AIMessage, kind: str, call_id: str, name: str) -> None:
    """Warn of a call that the message's list does not have: a program may have taken it out."""
    is_listed = message.tool_calls if kind in CALL_BLOCKS else kind == "invalid_tool_call"
    if is_listed:
        calls = (*message.tool_calls, *message.invalid_tool_calls)
        if not any(call["id"] == call_id if call_id else call["name"] == name for call in calls):
            warn_once(
                ("removed call", call_id, name),
                f"The call of {name!r} ({call_id}) was left out: the message's `tool_calls` does "
                "not have it.",
                HistoryWarning,
            )


def _parts(block: str | Block, is_own: bool) -> Iterator[Part]:
    if isinstance(block, str):
        if block:
            yield Text(block)
        return
    if not isinstance(block, Mapping):
        warn_left_out(type(block).__name__)
        return
    kind = block_type(block) or "without a type"
    if kind == "refusal":
        if isinstance(block.get("refusal"), str) and block["refusal"]:
            yield Refusal(block["refusal"])
        return
    if kind == "tool_result" or kind in TOOL_CALL_BLOCKS or kind in IGNORED_BLOCKS:
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
        f"{kind!r} of assistant messages was left out: of an assistant, text, refusals and calls "
        "of functions are sent to AI/ML API, not reasoning and what a provider ran itself.",
        HistoryWarning,
    )


def _text(block: Block, kind: str) -> str | None:
    """What is said of the block in text; None where it is left out."""
    if kind in TEXT_HOLDERS:
        return texts_of(block) or None
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
    has_place = isinstance(part.url, str) and not part.url.startswith("data:")
    where = f": {part.url}" if has_place else ""
    return f"(an image made by the assistant{where})"
