"""A request that is ready to be sent, with what its tool names stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aimlapi_core import ChatRequest
from llama_index_aimlapi._request.tools import Offered


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what the tool names on its wire stand for."""

    request: ChatRequest
    offered: Mapping[str, Offered] = field(default_factory=dict)
