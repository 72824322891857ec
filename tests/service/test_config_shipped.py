"""The shipped file and the reference page are written from the declarations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.config import Config, default_toml, parse
from service.config.environment import variables
from service.config.reference import reference_page

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"^# (?:\w+ = .*\n)(?:#   .*\n)*(?:# \]\n)?", default_toml(), re.MULTILINE)


def test_config_toml_is_up_to_date() -> None:
    """config.toml is what ``make generated`` writes."""
    assert (ROOT / "config.toml").read_text() == default_toml()


def test_the_reference_page_is_up_to_date() -> None:
    """docs/reference/config.md is what ``make generated`` writes."""
    assert (ROOT / "docs" / "reference" / "config.md").read_text() == reference_page()


def test_config_toml_holds_the_defaults() -> None:
    """Reading the shipped file changes nothing."""
    assert parse(default_toml(), {}) == Config()


def test_every_key_stands_in_the_file_with_its_meaning() -> None:
    """Each key is in config.toml below a comment, and has a sentence and a unit or type of its own."""
    lines = default_toml().splitlines()
    for keys, field in variables():
        assert field.key.doc.endswith("."), keys
        places = [i for i, line in enumerate(lines) if re.match(rf"(# )?{keys[-1]}( =|, a secret)", line)]
        assert places, keys
        assert any(lines[i - 1].startswith("#") or ", a secret" in lines[i] for i in places), keys


def test_there_are_examples() -> None:
    """The pattern of this module finds the examples of keys without a default."""
    assert len(EXAMPLES) > 8


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split()[1])
def test_every_example_is_a_valid_setting(example: str) -> None:
    """Taking the comment sign from an example in the shipped file gives a file that loads."""
    uncommented = "\n".join(line.removeprefix("# ") for line in example.splitlines()) + "\n"
    name = example.split()[1]
    text = default_toml().replace(example, uncommented)
    # The shorthand is two keys that go together.
    for partner in {"dca_count", "dca_gap_percent"} - {name} if name.startswith("dca_") else ():
        text = re.sub(rf"^# ({partner} = )", r"\1", text, flags=re.MULTILINE)
    assert parse(text, {}) != Config()
