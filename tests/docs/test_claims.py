"""What the pages say of defaults, repetitions and bills is what the code does and is known."""

from __future__ import annotations

import re

import pytest

from aimlapi_core import RetryPolicy, errors
from aimlapi_core.retry import decide_retry
from langchain_aimlapi import AIMLAPIEmbeddings
from tests.docs.blocks import PAGES

DEFAULTS = [
    pytest.param(name, default, id=f"{page} {name}")
    for page, text in PAGES.items()
    for name, default in re.findall(r"`(\w+)`\s\((\d+)\)", text)
]
ERRORS = re.findall(r"^\| (?:&emsp;)*`(\w+)` \|.*\| (yes|no) \|$", PAGES["docs/errors.md"], re.M)


@pytest.mark.parametrize(("name", "default"), DEFAULTS)
def test_a_setting_with_a_number_behind_it_has_that_default(name: str, default: str) -> None:
    assert str(AIMLAPIEmbeddings.model_fields[name].default) == default


@pytest.mark.parametrize(("name", "said"), ERRORS)
def test_asked_again_is_what_the_policy_asks_again(name: str, said: str) -> None:
    kind = getattr(errors, name)
    error = kind("", status_code=503) if issubclass(kind, errors.StatusError) else kind("")
    assert (decide_retry(error, 0, RetryPolicy(), 0.0) is not None) == (said == "yes")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_says_more_of_bills_than_is_known(page: str) -> None:
    """What a gateway's 502, 504 or 52x cost is open: the model may have worked on."""
    assert re.findall(r"(?:none|cannot|never)\s+(?:can\s+)?have\s+been\s+billed", PAGES[page]) == []
    assert "may already be billed" not in PAGES[page]
