"""A driver of its own process: one run of a job over numbered rows; prints the report as JSON.

python -m tests.ray.driver JOURNAL PIDS [NAME=VALUE …]: PIDS is a folder where each worker that
asks leaves its pid; the values are JSON, and go to `answer_rows`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import ray

from aimlapi_ray import RunEndedError, answer_rows
from langchain_aimlapi import ChatAIMLAPI

ROWS = 40
PIDS = Path(sys.argv[2])


async def ask(model: ChatAIMLAPI, row: dict[str, Any]) -> str:
    (PIDS / str(os.getpid())).touch()
    return (await model.ainvoke(row["text"])).text


def run() -> dict[str, Any]:
    given = {name: json.loads(value) for name, _, value in (a.partition("=") for a in sys.argv[3:])}
    rows = [{"id": n, "text": f"Row {n}."} for n in range(ROWS)]
    dataset = ray.data.from_items(rows, override_num_blocks=2)
    key = given.pop("api_key", "sk-x")
    model = ChatAIMLAPI(model="openai/gpt-5-2", api_key=key, max_retries=0)
    arguments = {"concurrency": 4, "on_progress": print, "progress_every_s": 0.2, **given}
    ended = None
    try:
        report = answer_rows(
            dataset, model=model, ask=ask, job="test", journal=sys.argv[1], **arguments
        )
    except RunEndedError as error:
        report, ended = error.report, type(error.__cause__).__name__
    answers = {row["id"]: row["answer"] for row in report.dataset.take_all()}
    return {
        "ended": ended,
        "answered": report.answered,
        "skipped": report.skipped,
        "failed": len(report.failed),
        "not_asked": report.not_asked,
        "repeated": report.repeated,
        "credits": report.cost.credits,
        "unknown": report.cost.unknown,
        "job_credits": report.job_cost.credits,
        "job_unknown": report.job_cost.unknown,
        "right": sum(answer is not None and f"Row {n}." in answer for n, answer in answers.items()),
    }


if __name__ == "__main__":
    ray.init(log_to_driver=False, logging_level="ERROR")
    try:
        print(json.dumps(run()))
    finally:
        ray.shutdown()
