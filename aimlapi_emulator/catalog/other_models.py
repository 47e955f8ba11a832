"""Models of other developers, one or two of each, by the vendor's documents."""

from __future__ import annotations

from aimlapi_emulator.catalog.chat_model_row import ChatModelRow

OTHER_MODELS: tuple[ChatModelRow, ...] = ()
