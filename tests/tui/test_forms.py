"""Forms over the settings: layers, overrides, orders of words, accounts and other tables of tables."""

from __future__ import annotations

from typing import Any

import pytest

from service.config import Config
from service.config.described import described
from tests.tui.rig import Clock, Listening
from tests.tui.test_settings import ONE, TWO, choose, posted, settings
from tui.differences import steps
from tui.forms import AccountsForm, CredentialsForm, LayersForm, OverridesForm, TablesForm
from tui.forms.layer_sets import LayerSets, Mode
from tui.settings_values import problem_of, shown, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow(seconds=25)]


async def test_layers_are_written_row_by_row_with_the_ladder_beside() -> None:
    """Default layers are written out, changed, checked as they are typed, and become one edit of the draft (EX-1620)."""
    async with settings() as rig:
        await choose(rig, "grid_strategy", "grid_strategy.levels")
        await rig.until(lambda: isinstance(rig.app.screen, LayersForm), "the form")
        await rig.sees("BTC/USDT long")
        await rig.press("f2")
        await rig.sees("✓ these can be put")
        form: Any = rig.app.screen
        assert len(form.sets.sets[0]) == 5
        await rig.press("backspace", "5")
        await rig.sees("L0 gap must be 0 or negative")
        await rig.press("backspace", "0", *("f3",) * 3)
        await rig.sees("weights must sum")
        await rig.press("ctrl+s")
        await rig.until(lambda: "[WeightSum]" in rig.said, "it is refused, and nothing typed is lost")
        await rig.until(lambda: len(form.sets.sets[0]) == 2, "two are left")
        form.sets.take(0, [ONE, TWO])
        form.action_set(0)
        await rig.sees("60")
        await rig.press("ctrl+s")
        await rig.until(lambda: posted(rig, "/v1/config/draft"), "it is in the draft")
        assert posted(rig, "/v1/config/draft")[0]["values"]["grid_strategy.levels"] == [ONE, TWO]


async def test_a_form_that_is_left_changes_nothing() -> None:
    """Esc ends a form without an edit; what is no number cannot be kept."""
    async with settings() as rig:
        await choose(rig, "grid_strategy", "grid_strategy.levels")
        await rig.sees("BTC/USDT long")
        await rig.press("f2")
        await rig.sees("✓ these can be put")
        await rig.press("x")
        await rig.sees("is no number")
        await rig.press("ctrl+s")
        await rig.until(lambda: "[WrongType]" in rig.said, "it is refused")
        await rig.press("escape")
        await rig.until(lambda: not isinstance(rig.app.screen, LayersForm), "the form is gone")
        assert posted(rig, "/v1/config/draft") == []


def edits(sets: LayerSets) -> dict[str, Any]:
    """Return the edits without the section they are in."""
    return {name.removeprefix("grid_strategy."): value for name, value in sets.edits().items()}


async def test_sets_of_layers_are_one_edit() -> None:
    """Layers, shorthand and default exclude each other; a pyramid without rows has the common ones (EX-325, EX-406)."""
    sets = LayerSets({"levels": [ONE, TWO], "max_pyramids_per_group": 3, "tp_percent": "1"})
    assert (sets.mode, edits(sets)["levels"], edits(sets)["pyramid_specific_levels"]) == (Mode.LAYERS, [ONE, TWO], None)
    assert (sets.move(0, 0, 1), sets.move(0, 1, 1)) == (1, 1)
    assert edits(sets)["levels"] == [TWO, ONE]
    sets.take(2, [ONE])
    sets.mode, sets.shorthand = Mode.SHORTHAND, ["3", "0.7", "1.2"]
    assert edits(sets) == {
        "levels": None,
        "dca_count": 3,
        "dca_gap_percent": "0.7",
        "pyramid_specific_levels": {"2": [ONE]},
        "tp_percent": "1.2",
    }
    sets.remove(2, 0)
    sets.drop(0)
    assert set(edits(sets).values()) == {None}
    sets.mode = Mode.LAYERS
    sets.take(0, [{**ONE, "gap_percent": "x"}])
    assert sets.unreadable() == "L0 gap percent: x is no number"


async def test_overrides_name_whom_they_are_for() -> None:
    """Match and values are fields, each checked as its key is; they become one edit of the draft (EX-407)."""
    async with settings() as rig:
        await choose(rig, "grid_strategy", "grid_strategy.overrides")
        await rig.until(lambda: isinstance(rig.app.screen, OverridesForm), "the form")
        await rig.press("down", *"BTC/USDT", "down", "down", *"tp_percent", "down", *"nine")
        await rig.sees("tp_percent is a number")
        await rig.press("ctrl+s")
        await rig.until(lambda: "[WrongType]" in rig.said, "it is refused")
        await rig.press(*("backspace",) * 4, "2")
        await rig.sees("above 0")
        await rig.press("ctrl+s")
        await rig.until(lambda: posted(rig, "/v1/config/draft"), "it is in the draft")
        wanted = [{"match": {"symbol": "BTC/USDT"}, "tp_percent": "2"}]
        assert posted(rig, "/v1/config/draft")[0]["values"] == {"grid_strategy.overrides": wanted}


async def test_the_layers_of_an_override_have_their_form() -> None:
    """F8 writes them row by row; the ladder beside is that of what the override is for (EX-407, EX-1620)."""
    async with settings() as rig:
        await choose(rig, "grid_strategy", "grid_strategy.overrides")
        await rig.until(lambda: isinstance(rig.app.screen, OverridesForm), "the form")
        await rig.press("down", *"ETH/USDT", "f8")
        await rig.until(lambda: isinstance(rig.app.screen, LayersForm), "its layers")
        await rig.sees("ETH/USDT long")
        await rig.press("f2")
        await rig.sees("✓ these can be put")
        await rig.press("backspace", "5")
        await rig.sees("L0 gap must be 0 or negative")
        await rig.press("ctrl+s")
        await rig.until(lambda: "overrides[0].levels[0].gap_percent" in rig.said, "it is refused")
        await rig.press("backspace", "0")
        await rig.sees("✓ these can be put")
        form: Any = rig.app.screen
        form.sets.take(0, [ONE, TWO])
        await rig.press("ctrl+s")
        await rig.until(lambda: isinstance(rig.app.screen, OverridesForm), "back at the override")
        await rig.sees("2 layers, 0 to -1 %: F8")
        await rig.press("ctrl+s")
        await rig.until(lambda: posted(rig, "/v1/config/draft"), "it is in the draft")
        wanted = [{"match": {"symbol": "ETH/USDT"}, "levels": [ONE, TWO]}]
        assert posted(rig, "/v1/config/draft")[0]["values"] == {"grid_strategy.overrides": wanted}


async def test_the_rules_of_the_queue_are_put_in_order() -> None:
    """Rules are moved and taken out by keys; the list becomes one edit of the draft (EX-920, EX-1620)."""
    async with settings() as rig:
        await choose(rig, "execution_pool", "waiting_rule.selection_priority")
        await rig.sees("1  pyramid continuation")
        await rig.press("down", "down", "f4", "down", "space")
        await rig.sees("·  highest loss percent   does not count")
        await rig.press("ctrl+s")
        await rig.until(lambda: posted(rig, "/v1/config/draft"), "it is in the draft")
        wanted = ["pyramid_continuation", "fifo"]
        assert posted(rig, "/v1/config/draft")[0]["values"] == {"waiting_rule.selection_priority": wanted}


# --- tables -----------------------------------------------------------------------------------------------------------


def whole_house(clock: Clock) -> Listening:
    """Return the made-up house with every key that the product has."""
    house = Listening(clock)
    house.world.keys = tuple(described(Config(), {}))
    return house


async def test_an_account_is_added_named_and_tried_before_it_is_in_force() -> None:
    """Fields are those of its venue, wrong ones say so at once; tests and credentials take it as it is written (EX-1620)."""
    clock = Clock()
    async with settings(link=whole_house(clock), clock=clock) as rig:
        await choose(rig, "exchange", "accounts")
        await rig.until(lambda: isinstance(rig.app.screen, AccountsForm), "the form")
        form: Any = rig.app.screen
        await rig.press("f2")
        await rig.until(lambda: len(form.entries) == 2, "another account")
        await rig.press(*"desk", "down", *"oan")
        await rig.sees("is one of paper")
        await rig.press(*"da")
        await rig.sees("account_id")
        assert "balances" not in rig.text
        await rig.press("down", "space", "space")
        await rig.until(lambda: form.entry["testnet"] == "false", "words are gone through")
        await rig.press("down", "down", *"EUR/USD, USD/JPY")
        await rig.sees("these can be put")
        await rig.press("ctrl+t")
        wanted = {"name": "desk", "venue": "oanda", "testnet": False, "symbols": ["EUR/USD", "USD/JPY"]}
        edits = {"accounts": [{"name": "paper"}, wanted]}
        await rig.until(lambda: posted(rig, "/v1/venues/test"), "it is tried as it is written")
        assert posted(rig, "/v1/venues/test") == [{"account": "desk", "draft": True, "edits": edits}]
        await rig.sees("api_secret (not set)")
        await rig.press("f8")
        await rig.until(lambda: isinstance(rig.app.screen, CredentialsForm), "its credentials")
        assert posted(rig, "/v1/config/draft")[0]["values"] == edits
        await rig.press(*"sesame", "ctrl+s")
        await rig.until(lambda: posted(rig, "/v1/secrets/set"), "it is kept")
        assert posted(rig, "/v1/secrets/set") == [{"holder": "desk", "field": "api_secret", "value": "sesame"}]
        await rig.press("escape")
        await rig.sees("api_secret ********")
        await rig.press("pageup")
        await rig.until(lambda: form.entry["name"] == "paper", "the other one")
        await rig.sees("balances")
        await rig.press("f5", "ctrl+s")
        await rig.until(lambda: len(posted(rig, "/v1/config/draft")) == 2, "it is in the draft")
        assert posted(rig, "/v1/config/draft")[1]["values"] == {"accounts": [wanted]}


async def test_mistakes_of_a_table_stand_at_their_field() -> None:
    """What the daemon finds wrong with an entry is said beside the key it is about; nothing typed is lost (EX-1621)."""
    clock = Clock()
    house = whole_house(clock)
    async with settings(link=house, clock=clock) as rig:
        await choose(rig, "signal", "signal.sources")
        await rig.until(lambda: isinstance(rig.app.screen, TablesForm), "the form")
        await rig.press(*"10")
        await rig.sees("must be 60 to 31536000")
        await rig.press("ctrl+s")
        await rig.until(lambda: "silence_s must be 60" in rig.said, "it is refused")
        await rig.press("0")
        await rig.until(lambda: "✓ these" in rig.text, "it is right")
        found = {"errors": [{"path": "signal.sources[0].symbol", "code": "X", "message": "is no market", "value": ""}]}
        form: Any = rig.app.screen
        form._errors = found["errors"]
        form._draw()
        await rig.sees("is no market")
        assert "these can be put" not in rig.text
        await rig.press("ctrl+s")
        await rig.until(lambda: posted(rig, "/v1/config/draft"), "it is in the draft")
        assert posted(rig, "/v1/config/draft")[0]["values"] == {"signal.sources": [{"silence_s": 100}]}


async def test_entries_of_a_table_have_their_names() -> None:
    """A table of tables is written entry by entry too: each under a name of its own (EX-1620)."""
    row = next(each for each in described(Config(), {}) if each["key"] == "precision.forced_rules")
    rules = {"tick_size": "0.01", "step_size": "0.001", "min_qty": "0.001", "min_notional": "5"}
    form = TablesForm(row, {"BTC/USDT": rules})
    assert form.edits() == {"precision.forced_rules": {"BTC/USDT": rules}}
    form.entries.append(dict(form.entries[0]))
    assert form.problem().endswith("is another entry's too")
    form.entries = [{}]
    assert form.edits() == {"precision.forced_rules": None}
    balances = {"type": "table of number", "bounds": {"at_least": "0"}}
    assert value_of(balances, "USDT=10000, BTC=0.5") == {"USDT": "10000", "BTC": "0.5"}
    assert (problem_of(balances, "USDT=-1"), problem_of(balances, "USDT")) == (
        "must be at least 0",
        "is written as name=value, name=value",
    )
    assert shown({"USDT": "10000"}) == "USDT=10000"
    assert shown({"a": "b,c"}) == '{"a": "b,c"}'


def test_a_change_within_a_table_is_named() -> None:
    """An account that goes over to real money says so before it is applied; its name alone would hide it (EX-1603)."""
    paper, desk = {"name": "paper"}, {"name": "desk", "venue": "oanda", "testnet": True}
    real = {**desk, "testnet": False}
    assert steps("accounts", [paper, desk], [paper, real]) == [("desk testnet", "true → false")]
    assert steps("accounts", [paper], [paper, real]) == [("desk", "is added: venue oanda, testnet false")]
    assert steps("accounts", [paper, desk], None) == [("paper", "is removed"), ("desk", "is removed")]
    assert steps("accounts", [paper, desk], [desk, paper]) == [("", "the same, in another order")]
    assert steps("grid_strategy.levels", [ONE, TWO], [ONE, {**TWO, "tp_percent": "3"}]) == [("L1 tp_percent", "2 → 3")]
    assert steps("ui.theme", None, "light") == [("", "default → light")]
    assert steps("sizing.fixed_quote", "100", "200") == [("", "100 → 200")]
