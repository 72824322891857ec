"""What a desk records and tells after its books were compared with the venue's (EX-1204 steps 3 to 6)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from actors.desk_book import DeskOrder
from actors.desk_compare import Comparison
from protocol.messages import Event
from protocol.orders import CancelAtVenue, OrderReport, OrderState
from protocol.venue import DifferenceFound, EntriesStopped, QueryAtVenue, Reconciled, RecoveryStep, VenueSnapshot

__all__ = ["Outcome", "outcome_of", "reconciled", "steps_of"]

_Tells = list[tuple[Any, Any]]


class Outcome(NamedTuple):
    """``events`` and ``tells`` of a comparison, without the fills; ``reports`` are to be taken as the venue's word."""

    events: list[Event]
    tells: _Tells
    reports: list[OrderReport]


def outcome_of(
    found: Comparison,
    venue: VenueSnapshot,
    *,
    session: str,
    not_found: Collection[str],
    entries_stopped: bool,
    at: int,
) -> Outcome:
    """Cancel what nobody wants, ask for what is missing, stop entries beside another engine.

    ``not_found`` are orders whose cancel the venue did not know: absent from its open orders, with its fills at hand, they
    count as cancelled (EX-1104).
    """
    account = venue.account
    events: list[Event] = []
    tells: _Tells = []
    reports = [report for _, report in found.working]
    for code, unwanted, detail in (
        ("OrphanOrder", found.orphans, "at the venue, not in the journal"),
        ("EndedOrderOpen", found.risen, "open at the venue, ended here"),
    ):
        for report in unwanted:
            events.append(DifferenceFound(account, code, report.client_order_id, detail, "cancelled", at))
            tells.append((session, CancelAtVenue(report.client_order_id, report.symbol)))
    if found.foreign and not entries_stopped:
        ids = ", ".join(report.client_order_id for report in found.foreign[:3])
        reason = (
            f"another bulkhead trades this account: {len(found.foreign)} open orders are not ours ({ids}); stop it, then: "
            f"bulkhead venue allow-entries {account}"
        )
        events.append(EntriesStopped(account, "ForeignEngine", reason, at))
    for order, report in found.working:
        if order.cancel_requested:
            tells.append((session, CancelAtVenue(report.client_order_id, report.symbol)))
    for order in found.gone:
        key, symbol = order.request.client_order_id, order.request.symbol
        if key in not_found:
            reports.append(_gone(order, at))
        else:
            # Filled, gone, or it never arrived. Only the venue can say which.
            tells.append((session, QueryAtVenue(key, symbol)))
    return Outcome(events, tells, reports)


def _gone(order: DeskOrder, at: int) -> OrderReport:
    return OrderReport(
        client_order_id=order.request.client_order_id,
        symbol=order.request.symbol,
        state=OrderState.CANCELLED,
        filled_qty=order.filled_qty,
        reason="the venue no longer knows it; its fills were checked",
        code="OrderNotFound",
        at=at,
    )


def steps_of(found: Comparison, venue: VenueSnapshot, orders: int, at: int) -> list[Event]:
    """Return the log of a recovery: what each step dealt with (EX-1204)."""
    adopted = sum(order.state in (OrderState.SENT, OrderState.UNKNOWN) for order, _ in found.working)
    steps: list[tuple[int, str, dict[str, int]]] = [
        (1, "journal_replayed", {"orders": orders, "working": len(found.working) + len(found.gone)}),
        (3, "venue_fetched", {"open_orders": len(venue.open_orders), "fills": len(venue.fills)}),
        (4, "fills_applied", {"missed": len(found.missed)}),
        (5, "unacknowledged_looked_up", {"adopted": adopted, "asked": len(found.gone)}),
        (
            6,
            "orphans_cancelled",
            {"orphans": len(found.orphans), "ended": len(found.risen), "foreign": len(found.foreign)},
        ),
    ]
    return [
        RecoveryStep(account=venue.account, number=number, step=step, counts=counts, at=at)
        for number, step, counts in steps
    ]


def reconciled(found: Comparison, venue: VenueSnapshot, at: int) -> Reconciled:
    """Return that the comparison is complete."""
    return Reconciled(
        account=venue.account,
        open_orders=len(venue.open_orders),
        fills_seen=len(venue.fills),
        fills_missed=len(found.missed),
        differences=found.differences,
        fills_to=max((fill.at for fill in venue.fills), default=0),
        at=at,
    )
