"""One-line breaks of the answers for a Ray data set, one a promise."""

from __future__ import annotations

from tests.mutations.breaks import Break

CHECKS, JOURNAL = "tests/ray/test_checks.py", "tests/ray/test_journal.py"
KEEPER, REPORT = "tests/ray/test_keeper.py", "tests/ray/test_report.py"
WORKER = "tests/ray/test_worker.py"

BREAKS = (
    Break(
        "a row that was answered is not asked again",
        "aimlapi_ray/journal.py",
        "        turn = self._turn(row_id) or self._poisonous(row_id)\n",
        "        turn = self._poisonous(row_id)\n",
        JOURNAL,
    ),
    Break(
        "a row begun again is told as repeated",
        "aimlapi_ray/journal.py",
        "(row_id, self.run, is_repeated),",
        "(row_id, self.run, False),",
        JOURNAL,
    ),
    Break(
        "the first answer of a row stays",
        "aimlapi_ray/journal.py",
        'f"UPDATE rows SET {names} WHERE id = ? AND answer IS NULL"',
        'f"UPDATE rows SET {names} WHERE id = ?"',
        JOURNAL,
    ),
    Break(
        "a row whose worker always dies is not asked without end",
        "aimlapi_ray/journal.py",
        "if self._one(_LOST, row_id, self.run) < LOST_LIMIT:",
        "if self._one(_LOST, row_id, self.run) < 10 * LOST_LIMIT:",
        JOURNAL,
    ),
    Break(
        "the cost of a row whose worker died is unknown",
        "aimlapi_ray/journal.py",
        """lost: str = "'lost', 'open'") -> Spend:""",
        """lost: str = "'none'") -> Spend:""",
        JOURNAL,
    ),
    Break(
        "a journal of another job is left alone",
        "aimlapi_ray/journal.py",
        'for name, wanted in (("job", job), ("model", model)):',
        'for name, wanted in (("model", model),):',
        JOURNAL,
    ),
    Break(
        "a journal's file alone can be copied after it was opened",
        "aimlapi_ray/journal.py",
        '                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")\n',
        "",
        JOURNAL,
    ),
    Break(
        "what failed is in no sum that a budget is held against",
        "aimlapi_ray/journal.py",
        "            self.tally = before\n",
        "            pass\n",
        JOURNAL,
    ),
    Break(
        "a row that fails twice is one failed row",
        "aimlapi_ray/journal.py",
        "Tally(failed=(after.error is not None) - (before.error is not None))",
        "Tally(failed=int(after.error is not None))",
        JOURNAL,
    ),
    Break(
        "an id that cannot be stored is refused in clear words",
        "aimlapi_ray/checks.py",
        "isinstance(row_id, int) and not -_INTEGERS <= row_id < _INTEGERS",
        "False",
        JOURNAL,
    ),
    Break(
        "a column of the data set is not written over",
        "aimlapi_ray/checks.py",
        'for taken in ("answer", "error"):',
        'for taken in ("answer",):',
        CHECKS,
    ),
    Break(
        "a row that cannot be written costs no other its answer",
        "aimlapi_ray/keeper.py",
        "        except Exception as exc:\n            return exc\n",
        "        except ZeroDivisionError as exc:\n            return exc\n",
        KEEPER,
    ),
    Break(
        "calls under way are held back from a cluster's budget",
        "aimlapi_ray/keeper.py",
        "(spent + expected < self._ceiling and",
        "(spent < self._ceiling and",
        KEEPER,
    ),
    Break(
        "a cluster's budget that cannot be watched ends the run",
        "aimlapi_ray/keeper.py",
        "self._ceiling and not tally.unwatched):",
        "self._ceiling):",
        KEEPER,
    ),
    Break(
        "a worker that dies leaves a budget unwatched while no cost is known",
        "aimlapi_ray/journal.py",
        "        self.tally += Tally(unknown=runs.count(self.run))\n",
        "",
        KEEPER,
    ),
    Break(
        "rows whose worker always died count in max_failed",
        "aimlapi_ray/keeper.py",
        "        self._ending = self._too_many(turn.error)\n",
        "",
        KEEPER,
    ),
    Break(
        "a journal that another run took meanwhile is left to it",
        "aimlapi_ray/keeper.py",
        "        if run not in (None, self._journal.run):\n",
        "        if False:\n",
        KEEPER,
    ),
    Break(
        "the keeper's own error is told as it is",
        "aimlapi_ray/keeper.py",
        "    if isinstance(cause, Exception):\n        return cause\n",
        "",
        KEEPER,
    ),
    Break(
        "no more rows are asked at once than concurrency allows",
        "aimlapi_ray/worker.py",
        "asyncio.Semaphore(concurrency)",
        "asyncio.Semaphore(concurrency + 1)",
        WORKER,
    ),
    Break(
        "a lone surrogate in an answer loses no row",
        "aimlapi_ray/checks.py",
        '    return text.encode("utf-8", "replace").decode()\n',
        "    return text\n",
        WORKER,
    ),
    Break(
        "SystemExit in a task of an ask does not hang its worker",
        "aimlapi_ray/worker.py",
        "            continue\n",
        "            return None\n",
        WORKER,
    ),
    Break(
        "a cancelled task in an ask fails its row alone",
        "aimlapi_ray/worker.py",
        "isinstance(exc, asyncio.CancelledError) and _is_cancelled()",
        "isinstance(exc, asyncio.CancelledError)",
        WORKER,
    ),
    Break(
        "a worker that is cancelled calls its rows not failed",
        "aimlapi_ray/worker.py",
        "    return task is not None and task.cancelling() > 0\n",
        "    return False\n",
        WORKER,
    ),
    Break(
        "an error that all rows meet ends the run out of a group too",
        "aimlapi_ray/worker.py",
        "    if isinstance(failed, BaseExceptionGroup):\n",
        "    if False:\n",
        WORKER,
    ),
    Break(
        "a budget inside an ask is that row's own",
        "aimlapi_ray/worker.py",
        "    AuthenticationError,\n    ConfigurationError,\n    InsufficientFundsError,\n"
        "    NoTextError,\n",
        "    AuthenticationError,\n    ConfigurationError,\n    InsufficientFundsError,\n"
        '    __import__("aimlapi_core").BudgetExceededError,\n    NoTextError,\n',
        WORKER,
    ),
    Break(
        "an ask that gives no text ends the run before more is paid for",
        "aimlapi_ray/worker.py",
        "    InsufficientFundsError,\n    NoTextError,\n",
        "    InsufficientFundsError,\n",
        WORKER,
    ),
    Break(
        "a dropped worker closes its model",
        "aimlapi_ray/worker.py",
        "            await close()\n",
        "            pass\n",
        WORKER,
    ),
    Break(
        "an ended run's error carries its report",
        "aimlapi_ray/report.py",
        "        return type(self), (*self.args, self.report)\n",
        "        return type(self), self.args\n",
        REPORT,
    ),
    Break(
        "the Ray example names the extras that it needs",
        "examples/batch_ray.py",
        "except ImportError as error:\n",
        "except KeyError as error:\n",
        REPORT,
    ),
)
