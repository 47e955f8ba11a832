"""How many Python functions a piece of work calls: the same number on every machine."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from types import FrameType
from typing import Any

OWN = ("aimlapi_core", "langchain_aimlapi", "llama_index_aimlapi")


class Counted:
    """Calls of Python functions and resumptions of generators: all of them, and ours alone.

    Without garbage collection, whose callbacks and finalizers would count at random.
    """

    def __init__(self) -> None:
        self.all = 0
        self.own = 0

    def __enter__(self) -> Counted:
        self._files: Counter[str] = Counter()
        self._collects = gc.isenabled()
        gc.disable()
        sys.setprofile(self._heard)
        return self

    def _heard(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self._files[frame.f_code.co_filename] += 1

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)
        if self._collects:
            gc.enable()
        self.all = sum(self._files.values())
        self.own = sum(n for file, n in self._files.items() if any(f"/{o}/" in file for o in OWN))
