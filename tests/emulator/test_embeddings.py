"""POST /v1/embeddings: shapes, refusals, vectors to retrieve by, faults."""

from __future__ import annotations

import base64
import json
import math
import struct
import time
from typing import Any

import httpx
import pytest

from aimlapi_emulator import Emulator, Fault
from tests.emulator.asking import CHAT, Asker, refusal

SMALL = "openai/text-embedding-3-small"
LARGE = "text-embedding-3-large"
ADA = "text-embedding-ada-002"
QWEN = "alibaba/qwen-text-embedding-v3"
VOYAGE = "voyage-2"
GOOGLE = "google/text-multilingual-embedding-002"


def embed(ask: Asker, said: Any, model: str = SMALL, **body: Any) -> httpx.Response:
    content = json.dumps({"model": model, "input": said, **body})  # escapes half a surrogate pair
    return ask.client.post("/embeddings", content=content)


def vectors(ask: Asker, said: Any, model: str = SMALL, **body: Any) -> list[list[float]]:
    answer = embed(ask, said, model, **body)
    assert answer.status_code == 200, answer.text
    return [row["embedding"] for row in answer.json()["data"]]


def near(one: list[float], other: list[float]) -> float:
    """The cosine of two unit vectors."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def test_answer_has_the_published_shape(emu: Emulator, ask: Asker) -> None:
    answer = embed(ask, ["Hello there", "General"])
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["object", "data", "model", "usage", "meta"]
    assert (body["object"], body["model"]) == ("list", "text-embedding-3-small")
    assert [(row["object"], row["index"]) for row in body["data"]] == [
        ("embedding", 0),
        ("embedding", 1),
    ]
    assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    spent = body["meta"]["usage"]
    assert int(answer.headers["x-aimlapi-credits-used"]) == spent["credits_used"] > 0
    assert float(answer.headers["x-aimlapi-usd-spent"]) == spent["usd_spent"]
    assert answer.headers["x-inference-id"]
    assert [(s.path, s.status, s.problems) for s in emu.requests] == [("/v1/embeddings", 200, ())]


@pytest.mark.parametrize(
    ("model", "size", "served"),
    [
        (SMALL, 1536, "text-embedding-3-small"),
        ("text-embedding-3-small", 1536, "text-embedding-3-small"),
        (LARGE, 3072, LARGE),
        (ADA, 1536, "text-embedding-ada-002-v2"),
        (QWEN, 1024, "text-embedding-v3"),
        ("alibaba/text-embedding-v4", 1024, "text-embedding-v3"),
        (VOYAGE, 1024, VOYAGE),
        ("voyage-code-2", 1536, "voyage-code-2"),
        ("voyage-large-2-instruct", 1024, "voyage-large-2-instruct"),
        (GOOGLE, 768, "text-multilingual-embedding-002"),
    ],
)
def test_models(ask: Asker, model: str, size: int, served: str) -> None:
    body = embed(ask, "Hello", model).json()
    assert (len(body["data"][0]["embedding"]), body["model"]) == (size, served)


def test_extras_of_single_vendors(ask: Asker) -> None:
    assert embed(ask, "Hello", VOYAGE).json()["usage"] == {"prompt_tokens": None, "total_tokens": 1}
    assert len(embed(ask, "Hello", QWEN).json()["id"]) == 36
    body = {"task_type": "RETRIEVAL_QUERY", "title": "a", "auto_truncate": True}
    assert embed(ask, "word " * 3000, GOOGLE, **body).status_code == 200
    assert embed(ask, "Hello", VOYAGE, input_type="document").status_code == 200


@pytest.mark.parametrize(
    ("model", "body", "path"),
    [
        (SMALL, {"input": ""}, "input"),
        (SMALL, {"input": []}, "input"),
        (SMALL, {"input": ["a", ""]}, "input.1"),
        (SMALL, {"input": None}, "input"),
        (SMALL, {"input": [1, 2]}, "input"),
        (SMALL, {"input": [[1, 2], [3]]}, "input"),
        (SMALL, {"input": ["a", None]}, "input"),
        (SMALL, {"input": ["a"] * 2049}, "input"),
        (SMALL, {"input": "word " * 8193}, "input"),
        (SMALL, {"input": ["a", "x" * 80_000]}, "input.1"),
        (SMALL, {"input": ["word " * 7000] * 50}, "input"),
        (SMALL, {"user": "me"}, "user"),
        (SMALL, {"encoding_format": None}, "encoding_format"),
        (SMALL, {"encoding_format": "int8"}, "encoding_format"),
        (SMALL, {"dimensions": None}, "dimensions"),
        (SMALL, {"dimensions": 0}, "dimensions"),
        (SMALL, {"dimensions": 1537}, "dimensions"),
        (SMALL, {"dimensions": 1.5}, "dimensions"),
        (SMALL, {"input_type": "document"}, "input_type"),
        (LARGE, {"dimensions": 3073}, "dimensions"),
        (ADA, {"dimensions": 100}, "dimensions"),
        (QWEN, {"dimensions": 63}, "dimensions"),
        (QWEN, {"dimensions": 2049}, "dimensions"),
        (VOYAGE, {"dimensions": 100}, "dimensions"),
        (VOYAGE, {"input_type": "query"}, "input_type"),
        (VOYAGE, {"input": "x" * 8001}, "input"),
        (VOYAGE, {"input": ["a", "x" * 801]}, "input.1"),
        (GOOGLE, {"dimensions": 769}, "dimensions"),
        (GOOGLE, {"input": "word " * 2049}, "input"),
        (GOOGLE, {"task_type": "SEARCH"}, "task_type"),
    ],
)
def test_refused_bodies(
    emu: Emulator, ask: Asker, model: str, body: dict[str, Any], path: str
) -> None:
    answer = ask.client.post("/embeddings", json={"model": model, "input": "Hello", **body})
    assert list(refusal(answer)) == [path]
    assert emu.requests[-1].problems


def test_token_ids_are_refused_in_the_observed_words(ask: Asker) -> None:
    error = embed(ask, [[15339, 1917]]).json()["error"]
    assert error["name"] == "PublicApiValidationException"
    assert error["details"] == [
        {"path": "input", "reason": "Invalid input", "code": "invalid_union"}
    ]


def test_live_schema_drops_unknown_keys(live: Emulator, ask_live: Asker) -> None:
    assert embed(ask_live, "Hello", user="me").status_code == 200
    assert live.requests[-1].problems == ("user: Unrecognized key(s) in object: 'user'",)
    assert embed(ask_live, [1]).status_code == 400
    assert embed(ask_live, "Hello", ADA, dimensions=5).status_code == 400


@pytest.mark.parametrize("model", [CHAT, "openai/gpt-5-4"])
def test_chat_models_do_not_embed(ask: Asker, model: str) -> None:
    answer = embed(ask, "Hello", model)
    assert (answer.status_code, answer.json()["message"]) == (404, "Model not found")


def test_embedders_do_not_chat(ask: Asker) -> None:
    assert ask.chat("Hello", model=SMALL).status_code == 404


def test_key_is_wanted(emu: Emulator) -> None:
    body = {"model": SMALL, "input": "Hello"}
    assert httpx.post(f"{emu.base_url}/embeddings", json=body).status_code == 401


@pytest.mark.parametrize("size", [1, 2, 8, 256, 1536])
@pytest.mark.parametrize(
    "said", ["Hello there, lighthouse", "the of and", "!?", " ", "灯台", "\ud83d"]
)
def test_vectors_have_unit_length(ask: Asker, size: int, said: str) -> None:
    (found,) = vectors(ask, said, dimensions=size)
    assert len(found) == size
    assert math.isclose(near(found, found), 1, abs_tol=1e-6)


def test_vectors_repeat_and_do_not_depend_on_the_batch(ask: Asker) -> None:
    first = vectors(ask, ["A red house", "Two cats"])
    assert vectors(ask, "Two cats") == [first[1]]
    assert vectors(ask, ["A red house", "Two cats"]) == first


def test_base64_is_little_endian_float32(ask: Asker) -> None:
    (floats,) = vectors(ask, "A red house")
    (coded,) = vectors(ask, "A red house", encoding_format="base64")
    assert isinstance(coded, str)
    assert list(struct.unpack("<1536f", base64.b64decode(coded))) == floats


def test_vectors_are_dense(ask: Asker) -> None:
    """So that floats and base64 compare on the wire as they do with real vectors."""
    (found,) = vectors(ask, "A red house")
    assert all(found)
    assert len(embed(ask, "A red house").content) > 20_000


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("The keeper trims the lamp", "keepers trimmed LAMPS", 0.7, 1),
        ("Café Müller", "cafe muller", 0.99, 1),
        ("富士山の高さは?", "富士山は高さ3776メートルの山です。", 0.3, 1),
        ("Höhe des Leuchtturms", "Der Leuchtturm ist hoch", 0.3, 1),
        ("высота маяка", "Какова высота этого маяка?", 0.5, 1),
        ("ความสูงของประภาคาร", "ประภาคารสูงเท่าไร", 0.02, 1),
        ("Cats sleep all day", "Interest rates rose in March", -0.2, 0.15),
        ("Where is the box of the day?", "The end of the line is at the wall", -0.2, 0.2),
        ("富士山の高さ", "東京都は日本", -0.2, 0.25),
    ],
)
def test_texts_that_share_words_are_near(
    ask: Asker, one: str, other: str, least: float, most: float
) -> None:
    left, right = vectors(ask, [one, other])
    assert least <= near(left, right) <= most + 1e-6


TOPICS = (
    "ferry tunnel orchard glacier library bakery harbour chapel quarry vineyard airport stadium "
    "theatre brewery castle factory museum hospital school market garden forest dairy prison "
    "windmill canal station tower abbey palace reservoir barn foundry temple arcade hostel pier "
    "lagoon meadow cinema dam kiosk circus arsenal aquarium bazaar cottage depot embassy fortress"
).split()


@pytest.mark.parametrize("size", [256, 1536])
@pytest.mark.parametrize("at", [0, 7, 23, 49])
def test_question_finds_its_passage_among_fifty(ask: Asker, at: int, size: int) -> None:
    passages = [
        f"The {topic} of Vellin was opened in {1800 + number}. Its director is called Person "
        f"{number}, and visitors of the {topic} pay {number} crowns on working days."
        for number, topic in enumerate(TOPICS)
    ]
    assert len(passages) == 50
    question, *rows = vectors(
        ask, [f"How much do visitors of the {TOPICS[at]} pay?", *passages], dimensions=size
    )
    scores = [near(question, row) for row in rows]
    assert scores.index(max(scores)) == at


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_a_thousand_texts_take_seconds_at_most(ask: Asker, encoding: str) -> None:
    said = [f"Text number {n} tells of the {TOPICS[n % 50]} by the river" for n in range(1000)]
    begin = time.process_time()
    answer = embed(ask, said, encoding_format=encoding)
    assert time.process_time() - begin < 10  # a twentieth of it on an idle machine
    assert len(answer.json()["data"]) == 1000


def test_rows_can_come_shuffled_or_short(emu: Emulator, ask: Asker) -> None:
    said = ["a", "b", "c", "d"]
    right = [row["embedding"] for row in embed(ask, said).json()["data"]]
    faults = [Fault(shuffle_data=True), Fault(drop_row=True), Fault(empty=True)]
    emu.faults.extend([*faults, Fault(shuffle_data=True)])
    rows = embed(ask, said).json()["data"]
    assert [row["index"] for row in rows] == [1, 3, 0, 2]
    assert all(row["embedding"] == right[row["index"]] for row in rows)
    assert [row["index"] for row in embed(ask, said).json()["data"]] == [0, 1, 3]
    assert embed(ask, said).json()["data"] == []
    assert [row["index"] for row in embed(ask, ["a", "b"]).json()["data"]] == [1, 0]


def test_faults_act_on_embeddings(emu: Emulator, ask: Asker) -> None:
    emu.faults.extend(
        [
            Fault(success_status=201),
            Fault(status=429, headers={"Retry-After": "1"}),
            Fault(usage="missing", cost_metadata=False),
            Fault(piece_size=1000, delay_head_s=0.05),
        ]
    )
    assert embed(ask, "Hello").status_code == 201
    limited = embed(ask, "Hello")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "1")
    bare = embed(ask, "Hello")
    assert list(bare.json()) == ["object", "data", "model"]
    assert "x-aimlapi-credits-used" not in bare.headers
    assert embed(ask, "Hello").status_code == 200
    assert [seen.status for seen in emu.requests] == [201, 429, 200, 200]
    emu.faults.extend([Fault(cut_after_bytes=100), Fault(drop="after_read")])
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            embed(ask, "Hello")


def test_directives_act_in_any_text_and_are_not_embedded(ask: Asker) -> None:
    said = ["first", "Two cats [[fault status=503 times=1]]"]
    assert embed(ask, said).status_code == 503
    assert vectors(ask, said)[1] == vectors(ask, "Two cats")[0]


def test_cost_leaves_the_balance(emu: Emulator, ask: Asker) -> None:
    spent = embed(ask, "word " * 1000).json()["meta"]["usage"]["usd_spent"]
    root = emu.base_url.removesuffix("/v1")
    balance = httpx.get(f"{root}/v2/billing", headers=dict(ask.client.headers)).json()
    assert balance["current_balance"] == round(100 - spent, 9)


def test_scripted_replies_are_sent(emu: Emulator, ask: Asker) -> None:
    emu.enqueue_response({"object": "list", "data": []})
    assert embed(ask, "Hello").json() == {"object": "list", "data": []}


def test_catalogue_lists_embedders(ask: Asker) -> None:
    rows = ask.client.get("/models", params={"type": "openai/embeddings"}).json()["data"]
    assert {row["type"] for row in rows} == {"openai/embeddings"}
    assert {SMALL, QWEN, VOYAGE, GOOGLE} <= {row["id"] for row in rows}
    (one,) = ask.client.get("/models", params={"id": ADA, "include": "all"}).json()["data"]
    assert one["id"] == f"openai/{ADA}"
    assert one["modalities"] == {"input": ["text"], "output": ["embedding"]}
    assert [unit["measure"] for unit in one["pricing"]["units"]] == ["input"]
