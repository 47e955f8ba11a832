"""Answers a program from cassettes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aimlapi_emulator.recording.cassettes import Exchange, describe_nearest, read
from aimlapi_emulator.recording.server import Call, RecordingServer


class Replayer(RecordingServer):
    """Answers from cassettes. The same request again gets the next answer, at last the last one.

    Raises:
        ValueError: for a folder without cassettes, or a file that is none.
    """

    def __init__(self, folder: Path, *, with_delays: bool = False, **given: Any) -> None:
        self._recorded = [one for path in sorted(folder.glob("*.y*ml")) for one in read(path)]
        if not self._recorded:
            raise ValueError(f"{folder} holds no cassettes")
        super().__init__(**given)
        self._with_delays = with_delays
        self._answers: Mapping[Any, list[Exchange]] = defaultdict(list)
        for one in self._recorded:
            self._answers[one.key].append(one)

    def answer(self, call: Call, content: bytes) -> None:
        """Answer as it was answered, or say what was recorded that is nearest."""
        asked = Exchange(call.command, call.path, content, 0, "", {}, ()).redacted(self.secrets)
        with self.lock:
            answers = self._answers.get(asked.key, [])
            found = answers.pop(0) if len(answers) > 1 else answers[0] if answers else None
        if found is None:
            nearest = describe_nearest(asked, self._recorded)
            message = f"No recorded request matches this {call.command} {call.path}: {nearest}."
            self.log(message)
            call.refuse(400, message)
            return
        self.log(f"{found.status} {call.command} {call.path} from {found.name}")
        size = found.size if found.is_sized else None
        call.begin(found.status, found.reason, found.headers.items(), size)
        for at, piece in enumerate(found.pieces):
            if self._with_delays:
                time.sleep(found.delays_s[at] if at < len(found.delays_s) else 0)
            call.piece(piece)
        call.finish_answer(found.end)
