"""Projections of what operators and recoveries do to groups: edits, adopted positions."""

from __future__ import annotations

from protocol.codec import encode_json
from protocol.groups import GridConfig, LegState
from protocol.groups.adoption import PositionAdopted
from protocol.groups.editing import GroupEdited
from store.views.exact import exact
from store.views.registry import Writer, projection, run

__all__ = ["edited", "position_adopted", "tp_settings"]


def tp_settings(config: GridConfig) -> str:
    """Return the take-profit settings of a group as JSON; those of its legs stand at the legs."""
    kept = {name: getattr(config, name) for name in config.__struct_fields__ if "tp" in name.split("_")}
    return encode_json(kept).decode()


@projection(GroupEdited)
def edited(writer: Writer, event: GroupEdited) -> None:
    """Write the settings and legs that hold from now on."""
    sql = """UPDATE groups SET tp_mode = ?, tp_settings = ?, max_pyramids = ?, stop_price = ?, target_price = ?,
        max_slippage_percent = ?, updated_at = ? WHERE group_id = ?"""
    config = event.config
    settings = (config.tp_mode, tp_settings(config), config.max_pyramids_per_group)
    limits = (event.stop_price, event.target_price, event.max_slippage_percent)
    run(writer, sql, *settings, *limits, event.at, event.group_id)
    sql = """UPDATE legs SET price = ?, qty = ?, gap_percent = ?, weight_percent = ?, tp_percent = ?
        WHERE group_id = ? AND leg_id = ?"""
    for leg in event.legs:
        values = (leg.price, leg.qty, leg.gap_percent, leg.weight_percent, leg.tp_percent)
        run(writer, sql, *values, event.group_id, leg.leg_id)


@projection(PositionAdopted)
def position_adopted(writer: Writer, event: PositionAdopted) -> None:
    """Fill the leg that a position opened by hand is; it has no order and no fees."""
    cost = exact().multiply(event.qty, event.avg_price)
    sql = """UPDATE legs SET state = ?, filled_qty = ?, filled_quote = ?, open_qty = ?, open_cost_quote = ?
        WHERE group_id = ? AND leg_id = ?"""
    run(writer, sql, LegState.FILLED, event.qty, cost, event.qty, cost, event.group_id, event.leg_id)
    sql = """UPDATE groups SET open_qty = ?, open_cost_quote = ?, first_fill_at = coalesce(first_fill_at, ?), updated_at = ?
        WHERE group_id = ?"""
    run(writer, sql, event.qty, cost, event.at, event.at, event.group_id)
