from __future__ import annotations

import inspect
import json
import pickle
import re

import pytest

from aimlapi_core import errors
from aimlapi_core._error_reading.responses import error_from_response
from aimlapi_core.errors import AIMLAPIError, StatusError

FUNDS = "You've run out of funds. Please top up your balance or update your payment method."
FREE = "Free-tier limit: You've reached your free limit for the hour. Get AI/ML Subscription!"


def problem(status: int, message: str, **error: object) -> bytes:
    body = {
        "title": "T",
        "status": status,
        "message": message,
        "requestId": "req-1",
        "error": {"name": "E", "message": message, **error},
    }
    return json.dumps(body).encode()


def legacy(status: object, message: str) -> bytes:
    return json.dumps({"requestId": "req-1", "statusCode": status, "message": message}).encode()


def openai(message: str, **error: object) -> bytes:
    return json.dumps({"error": {"message": message, **error}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (
            401,
            problem(401, "This request requires a valid API key."),
            "AuthenticationError",
            "valid API key",
        ),
        (403, problem(403, FUNDS), "InsufficientFundsError", "run out of funds"),
        (
            403,
            legacy(403, "You have exhausted the available resource limit"),
            "InsufficientFundsError",
            "exhausted",
        ),
        (402, b"", "InsufficientFundsError", "no message"),
        (403, problem(403, "Insufficient credits"), "InsufficientFundsError", "Top up"),
        (403, problem(403, "Your balance is too low"), "InsufficientFundsError", "Top up"),
        (429, problem(429, "Resource exhausted, slow down"), "RateLimitError", "Slow down"),
        (500, legacy(500, "429 Too Many Requests"), "ServerError", "Try again"),
        (
            400,
            b'{"error":{"message":"x","code":"context_length_exceeded"}}',
            "ContextTooLongError",
            "Shorten",
        ),
        (403, problem(403, "Verification required"), "PermissionDeniedError", "Verification"),
        (404, problem(404, "Model not found"), "NotFoundError", "Model not found"),
        (429, problem(429, "Too Many Requests"), "RateLimitError", "Too Many"),
        (429, legacy("429", FREE), "QuotaExceededError", "Free-tier"),
        (429, openai("Slow", code="insufficient_quota"), "QuotaExceededError", "Waiting"),
        (429, openai("Slow", type="insufficient_quota", code=None), "QuotaExceededError", "Slow"),
        (429, b'{"type":"insufficient_quota","message":"x"}', "QuotaExceededError", "x"),
        (429, openai("Slow", type="billing_hard_limit_reached"), "QuotaExceededError", "Slow"),
        (429, openai("Slow", type="requests", code="rate_limit_exceeded"), "RateLimitError", "Sl"),
        (400, openai("Slow", type="insufficient_quota"), "QuotaExceededError", "Slow"),
        (
            429,
            openai(
                "Provider error", metadata={"raw": openai("x", code="insufficient_quota").decode()}
            ),
            "QuotaExceededError",
            "Provider",
        ),
        (403, openai("No", type="insufficient_quota"), "InsufficientFundsError", "Top up"),
        (499, b"client closed request", "ServerError", "Try again"),
        (
            500,
            legacy(500, "400 Unable to access model gpt-4o-mini. "),
            "UpstreamRejectedError",
            "Unable to access",
        ),
        (500, legacy(500, "The model is under maintenance"), "MaintenanceError", "maintenance"),
        (500, b"Internal Server Error", "ServerError", "Internal Server Error"),
        (
            502,
            b"<html><style>x{}</style><h1>Bad  Gateway</h1></html>",
            "ServerError",
            "Bad Gateway",
        ),
        (524, b"", "ServerError", "no message"),
        (408, b"", "ServerError", "no message"),
        (301, b"", "NotFoundError", "base_url"),
        (
            400,
            b'{"error":{"message":"bad","type":"t","param":"seed"}}',
            "BadRequestError",
            "seed: bad",
        ),
        (400, b'{"error":"plain"}', "BadRequestError", "plain"),
        (
            400,
            problem(400, "This model's maximum context length is 400000 tokens"),
            "ContextTooLongError",
            "Shorten",
        ),
        (413, b"prompt is too long", "ContextTooLongError", "Shorten"),
        (422, b"[1]", "BadRequestError", "no message"),
    ],
)
def test_every_shape_gives_its_error(status: int, body: bytes, kind: str, said: str) -> None:
    error = error_from_response(status, {}, body)
    assert type(error).__name__ == kind
    assert error.status_code == status
    assert said in str(error)
    if b"requestId" in body:
        assert error.request_id == "req-1"
        assert "req-1" in str(error)


# Contract of the shapes: docs errors page, general-info.md, and answers seen 2026-08/09 (module).
SHAPES = {
    "problem": lambda status: problem(status, "said"),
    "legacy": lambda status: legacy(status, "said"),
    "legacy, as text": lambda status: legacy(str(status), "said"),
    "validation": lambda status: problem(
        status, "said", details=[{"path": "tools", "reason": "no"}]
    ),
    "openai": lambda status: b'{"error":{"message":"said","type":"t","code":"c"}}',
    "text": lambda status: b"said",
    "html": lambda status: b"<html><h1>said</h1></html>",
    "empty": lambda status: b"",
}
KINDS = {
    **dict.fromkeys((400, 405, 413, 418, 422), errors.BadRequestError),
    401: errors.AuthenticationError,
    402: errors.InsufficientFundsError,
    403: errors.PermissionDeniedError,
    **dict.fromkeys((301, 307, 404), errors.NotFoundError),
    429: errors.RateLimitError,
    **dict.fromkeys((408, 409, 425, 460, 499), errors.ServerError),
    **dict.fromkeys((*range(500, 506), *range(520, 528), 529, 530), errors.ServerError),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("status", KINDS)
def test_each_status_in_each_shape(status: int, shape: str) -> None:
    body = SHAPES[shape](status)
    error = error_from_response(status, {"x-inference-id": "inf-1"}, body)
    assert type(error) is KINDS[status]
    assert (error.status_code, error.inference_id) == (status, "inf-1")
    assert error.message_text == ("said" if body else "")
    assert error.request_id == ("req-1" if b"req-1" in body else None)
    assert error.fields == ({"tools": "no"} if shape == "validation" else {})
    assert error.is_retryable is (status in errors.RETRYABLE_STATUSES)
    assert str(error).startswith(f"HTTP {status}: ")
    assert str(error).count(". ") == 1  # what was said, then what to do next
    assert str(error).endswith(".")


@pytest.mark.parametrize("place", ["error", "top"])
@pytest.mark.parametrize("name", ["details", "errors", "issues", "meta"])
def test_failing_fields_are_named_wherever_they_stand(place: str, name: str) -> None:
    rows = [
        {"path": "tools", "reason": "Expected array, received null"},
        {"path": ["messages", 0, "role"], "message": "Invalid enum value"},
        {"path": "input", "code": "invalid_union"},
    ]
    body = {"error": {name: rows}} if place == "error" else {name: rows}
    error = error_from_response(400, {}, json.dumps(body).encode())
    assert error.fields == {
        "tools": "Expected array, received null",
        "messages.0.role": "Invalid enum value",
        "input": "invalid_union",
    }
    assert "tools: Expected array" in str(error)


def test_headers_name_the_call() -> None:
    error = error_from_response(500, {"x-request-id": "r", "x-inference-id": "i"}, b"")
    assert (error.request_id, error.inference_id) == ("r", "i")


def test_opaque_bodies_are_kept_short() -> None:
    error = error_from_response(502, {}, b"x" * 10_000)
    assert len(str(error)) < 500
    assert len(error.body) == 300


HOSTILE = "\x1b[2J\x1b]0;title\x07 \u202eevil\u2066 \x00 end"


@pytest.mark.parametrize(
    "body",
    [
        problem(400, HOSTILE),
        legacy(400, HOSTILE),
        openai(HOSTILE, param=HOSTILE),
        problem(400, "x", details=[{"path": HOSTILE, "reason": HOSTILE}]),
        json.dumps({"requestId": HOSTILE, "message": "x"}).encode(),
        json.dumps(HOSTILE).encode(),
        HOSTILE.encode(),
    ],
)
def test_no_control_character_of_the_service_is_in_an_error(body: bytes) -> None:
    """They clear a terminal, set its title, and turn the text around."""
    error = error_from_response(400, {}, body)
    assert str(error).isprintable()
    assert r"\x1b" in str(error)
    assert error.message_text.isprintable()
    assert all(f"{name}{reason}".isprintable() for name, reason in error.fields.items())


def test_an_error_is_bounded_whatever_the_service_sends() -> None:
    rows = [{"path": f"field{at}" * 500, "reason": "no" * 5_000} for at in range(5_000)]
    error = error_from_response(400, {}, problem(400, "x" * 1_000_000, details=rows))
    assert len(str(error)) < 6_000
    assert "and 4,990 more fields" in str(error)
    assert len(error.message_text) < 5_000
    assert len(error.fields) == 100
    assert error.body["message"] == "x" * 1_000_000  # the whole is where it was parsed


def test_words_of_every_script_stay_in_an_error() -> None:
    said = "نمی\u200cخواهم 👩\u200d💻 Grüße 世界"
    assert said in str(error_from_response(400, {}, problem(400, said)))


URL = "https://old.example/v1/chat/completions"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "advice"),
    [
        ("https://new.example/v2/chat/completions", "set base_url='https://new.example/v2'"),
        ("/api/v1/chat/completions", "set base_url='https://old.example/api/v1'"),
        ("https://login.example/", "https://login.example/; it is not followed"),
        (URL, "check base_url"),
        ("https://[", "check base_url"),
        ("/a\u202eb", r"/a\u202eb"),
    ],
)
def test_a_redirect_says_where_to_and_what_to_set(status: int, location: str, advice: str) -> None:
    error = error_from_response(status, {"location": location}, b"moved", url=URL)
    assert type(error) is errors.NotFoundError
    assert advice in str(error)
    assert "model id" not in str(error)
    assert str(error).isprintable()
    assert len(str(error)) < 1_000


ALL = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, AIMLAPIError) and cls.__module__ == errors.__name__
]


@pytest.mark.parametrize("cls", ALL, ids=lambda c: c.__name__)
def test_errors_survive_pickling(cls: type[AIMLAPIError]) -> None:
    error = cls("said")
    if isinstance(error, StatusError):
        error = cls("said", status_code=429, retry_after_s=1.5, fields={"a": "b"})  # type: ignore[call-arg]  # a StatusError, as asked above
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert str(again) == "said"
    assert again.__dict__ == error.__dict__


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = set(re.findall(r"[A-Za-z]+Error\b", errors.__doc__ or ""))
    assert drawn == {cls.__name__ for cls in ALL}


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(500, True), (501, False), (425, True), (529, True), (499, False), (528, False)],
)
def test_is_retryable_says_what_the_retries_do(status: int, retryable: bool) -> None:
    assert error_from_response(status, {}, b"").is_retryable is retryable


def test_a_page_full_of_open_tags_takes_no_time() -> None:
    assert error_from_response(502, {}, b"<script " * 100_000).status_code == 502


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_nested_too_deeply_is_text(body: bytes) -> None:
    assert error_from_response(500, {}, body).status_code == 500


def test_a_class_that_states_its_status_needs_no_other_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its hint, its class in LangChain, pickling there: all follow from the class in the tree."""
    pytest.importorskip("langchain_core")
    import langchain_aimlapi
    from langchain_aimlapi.errors import to_langchain_error

    class TeapotError(errors.StatusError):
        """The service is a teapot."""

        hint = "Ask for tea."
        statuses = (418,)

    # Undone at the end: the class stays in the tree, as one of a test's own, of no status.
    monkeypatch.setattr(TeapotError, "__module__", errors.__name__)
    monkeypatch.setattr(errors, "TeapotError", TeapotError, raising=False)
    error = error_from_response(418, {}, b"short and stout")
    assert type(error) is TeapotError
    assert str(error) == "HTTP 418: short and stout. Ask for tea."
    twin = to_langchain_error(error)
    assert type(twin) is langchain_aimlapi.TeapotError
    assert isinstance(twin, (TeapotError, langchain_aimlapi.StatusError))
    assert type(pickle.loads(pickle.dumps(twin))) is type(twin)
    TeapotError.statuses = ()


def test_every_status_error_says_what_to_do() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]
    refusals = [kind for kind in kinds if issubclass(kind, errors.StatusError)]
    assert len(refusals) > 10
    assert [kind.__name__ for kind in refusals if not kind.hint] == ["StatusError"]
