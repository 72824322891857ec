"""The section of ladders and take-profits, with overrides by venue, symbol and timeframe (EX-401 to EX-407)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from protocol.groups import (
    EntryOrderType,
    FlatPolicy,
    GridConfig,
    Level,
    PriceRounding,
    PyramidScope,
    RecoveryPolicy,
    TpMode,
    TriggerPrice,
)
from service.config import checks
from service.config.keys import Key, Section

__all__ = ["GridStrategy", "Layer", "Match", "Override"]


class Layer(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One layer of a ladder (EX-401): all three in percent points."""

    gap_percent: Annotated[
        Decimal, Key(doc="Distance from the pyramid's entry price as the long side sees it, 0 or negative.", unit="%")
    ]
    weight_percent: Annotated[Decimal, Key(doc="Share of the pyramid's size.", unit="%")]
    tp_percent: Annotated[Decimal, Key(doc="Profit target from the actual fill.", unit="%")]


def _layers(levels: Iterable[Level]) -> tuple[Layer, ...]:
    return tuple(
        Layer(gap_percent=each.gap_percent, weight_percent=each.weight_percent, tp_percent=each.tp_percent)
        for each in levels
    )


class Match(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which groups an override is for; what is left out matches everything."""

    venue: Annotated[str | None, Key(doc="Exchange.")] = None
    symbol: Annotated[str | None, Key(doc="Unified symbol.", check=checks.symbol)] = None
    timeframe: Annotated[str | None, Key(doc="Canonical timeframe.", check=checks.timeframe)] = None


class Override(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other values of grid_strategy and sizing keys for some groups (EX-407)."""

    match: Annotated[Match, Key(doc="At least one of venue, symbol, timeframe.")]
    settings: dict[str, Any]


class GridStrategy(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ladder of a pyramid and how profit is taken."""

    max_pyramids_per_group: Annotated[
        int,
        Key(
            doc="Entries per group, the first one included (EX-323).",
            unit="pyramids",
            applies="group",
            at_least=1,
            at_most=50,
        ),
    ] = 5
    max_dca_per_pyramid: Annotated[
        int, Key(doc="Layers per pyramid, layer 0 included.", unit="legs", applies="group", at_least=1, at_most=50)
    ] = 7
    levels: Annotated[
        tuple[Layer, ...] | None,
        Key(
            doc="Layers: gap from the entry price, share of the size, profit target. Unset: these five, "
            "or those of the shorthand below.",
            applies="group",
            example=_layers(GridConfig().levels),
            unset_is_default=True,
        ),
    ] = None
    pyramid_specific_levels: Annotated[
        dict[int, tuple[Layer, ...]],
        Key(
            doc="Layers of single pyramids, by index from 1 (EX-325).",
            applies="group",
            example={
                1: _layers((Level(Decimal(0), Decimal(50), Decimal(1)), Level(Decimal(-1), Decimal(50), Decimal(1))))
            },
        ),
    ] = msgspec.field(default_factory=dict)
    dca_count: Annotated[
        int | None,
        Key(
            doc="Shorthand (EX-406): number of equal layers.",
            unit="legs",
            applies="group",
            at_least=1,
            at_most=50,
            example=5,
        ),
    ] = None
    dca_gap_percent: Annotated[
        Decimal | None,
        Key(doc="Shorthand: distance between them.", unit="%", applies="group", above=0, example=Decimal("0.5")),
    ] = None
    tp_mode: Annotated[TpMode, Key(doc="How profit is taken (EX-601).", applies="group")] = TpMode.PER_LEG
    tp_percent: Annotated[
        Decimal, Key(doc="Profit target of shorthand layers.", unit="%", applies="group", above=0, at_most=1000)
    ] = Decimal(1)
    tp_aggregate_percent: Annotated[
        Decimal, Key(doc="Profit target of the whole group.", unit="%", applies="group", above=0, at_most=1000)
    ] = Decimal(1)
    pyramid_tp_percents: Annotated[
        dict[int, Decimal],
        Key(
            doc="Profit target of single pyramids, by index from 0.",
            unit="%",
            applies="group",
            above=0,
            at_most=1000,
            example={0: Decimal(1), 1: Decimal("1.5")},
        ),
    ] = msgspec.field(default_factory=dict)
    pyramid_scope: Annotated[PyramidScope, Key(doc="What tp_mode pyramid_aggregate aggregates.", applies="group")] = (
        PyramidScope.COMBINED
    )
    entry_order_type: Annotated[EntryOrderType, Key(doc="Order type of layer 0.", applies="group")] = (
        EntryOrderType.LIMIT
    )
    price_rounding: Annotated[PriceRounding, Key(doc="Direction of tick rounding (EX-502).", applies="group")] = (
        PriceRounding.DOWN
    )
    tp_trigger_price: Annotated[
        TriggerPrice, Key(doc="Price that targets of pyramids and groups watch.", applies="group")
    ] = TriggerPrice.EXECUTABLE
    when_flat_with_pending: Annotated[
        FlatPolicy, Key(doc="A flat group with unfilled layers: close it, or keep waiting.", applies="group")
    ] = FlatPolicy.CLOSE
    on_recovery: Annotated[
        RecoveryPolicy,
        Key(doc="A group that comes back after an unclean end: go on, or close it at once.", applies="group"),
    ] = RecoveryPolicy.RESUME
    recovery_max_gap_s: Annotated[
        int,
        Key(
            doc="With on_recovery flatten: longest absence that does not close the group; 0 = every unclean end does.",
            unit="s",
            applies="group",
            at_least=0,
            at_most=31_536_000,
        ),
    ] = 0
    overrides: Annotated[
        tuple[Override, ...],
        Key(
            doc="Other values of any key of grid_strategy and sizing for some groups; the entry that matches most "
            "parts wins, the later one on a tie (EX-407).",
            applies="group",
            example=(Override(match=Match(symbol="BTC/USDT"), settings={"tp_percent": Decimal("0.8")}),),
        ),
    ] = ()
