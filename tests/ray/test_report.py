"""A report's sums and its text, and the package without Ray."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import aimlapi_ray
from aimlapi_core import Totals
from aimlapi_ray import Progress, Report, RunEndedError, Spend

ROOT = Path(__file__).parents[2]
COST = Spend({"a": Totals(calls=2, credits=2_000), "b": Totals(calls=1, credits=1)}, unknown=4)
REPORT = Report(
    job="lakes",
    rows=1_000,
    answered=600,
    skipped=300,
    failed={"x": "ValueError: no"},
    repeated=4,
    cost=COST,
    job_cost=Spend({"a": Totals(calls=9, credits=20_000)}, unknown=5),
)


def test_every_row_is_counted_once() -> None:
    assert REPORT.not_asked == 99
    assert REPORT.calls == 3


def test_a_report_reads_as_text() -> None:
    first, *lines = str(REPORT).splitlines()
    assert first == ("lakes: 1,000 rows: 600 answered, 300 answered before, 1 failed, 99 not asked")
    assert "Asked again, as a worker or driver was lost: 4 rows" in lines
    assert "Failed: 'x': ValueError: no" in lines
    assert "Cost unknown, and not in the total: 4 calls" in lines
    assert lines[-1] == "All runs of this job: 0.01 USD and 5 unknown"
    assert "0.0010005" in str(REPORT)


def test_progress_reads_as_text() -> None:
    progress = Progress(1_000, 200, 3, COST)
    assert str(progress) == "200 of 1,000 rows answered, 3 failed, 0.0010005 USD and 4 unknown"


def test_the_error_of_an_ended_run_carries_its_report() -> None:
    error = pickle.loads(pickle.dumps(RunEndedError("no funds", REPORT)))
    assert (str(error), error.report) == ("no funds", REPORT)


def test_sums_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(COST)) == COST


def test_without_ray_the_extra_is_named() -> None:
    program = (
        "import sys; sys.modules['ray'] = None\n"
        "import aimlapi_ray; aimlapi_ray.DatasetError\n"
        "from aimlapi_ray import answer_rows"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stderr.splitlines()[-1].startswith("ImportError")
    assert "pip install 'aimlapi-integrations[ray]'" in run.stderr


def test_the_example_without_ray_names_the_extras_in_one_line() -> None:
    program = (
        "import runpy, sys; sys.modules['ray'] = None\n"
        "runpy.run_path('examples/batch_ray.py', run_name='__main__')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert (run.returncode, run.stdout) == (1, "")
    (line,) = run.stderr.splitlines()
    assert line.endswith("pip install '.[ray,langchain,emulator]'")


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="answer_row"):
        _ = aimlapi_ray.answer_row
