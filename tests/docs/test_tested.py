"""docs/tested.md: each claim names tests, and each of them exists."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from scripts import tested

NAMES = sorted(path.stem for path in tested.CLAIMS.glob("*.toml"))
CLAIMS = [
    pytest.param(claim, id=f"{name}: {claim.text[:40]}")
    for name in NAMES
    for claim in tested.claims(name)
]


@cache
def defined_in(path: str) -> set[str]:
    """The names of the functions and classes of a file of tests."""
    body = ast.parse((tested.ROOT / path).read_text(encoding="utf-8")).body
    return {getattr(node, "name", "") for node in body}


def test_there_are_claims_on_both_frameworks() -> None:
    assert NAMES == ["langchain", "llama_index"]
    assert all(len(tested.claims(name)) > 40 for name in NAMES)


@pytest.mark.parametrize("claim", CLAIMS)
def test_each_claim_names_tests_that_exist(claim: tested.Claim) -> None:
    assert claim.tests
    for test in claim.tests:
        path, _, name = test.partition("::")
        assert name in defined_in(path), test


@pytest.mark.parametrize("name", NAMES)
def test_a_section_has_one_heading(name: str) -> None:
    heads = [line for line in tested.table(name).splitlines() if line.startswith("###")]
    assert len(heads) == len(set(heads))
