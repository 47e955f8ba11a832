"""The methods of structured output, apart from what carries them out, which is imported late."""

from __future__ import annotations

from typing import Literal

Method = Literal["json_schema", "function_calling", "json_mode"]
