"""Messages with their parts, tools, and formats of the answer: what a request holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from aimlapi_core._values.media import MediaData

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
Endpoint: TypeAlias = Literal["chat", "responses"]
ImageDetail: TypeAlias = Literal["low", "high", "auto"]


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text. `citations` are the service's annotations of it, as JSON objects."""

    text: str
    citations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image by URL: `https://…`, or `data:image/png;base64,…` (PNG, JPEG, GIF, WEBP)."""

    url: str | MediaData
    detail: ImageDetail | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A PDF. `data` is a data URL (`data:application/pdf;base64,…`), or what one is made of."""

    data: str | MediaData
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The text of a refusal by the model."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Reasoning text. `opaque` is provider data, to be sent back unchanged."""

    text: str
    opaque: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call by the model.

    `arguments` is the JSON text as the model wrote it, possibly empty or invalid: the caller
    parses it (`loads_arguments`). Blanks, null and `{}` before it or in its place are left out.
    `item_id` is the id of the Responses item, if there is one. `text_before` is the length of the
    answer's text when the call began, 0 where its order is not known.
    """

    id: str
    name: str
    arguments: str
    item_id: str | None = None
    extra: Mapping[str, Any] | None = None
    text_before: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderItem:
    """A Responses output item without a type here (`web_search_call`, `mcp_call`, …)."""

    item: Mapping[str, Any]


Part: TypeAlias = Text | Image | File | Refusal | Reasoning | ToolCall | ProviderItem


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. `tool_call_id`: the call that a tool message answers."""

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call. `parameters` is a JSON Schema object.

    It is sent in the form that the service takes: what `object_schema` gives is taken as it is,
    any other is made anew for each request. `strict=True` needs one that `strict_schema` gives.
    """

    name: str
    parameters: Mapping[str, Any]
    description: str | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class BuiltinTool:
    """A tool that the service runs itself, in wire format: `{"type": "web_search_preview", …}`."""

    wire: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NamedTool:
    """A `tool_choice` that forces the function of this name."""

    name: str


ToolChoice: TypeAlias = Literal["none", "auto", "required"] | NamedTool | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A `response_format` that requests an instance of `schema`.

    `strict=True` needs a schema that `strict_schema` gives.
    """

    name: str
    schema: Mapping[str, Any]
    strict: bool | None = None
    description: str | None = None


ResponseFormat: TypeAlias = Literal["text", "json_object"] | JsonSchema
