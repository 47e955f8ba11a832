"""How a cost scope is read: as text, in a notebook, as JSON, call by call."""

from __future__ import annotations

import json
import time

import pytest

from aimlapi_core import StatusError, Totals, track_costs
from aimlapi_core.costs import ledger
from aimlapi_core.costs.totals import format_table
from aimlapi_emulator import Emulator, Fault
from tests.costs.conftest import settings
from tests.costs.ways import CHAT, complete, stream


def test_a_printed_scope_is_a_table(emu: Emulator) -> None:
    with track_costs(budget_usd=1) as costs:
        complete("sync", settings(emu))
        stream("sync", settings(emu), events=1)
    lines = str(costs).splitlines()
    assert lines[0].split() == ["model", "calls", "failed", "input", "output", "USD"]
    assert lines[1].startswith(CHAT)
    assert lines[2].startswith("total")
    assert f"{emu.ledger.entries[0].usage.credits / 2_000_000:.7f}" in lines[2]
    assert "Cost unknown, and not in the total: 1 (closed); settle() looks it up." in lines
    assert lines[-1].startswith("Budget: 1 USD")


def test_a_table_of_any_figures_fits_a_terminal() -> None:
    long = "anthropic/claude-sonnet-4-5-20250929-with-a-very-long-name-behind-it"
    many = Totals(
        calls=99_999, failed=999, input_tokens=10**10, output_tokens=10**9, credits=10**10
    )
    table = format_table({long: many, CHAT: Totals(calls=1, cached_tokens=7, retries=2)})
    *lines, details = table.splitlines()
    assert max(map(len, lines)) <= 79
    assert all(f"{10**10:,}" in lines[at] for at in (1, 3))
    assert lines[1].startswith("anth")
    assert details == "Among them: 2 retries, 7 cached input tokens."


def test_a_scope_is_shown_in_one_line_and_as_html(emu: Emulator) -> None:
    with track_costs(budget_usd=1) as costs:
        complete("sync", settings(emu))
        stream("sync", settings(emu), events=1)
    assert repr(costs) == f"Costs(calls=2, usd={costs.usd:f}, unknown=1, budget_usd=1)"
    page = costs._repr_html_()
    assert page.startswith("<table><tr><th>model</th>")
    assert f"<td>{CHAT}</td>" in page
    assert "<p>Cost unknown" in page
    costs._ledger.add("<script>", Totals(calls=1))
    assert "<script>" not in costs._repr_html_()


def test_a_scope_lists_its_calls_and_goes_to_json(emu: Emulator) -> None:
    began = time.time()
    with track_costs() as outer, track_costs() as costs:
        complete("sync", settings(emu))
        stream("sync", settings(emu), events=1)
        emu.faults.append(Fault(status=400))
        with pytest.raises(StatusError):
            complete("sync", settings(emu))
    known, unknown, failed = costs.calls
    assert outer.calls == costs.calls
    assert (known.credits, known.failed, known.requests) == (costs.credits, False, 1)
    assert began <= known.ended_at <= unknown.ended_at <= time.time()
    assert (unknown.credits, unknown.usd, unknown.failed) == (None, None, False)
    assert (failed.credits, failed.failed) == (0, True)
    found = json.loads(json.dumps(costs.to_dict()))
    assert found["total"]["usd"] == float(costs.usd) > 0
    assert found["by_model"][CHAT]["calls"] == 3
    assert [call["usd"] for call in found["calls"]] == [float(costs.usd), None, 0]
    assert found["calls"][0]["inference_id"] == emu.ledger.entries[0].inference_id
    assert found["unknown"] == 1
    costs.settle()
    assert costs.calls[1].credits == emu.ledger.entries[1].usage.credits
    assert sum(call.credits or 0 for call in costs.calls) == costs.credits


def test_the_newest_calls_are_listed(monkeypatch: pytest.MonkeyPatch, emu: Emulator) -> None:
    monkeypatch.setattr(ledger, "_KEPT_CALLS", 2)
    with track_costs() as costs:
        for _ in range(3):
            complete("sync", settings(emu))
    assert costs.total.calls == 3
    assert len(costs.calls) == 2
    assert costs.calls[-1].inference_id == emu.ledger.entries[-1].inference_id


def test_a_scope_offers_what_users_need_and_no_more() -> None:
    public = {name for name in dir(track_costs()) if not name.startswith("_")}
    assert public == {
        *("total", "by_model", "calls", "credits", "usd", "unknown", "estimated_credits"),
        *("estimated_usd", "in_flight", "budget_usd", "set_budget", "wrap", "to_dict"),
        *("settle", "asettle"),
    }
