"""Numbers of other types work as numbers; what is none is a typed error."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import pytest

from aimlapi_core import (
    ChatRequest,
    ConfigurationError,
    EmbeddingRequest,
    InvalidRequestError,
    Message,
    Settings,
    Text,
)
from aimlapi_core._values.plain import plain_scalar
from aimlapi_core._wire.embeddings import prepare_batches
from aimlapi_core._wire.endpoint import prepare_request
from aimlapi_core._wire.json_encoding import encode_json
from aimlapi_core.errors import ServerError
from aimlapi_core.retry import RetryPolicy, decide_retry

np = pytest.importorskip("numpy")


def body(model: str = "openai/gpt-5-2", **arguments: Any) -> Any:
    """The body of a request, through its bytes."""
    request = ChatRequest(model, (Message("user", (Text("hi"),)),), **arguments)
    return json.loads(encode_json(prepare_request(request, stream=False).body))


NUMBERS = [
    ("temperature", np.float64(0.5), 0.5),
    ("temperature", np.float32(0.5), 0.5),
    ("temperature", np.int64(1), 1),
    ("temperature", np.array(0.5), 0.5),
    ("temperature", Decimal("0.5"), 0.5),
    ("temperature", Fraction(1, 2), 0.5),
    ("top_p", np.float64(0.5), 0.5),
    ("seed", np.uint8(3), 3),
    ("n", np.int64(2), 2),
    ("max_output_tokens", np.int64(50), 50),
    ("max_output_tokens", np.float64(50), 50),  # of a column with gaps
    ("max_output_tokens", 50.0, 50),
    ("max_output_tokens", Decimal(50), 50),
    ("top_logprobs", np.int64(2), 2),
    ("logprobs", np.bool_(True), True),
    ("extra_body", {"top_k": np.int64(5)}, None),
]


@pytest.mark.parametrize("model", ["openai/gpt-5-2", "other/model"])
@pytest.mark.parametrize("mode", ["warn", "raise", "send"])
@pytest.mark.parametrize(("name", "value", "sent"), NUMBERS)
def test_numbers_of_other_types_are_sent(
    name: str, value: Any, sent: Any, mode: str, model: str
) -> None:
    got = body(model, unsupported_params=mode, **{name: value})
    if name == "extra_body":
        assert got["top_k"] == 5
        return
    wire = got["max_tokens" if name == "max_output_tokens" else name]
    assert wire == sent
    assert type(wire) is type(sent) or name == "temperature"


@pytest.mark.parametrize(
    "value", [True, np.bool_(True), "0.5", [0.5], np.array([0.5, 1.0]), Decimal("NaN"), np.nan, {}]
)
@pytest.mark.parametrize("name", ["temperature", "max_output_tokens", "seed"])
def test_what_is_no_number_is_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError, match=name.partition("_")[0]):
        body(**{name: value})


@pytest.mark.parametrize("value", [1, 0, "yes", np.int64(1)])
@pytest.mark.parametrize("name", ["logprobs", "parallel_tool_calls", "stream_usage"])
def test_what_is_no_boolean_is_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidRequestError, match=f"{name} must be True or False"):
        body(**{name: value})


@pytest.mark.parametrize("value", [np.array([1, 2]), np.array([])])
def test_arrays_are_compared_with_nothing(value: Any) -> None:
    """Comparing them would give an array, whose truth value raises."""
    with pytest.raises(InvalidRequestError):
        body("other/model", temperature=value)
    with pytest.raises(InvalidRequestError, match="reasoning_effort must be one of"):
        body(reasoning_effort=value)


def test_a_refused_limit_is_named_by_both_names() -> None:
    """The adapters call it `max_tokens`."""
    with pytest.raises(InvalidRequestError, match=r"max_output_tokens \(max_tokens\) must be"):
        body(max_output_tokens=np.int64(0))


def test_values_of_other_packages_in_the_body() -> None:
    frozen = MappingProxyType({"a": MappingProxyType({"b": (np.float64(0.5), Decimal("0.1"))})})
    assert body(extra_body={"metadata": frozen})["metadata"] == {"a": {"b": [0.5, 0.1]}}


@pytest.mark.parametrize("wrap", [lambda held: held, MappingProxyType])
def test_a_mapping_that_holds_itself_is_refused(wrap: Any) -> None:
    inner: dict[str, Any] = {}
    inner["again"] = wrap(inner)
    with pytest.raises(InvalidRequestError, match="JSON"):
        body(extra_body={"metadata": inner})


@pytest.mark.parametrize("value", [object(), {1}, b"x", 1j, np.array([1]), np.datetime64("now")])
def test_what_json_lacks_is_named_by_its_place(value: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"metadata\.x"):
        body(extra_body={"metadata": {"x": value}})


def test_embeddings_take_numbers_of_other_types() -> None:
    request = EmbeddingRequest(
        "text-embedding-3-small", ("a", "b"), dimensions=np.int64(64), batch_size=np.int64(1)
    )
    batches = prepare_batches(request)
    assert [batch.body["dimensions"] for batch in batches] == [64, 64]
    assert len(json.dumps([batch.body for batch in batches]))


@pytest.mark.parametrize("value", [np.int64(5), np.float64(5), Decimal(5)])
def test_settings_take_numbers_of_other_types(value: Any) -> None:
    settings = Settings("k", timeout=value, max_retries=value, max_concurrency=value)
    assert settings == Settings("k", timeout=5, max_retries=5, max_concurrency=5)
    policy = RetryPolicy(value, initial_delay_s=value)
    assert policy == RetryPolicy(5, initial_delay_s=5)


@pytest.mark.parametrize("name", ["timeout", "max_retries", "max_concurrency"])
@pytest.mark.parametrize("value", [True, np.bool_(True), "5", np.array([5, 6]), 2.5j])
def test_settings_that_are_no_number_are_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Settings("k", **{name: value})


@pytest.mark.parametrize("name", ["initial_delay_s", "max_delay_s", "max_retry_after_s"])
@pytest.mark.parametrize("value", [None, "0.5", True, float("nan"), -1, [1]])
def test_a_delay_is_a_number_of_seconds(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a number of seconds"):
        RetryPolicy(**{name: value})


def test_any_number_of_retries_has_a_delay() -> None:
    error = ServerError("x", status_code=503)
    policy = RetryPolicy(5_000, initial_delay_s=Decimal("0.1"), max_delay_s=8)  # type: ignore[arg-type]  # as an accounting program sets it
    delays = [decide_retry(error, attempt, policy, 1.0) for attempt in (0, 1_024, 4_999)]
    assert [delay and delay.delay_s for delay in delays] == [0.1, 8, 8]


@pytest.mark.parametrize("value", ["1", b"1", None, {}, [1], object(), 1j, Decimal("NaN")])
def test_other_values_stay_what_they_are(value: Any) -> None:
    assert plain_scalar(value) is value
