"""Writing a document into config.toml: what does not change stays as a person wrote it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.config import default_toml
from service.config.catalogue import catalogue
from service.config.text import from_toml, normal
from service.config.toml_file import ConfigUnwritable, edited, replace_file


def changed(before: str, after: str) -> list[str]:
    """Return the lines that differ."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line[0] in "+-"]


@pytest.mark.parametrize(
    ("text", "document", "lines"),
    [
        ("[app]\ntimezone = 'UTC' # of #1\n", {"app.timezone": "Asia/Tokyo"}, 'timezone = "Asia/Tokyo"  # of #1'),
        ("[app]\ntimezone = 'Asia/Tokyo'\n", {}, 'timezone = "UTC"'),
        (
            "[risk]\nloss_percent_trigger = -7 # why\n",
            {"risk_engine.loss_threshold_percent": "-8"},
            "loss_percent_trigger = -8 # why",
        ),
        ("# Mine.\n", {"execution_pool.queue_limit": 5}, "queue_limit = 5"),
        ("[execution_pool]\n# a\nmax_open_groups = 3\n", {"execution_pool.queue_limit": 5}, "queue_limit = 5"),
        ("execution_pool.queue_limit = 7\n", {"execution_pool.queue_limit": 5}, "execution_pool.queue_limit = 5"),
        ("execution_pool = { queue_limit = 7 }\n", {"execution_pool.queue_limit": 5}, "queue_limit = 5 }"),
        ('[market]\nsymbols = [\n "A/B",\n]\n', {"market.symbols": ["C/D"]}, 'symbols = ["C/D"]'),
    ],
)
def test_a_key_is_changed_where_it_stands(text: str, document: dict[str, Any], lines: str) -> None:
    """The value changes, the comment and the older name stay, and reading the file gives the document (EX-1307)."""
    after = edited(text, document)
    assert from_toml(after) == document
    assert lines in after
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]


def test_one_change_is_one_line() -> None:
    """Changing one key of the shipped file changes one line of it."""
    after = edited(default_toml(), {"grid_strategy.tp_mode": "hybrid"})
    assert changed(default_toml(), after) == ['- tp_mode = "per_leg"', '+ tp_mode = "hybrid"']


def test_accounts_are_changed_in_their_tables() -> None:
    """The comments of an account stay, a further account is a further table."""
    document = {"accounts": [{"name": "one"}, {"name": "two", "exchange": "bybit"}]}
    after = edited(default_toml(), document)
    assert from_toml(after) == document
    assert after.count("[[accounts]]") == 2
    assert '# Name of the account in actor paths and on screens.\nname = "one"' in after
    assert from_toml(edited(after, {})) == {}


def test_what_a_program_cannot_change_is_left_to_a_person() -> None:
    """A text whose meaning cannot be reached is refused rather than written wrongly."""
    with pytest.raises(ConfigUnwritable, match="by hand"):
        edited("[nope]\nx = 1\n", {"nope.y": {"deep": 1}, "execution_pool.queue_limit": 5, "nope.x": float("nan")})


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    """Readers see the old or the new text; a link stays a link, a private file private."""
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("old")
    real.chmod(0o600)
    link.symlink_to(real)
    replace_file(link, "new")
    assert (real.read_text(), real.stat().st_mode & 0o777, link.is_symlink()) == ("new", 0o600, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.toml", "real.toml"]


VALUES = {
    "execution_pool.max_open_groups": st.integers(1, 1000),
    "risk_engine.loss_threshold_percent": st.decimals("-99", "-1", places=2).map(str),
    "app.timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
    "security.binding_id": st.text(st.characters(min_codepoint=32, max_codepoint=300), min_size=1, max_size=20),
    "waiting_rule.selection_priority": st.permutations(["fifo", "highest_loss_percent"]).map(list),
    "grid_strategy.dca_count": st.integers(1, 7) | st.none(),
    "grid_strategy.pyramid_tp_percents": st.dictionaries(
        st.sampled_from("0123"), st.integers(1, 9).map(str), max_size=3
    ),
    "exchange.okx.enabled": st.booleans(),
    "ui.column_visibility": st.dictionaries(
        st.text("ab\"'.# ", min_size=1, max_size=4), st.lists(st.text(max_size=4), max_size=2), max_size=2
    ),
}
SHORT = default_toml()[: default_toml().index("# How much a pyramid buys")]
DOCUMENTS = st.fixed_dictionaries({}, optional=VALUES).map(
    lambda found: normal({name: value for name, value in found.items() if value is not None})
)


@settings(deadline=None, max_examples=60)
@given(first=DOCUMENTS, second=DOCUMENTS, start=st.sampled_from(["", SHORT, "# Mine.\n[app]\n"]))
def test_any_document_can_be_written_over_any_other(first: dict[str, Any], second: dict[str, Any], start: str) -> None:
    """Whatever stood there, the file holds the document afterwards (EX-1307)."""
    assert set(VALUES) <= set(catalogue())
    after = edited(edited(start, first), second)
    assert from_toml(after) == second
