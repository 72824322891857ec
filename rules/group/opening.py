"""Open a group and add pyramids to it (EX-320..327, EX-403..421)."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from protocol.groups import (
    AddPyramid,
    CloseReason,
    EntryOrderType,
    EntryState,
    GridConfig,
    GroupClosed,
    GroupOpened,
    GroupState,
    GroupStateChanged,
    LegState,
    OpenGroup,
    PyramidAdded,
    PyramidAnchored,
    PyramidRefused,
    Severity,
    SlippageGuard,
)
from protocol.groups.naming import leg_name
from protocol.market import PriceTick
from protocol.values import OrderType
from rules.group.evolve import evolve
from rules.group.states import Cause
from rules.group.turn import Turn
from rules.group.view import LegView, PyramidView
from rules.ladder import Ladder, build_ladder, funds_needed, levels_source, next_pyramid, validate_levels
from rules.precision import quotient
from rules.slippage import cap_price, slippage_limit

__all__ = ["MAX_CAPPED_ORDERS", "add_pyramid", "anchor", "begin", "open_group", "send_entry"]

MAX_CAPPED_ORDERS: Final = 4
"""A capped order and its three retries (EX-724)."""


def open_group(message: OpenGroup, at: int, tick: PriceTick | None) -> Turn:
    """Begin a group with pyramid 0; one that cannot place a single order closes at once as ``entry_failed``."""
    turn = begin(message, at, tick)
    _add(turn, message)
    if not turn.view.legs:
        _fail(turn)
    return turn


def begin(message: OpenGroup, at: int, tick: PriceTick | None) -> Turn:
    """Begin a group that has nothing in it yet."""
    opened = GroupOpened(
        group_id=message.group_id,
        key=message.key,
        user=message.user,
        scope=message.scope,
        venue=message.venue,
        account=message.account,
        symbol=message.symbol,
        timeframe=message.timeframe,
        side=message.side,
        tag=message.tag,
        signal_id=message.signal_id,
        strategy=message.strategy,
        base_entry_price=message.entry_price,
        config=message.config,
        instrument=message.instrument,
        at=at,
    )
    turn = Turn(evolve(None, opened), at, tick)
    turn.events.append(opened)
    turn.emit(
        GroupStateChanged(
            group_id=message.group_id, old=None, new=GroupState.LIVE, cause=Cause.ENTRY_ADMITTED, reason=None, at=at
        )
    )
    return turn


def _fail(turn: Turn) -> None:
    reason = CloseReason.ENTRY_FAILED
    turn.change_state(GroupState.CLOSED, Cause.ENTRIES_ENDED, reason)
    turn.emit(
        GroupClosed(
            group_id=turn.view.group_id,
            key=turn.view.key,
            reason=reason,
            realized_quote=Decimal(0),
            fees={},
            dust=Decimal(0),
            releases_slot=True,
            at=turn.at,
        )
    )


def add_pyramid(turn: Turn, message: AddPyramid) -> None:
    """Add the next pyramid, unless the group is closing or has all it may have; a repeated signal changes nothing."""
    view = turn.view
    if any(pyramid.signal_id == message.signal_id for pyramid in view.pyramids):
        return
    if view.state in (GroupState.CLOSING, GroupState.CLOSED):
        _refuse(turn, message, "GroupClosing", "a closing group does not grow")
        return
    if view.frozen:
        _refuse(turn, message, "GroupFrozen", f"an operator must unfreeze the group first: {view.frozen}")
        return
    _add(turn, message)


def _refuse(turn: Turn, message: OpenGroup | AddPyramid, code: str, text: str) -> None:
    turn.emit(
        PyramidRefused(group_id=turn.view.group_id, signal_id=message.signal_id, code=code, text=text, at=turn.at)
    )


def _add(turn: Turn, message: OpenGroup | AddPyramid) -> None:
    most = turn.view.config.max_pyramids_per_group
    index = next_pyramid(len(turn.view.pyramids), most)
    if index is None:
        _refuse(turn, message, "MaxPyramidsReached", f"the group has all {most} pyramids")
        return
    faults = validate_levels(message.config.levels_of(index), message.config.max_dca_per_pyramid, turn.view.side)
    if faults:
        _refuse(turn, message, faults[0].code, "; ".join(f"{fault.path}: {fault.code}" for fault in faults))
        return
    ladder = _ladder(turn, message, index)
    refusal = ladder.refusal or _short_of_funds(ladder, message)
    if refusal:
        _refuse(turn, message, refusal, f"pyramid {index}: nothing was placed")
        return
    turn.emit(_added(turn, message, index, ladder))
    for warning in ladder.warnings:
        turn.alert("LayersCollapsed", Severity.WARNING, warning)
    for leg in turn.view.legs_in(f"pyramid:{index}"):
        if leg.entry is EntryState.BLOCKED:
            turn.alert(leg.reason, Severity.WARNING, f"layer {leg_name(leg.leg_id)} is blocked", leg_id=leg.leg_id)
        else:
            send_entry(turn, leg)


def _ladder(turn: Turn, message: OpenGroup | AddPyramid, index: int) -> Ladder:
    return build_ladder(
        turn.view.side,
        message.entry_price,
        message.config.levels_of(index),
        size=message.size,
        size_type=message.size_type,
        rules=message.instrument.rules,
        contract_size=message.instrument.contract_size,
        config=message.config,
    )


def _short_of_funds(ladder: Ladder, message: OpenGroup | AddPyramid) -> str | None:
    if message.free_quote is None:
        return None
    needed = funds_needed(ladder, message.config.fee_buffer_percent)
    return "InsufficientFunds" if needed > message.free_quote else None


def _added(turn: Turn, message: OpenGroup | AddPyramid, index: int, ladder: Ladder) -> PyramidAdded:
    legs = ladder.legs(index)
    # With a market entry only layer 0 is known: its fill prices the others. A blocked layer 0 cannot set an anchor.
    by_market = message.config.entry_order_type is EntryOrderType.MARKET and legs[0].state is LegState.PENDING
    stop, target = _references(turn, message)
    limit = message.max_slippage_percent
    return PyramidAdded(
        group_id=turn.view.group_id,
        pyramid=index,
        signal_id=message.signal_id,
        entry_price=message.entry_price,
        size=message.size,
        size_type=message.size_type,
        levels_source=levels_source(message.config, index),
        legs=legs[:1] if by_market else legs,
        anchored=not by_market,
        config=message.config,
        instrument=message.instrument,
        stop_price=turn.view.stop_price if stop is None else stop,
        target_price=turn.view.target_price if target is None else target,
        max_slippage_percent=turn.view.max_slippage_percent if limit is None else limit,
        at=turn.at,
    )


def _references(turn: Turn, message: OpenGroup | AddPyramid) -> tuple[Decimal | None, Decimal | None]:
    """Return the honoured stop and target; one on the wrong side of the entry is dropped with a warning (EX-270)."""
    sign = turn.view.side.sign
    stop, target = message.stop_price, message.target_price
    if stop is not None and sign * (message.entry_price - stop) <= 0:
        turn.alert("ReferenceOnWrongSide", Severity.WARNING, f"stop {stop} is not on the loss side; ignored")
        stop = None
    if target is not None and sign * (target - message.entry_price) <= 0:
        turn.alert("ReferenceOnWrongSide", Severity.WARNING, f"target {target} is not on the profit side; ignored")
        target = None
    return stop, target


def send_entry(turn: Turn, leg: LegView) -> None:
    """Ask for a leg's entry: at market for layer 0 of a pyramid that waits for its anchor, else at its layer price.

    A frozen group sends none: what then lacks an order gets one when the group goes on.
    """
    if turn.view.frozen:
        return
    pyramid = next(found for found in turn.view.pyramids if found.index == leg.pyramid)
    if pyramid.anchored or leg.layer:
        turn.want_entry(leg, OrderType.LIMIT, leg.price)
        return
    cap = _entry_cap(turn, pyramid.config)
    turn.want_entry(leg, OrderType.MARKET if cap is None else OrderType.IOC, cap)


def _entry_cap(turn: Turn, config: GridConfig) -> Decimal | None:
    side = turn.view.side.entry
    expected = turn.executable(side)
    if config.slippage_guard is not SlippageGuard.CAPPED or expected is None:
        return None
    limit = slippage_limit(config.max_slippage_percent, turn.view.max_slippage_percent)
    return cap_price(side, expected, limit, turn.view.instrument.rules.tick_size)


def anchor(turn: Turn) -> None:
    """Price and send the other layers of every pyramid whose market entry has come to its end (EX-421)."""
    if turn.view.frozen:
        return
    for pyramid in turn.view.pyramids:
        leg = next(turn.view.legs_in(f"pyramid:{pyramid.index}"))
        if pyramid.anchored or leg.entry is EntryState.WORKING or leg.filled <= 0:
            continue
        order = turn.view.orders[leg.entry_order]
        entry_price = quotient(order.value, order.filled)
        ladder = _anchored_ladder(turn, pyramid, entry_price)
        turn.emit(
            PyramidAnchored(
                group_id=turn.view.group_id,
                pyramid=pyramid.index,
                entry_price=entry_price,
                legs=ladder.legs(pyramid.index)[1:],
                at=turn.at,
            )
        )
        for other in list(turn.view.legs_in(f"pyramid:{pyramid.index}"))[1:]:
            if other.entry is EntryState.BLOCKED:
                turn.alert(
                    other.reason, Severity.WARNING, f"layer {leg_name(other.leg_id)} is blocked", leg_id=other.leg_id
                )
            else:
                send_entry(turn, other)


def _anchored_ladder(turn: Turn, pyramid: PyramidView, entry_price: Decimal) -> Ladder:
    return build_ladder(
        turn.view.side,
        entry_price,
        pyramid.config.levels_of(pyramid.index),
        size=pyramid.size,
        size_type=pyramid.size_type,
        rules=turn.view.instrument.rules,
        contract_size=turn.view.instrument.contract_size,
        config=pyramid.config,
    )
