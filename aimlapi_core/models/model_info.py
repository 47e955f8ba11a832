"""One model: its endpoints and what each of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aimlapi_core.request_params import REQUEST_PARAMS
from aimlapi_core.types import Endpoint

CHECKED = "2026-08-29"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One row. `params` maps an endpoint to the request parameters it takes there, by our names.

    `endpoint="auto"` selects `endpoints[0]`. `context_window` (input and output together),
    `max_input_tokens` (None: as many as the window holds) and `max_output_tokens` are in tokens.
    `chat_limit` is the wire name of the output limit on
    chat; on responses it is always `max_output_tokens`, at least 16. `gates_params`: whether a
    parameter that the row does not list is left out with a warning. False for a row of the
    catalogue: documents and service differ, so everything is sent and the service validates it.
    """

    id: str
    aliases: tuple[str, ...]
    params: Mapping[Endpoint, frozenset[str]]
    context_window: int | None
    max_output_tokens: int | None
    max_input_tokens: int | None = None
    reasoning_efforts: tuple[str, ...] = ()
    images: frozenset[Endpoint] = frozenset()
    builtin_tools: tuple[str, ...] = ()
    replays_reasoning: bool = False
    chat_takes_any_tool: bool = False
    pdfs: bool = True
    tools: bool = True
    structured_output: bool = True
    gates_params: bool = True
    chat_limit: str = "max_tokens"
    source: str = ""
    checked: str = CHECKED
    notes: Mapping[str, str] = field(default_factory=dict)

    def bounds(self, name: str, endpoint: Endpoint) -> tuple[float, float | None] | None:
        """(minimum, maximum), inclusive; maximum None: no upper bound. None without a minimum."""
        return REQUEST_PARAMS[name].bounds(endpoint)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints that serve this id, the preferred one first."""
        return tuple(self.params)

    @property
    def temperature(self) -> bool:
        """Whether the preferred endpoint takes `temperature`."""
        return "temperature" in self.params[self.endpoints[0]]

    @property
    def input_limit(self) -> int | None:
        """The most tokens of input: `max_input_tokens`, else the whole context window."""
        return self.max_input_tokens or self.context_window

    def usable_window(self, output_tokens: int | None) -> int | None:
        """The tokens of input and output together, of which the output is to be `output_tokens`.

        Where the input has a limit of its own it is smaller than the context window, unless the
        output takes up the rest.
        """
        if self.max_input_tokens is None or self.context_window is None:
            return self.context_window
        return min(self.context_window, self.max_input_tokens + (output_tokens or 0))
