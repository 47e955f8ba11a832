"""Record every cassette anew: `make record`.

From the real service when AIMLAPI_API_KEY is set, else from the emulator. Which it was stands
in each recorded answer's `server` and `date` headers.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

import vcr

from aimlapi_emulator import Emulator
from tests.cassettes.config import FOLDER, REPLAY
from tests.cassettes.scenarios import SCENARIOS


def main() -> None:
    """Replace the cassettes, one scenario after the other."""
    with contextlib.ExitStack() as stack:
        how: dict[str, Any] = {"max_retries": 0}
        if os.environ.get("AIMLAPI_API_KEY"):
            print("Recording from the real service, with your AIMLAPI_API_KEY.")
        else:
            emulator = stack.enter_context(Emulator())
            how |= {"api_key": "sk-emulator", "base_url": emulator.base_url}
            print("Recording from the emulator; set AIMLAPI_API_KEY for the real service.")
        for scenario in SCENARIOS:
            path = FOLDER / f"{scenario.name}.yaml"
            path.unlink(missing_ok=True)
            with vcr.use_cassette(str(path), **{**REPLAY, "record_mode": "all"}) as cassette:
                result = scenario.sync(**how)
            print(f"{scenario.name}: {len(cassette)} exchanges, {str(result)[:60]!r}")


if __name__ == "__main__":
    main()
