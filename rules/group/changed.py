"""Parts of a group with one element changed: what ``evolve`` and its likes are made of."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from rules.group.view import CloseView, GroupView, LegView, OrderView

__all__ = ["with_close", "with_leg", "with_order"]


def with_leg(view: GroupView, leg_id: str, **changes: Any) -> dict[str, LegView]:
    """Return the legs with one changed."""
    return {**view.legs, leg_id: replace(view.legs[leg_id], **changes)}


def with_order(view: GroupView, client_order_id: str, **changes: Any) -> dict[str, OrderView]:
    """Return the orders with one changed."""
    return {**view.orders, client_order_id: replace(view.orders[client_order_id], **changes)}


def with_close(view: GroupView, number: int, **changes: Any) -> tuple[CloseView, ...]:
    """Return the closes with one changed."""
    return tuple(replace(close, **changes) if close.number == number else close for close in view.closes)
