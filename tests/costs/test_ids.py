"""The ids that lead from an answer, or an error, to the bill."""

from __future__ import annotations

import re

import pytest

from aimlapi_core import (
    AIMLAPIError,
    BadRequestError,
    BudgetExceededError,
    ConnectionLostError,
    InvalidRequestError,
    StreamCutError,
    track_costs,
)
from aimlapi_emulator import Emulator, Fault
from tests.costs.conftest import settings
from tests.costs.ways import asking, complete, embed, stream, whole

VALID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def sent(emu: Emulator) -> list[str]:
    return [seen.headers["x-client-request-id"] for seen in emu.requests]


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_each_call_has_an_id_of_its_own_that_the_reply_tells(
    how: str, form: str, emu: Emulator
) -> None:
    for _ in range(2):
        reply = (
            complete(how, settings(emu)) if form == "whole" else whole(stream(how, settings(emu)))
        )
        assert reply.transport is not None
        assert reply.transport.client_request_id == sent(emu)[-1]
        assert emu.ledger.entries[-1].client_request_id == sent(emu)[-1]
        assert emu.ledger.entries[-1].inference_id == reply.transport.inference_id
        assert emu.ledger.entries[-1].request_id == reply.transport.request_id
    assert len(set(sent(emu))) == 2
    assert all(map(VALID.fullmatch, sent(emu)))


@pytest.mark.parametrize("given", ["customer-42", "a" * 128, "9f:1.x_Y-z"])
def test_the_callers_id_is_sent_and_each_retry_has_a_suffix(
    how: str, given: str, quick: None, emu: Emulator
) -> None:
    emu.faults += [Fault(status=503), Fault(status=503)]
    reply = complete(how, settings(emu), asking(client_request_id=given))
    first, second, third = sent(emu)
    assert first == given
    assert second.endswith(".r1")
    assert third.endswith(".r2")
    assert second[:-3] == third[:-3] == given[:125]
    assert all(map(VALID.fullmatch, sent(emu)))
    assert reply.transport is not None
    assert reply.transport.client_request_id == third


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_a_frameworks_run_id_is_sent_where_the_caller_gives_none(
    how: str, form: str, emu: Emulator
) -> None:
    make = complete if form == "whole" else stream
    make(how, settings(emu), asking(run_id="run-1"))
    make(how, settings(emu), asking(run_id="run-1", client_request_id="mine"))
    make(how, settings(emu), asking(run_id="run-1", extra_headers={"x-client-request-id": "own"}))
    make(how, settings(emu, default_headers={"X-Client-Request-Id": "set"}), asking(run_id="r"))
    make(how, settings(emu), asking(run_id="no valid id"))
    assert sent(emu)[:4] == ["run-1", "mine", "own", "set"]
    assert VALID.fullmatch(sent(emu)[4])


@pytest.mark.parametrize("spelled", ["X-Client-Request-Id", "x-client-request-id"])
def test_an_id_among_the_headers_is_the_callers_too(
    spelled: str, quick: None, emu: Emulator
) -> None:
    emu.faults.append(Fault(status=503))
    complete("sync", settings(emu, default_headers={spelled: "of-mine"}))
    complete("sync", settings(emu), asking(extra_headers={spelled: "of-this"}))
    assert sent(emu) == ["of-mine", "of-mine.r1", "of-this"]
    assert all(list(seen.headers).count("x-client-request-id") == 1 for seen in emu.requests)


@pytest.mark.parametrize("wrong", ["", "two words", "ä", "a" * 129, "semi;colon"])
def test_an_id_that_the_service_would_drop_is_refused(wrong: str, emu: Emulator) -> None:
    header = {"X-Client-Request-Id": wrong}
    with pytest.raises(AIMLAPIError):
        complete("sync", settings(emu, default_headers=header))
    if wrong:
        with pytest.raises(InvalidRequestError):
            complete("sync", settings(emu), asking(client_request_id=wrong))
    assert not emu.requests


def test_batches_of_an_embedding_have_ids_of_their_own(how: str, emu: Emulator) -> None:
    reply = embed(how, settings(emu), "a", "b", "c", batch_size=1, client_request_id="job-7")
    assert sorted(sent(emu)) == ["job-7", "job-7.b1", "job-7.b2"]
    told = [transport.client_request_id for transport in reply.transports]
    assert told == ["job-7", "job-7.b1", "job-7.b2"]


def test_the_id_is_told_though_the_service_does_not_echo_it(emu: Emulator) -> None:
    emu.faults.append(Fault(headers={"x-client-request-id": ""}))
    reply = complete("sync", settings(emu))
    assert reply.transport is not None
    assert reply.transport.client_request_id == sent(emu)[0]


FAILURES = {
    "refused": (Fault(status=400), BadRequestError),
    "cut": (Fault(cut_after_events=3), StreamCutError),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_an_error_tells_the_ids(how: str, kind: str, emu: Emulator) -> None:
    fault, error = FAILURES[kind]
    emu.faults.append(fault)
    with pytest.raises(error) as caught:
        stream(how, settings(emu))
    (entry,) = emu.ledger.entries
    assert caught.value.client_request_id == entry.client_request_id == sent(emu)[0]
    assert caught.value.inference_id == entry.inference_id
    assert caught.value.request_id == entry.request_id


def test_an_error_without_an_answer_tells_what_was_sent(how: str, emu: Emulator) -> None:
    emu.faults.append(Fault(drop="after_read"))
    with pytest.raises(ConnectionLostError) as caught:
        complete(how, settings(emu))
    assert caught.value.client_request_id == sent(emu)[0]
    assert caught.value.inference_id is None


def test_a_repetition_without_an_answer_tells_no_id_of_the_request_before(
    how: str, quick: None, emu: Emulator
) -> None:
    emu.faults += [Fault(status=503), Fault(drop="after_read")]
    with track_costs() as costs, pytest.raises(ConnectionLostError) as caught:
        complete(how, settings(emu))
    assert caught.value.client_request_id == sent(emu)[1]
    assert (caught.value.inference_id, caught.value.request_id) == (None, None)
    assert costs.unknown[0].inference_id is None


def test_an_error_before_anything_was_sent_tells_none(emu: Emulator) -> None:
    with track_costs(budget_usd=0), pytest.raises(BudgetExceededError) as caught:
        complete("sync", settings(emu))
    assert caught.value.client_request_id is None
