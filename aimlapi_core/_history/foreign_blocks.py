"""Content blocks of other providers' own APIs, in the shapes that the adapters read. Pure.

Histories that were not made by a framework's integration hold the JSON of the provider's API:
messages inside content, calls and results under other names, media below other members. A block
that no table here knows is given back as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aimlapi_core._history.foreign_calls import (
    Block,
    as_tool_result,
    as_tool_use,
    call_and_result,
    first_text,
)
from aimlapi_core._history.foreign_media import (
    GEMINI_MEDIA,
    located,
    medium,
    members,
    of_gemini,
    of_mcp,
    of_mistral,
    titled,
)

# Messages hold blocks, and those messages' blocks others; nothing real is deeper.
_MAX_DEPTH = 8
# Blocks that hold text below other members, of Bedrock and Anthropic.
TEXT_HOLDERS = frozenset("citations_content citationsContent compaction".split())
# Blocks that only mark a place.
_MARKS = frozenset(("step-start",))

Convert = Callable[[Block], Iterable[Any]]


def content_blocks(content: Any) -> list[Any]:
    """The members of a content, each block in a shape that the adapters read.

    A text is one member, None and "" are none.
    """
    if content is None or content == "":
        return []
    if not isinstance(content, (list, tuple)):
        return list(unified(content))
    found: list[Any] = []
    for member in content:
        if is_plain_text(member):
            found.append(member)
        else:
            found += unified(member)
    return found


def is_plain_text(block: Any) -> bool:
    """Whether a member of a content is text in the usual shape."""
    return (
        type(block) is dict
        and block.get("type") == "text"
        and type(block.get("text")) is str
        and "thought" not in block
    )


def texts_of(block: Block) -> str:
    """The texts of a block that has them below other members; "" for any other block."""
    kind = block.get("type") or next(iter(block), None)
    is_holder = isinstance(kind, str) and kind in TEXT_HOLDERS
    return "".join(_texts_below(block, str(kind))) if is_holder else ""


def _texts_below(value: Any, kind: str) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        inner = next((value[k] for k in ("text", "content", kind) if value.get(k)), ())
        yield from _texts_below(inner, kind)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts_below(one, kind)


def unified(block: Any, depth: int = 0) -> Iterable[Any]:
    """A member of a content as members in shapes that the adapters read."""
    if not isinstance(block, (dict, Mapping)):  # dict first: the ABC is slow
        return (block,)
    convert = _converter(block.get("type"), block)
    if convert is None:
        return (block,)
    if depth >= _MAX_DEPTH:
        return (block,)
    return [
        one
        for found in convert(block)
        for one in ((found,) if found is block else unified(found, depth + 1))
    ]


def _converter(kind: Any, block: Block) -> Convert | None:
    if isinstance(kind, str) and kind:
        found = _BY_TYPE.get(kind)
        if found is None and kind.startswith("tool-") and "toolCallId" in block:
            return call_and_result
        return found
    return next((convert for key, convert in _BY_MEMBER.items() if key in block), None)


def _message(block: Block) -> Iterator[Any]:
    """A whole message of a provider's API among the blocks of a message."""
    if str(block.get("role")).lower() in ("tool", "function"):
        yield as_tool_result(block)
        return
    for name in ("reasoning_content", "reasoning", "thinking"):
        if block.get(name):
            yield {"type": "reasoning", "reasoning": block[name]}
    for name in ("parts", "content", "message"):
        if name in block:
            yield from members(block[name])
            break
    for image in members(block.get("images")):
        yield located("image", image, {})
    for call in members(block.get("tool_calls")):
        if isinstance(call, Mapping):
            yield as_tool_use(call)


def _text(block: Block) -> Iterator[Any]:
    """Text that Gemini marks as a thought, and text with annotations, of OpenAI's Assistants."""
    text = block.get("text")
    if block.get("thought"):
        yield {"type": "reasoning", "reasoning": text}
    elif isinstance(text, str) and block.get("type") == "text":
        yield block
    elif isinstance(text, Mapping) and isinstance(text.get("value"), str):
        yield {"type": "text", "text": text["value"]}
    elif isinstance(text, str):
        yield {"type": "text", "text": text}
    else:
        yield block


def _guarded(block: Block) -> Iterator[Any]:
    """Bedrock's content for a guardrail: a text or an image."""
    inner = block.get("guardContent") or block.get("guard_content")
    for one in (inner,) if isinstance(inner, Mapping) else ():
        text = one.get("text")
        yield {"text": text.get("text")} if isinstance(text, Mapping) else one
    if not isinstance(inner, Mapping):
        yield {"type": "text", "text": inner} if isinstance(inner, str) else block


def _cited(block: Block) -> Iterator[Any]:
    """A search result of Anthropic's or Bedrock's: where it is from, and its texts."""
    inner = block.get("searchResult") or block.get("search_result")
    inner = inner if isinstance(inner, Mapping) else block
    title, source = first_text(inner, ("title",)), first_text(inner, ("source",))
    origin = f"{title} ({source})" if title and source else title or source
    if origin:
        yield {"type": "text", "text": origin}
    yield from members(inner.get("content"))


def _of_cohere(block: Block) -> Iterator[Any]:
    """The results of a call in Cohere's first API."""
    call = block.get("call")
    if isinstance(call, Mapping) and "outputs" in block:
        yield as_tool_result({**call, "outputs": block["outputs"]})
    else:
        yield block


def _call(block: Block) -> Iterator[Any]:
    yield as_tool_use(block)


def _result(block: Block) -> Iterator[Any]:
    yield as_tool_result(block)


def _of_langchain(block: Block) -> Iterator[Any]:
    value = block.get("value")
    yield value if isinstance(value, (str, Mapping)) else block


def _nothing(block: Block) -> Iterator[Any]:
    yield from ()


def _reasoning(block: Block) -> Iterator[Any]:
    yield {"type": "reasoning"}


RESULT_TYPES = frozenset(
    "function_call_output custom_tool_call_output computer_call_output shell_call_output "
    "local_shell_call_output apply_patch_call_output tool-result".split()
)
RESULT_MEMBERS = ("functionResponse", "function_response", "toolResult")
MEDIA_TYPES = frozenset("image document media file document_url resource".split())

_BY_TYPE: dict[str, Convert] = {
    "message": _message,
    "text": _text,
    "text-plain": titled,
    "guard_content": _guarded,
    "search_result": _cited,
    **dict.fromkeys(("image", "document", "media", "file"), medium),
    "document_url": of_mistral,
    "non_standard": _of_langchain,
    "resource": of_mcp,
    "function": _call,
    "functionCall": _call,
    "tool-call": _call,
    "tool-invocation": call_and_result,
    "dynamic-tool": call_and_result,
    **dict.fromkeys(RESULT_TYPES, _result),
    **dict.fromkeys(_MARKS, _nothing),
    "redacted-reasoning": _reasoning,
}
_BY_MEMBER: dict[str, Convert] = {
    **dict.fromkeys(("functionCall", "function_call", "toolUse", "function"), _call),
    **dict.fromkeys(RESULT_MEMBERS, _result),
    **dict.fromkeys(GEMINI_MEDIA, of_gemini),
    **dict.fromkeys(("guardContent", "guard_content"), _guarded),
    **dict.fromkeys(("searchResult", "search_result"), _cited),
    "call": _of_cohere,
    **dict.fromkeys(("image", "document"), medium),
    **dict.fromkeys(("role", "parts"), _message),
    **dict.fromkeys(("text", "thought"), _text),
}
