"""Say why an edit of a running group cannot be made: every mistake at once, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from protocol.groups import EntryState, GroupState, PyramidScope, TpMode
from protocol.groups.editing import Clearable, EditGroup, EditProblem, GroupChanges, LayerChange
from protocol.groups.naming import leg_name
from protocol.market import PriceTick
from protocol.values import Side
from rules.group.editing import apply_edit, changed_layer, pick, resolve, rest_blocked
from rules.group.turn import Turn
from rules.group.view import GroupView, LegView

__all__ = ["edit_problems", "on_edit"]

_MOST_PERCENT = Decimal(1000)
_ENDED = (EntryState.CANCELLED, EntryState.REJECTED, EntryState.BLOCKED)


def on_edit(turn: Turn, message: EditGroup) -> None:
    """Make an edit unless anything stands against it or it was made before; a preview changes nothing."""
    if message.preview or message.request_id in turn.view.edits or edit_problems(turn.view, message, turn.tick):
        return
    apply_edit(turn, message)


def edit_problems(view: GroupView, message: EditGroup, tick: PriceTick | None) -> tuple[EditProblem, ...]:
    """Return everything that stands against an edit; none when it can be made as it is."""
    whole = next(_of_group(view, message), None)
    if whole is not None:
        return (whole,)
    changes = message.changes
    found = [
        *_of_percents(view, changes),
        *_of_limits(view, changes),
        *_of_references(view, changes, tick),
        *_of_targets(view, changes),
        *_of_cancels(view, changes),
        *_of_layers(view, changes),
    ]
    if not found and not resolve(view, message, 0).summary:
        found.append(EditProblem("NothingChanged", "changes", "the group is like that already: nothing would change"))
    return tuple(found)


def _of_group(view: GroupView, message: EditGroup) -> Iterator[EditProblem]:
    if view.state in (GroupState.CLOSING, GroupState.CLOSED):
        text = f"the group is {view.state.value}; it takes no edits any more"
        yield EditProblem("GroupClosing", "group_id", text, view.group_id)
    if view.frozen:
        text = f"the group is frozen ({view.frozen}): resolve that and unfreeze it, or close it"
        yield EditProblem("GroupFrozen", "group_id", text, view.group_id)
    if message.expected_version not in (None, view.version):
        text = f"somebody edited the group meanwhile: it is at version {view.version}; look at it again, then decide"
        yield EditProblem("EditConflict", "expected_version", text, str(message.expected_version))


# --- settings ---------------------------------------------------------------------------------------------------------


def _of_percents(view: GroupView, changes: GroupChanges) -> Iterator[EditProblem]:
    if changes.tp_aggregate_percent is not None:
        yield from _percent(view, "tp_aggregate_percent", changes.tp_aggregate_percent)
    for pyramid, percent in changes.pyramid_tp_percents.items():
        path = f"pyramid_tp_percents.{pyramid}"
        if not 0 <= pyramid < view.config.max_pyramids_per_group:
            most = view.config.max_pyramids_per_group - 1
            yield EditProblem("OutOfRange", path, f"pyramids of this group are numbered 0 to {most}", str(pyramid))
        elif percent is not None:
            yield from _percent(view, path, percent)
    mode = changes.tp_mode or view.config.tp_mode
    if changes.pyramid_scope is PyramidScope.PER_PYRAMID and mode is not TpMode.PYRAMID_AGGREGATE:
        text = "per_pyramid means something with tp_mode pyramid_aggregate only; set both"
        yield EditProblem("ConflictingChanges", "pyramid_scope", text, changes.pyramid_scope.value)


def _percent(view: GroupView, path: str, percent: Decimal) -> Iterator[EditProblem]:
    most = Decimal(100) if view.side is Side.SHORT else _MOST_PERCENT
    if percent <= 0 or percent > _MOST_PERCENT or (view.side is Side.SHORT and percent >= most):
        yield EditProblem("OutOfRange", path, f"a target is above 0 and up to {most} percent", str(percent))


def _of_limits(view: GroupView, changes: GroupChanges) -> Iterator[EditProblem]:
    most = changes.max_pyramids
    if most is not None and not 1 <= most <= 50:
        yield EditProblem("OutOfRange", "max_pyramids", "it is from 1 to 50", str(most))
    elif most is not None and most < len(view.pyramids):
        text = f"the group has {len(view.pyramids)} pyramids already; close one with its layers, or allow as many"
        yield EditProblem("OutOfRange", "max_pyramids", text, str(most))
    slip = changes.max_slippage_percent
    if slip is not None and not 0 <= slip <= 100:
        yield EditProblem("OutOfRange", "max_slippage_percent", "it is from 0 to 100 percent", str(slip))
    gap = changes.recovery_max_gap_s
    if gap is not None and gap < 0:
        yield EditProblem("OutOfRange", "recovery_max_gap_s", "it is 0 or more seconds", str(gap))


def _of_references(view: GroupView, changes: GroupChanges, tick: PriceTick | None) -> Iterator[EditProblem]:
    """Yield what is wrong with a stop or target: one that the price has passed already would close the group at once."""
    price = _price(view, tick)
    sign = view.side.sign
    for name, wanted, cleared, code, side in (
        ("stop_price", changes.stop_price, Clearable.STOP, "StopOnWrongSide", -1),
        ("target_price", changes.target_price, Clearable.TARGET, "TargetOnWrongSide", 1),
    ):
        if wanted is None:
            continue
        if cleared in changes.clear:
            yield EditProblem("ConflictingChanges", name, "it is set and cleared at once; do one of them", str(wanted))
        elif wanted <= 0:
            yield EditProblem("OutOfRange", name, "a price is above 0", str(wanted))
        elif side * sign * (wanted - price) <= 0:
            where = "above" if side * sign > 0 else "below"
            text = f"it must be {where} the price of {price.normalize():f}; to close now use: bulkhead group close"
            yield EditProblem(code, name, text, str(wanted))


def _price(view: GroupView, tick: PriceTick | None) -> Decimal:
    if tick is not None:
        return view.watched_price(tick)
    return view.last_fill_price or view.base_entry_price


# --- legs -------------------------------------------------------------------------------------------------------------


def _named(view: GroupView, path: str, name: str) -> Iterator[EditProblem]:
    """Yield why a name means no legs, or legs that nobody can change yet."""
    legs = pick(view, name)
    if not legs:
        text = f"the group has no leg or pyramid {name}; it has {', '.join(map(leg_name, view.legs))}"
        yield EditProblem("NoSuchLeg", path, text, name)
    waiting = sorted({leg.pyramid for leg in legs if not view.pyramids[leg.pyramid].anchored})
    if waiting:
        text = (
            f"the market entry of pyramid {waiting[0]} is still on its way and sets its layers; try again in a moment"
        )
        yield EditProblem("PyramidNotAnchored", path, text, name)


def _of_targets(view: GroupView, changes: GroupChanges) -> Iterator[EditProblem]:
    for name, percent in changes.tp_percents.items():
        path = f"tp_percents.{name}"
        wrong = [*_named(view, path, name), *_percent(view, path, percent)]
        yield from wrong
        if not wrong and not any(leg.open_qty > 0 or leg.entry is EntryState.WORKING for leg in pick(view, name)):
            yield EditProblem("LegClosed", path, "nothing of it is open and nothing will fill any more", name)


def _of_cancels(view: GroupView, changes: GroupChanges) -> Iterator[EditProblem]:
    for name in changes.cancel_layers:
        path = f"cancel_layers.{name}"
        wrong = list(_named(view, path, name))
        yield from wrong
        legs = pick(view, name)
        if wrong or any(leg.entry is EntryState.WORKING for leg in legs):
            continue
        yield (
            _not_working(path, legs[0])
            if len(legs) == 1
            else EditProblem("LayerAlreadyFilled", path, "no layer of it is unfilled", name)
        )


def _not_working(path: str, leg: LegView) -> EditProblem:
    if leg.entry in _ENDED:
        text = f"its entry is over ({leg.entry.value}{': ' + leg.reason if leg.reason else ''})"
        return EditProblem("LayerEnded", path, text, leg.leg_id)
    return EditProblem("LayerAlreadyFilled", path, "it is filled; to sell it use: bulkhead group close", leg.leg_id)


def _of_layers(view: GroupView, changes: GroupChanges) -> Iterator[EditProblem]:
    dropped = {leg.leg_id for name in changes.cancel_layers for leg in pick(view, name)}
    for name, change in changes.layers.items():
        path = f"layers.{name}"
        leg = view.legs.get(name)
        if leg is None:
            yield EditProblem(
                "NoSuchLeg", path, f"the group has no leg {name}; it has {', '.join(map(leg_name, view.legs))}", name
            )
            continue
        wrong = [*_named(view, path, name), *_immovable(view, path, leg, dropped)]
        yield from wrong or _misplaced(view, path, leg, change)


def _immovable(view: GroupView, path: str, leg: LegView, dropped: set[str]) -> Iterator[EditProblem]:
    order = view.working_order(leg.entry_order)
    if leg.entry is not EntryState.WORKING:
        yield _not_working(path, leg)
    elif leg.leg_id in dropped:
        yield EditProblem("ConflictingChanges", path, "it is moved and cancelled at once; do one of them", leg.leg_id)
    elif view.owned(leg):
        yield EditProblem("LegClosing", path, "it is being closed", leg.leg_id)
    elif leg.dropped or (order is not None and order.cancel_wanted and not leg.moved):
        yield EditProblem("LayerEnded", path, "it is being cancelled", leg.leg_id)


def _misplaced(view: GroupView, path: str, leg: LegView, change: LayerChange) -> Iterator[EditProblem]:
    gap, weight = change.gap_percent, change.weight_percent
    if gap is not None and gap > 0:
        text = "gaps are written as the long side sees them: 0 or negative; to place it beyond the entry give its price"
        yield EditProblem("InvalidGapSign", f"{path}.gap_percent", text, str(gap))
    elif gap is not None and gap <= -100:
        yield EditProblem("OutOfRange", f"{path}.gap_percent", "it is above -100", str(gap))
    elif weight is not None and not 0 < weight <= 100:
        yield EditProblem("OutOfRange", f"{path}.weight_percent", "it is above 0 and up to 100", str(weight))
    elif change.price is not None and change.price <= 0:
        yield EditProblem("OutOfRange", f"{path}.price", "a price is above 0", str(change.price))
    elif change.qty is not None and change.qty <= 0:
        yield EditProblem(
            "OutOfRange", f"{path}.qty", "a quantity is above 0; to end a layer cancel it", str(change.qty)
        )
    else:
        yield from _too_small(view, path, leg, change)


def _too_small(view: GroupView, path: str, leg: LegView, change: LayerChange) -> Iterator[EditProblem]:
    price, qty, _, _ = changed_layer(view, leg, change)
    if (price, qty) == (leg.price, leg.qty):
        return
    filled = view.entry_filled(leg)
    if filled and qty <= filled:
        text = f"it holds {filled.normalize():f} already; to end it there, cancel the rest of the layer"
        yield EditProblem("LayerAlreadyFilled", path, text, leg.leg_id)
        return
    code = rest_blocked(view, leg, price, qty)
    if code is not None:
        rules = view.instrument.rules
        text = (
            f"{(qty - filled).normalize():f} at {price.normalize():f} cannot be ordered ({code}): the market takes at least "
            f"{rules.min_qty.normalize():f}, worth {rules.min_notional.normalize():f}"
        )
        yield EditProblem("BelowMinimum", path, text, leg.leg_id)
