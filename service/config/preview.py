"""What a draft would do, before it is applied (EX-1309). Pure: it composes what the owners of the state were asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from protocol.errors import ValidationError
from protocol.groups import GridConfig, Level
from protocol.instruments import Instrument
from protocol.preview import OffsetPreview, PoolPreview
from protocol.signals import SizeType
from protocol.values import Side
from rules.backup_retention import Archive, backups_to_go
from rules.event_log.segments import Retention, Segment, prune_segments
from rules.ladder import Ladder, build_ladder, funds_needed, leg_id
from rules.take_profit import Lot, leg_tp_price, tp_plan
from service.config.catalogue import catalogue
from service.config.document import Config
from service.config.grid_config import grid_config
from service.config.overrides import effective
from service.config.text import differences

__all__ = ["Change", "Effects", "LadderEffect", "LayerEffect", "Sample", "State", "preview"]


class Sample(NamedTuple):
    """A signal whose ladder is shown: the last one of an identity, or one typed in. ``size`` None: the fixed amount.

    ``pyramid``: which of the group's pyramids it opens, by index from 0.
    """

    venue: str
    symbol: str
    timeframe: str
    side: Side
    entry_price: Decimal
    instrument: Instrument
    size: Decimal | None = None
    size_type: SizeType = SizeType.QUOTE
    pyramid: int = 0


class State(NamedTuple):
    """What the draft meets. ``pools`` and ``offsets`` are what their owners said of it; sizes of segments are in bytes."""

    active: Config
    draft: Config
    errors: tuple[ValidationError, ...] = ()
    pools: tuple[PoolPreview, ...] = ()
    offsets: tuple[OffsetPreview, ...] = ()
    samples: tuple[Sample, ...] = ()
    typed: bool = False
    """Whether the sample was typed in: its ladder is shown also where it stays as it is."""
    segments: Sequence[Segment] = ()
    retention: tuple[Retention, Retention] = (Retention(), Retention())
    backups: Sequence[Archive] = ()
    today: date = date(1970, 1, 1)
    restarts: Mapping[str, tuple[str, ...]] = {}
    """Path of an actor that is restarted rather than told, to the beginnings of the keys it is restarted for."""


class Change(NamedTuple):
    """One changed key.

    ``holds`` is ``now``, ``group`` (from the next group or pyramid on), ``restart`` (of ``actors``) or ``start`` (when
    bulkhead starts again).
    """

    key: str
    before: str
    after: str
    holds: str
    actors: tuple[str, ...] = ()


class LayerEffect(NamedTuple):
    """One layer; ``target`` is None where none is placed, ``blocked`` the code of what forbids the layer, or empty."""

    layer: int
    level: Level
    price: Decimal
    qty: Decimal
    target: Decimal | None
    blocked: str


class LadderEffect(NamedTuple):
    """The ladder of a sample under one configuration: ``funds`` in quote currency, ``refusal`` why nothing is placed.

    ``watched`` are the targets of group or pyramid (scope, price) were every layer filled at its price (EX-606 to EX-609).
    """

    layers: tuple[LayerEffect, ...]
    funds: Decimal
    refusal: str
    watched: tuple[tuple[str, Decimal], ...] = ()


class Effects(NamedTuple):
    """All that would follow; ``ladders`` are those that change, and that of a sample typed in: sample, before, after."""

    errors: tuple[ValidationError, ...]
    changes: tuple[Change, ...]
    pools: tuple[PoolPreview, ...] = ()
    offsets: tuple[OffsetPreview, ...] = ()
    ladders: tuple[tuple[Sample, LadderEffect, LadderEffect], ...] = ()
    pruned: tuple[str, ...] = ()
    """Log segments that would be removed and are not under the configuration in force."""
    restarts: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    """Full backups that would be removed and are not under the configuration in force."""
    layers: Mapping[int, tuple[Level, ...]] = {}
    """Layers of the draft for groups that no override matches: common ones under 0, else those of one pyramid."""


def preview(active: Mapping[str, Any], draft: Mapping[str, Any], state: State) -> Effects:
    """Return what putting ``draft`` in force over ``active`` would do to ``state``; nothing is changed.

    A draft with mistakes has no effects: it cannot be applied.
    """
    changes = tuple(_change(each.key, each.before, each.after, state.restarts) for each in differences(active, draft))
    if state.errors:
        return Effects(state.errors, changes)
    pairs = ((sample, _ladder(sample, state.active), _ladder(sample, state.draft)) for sample in state.samples)
    kept, wanted = state.retention
    before = set(prune_segments(state.segments, kept, state.today))
    return Effects(
        (),
        changes,
        state.pools,
        state.offsets,
        tuple(pair for pair in pairs if state.typed or pair[1] != pair[2]),
        tuple(each for each in prune_segments(state.segments, wanted, state.today) if each not in before),
        tuple(sorted({actor for change in changes for actor in change.actors})),
        _backups(state),
        _layers(state.draft),
    )


def _backups(state: State) -> tuple[str, ...]:
    before, after = (backups_to_go(state.backups, each.backups.keep_newest) for each in (state.active, state.draft))
    return tuple(each.name for each in after if each not in before)


def _layers(config: Config) -> dict[int, tuple[Level, ...]]:
    grid = grid_config(config, venue="", symbol="", timeframe="")
    return {0: grid.levels, **grid.pyramid_specific_levels}


def _change(key: str, before: str, after: str, restarts: Mapping[str, tuple[str, ...]]) -> Change:
    actors = tuple(path for path, beginnings in restarts.items() if key.startswith(beginnings))
    entry = catalogue().get(key)
    applies = entry.field.key.applies if entry is not None else "start"
    holds = "restart" if actors else "start" if applies == "restart" else applies
    return Change(key, before, after, holds, actors)


def _ladder(sample: Sample, config: Config) -> LadderEffect:
    where = {"venue": sample.venue, "symbol": sample.symbol, "timeframe": sample.timeframe}
    grid = grid_config(config, **where)
    _, sizing = effective(config, **where)
    fixed = sample.size is None or sizing.source.value == "fixed_quote"
    rules = sample.instrument.rules
    ladder = build_ladder(
        sample.side,
        sample.entry_price,
        grid.levels_of(sample.pyramid),
        size=sizing.fixed_quote if fixed or sample.size is None else sample.size,
        size_type=SizeType.QUOTE if fixed else sample.size_type,
        rules=rules,
        contract_size=sample.instrument.contract_size,
        config=grid,
    )
    layers = tuple(
        LayerEffect(
            each.layer,
            each.level,
            each.price,
            each.qty,
            leg_tp_price(sample.side, each.price, each.level.tp_percent, rules.tick_size, grid.price_rounding)
            if grid.tp_mode.rests
            else None,
            each.reason or "",
        )
        for each in ladder.layers
    )
    funds = funds_needed(ladder, sizing.fee_buffer_percent)
    return LadderEffect(layers, funds, ladder.refusal or "", _watched(sample, ladder, grid))


def _watched(sample: Sample, ladder: Ladder, grid: GridConfig) -> tuple[tuple[str, Decimal], ...]:
    plan = tp_plan(
        grid.tp_mode,
        sample.side,
        [Lot(leg_id(0, each.layer), 0, each.qty, each.price, each.level.tp_percent) for each in ladder.placed],
        aggregate_percent=grid.tp_aggregate_percent,
        pyramid_percents=grid.pyramid_tp_percents,
        scope=grid.pyramid_scope,
        tick=sample.instrument.rules.tick_size,
        rounding=grid.price_rounding,
    )
    return tuple((each.scope, each.target) for each in plan.watch)
