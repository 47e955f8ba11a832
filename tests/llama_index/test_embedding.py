"""One call of the embedding class: what is sent, what comes back, what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from llama_index.core import Settings
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.schema import TextNode

from aimlapi_core import (
    EMBEDDINGS,
    AIMLAPIError,
    AuthenticationError,
    ConfigurationError,
    InvalidRequestError,
    MissingKeyError,
    UnexpectedReplyError,
    UnsupportedParameterError,
    UnsupportedParameterWarning,
)
from aimlapi_emulator import Emulator, Fault
from llama_index_aimlapi import AIMLAPIEmbedding, TotalUsage
from tests.vectors import vector

Make = Callable[..., AIMLAPIEmbedding]
QUERY = ("get_query_embedding", "aget_query_embedding")
TEXT = ("get_text_embedding", "aget_text_embedding")
BATCH = ("get_text_embedding_batch", "aget_text_embedding_batch")
ONE = pytest.mark.parametrize("way", [*QUERY, *TEXT])
MANY = pytest.mark.parametrize("way", BATCH)
ALL = pytest.mark.parametrize("way", [*QUERY, *TEXT, *BATCH])


async def embed(model: AIMLAPIEmbedding, way: str, text: Any, **kwargs: Any) -> Any:
    """What `model.<way>` gives; a batch of the one text where it takes many."""
    texts = [text] if way in BATCH and isinstance(text, str) else text
    made = getattr(model, way)(texts, **kwargs)
    return await made if way.startswith("a") else made


@ONE
async def test_one_text_goes_as_it_is(embedder: Make, emu: Emulator, way: str) -> None:
    text = "First line.\nSecond line.\n\n\tThird: 你好 "
    assert await embed(embedder(), way, text) == pytest.approx(vector(text, 1536), abs=1e-7)
    body = emu.requests[-1].body
    assert body["input"] == text
    assert (body["model"], emu.requests[-1].problems) == ("text-embedding-3-small", ())
    assert set(body) == {"model", "input", "encoding_format"}
    assert len(emu.requests) == 1


@MANY
async def test_newlines_stay_in_batches(embedder: Make, emu: Emulator, way: str) -> None:
    texts = ["a\nb", "c\r\nd"]
    await embed(embedder(), way, texts)
    assert emu.requests[-1].body["input"] == texts


@pytest.mark.parametrize("model", EMBEDDINGS)
@ALL
async def test_every_model_of_the_table(
    embedder: Make, emu: Emulator, way: str, model: str
) -> None:
    made = await embed(embedder(model=model), way, "Hello")
    found = made[0] if way in BATCH else made
    assert len(found) == EMBEDDINGS[model].dimensions
    assert (emu.requests[-1].body["model"], emu.requests[-1].problems) == (model, ())


@ALL
async def test_dimensions_and_extra_body_are_sent(embedder: Make, emu: Emulator, way: str) -> None:
    emu.enqueue_response(
        {"data": [{"index": 0, "embedding": [0.5]}]}
    )  # unknown members are refused
    model = embedder(model="text-embedding-3-large", dimensions=1, extra_body={"user": "u1"})
    await embed(model, way, "Hello")
    assert (emu.requests[-1].body["dimensions"], emu.requests[-1].body["user"]) == (1, "u1")


@ALL
async def test_input_type_goes_with_texts_alone(embedder: Make, emu: Emulator, way: str) -> None:
    await embed(embedder(model="voyage-2", input_type="document"), way, "Hello")
    expected = None if way in QUERY else "document"
    assert emu.requests[-1].body.get("input_type") == expected
    assert emu.requests[-1].problems == ()


def test_a_parameter_that_the_model_does_not_take(embedder: Make, emu: Emulator) -> None:
    with pytest.raises(UnsupportedParameterError, match="dimensions"):
        embedder(
            model="text-embedding-ada-002", dimensions=3, unsupported_params="raise"
        ).get_query_embedding("a")
    assert emu.requests == []
    with pytest.warns(UnsupportedParameterWarning, match="input_type"):
        embedder(model="alibaba/qwen-text-embedding-v3", input_type="q").get_text_embedding("a")
    assert "input_type" not in emu.requests[-1].body


@ALL
async def test_an_empty_text_is_refused_unsent(embedder: Make, emu: Emulator, way: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"(The text|Text 0) is empty"):
        await embed(embedder(), way, "")
    assert emu.requests == []


@ALL
@pytest.mark.filterwarnings("ignore::aimlapi_core.ReplacedCharacterWarning")
@pytest.mark.parametrize(("text", "sent"), [("  \n ", "  \n "), ("a \ud835 b", "a \ufffd b")])
async def test_a_blank_text_is_embedded_and_half_a_character_replaced(
    embedder: Make, emu: Emulator, way: str, text: str, sent: str
) -> None:
    """The API's documents refuse empty texts only."""
    await embed(embedder(), way, text)
    assert emu.requests[0].body["input"] in (sent, [sent])


async def test_a_blank_page_ends_no_import(embedder: Make) -> None:
    nodes = [TextNode(text="a"), TextNode(text=" "), TextNode(text="half \ud835")]
    assert all(node.embedding for node in await embedder().acall(nodes))


async def test_an_empty_node_is_named_with_its_file(embedder: Make, emu: Emulator) -> None:
    nodes = [TextNode(text="a"), TextNode(text="", id_="n7", metadata={"file_name": "b.txt"})]
    nodes[1].excluded_embed_metadata_keys = ["file_name"]
    with pytest.raises(InvalidRequestError, match=r"'n7' of file 'b\.txt'"):
        embedder()(nodes)
    with pytest.raises(InvalidRequestError, match=r"'n7' of file 'b\.txt'"):
        await embedder().acall(nodes)
    assert emu.requests == []


@MANY
async def test_an_empty_text_is_named_by_its_place_among_all(
    embedder: Make, emu: Emulator, way: str
) -> None:
    with pytest.raises(InvalidRequestError, match="Text 7 is empty"):
        await embed(embedder(embed_batch_size=2), way, [*"abcdefg", "", "h"])
    assert emu.requests == []


@MANY
async def test_no_texts_need_no_request(embedder: Make, emu: Emulator, way: str) -> None:
    assert await embed(embedder(), way, []) == []
    assert emu.requests == []


def test_one_text_is_no_list(embedder: Make, emu: Emulator) -> None:
    with pytest.raises(InvalidRequestError, match="into a list"):
        embedder().get_text_embedding_batch("abc")  # type: ignore[arg-type]  # the mistake
    assert emu.requests == []


@MANY
async def test_rows_in_another_order_come_back_in_the_texts_order(
    embedder: Make, emu: Emulator, way: str
) -> None:
    texts = [f"text number {i}" for i in range(9)]
    emu.faults.append(Fault(shuffle_data=True))
    found = await embed(embedder(dimensions=32), way, texts)
    assert found == [pytest.approx(vector(text, 32), abs=1e-6) for text in texts]


@MANY
async def test_a_missing_row_is_an_error(embedder: Make, emu: Emulator, way: str) -> None:
    emu.faults.append(Fault(drop_row=True))
    with pytest.raises(UnexpectedReplyError):
        await embed(embedder(), way, ["a", "b", "c"])


@ALL
async def test_a_missing_key_is_named_before_anything_is_sent(
    embedder: Make, emu: Emulator, way: str
) -> None:
    with pytest.raises(MissingKeyError, match="AIMLAPI_API_KEY"):
        await embed(embedder(api_key=None), way, "Hello")
    assert emu.requests == []


@ALL
async def test_a_wrong_key_is_the_cores_error(embedder: Make, way: str) -> None:
    with pytest.raises(AuthenticationError):
        await embed(embedder(api_key="sk-invalid"), way, "Hello")


def test_both_names_of_an_argument() -> None:
    both = AIMLAPIEmbedding(model="voyage-2"), AIMLAPIEmbedding(model_name="voyage-2")
    assert [(one.model, one.model_name) for one in both] == [("voyage-2", "voyage-2")] * 2
    assert AIMLAPIEmbedding("voyage-2", model_name="voyage-2").model == "voyage-2"
    assert AIMLAPIEmbedding().model == "text-embedding-3-small"
    assert AIMLAPIEmbedding(api_base="http://localhost/v1").base_url == "http://localhost/v1"
    assert AIMLAPIEmbedding(base_url="http://localhost/v1").api_base == "http://localhost/v1"
    with pytest.raises(ConfigurationError, match="model and model_name"):
        AIMLAPIEmbedding("voyage-2", model_name="voyage-law-2")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("dimension", "dimensions"), ("modl", "model"), ("api_keys", "api_key")],
)
def test_a_misspelt_argument_is_told_the_right_one(wrong: str, right: str) -> None:
    with pytest.raises(ConfigurationError, match=f"AIMLAPIEmbedding has no .*{wrong}.*{right}"):
        AIMLAPIEmbedding(**{wrong: "x"})  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize("wrong", [{"embed_batch_size": 0}, {"concurrent_batches": 0}])
def test_numbers_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        AIMLAPIEmbedding(**wrong)


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("text-embedding-3-small", 2048),
        ("alibaba/qwen-text-embedding-v4", 10),
        ("voyage/voyage-2", 1000),
        ("some/unknown", 2048),
    ],
)
def test_the_batch_size_is_the_models(model: str, size: int) -> None:
    assert AIMLAPIEmbedding(model).embed_batch_size == size
    assert AIMLAPIEmbedding(model, embed_batch_size=7).embed_batch_size == 7


def test_headers_timeouts_and_retries_reach_the_core(embedder: Make, emu: Emulator) -> None:
    model = embedder(default_headers={"x-team": "a"}, max_retries=1, timeout=httpx.Timeout(30))
    emu.faults.append(Fault(status=429, headers={"Retry-After": "0"}))
    model.get_text_embedding("Hello")
    assert len(emu.requests) == 2
    assert emu.requests[-1].headers["x-team"] == "a"
    assert emu.requests[-1].headers["user-agent"].startswith("llama-index-aimlapi/")


def test_clients_that_are_handed_in_are_used(embedder: Make) -> None:
    asked: list[str] = []

    def note(request: httpx.Request) -> None:
        asked.append(request.url.path)

    async def anote(request: httpx.Request) -> None:
        note(request)

    async def both() -> None:
        async with httpx.AsyncClient(event_hooks={"request": [anote]}) as ahttp:
            with httpx.Client(event_hooks={"request": [note]}) as http:
                model = embedder(http_client=http, http_async_client=ahttp)
                model.get_text_embedding("a")
                await model.aget_text_embedding("b")

    asyncio.run(both())
    assert asked == ["/v1/embeddings"] * 2


def test_usage_and_cost_add_up_over_calls_and_threads(embedder: Make, emu: Emulator) -> None:
    model = embedder(embed_batch_size=1)
    assert model.total_usage == TotalUsage()
    model.get_text_embedding_batch(["two words"] * 12)
    first = model.total_usage
    asyncio.run(model.aget_text_embedding_batch(["two words"] * 12))
    assert (first.requests, first.tokens) == (12, 24)
    assert first.credits >= 12
    assert first.usd == pytest.approx(first.credits / 2_000_000)
    assert model.total_usage.credits == 2 * first.credits
    emu.faults.append(Fault(usage="missing", cost_metadata=False))
    model.get_query_embedding("untold")
    assert model.total_usage.requests == 25
    assert model.total_usage.tokens == 48


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("way", ["get_text_embedding_batch", "aget_text_embedding_batch"])
async def test_usage_of_the_batches_before_a_failure_counts(
    embedder: Make, emu: Emulator, way: str, concurrency: int
) -> None:
    model = embedder(embed_batch_size=1, concurrent_batches=concurrency)
    texts = ["two words", "two words", "two words", "no [[fault status=400]]"]
    with pytest.raises(AIMLAPIError):
        await embed(model, way, texts)
    answered = [seen.status for seen in emu.requests].count(200)
    used = model.total_usage
    assert (used.requests, used.tokens) == (answered, 2 * answered)
    assert used.usd > 0


@pytest.mark.parametrize("way", ["get_text_embedding_batch", "aget_text_embedding_batch"])
async def test_usage_before_a_failure_counts_where_one_batch_is_several_requests(
    embedder: Make, emu: Emulator, way: str
) -> None:
    model = embedder(
        model="alibaba/qwen-text-embedding-v4", embed_batch_size=30, concurrent_batches=1
    )
    with pytest.raises(AIMLAPIError):
        await embed(model, way, ["two words"] * 29 + ["no [[fault status=400]]"])
    assert [seen.status for seen in emu.requests] == [200, 200, 400]
    assert (model.total_usage.requests, model.total_usage.tokens) == (2, 40)


@ALL
async def test_callbacks_see_texts_and_no_key(embedder: Make, way: str) -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    model = embedder(callback_manager=CallbackManager([counter]), api_key="sk-very-secret")
    await embed(model, way, "three small words")
    assert counter.total_embedding_token_count == 3
    assert len(counter.embedding_token_counts) == 1


def test_payload_of_events_names_the_model_and_no_key() -> None:
    model = AIMLAPIEmbedding(dimensions=8, api_key="sk-very-secret")
    assert model.to_payload() == {
        "class_name": "AIMLAPIEmbedding",
        "model_name": "text-embedding-3-small",
        "embed_batch_size": 2048,
        "dimensions": 8,
    }


def test_settings_embed_model_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    model = AIMLAPIEmbedding()
    assert isinstance(model, BaseEmbedding)
    monkeypatch.setattr(Settings, "_embed_model", None)
    Settings.embed_model = model
    assert Settings.embed_model is model


@pytest.mark.parametrize("way", ["get_agg_embedding_from_queries"])
def test_similarity_and_aggregates(embedder: Make, way: str) -> None:
    model = embedder(dimensions=256)
    river, same, other = (
        model.get_text_embedding(text)
        for text in ("The river Aare in Bern", "Bern lies on the river Aare", "Tax law for ships")
    )
    assert model.similarity(river, same) > 2 * abs(model.similarity(river, other))
    assert len(getattr(model, way)(["a", "b"])) == 256
