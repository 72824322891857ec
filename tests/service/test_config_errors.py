"""What an operator is told about a mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.config import ConfigError, parse

ROOT = Path(__file__).parents[2]


def test_every_code_has_an_entry_in_the_reference() -> None:
    """docs/reference/errors.md explains each code that the configuration can be refused with (EX-1803)."""
    source = "\n".join(path.read_text() for path in (ROOT / "service" / "config").glob("*.py"))
    used = set(re.findall(r'"((?:[A-Z][a-z]+){2,})"', source)) - set(re.findall(r"^class (\w+)", source, re.MULTILINE))
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "reference" / "errors.md").read_text()))
    assert {"UnknownKey", "WeightSum", "SecretInFile"} <= used
    assert used - explained == set()


def test_the_error_counts_and_lists_its_mistakes() -> None:
    """The text names the source, the number of mistakes, and each one with its path and code."""
    with pytest.raises(ConfigError) as caught:
        parse("[app]\nlog_level = 'loud'\nx = 1", {}, source="my.toml")
    first, *lines = str(caught.value).splitlines()
    assert first == "my.toml: 2 mistakes"
    assert [line.split(":")[0].strip() for line in lines] == ["app.log_level", "app.x"]
    assert [line[line.rindex("[") :] for line in lines] == ["[InvalidEnum]", "[UnknownKey]"]


def test_a_value_is_shown_cut_to_a_readable_length() -> None:
    """The one error shape holds code, path, message and at most 80 characters of the value (EX-110)."""
    with pytest.raises(ConfigError) as caught:
        parse(f"[app]\nlog_level = '{'x' * 500}'", {})
    (shape,) = [problem.as_dict() for problem in caught.value.problems]
    assert shape.keys() == {"code", "path", "message", "value"}
    assert len(shape["value"]) == 80
