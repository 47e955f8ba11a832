"""`AIMLAPIEmbeddings` over sockets: requests, order, errors, usage. Sync and async alike."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.embeddings import embeddings as interface
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelRateLimitError,
)
from langchain_core.vectorstores import InMemoryVectorStore

import aimlapi_core
import langchain_aimlapi
from aimlapi_core import EmbeddingReply, UnsupportedParameterWarning
from aimlapi_core._values import warn_once
from aimlapi_emulator import Emulator, Fault
from langchain_aimlapi import AIMLAPIEmbeddings
from tests.langchain.calls import bodies, embedded
from tests.vectors import vector

Make = Callable[..., AIMLAPIEmbeddings]
THOUSAND = [f"text number {number}" for number in range(1000)]
NOW = {"Retry-After": "0"}


def right(texts: list[str], size: int = 1536) -> list[list[float]]:
    return [vector(text, size) for text in texts]


def inputs(emu: Emulator) -> list[Any]:
    return [body["input"] for body in bodies(emu.requests)]


@pytest.mark.parametrize(
    ("given", "requests"),
    [
        ({"dimensions": 16}, 1),
        ({"dimensions": 16, "batch_size": 100}, 10),
        ({"dimensions": 16, "chunk_size": 300}, 4),
        ({"dimensions": 16, "batch_size": 5000}, 1),
        ({"model": "openai/text-embedding-3-large", "dimensions": 16}, 1),
        ({"model": "alibaba/qwen-text-embedding-v4", "dimensions": 64}, 100),
        ({"model": "voyage-2"}, 1),
    ],
)
def test_a_thousand_texts_take_as_few_requests_as_can_be(
    how: str, given: dict[str, Any], requests: int, emu: Emulator, embeddings: Make
) -> None:
    found = embedded(how, embeddings(**given), THOUSAND)
    assert found == right(THOUSAND, given.get("dimensions", 1024))
    assert len(emu.requests) == requests
    assert [seen.problems for seen in emu.requests if seen.problems] == []


def test_long_texts_are_batched_by_size(how: str, emu: Emulator, embeddings: Make) -> None:
    texts = [f"{number} " + "word " * 600 for number in range(400)]
    assert embedded(how, embeddings(dimensions=16), texts) == right(texts, 16)
    # 3,000 bytes each, 600,000 bytes in a request.
    assert len(emu.requests) == 3
    assert all(len("".join(texts)) <= 600_000 for texts in inputs(emu))


@pytest.mark.parametrize("fault", [Fault(status=500, headers=NOW), Fault(status=429, headers=NOW)])
def test_only_the_failed_batch_is_sent_again(
    how: str, fault: Fault, emu: Emulator, embeddings: Make
) -> None:
    emu.faults.extend([None, None, None, None, fault])
    model = embeddings(dimensions=16, batch_size=100, max_retries=2)
    assert embedded(how, model, THOUSAND) == right(THOUSAND, 16)
    failed = [seen.body["input"] for seen in emu.requests if seen.status != 200]
    assert len(failed) == 1
    batches = [THOUSAND[start : start + 100] for start in range(0, 1000, 100)]
    assert sorted(inputs(emu)) == sorted([*batches, *failed])


def test_rows_in_another_order_are_put_right(how: str, emu: Emulator, embeddings: Make) -> None:
    emu.faults.append(Fault(shuffle_data=True))
    assert embedded(how, embeddings(), THOUSAND[:9]) == right(THOUSAND[:9])


def test_a_missing_row_is_an_error(how: str, emu: Emulator, embeddings: Make) -> None:
    emu.faults.append(Fault(drop_row=True))
    with pytest.raises(langchain_aimlapi.UnexpectedReplyError):
        embedded(how, embeddings(), THOUSAND[:9])


def test_texts_go_as_they_are(how: str, emu: Emulator, embeddings: Make) -> None:
    embedded(how, embeddings(), ["two\nlines", " héllo\t你好 🙂 "])
    embedded(how, embeddings(), "a query\n")
    assert inputs(emu) == [["two\nlines", " héllo\t你好 🙂 "], "a query\n"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["a", "b", ""], "Text 2 is empty"),
        ("", "Text 0 is empty"),
        (["a", None], "Text 1 is NoneType"),
    ],
)
def test_an_empty_text_is_named(
    how: str, texts: Any, said: str, emu: Emulator, embeddings: Make
) -> None:
    with pytest.raises(langchain_aimlapi.InvalidRequestError, match=said) as caught:
        embedded(how, embeddings(), texts)
    assert isinstance(caught.value, ModelInvalidRequestError)
    assert emu.requests == []


@pytest.mark.parametrize("blank", [" ", " \n", "\u00a0"])
def test_a_blank_text_is_embedded(how: str, blank: str, emu: Emulator, embeddings: Make) -> None:
    """The API's documents refuse empty texts only."""
    assert len(embedded(how, embeddings(), ["a", blank])) == 2
    embedded(how, embeddings(), blank)
    assert inputs(emu) == [["a", blank], blank]


@pytest.mark.parametrize("texts", [["a", "", " ", "\u00a0\n", "b"], ["", "a", "b"], ["", " "]])
def test_skipping_leaves_out_what_is_empty_or_blank(
    how: str, texts: list[str], emu: Emulator, embeddings: Make
) -> None:
    kept = [text for text in texts if text.strip()]
    vectors = embedded(how, embeddings(skip_empty=True, batch_size=1), texts)
    assert sorted(inputs(emu)) == kept
    assert vectors == (embedded(how, embeddings(), kept) if kept else [])


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(
    ("wrong", "said"), [(5, "Text 3 is int"), (None, "Text 3 is NoneType"), ("", "Text 3 is empty")]
)
def test_places_are_those_of_the_callers_list(
    how: str, skip: bool, wrong: Any, said: str, emu: Emulator, embeddings: Make
) -> None:
    texts = ["a", " ", "b", wrong]
    if skip and wrong == "":
        assert len(embedded(how, embeddings(skip_empty=True), texts)) == 2
        return
    with pytest.raises(langchain_aimlapi.InvalidRequestError, match=said):
        embedded(how, embeddings(skip_empty=skip, batch_size=1), texts)
    assert emu.requests == []


def test_generators_and_views_of_texts(how: str, emu: Emulator, embeddings: Make) -> None:
    for texts in ((t for t in "ab"), {"a": 1, "b": 2}.keys(), {1: "a", 2: "b"}.values()):
        embedded(how, embeddings(), texts)
        assert inputs(emu)[-1] == ["a", "b"]


@pytest.mark.filterwarnings("ignore::aimlapi_core.ReplacedCharacterWarning")
def test_half_a_character_of_a_document_is_replaced(
    how: str, emu: Emulator, embeddings: Make
) -> None:
    embedded(how, embeddings(), ["Let \ud835 be a set", "b"])
    assert inputs(emu) == [["Let \ufffd be a set", "b"]]


def test_one_text_is_no_list(embeddings: Make) -> None:
    text: Any = "letters"
    with pytest.raises(langchain_aimlapi.InvalidRequestError, match="embed_query"):
        embeddings().embed_documents(text)
    with pytest.raises(langchain_aimlapi.InvalidRequestError, match="embed_query"):
        asyncio.run(embeddings().aembed_documents(text))


def test_no_texts_need_no_request(how: str, emu: Emulator, embeddings: Make) -> None:
    told: list[EmbeddingReply] = []
    assert embedded(how, embeddings(api_key=None, on_usage=told.append), []) == []
    assert emu.requests == []
    assert told == []


def test_arguments_reach_the_wire(how: str, emu: Emulator, embeddings: Make) -> None:
    model = embeddings(
        model="text-embedding-3-large",
        dimensions=256,
        extra_body={"encoding_format": "float"},
        default_headers={"X-Mine": "1"},
    )
    assert embedded(how, model, "hi") == right(["hi"], 256)[0]
    assert emu.requests[-1].headers["x-mine"] == "1"
    assert emu.requests[-1].headers["user-agent"].startswith("langchain-aimlapi/")
    assert emu.requests[-1].body == {
        "model": "text-embedding-3-large",
        "input": "hi",
        "dimensions": 256,
        "encoding_format": "float",
    }


def test_the_input_type_is_that_of_documents(how: str, emu: Emulator, embeddings: Make) -> None:
    model = embeddings(model="voyage-2", input_type="document")
    embedded(how, model, ["hi"])
    embedded(how, model, "hi")
    document, query = bodies(emu.requests)
    assert document == {**query, "input_type": "document"}


def test_unsupported_parameters_are_told(
    emu: Emulator, embeddings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warn_once, "_warned", {})
    given: dict[str, Any] = {"model": "text-embedding-ada-002", "dimensions": 8}
    with pytest.warns(UnsupportedParameterWarning, match="'dimensions' was left out"):
        embeddings(**given).embed_query("hi")
    assert "dimensions" not in emu.requests[-1].body
    with pytest.raises(langchain_aimlapi.UnsupportedParameterError):
        embeddings(**given, unsupported_params="raise").embed_query("hi")
    with pytest.raises(langchain_aimlapi.BadRequestError):
        embeddings(**given, unsupported_params="send").embed_query("hi")
    assert emu.requests[-1].body["dimensions"] == 8


@pytest.mark.parametrize(
    ("fault", "kind", "family"),
    [
        (Fault(status=401), aimlapi_core.AuthenticationError, ModelAuthenticationError),
        (Fault(status=429), aimlapi_core.RateLimitError, ModelRateLimitError),
        (Fault(status=500), aimlapi_core.ServerError, ModelAPIError),
        (Fault(drop="after_read"), aimlapi_core.ConnectionLostError, ModelConnectionError),
        (Fault(raw_body=b"{}"), aimlapi_core.UnexpectedReplyError, ModelAPIError),
        (Fault(empty=True), aimlapi_core.UnexpectedReplyError, ModelAPIError),
    ],
)
def test_errors_are_langchains_too(
    how: str, fault: Fault, kind: Any, family: Any, emu: Emulator, embeddings: Make
) -> None:
    emu.faults.append(fault)
    with pytest.raises(family) as caught:
        embedded(how, embeddings(), ["hi"])
    assert isinstance(caught.value, kind)
    assert type(caught.value) is getattr(langchain_aimlapi, kind.__name__)


def test_an_unknown_model_is_not_found(how: str, embeddings: Make) -> None:
    with pytest.raises(ModelNotFoundError):
        embedded(how, embeddings(model="text-embedding-9"), "hi")


def test_usage_and_cost_of_all_requests_are_told(how: str, embeddings: Make) -> None:
    told: list[EmbeddingReply] = []
    embedded(how, embeddings(dimensions=8, on_usage=told.append), ["four words in it"] * 10)
    embedded(
        how, embeddings(dimensions=8, batch_size=3, on_usage=told.append), ["four words in it"] * 10
    )
    embedded(how, embeddings(on_usage=told.append), "four words in it")
    assert [reply.usage and reply.usage.input_tokens for reply in told] == [40, 40, 4]
    assert [len(reply.transports) for reply in told] == [1, 4, 1]
    assert all(reply.cost and reply.cost.usd and reply.cost.credits for reply in told)


def test_usage_is_told_from_inside_a_vector_store(embeddings: Make) -> None:
    told: list[EmbeddingReply] = []
    store = InMemoryVectorStore.from_texts(["one", "two"], embeddings(on_usage=told.append))
    store.similarity_search("one")
    assert [len(reply.vectors) for reply in told] == [2, 1]


@pytest.mark.parametrize("most", [1, 3])
def test_concurrency_is_bounded(how: str, most: int) -> None:
    with Emulator() as emu:
        emu.faults += [Fault(delay_head_s=0.5)] * most  # all of them come while the first waits
        emu.faults += [Fault(delay_head_s=0.05)] * (9 - most)
        with AIMLAPIEmbeddings(
            api_key="sk-test", base_url=emu.base_url, batch_size=1, concurrent_batches=most
        ) as model:
            embedded(how, model, THOUSAND[:9])
        assert emu.peak_connections == most


def test_async_calls_need_no_thread(embeddings: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> Any:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr(interface, "run_in_executor", refused)
    model = embeddings(dimensions=8, batch_size=1)
    for _ in range(2):  # two event loops
        assert embedded("async", model, ["a", "b"]) == right(["a", "b"], 8)
        assert embedded("async", model, "a") == right(["a"], 8)[0]


def test_the_progress_bar_counts_texts(
    how: str, embeddings: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    model = embeddings(dimensions=8, batch_size=100, show_progress_bar=True)
    embedded(how, model, "a query shows none")
    assert capsys.readouterr().err == ""
    embedded(how, model, THOUSAND)
    assert "1000/1000" in capsys.readouterr().err


def test_a_progress_bar_without_tqdm_is_an_error(
    how: str, emu: Emulator, embeddings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(langchain_aimlapi.ConfigurationError, match="pip install tqdm"):
        embedded(how, embeddings(show_progress_bar=True), ["hi"])
    assert emu.requests == []
