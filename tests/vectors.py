"""The emulator's vectors as a client gets them, to compare with."""

from __future__ import annotations

import json
from typing import cast

from aimlapi_emulator.text.vectors import as_json


def vector(text: str, size: int) -> list[float]:
    return cast("list[float]", json.loads(as_json(text, size)))
