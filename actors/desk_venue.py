"""The venue's side of an order desk: what it reports, what it does not, and how its books compare with ours.

Nothing here decides what is to be sent; that is ``actors.desk``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from actors.desk_book import DeskBook, DeskOrder
from actors.desk_compare import compare
from actors.desk_events import changed, recorded, reported
from actors.desk_hold import NOT_SENT, SEND_AGAIN_S, Hold, LetHeld
from actors.desk_reconcile import outcome_of, reconciled, steps_of
from actors.group_recovery import compared_topic
from protocol.groups.recovery import AccountCompared
from protocol.messages import Event, Message
from protocol.orders import CancelAtVenue, FillReport, OrderReport, OrderState
from protocol.pool import GroupMail
from protocol.precision import NeedRules
from protocol.venue import DifferenceFound, FillsFrom, FillsKnown, QueryAtVenue, ReconcileNow, VenueSnapshot
from rules.broker.bracket_ids import is_attached, is_bracket
from rules.client_ids import is_ours
from rules.order_life import IllegalOrderMove, advance
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor

__all__ = ["FILLS_WITHIN_S", "MAIL_AGAIN_S", "OVERLAP_S", "QUERY_AFTER_S", "Tells", "VenueSide"]

OVERLAP_S = 60
"""Fills are asked for from this long before the newest known one (EX-1204)."""

QUERY_AFTER_S = 2.0
"""How long after an unknown outcome the venue is asked again (EX-426)."""

FILLS_WITHIN_S = 1.0
"""How long the fills of an order may come after the report that counts them."""

MAIL_AGAIN_S = 1.0
"""How long a fill waits for its group or their supervisor to live, again and again."""

Tells = list[tuple[Any, Any]]


class _CheckFills(Message, frozen=True, tag=True):
    client_order_id: str
    filled_qty: Decimal


class _AskAgain(Message, frozen=True, tag=True):
    client_order_id: str


class VenueSide(DurableActor):
    """Keeps the book by what the venue says of each order."""

    def __init__(self, *, account: str, tag: str, session: str, reconciler: str, groups: str, precision: str) -> None:
        self._account = account
        self._tag = tag
        self._session = session
        self._reconciler = reconciler
        self._groups = groups
        self._precision = precision
        self._book = DeskBook()
        self._hold = Hold()
        self._not_found: set[str] = set()
        self._asking: set[str] = set()
        self._counted: dict[str, Decimal] = {}

    def apply(self, event: Event) -> None:
        """Change the book by one of our events."""
        self._book.apply(event)

    def snapshot(self) -> bytes:
        """Return the book."""
        return msgspec.msgpack.encode(self._book)

    def restore(self, state: bytes) -> None:
        """Take over a book."""
        self._book = msgspec.msgpack.decode(state, type=DeskBook)

    # --- from the venue ------------------------------------------------------------------------------------------------

    @handles
    def report(self, msg: OrderReport) -> Do | None:
        """Move an order by the table of order life; stale and repeated reports change nothing."""
        order = self._book.get(msg.client_order_id)
        if order is None:
            return self._stranger(msg)
        if self._leaves_later(order, msg):
            return None
        self._expect_fills(order, msg)
        try:
            state = advance(order.state, msg.state)
        except IllegalOrderMove as error:
            # The venue contradicts itself. Its word is kept and shown, our books stay; its fills count all the same.
            return Do([self._difference("VenueContradiction", msg.client_order_id, str(error), "ignored")])
        tells = self._after_failure(order, msg, state)
        if state is order.state:
            return Do(tells=tells) if tells else None
        event = changed(msg, at=self.now())
        return Do([event], [*self._of_change(order, msg), *tells], correlation_id=order.correlation_id)

    def _leaves_later(self, order: DeskOrder, msg: OrderReport) -> bool:
        """Keep an order back that provably did not reach the venue: it leaves under the same id when it can (EX-106)."""
        unreached = msg.absent_proven and msg.code in NOT_SENT and order.state is OrderState.SENT
        if not unreached or order.cancel_requested or is_attached(msg.client_order_id):
            return False  # a part of a bracket never leaves alone, and the whole does not wait
        self._hold.sent[msg.client_order_id] = order.adds_risk
        if self._hold.up:
            self.timers.after(SEND_AGAIN_S, LetHeld(exits=False))
        return True

    def _after_failure(self, order: DeskOrder, msg: OrderReport, state: OrderState) -> Tells:
        """Ask again about what is unknown; refresh rules that the venue contradicts (EX-426, EX-516)."""
        if msg.code == "PrecisionRejected" and self._precision and state is not order.state:
            return [(self._precision, NeedRules(order.request.symbol, at_once=True))]
        if msg.state is not OrderState.UNKNOWN or state.final:
            return []
        if msg.code == "OrderNotFound" and order.cancel_requested and order.venue_order_id:
            # It was there and is not any more: the next comparison checks its fills and ends it (EX-1104).
            self._not_found.add(msg.client_order_id)
            return [(self._reconciler, ReconcileNow())]
        self._ask_later(msg.client_order_id)
        return []

    def _of_change(self, order: DeskOrder, msg: OrderReport) -> Tells:
        tells: Tells = []
        if self._lives(order.owner):  # else it asks for everything when it begins its next life
            before = order.update(self.now())
            traded = max(before.filled_qty, msg.filled_qty)
            update = msgspec.structs.replace(
                before,
                state=msg.state,
                filled_qty=traded,
                reason=msg.reason,
                code=msg.code,
                absent_proven=msg.absent_proven,
            )
            tells.append((order.owner, update))
        if order.cancel_requested and order.state is OrderState.UNKNOWN and not msg.state.final:
            # What was unknown may have been the cancel itself; the order still works, so it is asked for again.
            tells.append((self._session, CancelAtVenue(msg.client_order_id, msg.symbol)))
        return tells

    def _expect_fills(self, order: DeskOrder, msg: OrderReport) -> None:
        """Have the books compared unless the fills that a report counts come soon; once for each count."""
        if msg.filled_qty > max(order.filled_qty, self._counted.get(msg.client_order_id, Decimal(0))):
            self._counted[msg.client_order_id] = msg.filled_qty
            self.timers.after(FILLS_WITHIN_S, _CheckFills(msg.client_order_id, msg.filled_qty))

    @handles
    def check_fills(self, msg: _CheckFills) -> Do | None:
        """Reconcile when the venue said that more traded than its fills have told us."""
        order = self._book.get(msg.client_order_id)
        if order is None or order.filled_qty >= msg.filled_qty:
            self._counted.pop(msg.client_order_id, None)
            return None
        return Do(tells=[(self._reconciler, ReconcileNow())])

    @handles
    def fill(self, msg: FillReport) -> Do | None:
        """Record a fill that was not seen before and tell its owner."""
        order = self._book.get(msg.client_order_id)
        if order is None:
            return self._stranger(msg)
        if self._book.knows_fill(msg.client_order_id, msg.trade_id):
            return None
        return self._record(order, msg)

    def _record(self, order: DeskOrder, msg: FillReport) -> Do:
        event = recorded(msg)
        # Groups are brought back by their supervisor; the guard of brackets asks for everything when it lives again.
        asks = is_bracket(msg.client_order_id) and not self._lives(order.owner)
        tells = [] if asks else [self._delivery(GroupMail(order.owner, reported(event)))]
        return Do([event], tells, correlation_id=order.correlation_id)

    def _delivery(self, mail: GroupMail) -> tuple[Any, Any]:
        """Address a fill: to its group, to who brings the group back, or to ourselves while neither lives."""
        if self._lives(mail.group_path):
            return mail.group_path, mail.message
        return (self._groups if self._lives(self._groups) else self.ref), mail

    @handles
    def undelivered(self, msg: GroupMail) -> Do | None:
        """Deliver a fill whose group did not live, nor their supervisor: at a start they come after us."""
        if self._lives(msg.group_path) or self._lives(self._groups):
            return Do(tells=[self._delivery(msg)])
        self.timers.after(MAIL_AGAIN_S, msg)
        return None

    def _lives(self, path: str) -> bool:
        return self.context.system.lookup(path) is not None

    def _retell(self, order: DeskOrder) -> Tells:
        return [
            *((order.owner, reported(fill)) for fill in order.fills),
            (order.owner, order.update(self.now())),
        ]

    def _stranger(self, msg: OrderReport | FillReport) -> Do | None:
        if not is_ours(msg.client_order_id, self._tag):
            return None
        return Do(
            [self._difference("UnknownOrder", msg.client_order_id, f"the venue reports {type(msg).__name__}", "")]
        )

    # --- unknown outcomes ----------------------------------------------------------------------------------------------

    def _ask_later(self, client_order_id: str) -> None:
        if client_order_id not in self._asking:
            self._asking.add(client_order_id)
            self.timers.after(QUERY_AFTER_S, _AskAgain(client_order_id))

    @handles
    def ask_again(self, msg: _AskAgain) -> Do | None:
        """Ask the venue about an order whose outcome is still unknown."""
        self._asking.discard(msg.client_order_id)
        order = self._book.get(msg.client_order_id)
        if order is None or order.state is not OrderState.UNKNOWN or not self._hold.up:
            return None  # a venue that is down is asked by the comparison that follows its return
        return Do(tells=[(self._session, QueryAtVenue(msg.client_order_id, order.request.symbol))])

    # --- reconciliation ------------------------------------------------------------------------------------------------

    @handles
    def fills_from(self, msg: FillsFrom) -> FillsKnown:  # noqa: ARG002 - the type is the message
        """Say from when on fills may be missing here: from a minute before the newest one known (EX-1204)."""
        return FillsKnown(max(0, self._book.fills_from(self.now()) - OVERLAP_S * NANOS))

    @handles
    def reconcile(self, msg: VenueSnapshot) -> list[Do]:
        """Compare the venue's side with ours: apply missed fills, ask for what is missing, cancel what nobody wants."""
        now = self.now()
        found = compare(self._book, msg, self._tag, self._hold.sent.keys())
        outcome = outcome_of(
            found,
            msg,
            session=self._session,
            not_found=self._not_found,
            entries_stopped=bool(self._book.stopped_for),
            at=now,
        )
        self._not_found.clear()
        steps = steps_of(found, msg, len(self._book.orders), now) if self._hold.compared() else []
        done = [*outcome.events, *steps, reconciled(found, msg, now)]
        tells: Tells = [(self.ref, report) for report in outcome.reports]
        return [
            *(self._record(order, fill) for order, fill in found.missed),
            Do(
                done,
                [*tells, *outcome.tells, *([(self.ref, LetHeld(exits=False))] if len(self._hold) else [])],
                then=lambda: self._say_compared(now),
            ),
        ]

    def _say_compared(self, at: int) -> None:
        self.context.bus.publish(compared_topic(self._account), AccountCompared(self._account, at), keep=True)

    def _difference(self, code: str, client_order_id: str, detail: str, correction: str) -> DifferenceFound:
        return DifferenceFound(self._account, code, client_order_id, detail, correction, self.now())
