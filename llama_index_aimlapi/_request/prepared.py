"""A request ready to be sent, with the caller's tool behind each wire name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aimlapi_core import ChatRequest
from llama_index_aimlapi._request.tools import ToolRef


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request, the caller's tool for each tool name in it, and settings of this call's client."""

    request: ChatRequest
    tool_refs: Mapping[str, ToolRef] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
