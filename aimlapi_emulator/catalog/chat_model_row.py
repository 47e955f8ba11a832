"""One chat model of the emulator: what is said of it in a row."""

from __future__ import annotations

from dataclasses import dataclass

from aimlapi_emulator.catalog.features import (
    ChatFeatures,
    Effort,
    ResponsesFeatures,
    check_words,
)

_NO_CHAT = ChatFeatures()
_NO_RESPONSES = ResponsesFeatures()


@dataclass(frozen=True, slots=True)
class ChatModelRow:
    """One model: ids, prices, limits, and what each endpoint takes. A new model is one row."""

    id: str
    response_model_name: str
    """`model` in responses, which differs from the requested id."""
    in_usd_per_million: float
    out_usd_per_million: float
    default_effort: Effort
    context_length: int
    output_max: int
    aliases: tuple[str, ...] = ()
    input_max: int | None = None
    """The most tokens of input; None: as many as the context holds."""
    developer: str = "Open AI"
    routed_to: str | None = None
    """The id of the model that answers for a router, whose choice is billed as a second request."""
    is_in_table: bool = True
    """Whether anything is known of it; False for a row of `any_model`."""
    chat: ChatFeatures = _NO_CHAT
    responses: ResponsesFeatures = _NO_RESPONSES

    def __post_init__(self) -> None:
        check_words("default_effort", [self.default_effort], Effort)
