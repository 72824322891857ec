"""What a draft would do before it is applied."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from protocol.instruments import Instrument, PrecisionRules
from protocol.preview import GroupPreview
from protocol.values import Side
from rules.backup_retention import Archive
from rules.event_log.segments import Retention, Segment
from rules.offset import OffsetSettings
from rules.offset.preview import Structure, preview_offset
from service.config.preview import Effects, Sample, State, preview
from service.config.validate import check_changes
from tests.rules.offset_cast import candidate

MARKET = Instrument(
    venue="binance",
    symbol="BTC/USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    rules=PrecisionRules(Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"), Decimal(5)),
)
SAMPLE = Sample("binance", "BTC/USDT", "1h", Side.LONG, Decimal(100), MARKET)


def effects(active: dict[str, Any], draft: dict[str, Any], **state: Any) -> Effects:
    """Return the preview of two documents."""
    before, after = check_changes(active), check_changes(draft)
    return preview(active, draft, State(before.config, after.config, after.errors, **state))


def test_a_draft_with_mistakes_shows_them_and_its_keys() -> None:
    """Mistakes come first; a draft that cannot be applied has no other effects (EX-1309)."""
    found = effects({}, {"grid_strategy.max_pyramids_per_group": 3}, samples=(SAMPLE,))
    assert [error.code for error in found.errors] == ["ExceedsMaxPyramids"]
    assert [change.key for change in found.changes] == ["grid_strategy.max_pyramids_per_group"]
    assert found.ladders == ()


def test_each_key_says_from_when_on_it_holds() -> None:
    """Keys apply now, to new groups, by a restart of an actor, or when bulkhead starts again (EX-1309)."""
    draft = {
        "execution_pool.max_open_groups": 3,
        "grid_strategy.tp_mode": "hybrid",
        "webhook.port": 9000,
        "journal.snapshot_every": 10,
    }
    found = effects({}, draft, restarts={"/operators/webhook": ("webhook.port",)})
    assert {change.key: change.holds for change in found.changes} == {
        "execution_pool.max_open_groups": "now",
        "grid_strategy.tp_mode": "group",
        "webhook.port": "restart",
        "journal.snapshot_every": "start",
    }
    assert found.restarts == ("/operators/webhook",)


def test_the_ladder_of_a_sample_before_and_after() -> None:
    """Layers, targets, blocked layers and needed funds of a sample signal are shown when they change (EX-1309)."""
    draft = {
        "grid_strategy.levels": [
            {"gap_percent": "0", "weight_percent": "97", "tp_percent": "2"},
            {"gap_percent": "-1", "weight_percent": "3", "tp_percent": "1"},
        ]
    }
    ((sample, before, after),) = effects({}, draft, samples=(SAMPLE,)).ladders
    assert sample is SAMPLE
    assert len(before.layers) == 5
    assert [(layer.price, layer.target, layer.blocked) for layer in after.layers] == [
        (Decimal(100), Decimal(102), ""),
        (Decimal(99), Decimal("99.99"), "BelowMinNotional"),
    ]
    assert after.funds == Decimal("97.194")
    assert effects({}, {"execution_pool.max_open_groups": 3}, samples=(SAMPLE,)).ladders == ()


def test_targets_that_are_watched() -> None:
    """Targets of group and pyramid show when they change, layers show targets only where they are placed (EX-1309)."""
    active = {"grid_strategy.levels": [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "2"}]}
    aggregate = {**active, "grid_strategy.tp_mode": "aggregate", "grid_strategy.tp_aggregate_percent": "3"}
    ((_, before, after),) = effects(active, aggregate, samples=(SAMPLE,)).ladders
    assert ([layer.target for layer in before.layers], before.watched) == ([Decimal(102)], ())
    assert ([layer.target for layer in after.layers], after.watched) == ([None], (("group", Decimal(103)),))
    own = {**aggregate, "grid_strategy.tp_mode": "pyramid_aggregate", "grid_strategy.pyramid_tp_percents": {"0": "4"}}
    ((_, _, after),) = effects(aggregate, own, samples=(SAMPLE,)).ladders
    assert after.watched == (("group", Decimal(104)),)
    ((_, _, after),) = effects(active, {**active, "grid_strategy.tp_mode": "hybrid"}, samples=(SAMPLE,)).ladders
    assert ([layer.target for layer in after.layers], after.watched) == ([Decimal(102)], (("group", Decimal(101)),))


def test_a_sample_typed_in_shows_its_ladder_whatever_changes() -> None:
    """The ladder of a sample typed in is shown as it stays, of the pyramid that is meant; so are all layers (EX-1309)."""
    own = [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "5"}]
    draft = {"grid_strategy.pyramid_specific_levels": {"2": own}}
    found = effects({}, draft, samples=(SAMPLE,), typed=True)
    assert [before == after for _, before, after in found.ladders] == [True]
    ((_, before, after),) = effects({}, draft, samples=(SAMPLE._replace(pyramid=2),), typed=True).ladders
    assert (len(before.layers), [layer.level.tp_percent for layer in after.layers]) == (5, [Decimal(5)])
    assert {pyramid: len(levels) for pyramid, levels in found.layers.items()} == {0: 5, 2: 1}


def test_a_layer_without_a_price_is_shown_as_blocked() -> None:
    """A layer whose price rounds to nothing is among the layers, with the code that blocks it (EX-1309, EX-504)."""
    sample = SAMPLE._replace(entry_price=Decimal("0.01"))
    ((_, before, _),) = effects({}, {"sizing.fixed_quote": 50}, samples=(sample,)).ladders
    assert [layer.blocked for layer in before.layers] == ["", *["PriceBelowTick"] * 4]


def test_segments_that_would_go() -> None:
    """Log segments that a shorter retention would remove are named (EX-1309)."""
    segments = [Segment(id=f"s{day}", day=date(2026, 1, day), size=1) for day in range(1, 21)]
    found = effects(
        {},
        {"logging.keep_days": 10},
        segments=segments,
        today=date(2026, 1, 20),
        retention=(Retention(keep_days=15), Retention(keep_days=10)),
    )
    assert found.pruned == ("s5", "s6", "s7", "s8", "s9")


def test_backups_that_would_go() -> None:
    """Full backups that fewer kept ones would cost are named; those that go anyway are not (EX-1309)."""
    there = [Archive(name=f"b{day}", size=1, written_at=day) for day in range(1, 21)]
    assert effects({}, {"backups.keep_newest": 12}, backups=there).backups == ("b7", "b8")


def test_the_loss_offset_under_other_settings() -> None:
    """Groups whose eligibility or timer changes, and the next plan, before and after (EX-1309)."""
    loser = candidate("loser", mark=97, received=5, expires_at=1)
    steady = candidate("steady", mark=110, received=5, expires_at=1)
    structures = dict.fromkeys(("loser", "steady"), Structure(5, all_sent=True, all_filled=True))
    now = 10**9
    before, after = OffsetSettings(), OffsetSettings(loss_threshold_percent=Decimal(-2))
    found = preview_offset("paper", [loser, steady], structures, now, before, after)
    assert found.groups == (
        GroupPreview(
            group_id="loser", reasons_before=("loss_too_small",), reasons_after=(), timer_before=1, timer_after=1
        ),
    )
    assert found.plan_before is None
    assert found.plan_after is not None
    assert [winner.group_id for winner in found.plan_after.winners] == ["steady"]
