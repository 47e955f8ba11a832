"""Answers for every row of a data set, over a Ray cluster, each row asked once.

python examples/batch_ray.py              on a cluster of this machine
python examples/batch_ray.py --kill-one   the same, and one worker is killed in the middle
python examples/batch_ray.py --journal lakes.sqlite    a second time it asks nothing any more

On a cluster it is the same program, as a Ray job or with RAY_ADDRESS set. With AIMLAPI_API_KEY
set it talks to the real service; without it, to a local emulator that answers by rules (and that
only the workers on this machine can reach).
"""

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

try:
    import ray

    from aimlapi_core import AIMLAPIError
    from aimlapi_emulator import Emulator
    from aimlapi_ray import answer_rows
    from langchain_aimlapi import ChatAIMLAPI
except ImportError as error:
    sys.exit(
        f"{error}. This example needs Ray: make example NAME=batch_ray installs it, or in a clone "
        "of the project pip install '.[ray,langchain,emulator]'"
    )

LAKES = "Baikal Bodensee Como Erie Garda Inari Ladoga Mälaren Onega Titicaca Vänern Victoria"
VICTIM = 40


async def ask(model: ChatAIMLAPI, row: dict[str, Any], kill_one: bool = False) -> str:
    """One row's answer. Runs on the workers, several at once."""
    answer = await model.ainvoke(f"What is special about lake {row['lake']}, no. {row['id']}?")
    if kill_one and row["id"] == VICTIM and not is_second_life():
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory is short
    return answer.text


def is_second_life() -> bool:
    """Whether the worker was killed before and started again."""
    return bool(ray.get_runtime_context().was_current_actor_reconstructed)


@contextmanager
def service() -> Iterator[Emulator | None]:
    """The real service with a key, else an emulator."""
    if os.environ.get("AIMLAPI_API_KEY"):
        print("Talking to the service with your AIMLAPI_API_KEY; this costs a little money.")
        yield None
        return
    print("Talking to a local emulator; set AIMLAPI_API_KEY for the real service.")
    with Emulator() as emulator:
        os.environ.update(AIMLAPI_API_KEY="no-key-needed", AIMLAPI_BASE_URL=emulator.base_url)
        yield emulator


@contextmanager
def cluster() -> Iterator[None]:
    """The cluster that this runs on or that RAY_ADDRESS names, else one of this machine."""
    ray.init(logging_level=logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def run(rows: int, journal: str, kill_one: bool) -> None:
    names = LAKES.split()
    lakes = [{"id": n, "lake": names[n % len(names)]} for n in range(rows)]
    with service() as emulator, cluster():
        dataset = ray.data.from_items(lakes, override_num_blocks=4)  # or ray.data.read_parquet(…)
        report = answer_rows(
            dataset,
            model=ChatAIMLAPI(model="openai/gpt-5-2"),
            ask=partial(ask, kill_one=kill_one),
            job="lakes, on the emulator" if emulator else "lakes",
            journal=journal,
            workers=2,
            concurrency=8,
            budget_usd=1,
            on_progress=print,
            progress_every_s=2,
        )
        print(report.dataset.take(1)[0])
        print(report)
        if emulator:
            print(f"The emulator was asked {len(emulator.ledger.entries)} times.")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rows", type=int, default=100)
    options.add_argument("--journal", help="a file to go on from; a temporary one by default")
    options.add_argument("--kill-one", action="store_true", help=f"kill the worker of row {VICTIM}")
    given = options.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(given.rows, given.journal or str(Path(folder, "lakes.sqlite")), given.kill_one)
    except AIMLAPIError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
