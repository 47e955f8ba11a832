"""Requests, replies and stream events: frozen dataclasses, independent of any framework.

Rules here: names are ours (wire names are in the metadata of `ChatRequest`, in `_wire.chat` and in
`_wire.responses`); `None` always means "not given" in a request and "not
reported" in a reply; nothing here does I/O, validates or converts.
"""

from __future__ import annotations

from aimlapi_core._values.media import MediaData
from aimlapi_core.types.content import (
    BuiltinTool,
    Endpoint,
    File,
    Image,
    ImageDetail,
    JsonSchema,
    Message,
    NamedTool,
    Part,
    ProviderItem,
    Reasoning,
    Refusal,
    ResponseFormat,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
)
from aimlapi_core.types.reply import (
    TRUNCATED_FINISH_REASONS,
    Choice,
    CitationDelta,
    Cost,
    EmbeddingReply,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Reply,
    Serving,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    Transport,
    Usage,
)
from aimlapi_core.types.request import (
    BOTH,
    ChatRequest,
    EmbeddingRequest,
    ReasoningEffort,
    ReasoningSummary,
    Truncation,
)

__all__ = [
    "BOTH",
    "TRUNCATED_FINISH_REASONS",
    "BuiltinTool",
    "ChatRequest",
    "Choice",
    "CitationDelta",
    "Cost",
    "EmbeddingReply",
    "EmbeddingRequest",
    "Endpoint",
    "File",
    "Finished",
    "Image",
    "ImageDetail",
    "JsonSchema",
    "MediaData",
    "Message",
    "NamedTool",
    "Part",
    "ProviderItem",
    "Reasoning",
    "ReasoningDelta",
    "ReasoningEffort",
    "ReasoningSummary",
    "Refusal",
    "RefusalDelta",
    "Reply",
    "ResponseFormat",
    "Role",
    "Serving",
    "StreamEvent",
    "Text",
    "TextDelta",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "Transport",
    "Truncation",
    "Usage",
]
