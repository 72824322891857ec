"""The words and requirements of the specification are all met with: nothing of it is silently left out."""

from __future__ import annotations

import re

import pytest

from tests.house.requirements import REPOSITORY, SPEC, required, uncovered


def _specification() -> str:
    if not SPEC.is_file():
        pytest.skip(f"the specification is not at {SPEC}")
    return SPEC.read_text(encoding="utf-8")


def test_the_words_of_the_specification_are_explained() -> None:
    """EX-114: every term of its table stands in the glossary."""
    table = _specification().partition("**EX-114**")[2].partition("\n\n## ")[0]
    terms = [row.split("|")[1].strip() for row in table.splitlines() if row.startswith("|")][2:]
    glossary = (REPOSITORY / "docs" / "reference" / "glossary.md").read_text(encoding="utf-8")
    explained = {
        word.strip() for row in re.findall(r"^\| ([^|]+) \|", glossary, re.MULTILINE) for word in row.split(",")
    }
    wanted = {word.strip() for term in terms for word in re.split(r"[,/]", term)}
    assert len(terms) > 10
    assert wanted <= explained


def test_every_requirement_is_named_by_a_test() -> None:
    """Sections 1 to 14: each requirement stands in the docstring of a test that checks it (requirements.py)."""
    text = _specification()
    assert len(required(text)) > 200
    assert [f"EX-{number}" for number in uncovered(text)] == []
