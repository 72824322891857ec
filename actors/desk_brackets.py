"""Brackets at the desk: two or three orders that leave, or are refused, as one (PF-232)."""

from __future__ import annotations

from actors.desk_events import refused, sent
from protocol.brackets import PlaceBracketAtVenue, SubmitBracket
from protocol.orders import OrderState, OrderUpdate
from runtime.actor import Do

__all__ = ["place_whole", "refuse_whole"]


def place_whole(msg: SubmitBracket, session: str, until: int, *, permit: int, correlation: int, at: int) -> Do:
    """Return the decision to send all of them: one message to the session, an event for each."""
    events = [sent(part, permit=permit, correlation=correlation, at=at) for part in msg.parts]
    target = msg.target.request if msg.target is not None else None
    place = PlaceBracketAtVenue(msg.entry.request, msg.stop.request, target, until)
    return Do(events, [(session, place)], correlation_id=correlation)


def refuse_whole(msg: SubmitBracket, code: str, reason: str, *, correlation: int, at: int) -> Do:
    """Return the decision to send none of them."""
    events = [refused(part, code, reason, correlation=correlation, at=at) for part in msg.parts]
    tells = [
        (
            part.owner,
            OrderUpdate(
                client_order_id=part.request.client_order_id,
                state=OrderState.REJECTED,
                reason=f"{code}: {reason}",
                code=code,
                at=at,
            ),
        )
        for part in msg.parts
    ]
    return Do(events, tells, correlation_id=correlation)
