"""Projections of position groups, their pyramids and legs."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from protocol.codec import encode_json
from protocol.groups import (
    CloseFilled,
    DustRecorded,
    EntryEnded,
    GroupClosed,
    GroupOpened,
    GroupStateChanged,
    LegClosed,
    LegFilled,
    OrderStateNoted,
    PlannedLeg,
    PyramidAdded,
    PyramidAnchored,
    PyramidClosed,
    TargetDeferred,
    TargetEnded,
    TargetFilled,
    TriggerSuperseded,
)
from rules.notation import plain
from store.views.exact import exact, share
from store.views.group_edits import tp_settings
from store.views.realizations import fee_in_quote, realize, settle
from store.views.registry import Writer, insert, insert_new, projection, run

__all__ = [
    "anchored",
    "close_filled",
    "closed",
    "dust",
    "entry_ended",
    "leg_closed",
    "leg_filled",
    "opened",
    "order_noted",
    "pyramid_added",
    "pyramid_closed",
    "state_changed",
    "superseded",
    "target_deferred",
    "target_ended",
    "target_filled",
]


@projection(GroupOpened)
def opened(writer: Writer, event: GroupOpened) -> None:
    """Write a new group with nothing in it."""
    fields = ("group_id", "key", "scope", "venue", "account", "symbol", "timeframe", "side", "signal_id")
    insert_new(
        writer,
        "groups",
        **{name: getattr(event, name) for name in fields},
        user_id=event.user,
        strategy=event.strategy,
        base_entry_price=event.base_entry_price,
        position=writer.record.position,
        base=event.instrument.base,
        quote=event.instrument.quote,
        tp_mode=event.config.tp_mode,
        tp_settings=tp_settings(event.config),
        max_pyramids=event.config.max_pyramids_per_group,
        opened_at=event.at,
        updated_at=event.at,
    )


@projection(PyramidAdded)
def pyramid_added(writer: Writer, event: PyramidAdded) -> None:
    """Write a pyramid and its legs; the stop and target it brings hold for the group."""
    fields = ("group_id", "pyramid", "signal_id", "entry_price", "size", "size_type", "levels_source", "anchored", "at")
    frozen = {
        "grid_config": encode_json(event.config).decode(),
        "rules_used": encode_json(event.instrument.rules).decode(),
    }
    insert(writer, "pyramids", **{name: getattr(event, name) for name in fields}, **frozen)
    _plan(writer, event.group_id, event.legs)
    sql = """UPDATE groups SET pyramids = CASE WHEN pyramids < ? THEN ? ELSE pyramids END, stop_price = ?,
        target_price = ?, max_slippage_percent = ?, updated_at = ? WHERE group_id = ?"""
    limits = (event.stop_price, event.target_price, event.max_slippage_percent)
    run(writer, sql, event.pyramid + 1, event.pyramid + 1, *limits, event.at, event.group_id)


@projection(PyramidAnchored)
def anchored(writer: Writer, event: PyramidAnchored) -> None:
    """Write the layers that waited for the market entry."""
    sql = "UPDATE pyramids SET entry_price = ?, anchored = TRUE WHERE group_id = ? AND pyramid = ?"
    run(writer, sql, event.entry_price, event.group_id, event.pyramid)
    _plan(writer, event.group_id, event.legs)


def _plan(writer: Writer, group_id: str, legs: Iterable[PlannedLeg]) -> None:
    for leg in legs:
        insert(writer, "legs", group_id=group_id, **{name: getattr(leg, name) for name in leg.__struct_fields__})


@projection(PyramidClosed)
def pyramid_closed(writer: Writer, event: PyramidClosed) -> None:
    """Note why a pyramid closed alone."""
    sql = "UPDATE pyramids SET closed_reason = ? WHERE group_id = ? AND pyramid = ?"
    run(writer, sql, event.reason, event.group_id, event.pyramid)


@projection(LegFilled)
def leg_filled(writer: Writer, event: LegFilled) -> None:
    """Add an entry fill to its leg and group; its fee waits at the leg for the closing fills to share it."""
    cost = exact().multiply(event.net_qty, event.price)
    notional = exact().multiply(event.qty, event.price)
    fee = fee_in_quote(writer, event)
    sql = """UPDATE legs SET state = ?, filled_qty = exact_add(filled_qty, ?),
        filled_quote = exact_add(filled_quote, ?), open_qty = exact_add(open_qty, ?),
        open_cost_quote = exact_add(open_cost_quote, ?), entry_fees_left_quote = exact_add(entry_fees_left_quote, ?),
        fees_quote = exact_add(fees_quote, ?) WHERE group_id = ? AND leg_id = ?"""
    run(writer, sql, event.leg_state, event.qty, notional, event.net_qty, cost, fee, fee, event.group_id, event.leg_id)
    sql = """UPDATE groups SET open_qty = exact_add(open_qty, ?), open_cost_quote = exact_add(open_cost_quote, ?),
        first_fill_at = coalesce(first_fill_at, ?), updated_at = ? WHERE group_id = ?"""
    run(writer, sql, event.net_qty, cost, event.at, event.at, event.group_id)


@projection(TargetFilled)
def target_filled(writer: Writer, event: TargetFilled) -> None:
    """Take what a target closed out of its leg, and book what it realized."""
    realize(writer, event, "leg_tp")


@projection(CloseFilled)
def close_filled(writer: Writer, event: CloseFilled) -> None:
    """Take what a closing order closed out of its legs, and book what it realized."""
    realize(writer, event, event.reason.value)


@projection(DustRecorded)
def dust(writer: Writer, event: DustRecorded) -> None:
    """Write off what cannot be sold, with the cost it had: it is neither open nor realized (EX-708)."""
    for leg_id, qty in sorted(event.legs.items()):
        sql = "SELECT open_qty, open_cost_quote FROM legs WHERE group_id = ? AND leg_id = ?"
        found = writer.one(sql, event.group_id, leg_id)
        if found is None:
            continue
        cost = share(Decimal(found[1]), qty, Decimal(found[0]))
        taken = (plain(qty), plain(cost), event.group_id)
        sql = "SET open_qty = exact_sub(open_qty, ?), open_cost_quote = exact_sub(open_cost_quote, ?)"
        run(writer, f"UPDATE legs {sql} WHERE group_id = ? AND leg_id = ?", *taken, leg_id)
        run(writer, f"UPDATE groups {sql} WHERE group_id = ?", *taken)
    sql = "UPDATE groups SET dust = exact_add(dust, ?), updated_at = ? WHERE group_id = ?"
    run(writer, sql, event.qty, event.at, event.group_id)


@projection(EntryEnded)
def entry_ended(writer: Writer, event: EntryEnded) -> None:
    """Write how a layer's entry ended."""
    sql = "UPDATE legs SET state = ?, reason = ? WHERE group_id = ? AND leg_id = ?"
    run(writer, sql, event.leg_state, event.reason, event.group_id, event.leg_id)


@projection(OrderStateNoted)
def order_noted(writer: Writer, event: OrderStateNoted) -> None:
    """Write the leg's state where the order is its entry; the order itself is the desk's to tell."""
    if event.leg_state is not None:
        sql = """UPDATE legs SET state = ? WHERE group_id = ? AND leg_id =
            (SELECT leg_id FROM orders WHERE client_order_id = ?)"""
        run(writer, sql, event.leg_state, event.group_id, event.client_order_id)


@projection(LegClosed)
def leg_closed(writer: Writer, event: LegClosed) -> None:
    """Nothing of the leg is open any more."""
    sql = "UPDATE legs SET state = ?, target_order = NULL, target_price = NULL WHERE group_id = ? AND leg_id = ?"
    run(writer, sql, event.leg_state, event.group_id, event.leg_id)


@projection(TargetDeferred)
def target_deferred(writer: Writer, event: TargetDeferred) -> None:
    """Write the price of a target that is watched, not resting."""
    sql = "UPDATE legs SET target_order = NULL, target_price = ? WHERE group_id = ? AND leg_id = ?"
    run(writer, sql, event.price, event.group_id, event.leg_id)


@projection(TargetEnded)
def target_ended(writer: Writer, event: TargetEnded) -> None:
    """Forget a target that is gone, unless another one has taken its place."""
    sql = """UPDATE legs SET target_order = NULL, target_price = NULL
        WHERE group_id = ? AND leg_id = ? AND target_order = ?"""
    run(writer, sql, event.group_id, event.leg_id, event.client_order_id)


@projection(GroupStateChanged)
def state_changed(writer: Writer, event: GroupStateChanged) -> None:
    """Write the group's new state."""
    sql = "UPDATE groups SET state = ?, reason = coalesce(?, reason), updated_at = ? WHERE group_id = ?"
    run(writer, sql, event.new, event.reason, event.at, event.group_id)


@projection(TriggerSuperseded)
def superseded(writer: Writer, event: TriggerSuperseded) -> None:
    """Count the triggers that came too late."""
    sql = "UPDATE groups SET superseded = superseded + 1, updated_at = ? WHERE group_id = ?"
    run(writer, sql, event.at, event.group_id)


@projection(GroupClosed)
def closed(writer: Writer, event: GroupClosed) -> None:
    """Write why and when; entry fees that no closing fill carried are booked now, so that realizations sum up."""
    settle(writer, event)
    sql = "UPDATE groups SET reason = ?, closed_at = ?, updated_at = ?, traded_position = ? WHERE group_id = ?"
    run(writer, sql, event.reason, event.at, event.at, writer.record.position, event.group_id)
