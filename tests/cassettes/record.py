"""Record every cassette anew: `make record`, by the recorder of `aimlapi-emulator --record`.

From the real service when AIMLAPI_API_KEY is set, else from the emulator. Which it was is in each
recorded answer's `server` and `date` headers.
"""

from __future__ import annotations

import contextlib
import os

from aimlapi_emulator import Emulator
from aimlapi_emulator.recording.cassettes import HOST, Exchange, write
from aimlapi_emulator.recording.recorder import Recorder
from tests.cassettes.config import FOLDER
from tests.cassettes.scenarios import SCENARIOS


def main() -> None:
    """Replace the cassettes, one scenario after the other."""
    with contextlib.ExitStack() as stack:
        key = os.environ.get("AIMLAPI_API_KEY")
        if key:
            upstream = HOST
            print("Recording from the real service, with your AIMLAPI_API_KEY.")
        else:
            upstream, key = stack.enter_context(Emulator()).base_url, "sk-emulator"
            print("Recording from the emulator; set AIMLAPI_API_KEY for the real service.")
        for scenario in SCENARIOS:
            kept: dict[int, Exchange] = {}
            with Recorder(upstream, key, kept.__setitem__) as recorder:
                result = scenario.sync(base_url=recorder.base_url, api_key="local", max_retries=0)
            write(FOLDER / f"{scenario.name}.yaml", [kept[number] for number in sorted(kept)])
            print(f"{scenario.name}: {len(kept)} exchanges, {str(result)[:60]!r}")


if __name__ == "__main__":
    main()
