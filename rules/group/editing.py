"""Edit a running group: what its settings and layers become, and the orders that follow from it.

``GroupEdited`` carries the outcome; a leg that is to be moved or dropped says so in the state until its order has ended.
So a life that ends between two events goes on where it was: ``advance_layers`` looks at the state alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from msgspec.structs import replace

from protocol.groups import EntryState, GridConfig, LegState
from protocol.groups.editing import Clearable, EditedLeg, EditGroup, GroupChanges, GroupEdited, LayerChange
from protocol.groups.naming import leg_name
from protocol.signals import SizeType
from rules.group.closing import cancel_entry
from rules.group.turn import Turn
from rules.group.view import GroupView, LegView
from rules.precision import check_order, floor_to, quotient, round_price, round_qty

__all__ = [
    "advance_layers",
    "apply_edit",
    "changed_layer",
    "pick",
    "resolve",
    "rest_blocked",
    "still_moves",
]


def apply_edit(turn: Turn, message: EditGroup) -> None:
    """Journal the outcome of an edit that was found possible; layers are moved and dropped as ``settle`` goes on."""
    turn.emit(resolve(turn.view, message, turn.at))


def advance_layers(turn: Turn) -> None:
    """Ask for the end of every order whose layer was moved or dropped by an edit."""
    for leg in list(turn.view.legs.values()):
        if leg.entry is not EntryState.WORKING:
            continue
        if leg.dropped:
            cancel_entry(turn, leg)
        elif leg.moved:
            order = turn.view.working_order(leg.entry_order)
            if order is not None and not order.state.final:
                turn.want_cancel(order)


def pick(view: GroupView, name: str) -> tuple[LegView, ...]:
    """Return the legs that ``all``, ``p<n>`` or ``p<n>.l<m>`` means, none for a name that means none."""
    if name == "all":
        return tuple(view.legs.values())
    kind = f"pyramid:{name[1:]}" if name[:1] == "p" and name[1:].isdecimal() else f"leg:{name}"
    return tuple(view.legs_in(kind))


def rest_blocked(view: GroupView, leg: LegView, price: Decimal, qty: Decimal) -> str | None:
    """Return why what a layer of this price and size still lacks cannot be ordered, or None."""
    rules, enforce = view.instrument.rules, view.config.enforce_min_notional
    return check_order(price, qty - view.entry_filled(leg), rules, enforce_min_notional=enforce)


def still_moves(view: GroupView, leg: LegView) -> bool:
    """Whether a layer whose order has ended is to be sent again at its new place."""
    return leg.moved and leg.state is not LegState.HIT_TP and rest_blocked(view, leg, leg.price, leg.qty) is None


# --- what the edit comes to -------------------------------------------------------------------------------------------


def resolve(view: GroupView, message: EditGroup, at: int) -> GroupEdited:
    """Return the outcome of an edit: every setting and changed leg as it will be."""
    changes = message.changes
    config = _config(view.config, changes)
    stop = None if Clearable.STOP in changes.clear else changes.stop_price or view.stop_price
    target = None if Clearable.TARGET in changes.clear else changes.target_price or view.target_price
    # The operator's limit is the whole limit from now on: the signal's own, narrower one no longer counts.
    limit = view.max_slippage_percent if changes.max_slippage_percent is None else None
    legs = tuple(_legs(view, changes))
    return GroupEdited(
        group_id=view.group_id,
        version=view.version + 1,
        operator=message.operator,
        request_id=message.request_id,
        summary=tuple(_summary(view, config, stop, target, legs)),
        config=config,
        stop_price=stop,
        target_price=target,
        max_slippage_percent=limit,
        legs=legs,
        at=at,
    )


def _config(config: GridConfig, changes: GroupChanges) -> GridConfig:
    named = {
        "tp_mode": changes.tp_mode,
        "pyramid_scope": changes.pyramid_scope,
        "tp_aggregate_percent": changes.tp_aggregate_percent,
        "max_pyramids_per_group": changes.max_pyramids,
        "max_slippage_percent": changes.max_slippage_percent,
        "when_flat_with_pending": changes.when_flat,
        "on_recovery": changes.on_recovery,
        "recovery_max_gap_s": changes.recovery_max_gap_s,
    }
    given = {name: value for name, value in named.items() if value is not None}
    own = {**config.pyramid_tp_percents, **changes.pyramid_tp_percents}
    percents = {pyramid: percent for pyramid, percent in sorted(own.items()) if percent is not None}
    return replace(config, pyramid_tp_percents=percents, **given)


def _legs(view: GroupView, changes: GroupChanges) -> Iterator[EditedLeg]:
    """Yield every leg that becomes different."""
    percents = _tp_percents(view, changes)
    dropped = {leg.leg_id for name in changes.cancel_layers for leg in pick(view, name)}
    for leg in view.legs.values():
        works = leg.entry is EntryState.WORKING
        price, qty, gap, weight = leg.price, leg.qty, leg.gap_percent, leg.weight_percent
        change = changes.layers.get(leg.leg_id)
        if change is not None:
            price, qty, gap, weight = changed_layer(view, leg, change)
        drops = works and leg.leg_id in dropped
        moves = (price, qty) != (leg.price, leg.qty)
        percent = percents.get(leg.leg_id, leg.tp_percent)
        if drops or moves or percent != leg.tp_percent:
            yield EditedLeg(
                leg_id=leg.leg_id,
                price=price,
                qty=qty,
                gap_percent=gap,
                weight_percent=weight,
                tp_percent=percent,
                moved=not drops and (leg.moved or (moves and view.working_order(leg.entry_order) is not None)),
                dropped=drops or leg.dropped,
            )


def _tp_percents(view: GroupView, changes: GroupChanges) -> dict[str, Decimal]:
    """Return the new percent of every leg that still takes profit; the narrowest name counts."""
    found: dict[str, Decimal] = {}
    for name, percent in sorted(changes.tp_percents.items(), key=lambda item: (item[0] != "all", "." in item[0])):
        for leg in pick(view, name):
            if leg.open_qty > 0 or leg.entry is EntryState.WORKING:
                found[leg.leg_id] = percent
    return found


def changed_layer(view: GroupView, leg: LegView, change: LayerChange) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Return price, quantity, gap and weight of a layer after a change, rounded as when it was planned."""
    price, gap = _placed(view, leg, change)
    qty, weight = _sized(view, leg, change, price)
    return price, qty, gap, weight


def _placed(view: GroupView, leg: LegView, change: LayerChange) -> tuple[Decimal, Decimal]:
    if change.price is None and change.gap_percent is None:
        return leg.price, leg.gap_percent
    pyramid = view.pyramids[leg.pyramid]
    sign, entry = view.side.sign, pyramid.entry_price
    price = change.price or entry + sign * entry * (change.gap_percent or Decimal(0)) / 100
    if pyramid.config.enforce_tick_size:
        price = round_price(price, view.instrument.rules.tick_size, view.side.entry, pyramid.config.price_rounding)
    if change.gap_percent is not None:
        return price, change.gap_percent
    return price, quotient(sign * (price - entry) * 100, entry).normalize()


def _sized(view: GroupView, leg: LegView, change: LayerChange, price: Decimal) -> tuple[Decimal, Decimal]:
    pyramid = view.pyramids[leg.pyramid]
    in_quote = pyramid.size_type is SizeType.QUOTE
    factor = view.instrument.contract_size if pyramid.size_type is SizeType.CONTRACTS else Decimal(1)
    whole = pyramid.size * factor
    step = view.instrument.rules.step_size
    if change.weight_percent is not None:
        amount = whole * change.weight_percent / 100
        qty = quotient(amount, price) if in_quote and price > 0 else amount
        return (round_qty(qty, step) if pyramid.config.enforce_step_size else qty), change.weight_percent
    if change.qty is None:
        return leg.qty, leg.weight_percent
    qty = floor_to(change.qty, step) if change.qty > 0 else change.qty
    return qty, quotient(qty * (price if in_quote else Decimal(1)) * 100, whole).normalize()


# --- in words ---------------------------------------------------------------------------------------------------------


def _summary(
    view: GroupView, config: GridConfig, stop: Decimal | None, target: Decimal | None, legs: Iterable[EditedLeg]
) -> Iterator[str]:
    for name in GridConfig.__struct_fields__:
        old, new = getattr(view.config, name), getattr(config, name)
        if old != new:
            yield f"{name}: {_word(old)} -> {_word(new)}"
    for name, old, new in (("stop_price", view.stop_price, stop), ("target_price", view.target_price, target)):
        if old != new:
            yield f"{name}: {_word(old)} -> {_word(new)}"
    for leg in legs:
        before = view.legs[leg.leg_id]
        for name in ("price", "qty", "tp_percent"):
            old, new = getattr(before, name), getattr(leg, name)
            if old != new:
                yield f"{leg_name(leg.leg_id)} {name}: {_word(old)} -> {_word(new)}"
        if leg.dropped and not before.dropped:
            yield f"{leg_name(leg.leg_id)}: cancelled"


def _word(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, dict):
        return ", ".join(f"{key}={_word(each)}" for key, each in value.items()) or "none"
    return str(value)
