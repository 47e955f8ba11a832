"""Spans and debug records: what they hold, what they never hold, what they do not import."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from aimlapi_core import (
    AIMLAPIError,
    ChatRequest,
    ConfigurationError,
    Message,
    Text,
    Tool,
    ToolCall,
    start_tracing,
    stop_tracing,
)
from aimlapi_emulator import Emulator, Fault
from tests.costs.conftest import settings
from tests.costs.ways import CHAT, EMBED, PRO, asking, complete, embed, stream, whole

KEY = "sk-test-0000"
SECRET = "the lake of the hidden valley"


class Spans:
    """What a provider of its own exports, in the order of the spans' ends."""

    def __init__(self) -> None:
        sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="the extra otel is not here")
        export = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
        simple = pytest.importorskip("opentelemetry.sdk.trace.export")
        self._exporter = export.InMemorySpanExporter()
        self.provider = sdk.TracerProvider()
        self.provider.add_span_processor(simple.SimpleSpanProcessor(self._exporter))

    @property
    def all(self) -> list[Any]:
        return list(self._exporter.get_finished_spans())

    @property
    def only(self) -> Any:
        (span,) = self.all
        return span


@pytest.fixture
def spans() -> Iterator[Spans]:
    found = Spans()
    start_tracing(found.provider)
    yield found
    stop_tracing()


@pytest.mark.parametrize("model", [CHAT, PRO])
@pytest.mark.parametrize("form", ["whole", "stream"])
def test_a_span_tells_model_usage_cost_and_ids(
    how: str, form: str, model: str, spans: Spans, emu: Emulator
) -> None:
    request = asking(SECRET, model=model, max_output_tokens=500)
    if form == "whole":
        reply = complete(how, settings(emu), request)
    else:
        reply = whole(stream(how, settings(emu), request))
    found = spans.only
    assert found.name == f"chat {model}"
    assert found.kind.name == "CLIENT"
    told = dict(found.attributes)
    first = told.pop("gen_ai.response.time_to_first_chunk", None)
    assert (first is not None) == (form == "stream")
    assert reply.usage is not None
    assert reply.cost is not None
    assert reply.transport is not None
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aimlapi",
        "gen_ai.request.model": model,
        "gen_ai.request.max_tokens": 500,
        "gen_ai.response.id": reply.id,
        "gen_ai.response.model": reply.model,
        "gen_ai.response.finish_reasons": (reply.choices[0].finish_reason,),
        "gen_ai.usage.input_tokens": reply.usage.input_tokens,
        "gen_ai.usage.output_tokens": reply.usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": reply.usage.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": reply.usage.reasoning_tokens,
        "server.address": emu.host,
        "server.port": emu.port,
        "aimlapi.endpoint": "responses" if model == PRO else "chat",
        "aimlapi.requests": 1,
        "aimlapi.client_request_id": reply.transport.client_request_id,
        "aimlapi.inference_id": reply.transport.inference_id,
        "aimlapi.request_id": reply.transport.request_id,
        "aimlapi.cost.credits": reply.cost.credits,
        "aimlapi.cost.usd": reply.cost.usd,
    }
    assert found.status.status_code.name == "UNSET"


def test_a_span_has_the_parameters_that_opentelemetry_names(spans: Spans, emu: Emulator) -> None:
    given = {"temperature": 0, "top_p": 0.5, "max_output_tokens": 500, "n": 2, "seed": 3}
    request = asking(model=CHAT, stop=("END", "STOP"), **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the model does not take is recorded, but not sent
        complete("sync", settings(emu), request)
    prefix = "gen_ai.request."
    found = dict(spans.only.attributes)
    assert {n.removeprefix(prefix): found[n] for n in found if n.startswith(prefix)} == {
        "model": request.model,
        "temperature": 0,
        "top_p": 0.5,
        "max_tokens": 500,
        "choice.count": 2,
        "seed": 3,
        "stop_sequences": ("END", "STOP"),
    }


def test_embeddings_have_a_span_for_each_request_under_the_same_parent(
    how: str, spans: Spans, emu: Emulator
) -> None:
    tracer = spans.provider.get_tracer("test")
    with tracer.start_as_current_span("run") as run:
        embed(how, settings(emu), "a", "b", "c", batch_size=1)
    made = [span for span in spans.all if span.name == f"embeddings {EMBED}"]
    assert len(made) == 3
    assert {span.parent.span_id for span in made} == {run.get_span_context().span_id}
    assert all(span.attributes["aimlapi.cost.credits"] > 0 for span in made)


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_the_parent_is_the_span_that_is_current(
    how: str, form: str, spans: Spans, emu: Emulator
) -> None:
    tracer = spans.provider.get_tracer("test")
    with tracer.start_as_current_span("run") as run:
        (complete if form == "whole" else stream)(how, settings(emu))
    made = spans.all[0]
    assert made.parent.span_id == run.get_span_context().span_id


def test_content_is_recorded_only_when_asked(spans: Spans, emu: Emulator) -> None:
    said = (
        Message("system", (Text("Be brief."),)),
        Message("user", (Text(SECRET),)),
        Message("assistant", (ToolCall("c1", "find", '{"a": 1}'),)),
        Message("tool", (Text("deep"),), tool_call_id="c1"),
    )
    request = ChatRequest(CHAT, said, tools=(Tool("find", {}),))
    complete("sync", settings(emu), request)
    assert SECRET not in json.dumps(dict(spans.only.attributes), default=str)
    start_tracing(spans.provider, record_content=True)
    reply = complete("sync", settings(emu), request)
    told = spans.all[1].attributes
    given = json.loads(told["gen_ai.input.messages"])
    assert given[1] == {"role": "user", "parts": [{"type": "text", "content": SECRET}]}
    assert given[2]["parts"] == [
        {"type": "tool_call", "id": "c1", "name": "find", "arguments": '{"a": 1}'}
    ]
    assert given[3]["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "deep"}]
    (answer,) = json.loads(told["gen_ai.output.messages"])
    assert answer["parts"][0]["content"] == reply.choices[0].text


def test_a_failed_call_fails_its_span_with_its_ids(how: str, spans: Spans, emu: Emulator) -> None:
    emu.faults += [Fault(status=503, message=f"no key {KEY} here")] * 2
    with pytest.raises(AIMLAPIError):
        complete(how, settings(emu, max_retries=0))
    found = spans.only
    assert found.status.status_code.name == "ERROR"
    assert found.attributes["error.type"] == "HTTP 503"
    assert found.attributes["aimlapi.client_request_id"]
    assert found.attributes["aimlapi.inference_id"] == emu.ledger.entries[0].inference_id
    assert found.attributes["aimlapi.request_id"] == emu.ledger.entries[0].request_id
    assert KEY not in found.to_json()


# Failures whose errors quote what was asked, or the beginning of what was answered.
_FRAME = f"data: {json.dumps({'choices': [{'delta': {'content': SECRET}}]})}\n\n"
QUOTING = {
    "refusal": Fault(status=400, message=f"Invalid message: {SECRET}"),
    "upstream": Fault(status=500, shape="legacy", message=f"400 {SECRET}"),
    "text instead of JSON": Fault(raw_body=SECRET.encode()),
    "HTML": Fault(raw_body=f"<html>{SECRET}</html>".encode()),
    "broken frame": Fault(raw_body=f'{_FRAME}data: {{"{SECRET}\n\n'.encode()),
    "error in a frame": Fault(
        raw_body=f"{_FRAME}data: {json.dumps({'error': {'message': SECRET}})}\n\n".encode()
    ),
    "cut": Fault(raw_body=_FRAME.encode()),
    "redirect": Fault(status=302, headers={"Location": f"https://a.b/{SECRET}".replace(" ", "-")}),
}


@pytest.mark.half("how", "fault", "form", "model")
@pytest.mark.parametrize("model", [CHAT, PRO])
@pytest.mark.parametrize("form", ["whole", "stream"])
@pytest.mark.parametrize("fault", QUOTING)
def test_a_failed_span_holds_no_prompt_and_no_answer_unless_asked(
    how: str, form: str, model: str, fault: str, spans: Spans, emu: Emulator
) -> None:
    def fail() -> str:
        emu.faults.append(QUOTING[fault])
        call = complete if form == "whole" else stream
        with pytest.raises(AIMLAPIError) as caught:
            call(how, settings(emu, max_retries=0), asking(SECRET, model=model))
        return str(caught.value)

    fail()
    assert SECRET not in spans.only.to_json()
    assert SECRET.replace(" ", "-") not in spans.only.to_json()
    assert spans.only.status.description.endswith(".")  # but what it means
    start_tracing(spans.provider, record_content=True)
    said = fail()
    assert spans.all[-1].status.description == said


def test_a_stream_that_is_left_ends_its_span(how: str, spans: Spans, emu: Emulator) -> None:
    stream(how, settings(emu), events=1)
    assert spans.only.status.status_code.name == "UNSET"
    assert spans.only.attributes["aimlapi.inference_id"]


def test_after_stopping_there_are_no_spans(spans: Spans, emu: Emulator) -> None:
    stop_tracing()
    complete("sync", settings(emu))
    assert spans.all == []


def python(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_without_being_asked_opentelemetry_is_not_imported() -> None:
    code = "import sys, aimlapi_core; print([m for m in sys.modules if 'opentelemetry' in m])"
    assert python(code) == "[]"


def test_where_opentelemetry_is_missing_the_error_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ConfigurationError, match=r"aimlapi-integrations\[otel\]"):
        start_tracing()


@pytest.mark.parametrize("form", ["whole", "stream"])
def test_a_debug_record_tells_durations_and_ids_and_no_secret(
    how: str, form: str, emu: Emulator, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="aimlapi")
    emu.faults.append(Fault(status=503))
    (complete if form == "whole" else stream)(how, settings(emu), asking(SECRET))
    retry, call = (record for record in caplog.records if record.name == "aimlapi")
    assert retry.aimlapi["event"] == "retry"  # type: ignore[attr-defined]  # put there by us
    refused = emu.ledger.entries[0].inference_id
    assert retry.aimlapi["inference_id"] == refused  # type: ignore[attr-defined]  # put there by us
    told = call.aimlapi  # type: ignore[attr-defined]  # put there by us
    assert told["requests"] == 2
    assert told["outcome"] == "ok"
    assert told["credits"] == emu.ledger.credits
    assert told["inference_id"] == emu.ledger.entries[-1].inference_id
    assert told["client_request_id"] == emu.ledger.entries[-1].client_request_id
    assert told["duration_s"] > 0
    if form == "stream":
        assert 0 < told["first_event_s"] <= told["duration_s"]
    whole_text = "".join(map(str, (r.getMessage() for r in caplog.records)))
    assert "duration_s=" in whole_text
    assert KEY not in whole_text + str(told)
    assert SECRET not in whole_text + str(told)


def test_an_unobserved_call_makes_no_observer(emu: Emulator) -> None:
    from aimlapi_core._io.call_observer import observe_call

    assert observe_call(settings(emu), asking(), "chat", CHAT, emu.base_url) is None


async def test_tasks_find_their_own_parents(spans: Spans, emu: Emulator) -> None:
    from aimlapi_core import AsyncClient

    tracer, client = spans.provider.get_tracer("test"), AsyncClient(settings(emu))

    async def piece(name: str) -> int:
        with tracer.start_as_current_span(name) as run:
            await client.complete(asking(name))
            return int(run.get_span_context().span_id)

    parents = await asyncio.gather(*(piece(name) for name in ("a", "b", "c")))
    made = [span for span in spans.all if span.name.startswith("chat ")]
    assert {span.parent.span_id for span in made} == set(parents)
    await client.aclose()
