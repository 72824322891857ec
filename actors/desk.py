"""The order desk of one venue account: the only owner of order states.

Everything between the groups and the venue passes here. An order leaves once: ``OrderSent`` is durable before the session
hears of it, and telling the same client id again only repeats what is known. Fills count once a trade id. An order whose
outcome nobody knows stays ``unknown`` until the venue proves what became of it; nothing is sent in its place before.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from actors.desk_book import DeskBook, DeskOrder
from actors.desk_compare import compare
from actors.desk_events import changed, recorded, refused, reported, sent
from actors.risk import PERMITS
from protocol.messages import Event, Message
from protocol.orders import (
    CancelAtVenue,
    CancelOrder,
    CancelRequested,
    DeskUp,
    FillReport,
    OrderReport,
    OrderState,
    OrderUpdate,
    PlaceAtVenue,
    RetellOrders,
    SubmitOrder,
)
from protocol.pool import GroupMail
from protocol.risk import Permit, RenewPermit
from protocol.venue import DifferenceFound, QueryAtVenue, Reconciled, ReconcileNow, VenueSnapshot
from rules.client_ids import is_ours
from rules.order_life import IllegalOrderMove, advance
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor

__all__ = [
    "FILLS_WITHIN_S",
    "MAIL_AGAIN_S",
    "PERMIT_MAX_AGE_S",
    "PERMIT_WAIT_S",
    "QUERY_AFTER_S",
    "SEND_WITHIN_S",
    "OrderDesk",
    "Tells",
    "desk_topic",
]

PERMIT_MAX_AGE_S = 5
"""A permit older than this lets nothing through that adds risk; a new one is asked for."""

PERMIT_WAIT_S = 2.0
"""How long an order that adds risk waits for a fresh permit before it is refused."""

QUERY_AFTER_S = 2.0
"""How long after an unknown outcome the venue is asked again (EX-426)."""

SEND_WITHIN_S = 10
"""An order that has not left the session this long after the decision is not sent any more."""

FILLS_WITHIN_S = 1.0
"""How long the fills of an order may come after the report that counts them."""

MAIL_AGAIN_S = 1.0
"""How long a fill waits for its group or their supervisor to live, again and again."""

Tells = list[tuple[Any, Any]]


def desk_topic(account: str) -> str:
    """Return the bus topic on which a desk says that it begins a life."""
    return f"desk:{account}"


class _PermitOverdue(Message, frozen=True, tag=True):
    pass


class _CheckFills(Message, frozen=True, tag=True):
    client_order_id: str
    filled_qty: Decimal


class _AskAgain(Message, frozen=True, tag=True):
    client_order_id: str


class OrderDesk(DurableActor):
    """Sends, cancels, tracks and reconciles the orders of one account.

    ``tag`` marks our orders at the venue; paths name the session, the risk coordinator and the groups' supervisor.
    """

    SNAPSHOT_EVERY = 2_000

    def __init__(self, *, account: str, tag: str, session: str, reconciler: str, risk: str, groups: str) -> None:
        self._account = account
        self._tag = tag
        self._session = session
        self._reconciler = reconciler
        self._risk = risk
        self._groups = groups
        self._book = DeskBook()
        self._permit: Permit | None = None
        self._waiting: dict[str, tuple[SubmitOrder, int]] = {}
        self._asking: set[str] = set()
        self._counted: dict[str, Decimal] = {}

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Hear permits, ask for the first, and have every owner tell again what it does not know the outcome of."""
        self.context.bus.subscribe(PERMITS, self.ref)
        self.context.system.tell(self._risk, RenewPermit())
        self.context.bus.publish(desk_topic(self._account), DeskUp(self._account))

    def apply(self, event: Event) -> None:
        """Change the book by one of our events."""
        self._book.apply(event)

    def snapshot(self) -> bytes:
        """Return the book."""
        return msgspec.msgpack.encode(self._book)

    def restore(self, state: bytes) -> None:
        """Take over a book."""
        self._book = msgspec.msgpack.decode(state, type=DeskBook)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        working = self._book.working()
        unknown = sum(order.state is OrderState.UNKNOWN for order in working)
        return f"{len(working)} working" + (f", {unknown} unknown" if unknown else "")

    # --- from groups ---------------------------------------------------------------------------------------------------

    @handles
    def submit(self, msg: SubmitOrder) -> Do | None:
        """Send an order once; an order that is already known is answered with what is known."""
        known = self._book.get(msg.request.client_order_id)
        if known is not None:
            return Do(tells=self._retell(known))
        if msg.adds_risk:
            if not self._permit_is_fresh():
                return self._wait_for_permit(msg)
            return self._decide(msg, self._correlation(), None)
        return self._send(msg, self._correlation())

    @handles
    def retell(self, msg: RetellOrders) -> Do:
        """Tell an owner again all that is known of its orders."""
        return Do(tells=[tell for order in self._book.owned_by(msg.owner) for tell in self._retell(order)])

    def _send(self, msg: SubmitOrder, correlation: int) -> Do:
        now = self.now()
        permit = self._permit.number if self._permit is not None else 0
        place = PlaceAtVenue(msg.request, now + SEND_WITHIN_S * NANOS)
        event = sent(msg, permit=permit, correlation=correlation, at=now)
        return Do([event], [(self._session, place)], correlation_id=correlation)

    def _refuse(self, msg: SubmitOrder, correlation: int, code: str, reason: str) -> Do:
        now = self.now()
        event = refused(msg, code, reason, correlation=correlation, at=now)
        update = OrderUpdate(
            client_order_id=msg.request.client_order_id, state=OrderState.REJECTED, reason=f"{code}: {reason}", at=now
        )
        return Do([event], [(msg.owner, update)], correlation_id=correlation)

    def _wait_for_permit(self, msg: SubmitOrder) -> Do:
        if not self._waiting:
            self.timers.after(PERMIT_WAIT_S, _PermitOverdue())
        self._waiting.setdefault(msg.request.client_order_id, (msg, self._correlation()))
        return Do(tells=[(self._risk, RenewPermit())])

    def rolled_back(self) -> None:
        """Drop what waits for a permit: its group may not have wanted it after all; who does is asked to tell again."""
        if self._waiting:
            self._waiting = {}
            self.context.bus.publish(desk_topic(self._account), DeskUp(self._account))

    def _permit_is_fresh(self) -> bool:
        return self._permit is not None and self.now() - self._permit.at <= PERMIT_MAX_AGE_S * NANOS

    @handles
    def permit(self, msg: Permit) -> list[Do] | None:
        """Take the newest permit and decide about what waited for it; one that was long under way decides nothing."""
        self._permit = msg
        return self._release(None) if self._permit_is_fresh() else None

    @handles
    def permit_overdue(self, msg: _PermitOverdue) -> list[Do] | None:  # noqa: ARG002 - the type is the message
        """Refuse what waited for a permit that did not come: the risk coordinator is down."""
        return self._release("no fresh risk permit")

    def _release(self, overdue: str | None) -> list[Do] | None:
        waiting, self._waiting = self._waiting, {}
        return [self._decide(msg, correlation, overdue) for msg, correlation in waiting.values()] or None

    def _decide(self, msg: SubmitOrder, correlation: int, overdue: str | None) -> Do:
        permit = self._permit
        if permit is None or overdue is not None:
            return self._refuse(msg, correlation, "NoPermit", overdue or "the risk coordinator is silent")
        if not permit.entries_allowed:
            return self._refuse(msg, correlation, "EnginePaused", permit.reason or permit.status.value)
        return self._send(msg, correlation)

    @handles
    def cancel(self, msg: CancelOrder) -> Do | None:
        """Ask the venue to cancel; an order that is already finished is answered at once."""
        order = self._book.get(msg.client_order_id)
        if order is None:
            waiting = self._waiting.pop(msg.client_order_id, None)
            return self._refuse(*waiting, "CancelledUnsent", "cancelled while it waited") if waiting else None
        if order.state.final:
            return Do(tells=self._retell(order))
        request = CancelAtVenue(msg.client_order_id, order.request.symbol)
        events = [] if order.cancel_requested else [CancelRequested(msg.client_order_id, self.now())]
        return Do(events, [(self._session, request)])

    # --- from the venue ------------------------------------------------------------------------------------------------

    @handles
    def report(self, msg: OrderReport) -> Do | None:
        """Move an order by the table of order life; stale and repeated reports change nothing."""
        order = self._book.get(msg.client_order_id)
        if order is None:
            return self._stranger(msg)
        self._expect_fills(order, msg)
        try:
            state = advance(order.state, msg.state)
        except IllegalOrderMove as error:
            # The venue contradicts itself. Its word is kept and shown, our books stay; its fills count all the same.
            return Do([self._difference("VenueContradiction", msg.client_order_id, str(error), "ignored")])
        if msg.state is OrderState.UNKNOWN and not state.final:
            self._ask_later(msg.client_order_id)
        if state is order.state:
            return None
        event = changed(msg, at=self.now())
        return Do([event], self._of_change(order, msg), correlation_id=order.correlation_id)

    def _of_change(self, order: DeskOrder, msg: OrderReport) -> Tells:
        tells: Tells = []
        if self._lives(order.owner):  # else it asks for everything when it begins its next life
            before = order.update(self.now())
            traded = max(before.filled_qty, msg.filled_qty)
            update = msgspec.structs.replace(
                before, state=msg.state, filled_qty=traded, reason=msg.reason, absent_proven=msg.absent_proven
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
        tell = self._delivery(GroupMail(order.owner, reported(event)))
        return Do([event], [tell], correlation_id=order.correlation_id)

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
        if order is None or order.state is not OrderState.UNKNOWN:
            return None
        return Do(tells=[(self._session, QueryAtVenue(msg.client_order_id, order.request.symbol))])

    # --- reconciliation ------------------------------------------------------------------------------------------------

    @handles
    def reconcile(self, msg: VenueSnapshot) -> list[Do]:
        """Compare the venue's side with ours: apply missed fills, ask for what is missing, cancel what nobody wants."""
        found = compare(self._book, msg, self._tag)
        done = Reconciled(
            account=self._account,
            open_orders=len(msg.open_orders),
            fills_seen=len(msg.fills),
            fills_missed=len(found.missed),
            differences=found.differences,
            at=self.now(),
        )
        tells: Tells = [(self.ref, report) for _, report in found.working]
        for order, report in found.working:
            if order.cancel_requested:
                tells.append((self._session, CancelAtVenue(report.client_order_id, report.symbol)))
        for order in found.gone:
            # Filled, gone, or it never arrived. Only the venue can say which.
            tells.append((self._session, QueryAtVenue(order.request.client_order_id, order.request.symbol)))
        return [
            *(self._record(order, fill) for order, fill in found.missed),
            *(self._unwanted("OrphanOrder", report, "at the venue, not in the journal") for report in found.orphans),
            *(self._unwanted("EndedOrderOpen", report, "open at the venue, ended here") for report in found.risen),
            Do([done], tells),
        ]

    def _unwanted(self, code: str, report: OrderReport, detail: str) -> Do:
        found = self._difference(code, report.client_order_id, detail, "cancelled")
        return Do([found], [(self._session, CancelAtVenue(report.client_order_id, report.symbol))])

    def _difference(self, code: str, client_order_id: str, detail: str, correction: str) -> DifferenceFound:
        return DifferenceFound(self._account, code, client_order_id, detail, correction, self.now())

    def _correlation(self) -> int:
        envelope = self.context.envelope
        return envelope.correlation_id if envelope is not None else 0
