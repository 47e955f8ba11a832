"""`aimlapi costs`: what the calls of an account cost, from the service's logs."""

from __future__ import annotations

import argparse
import json
import re

from aimlapi_cli.terminal import Terminal
from aimlapi_core import Client, InvalidRequestError, Settings, Totals
from aimlapi_core.costs.totals import format_table, sum_totals

_EXAMPLES = """examples:
  aimlapi costs
  aimlapi costs --period 7d --model openai/gpt-5-2

Read from the service's usage logs, which list a call only some time after its end.
"""
_PAGE = 100
_MAX_PAGES = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("--period", default="24h", help="such as 24h (the default) or 7d")
    parser.add_argument("--model", action="append", default=[], help="of this model alone")
    parser.add_argument("--json", action="store_true", help="the sums as a JSON object")
    parser.add_argument("--base-url", help="instead of AIMLAPI_BASE_URL")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the sums, by model."""
    if not re.fullmatch(r"[1-9]\d*[hd]", options.period):
        raise InvalidRequestError(
            f"--period {options.period}: give hours or days, such as 24h or 7d."
        )
    by_model: dict[str, Totals] = {}
    read = total = 0
    with Client(Settings(base_url=options.base_url)) as client:
        for _ in range(_MAX_PAGES):
            page = client.usage_logs(
                period=options.period, models=tuple(options.model), limit=_PAGE, offset=read
            )
            for call in page.calls:
                name = call.model or "unknown"
                by_model[name] = by_model.get(name, Totals()) + Totals(
                    calls=1,
                    failed=int(call.status == "failed"),
                    billed_calls=int(call.credits > 0),
                    input_tokens=call.input_tokens,
                    output_tokens=call.output_tokens,
                    credits=call.credits,
                )
            read, total = read + len(page.calls), page.total
            if not page.has_more or not page.calls:
                break
        balance = client.account().balance
    ordered = dict(sorted(by_model.items(), key=lambda item: -item[1].credits))
    if options.json:
        sums = {name: totals.to_dict() for name, totals in ordered.items()}
        whole = sum_totals(ordered.values()).to_dict()
        print(json.dumps({"total": whole, "by_model": sums, "balance_usd": float(balance)}))
    else:
        print(format_table(ordered))
        print(f"Balance: {balance:,.2f} USD")
    if read < total:
        terminal.note(f"The newest {read:,} of {total:,} calls; a shorter --period has them all.")
    return 0
