"""The order desk of one venue account: the only owner of order states.

Everything between the groups and the venue passes here. An order leaves once: ``OrderSent`` is durable before the session
hears of it, and telling the same client id again only repeats what is known. Fills count once a trade id. An order whose
outcome nobody knows stays ``unknown`` until the venue proves what became of it; nothing is sent in its place before.
"""

from __future__ import annotations

from actors.desk_brackets import place_whole, refuse_whole
from actors.desk_events import never_sent, refused, sent
from actors.desk_hold import EXITS_WAIT_S, LetHeld
from actors.desk_sides import Sides
from actors.desk_venue import VenueSide
from actors.risk import PERMITS
from actors.session_topics import health_topic
from actors.topics import GROUPS
from protocol.brackets import SubmitBracket
from protocol.groups import GroupChanged
from protocol.messages import Message
from protocol.offset import TellStanding
from protocol.orders import (
    CancelAtVenue,
    CancelOrder,
    CancelRequested,
    DeskUp,
    OrderState,
    OrderStateChanged,
    OrderUpdate,
    PlaceAtVenue,
    RetellOrders,
    SubmitOrder,
)
from protocol.risk import Permit, RenewPermit
from protocol.venue import (
    AllowEntries,
    EntriesAllowed,
    QueryAtVenue,
    VenueHealth,
)
from runtime.actor import Do, handles
from runtime.clock import NANOS

__all__ = [
    "PERMIT_MAX_AGE_S",
    "PERMIT_WAIT_S",
    "SEND_WITHIN_S",
    "UNWANTED_KEPT",
    "OrderDesk",
    "desk_topic",
]

PERMIT_MAX_AGE_S = 5
"""A permit older than this lets nothing through that adds risk; a new one is asked for."""

PERMIT_WAIT_S = 2.0
"""How long an order that adds risk waits for a fresh permit before it is refused."""

SEND_WITHIN_S = 10
"""An order that has not left the session this long after the decision is not sent any more."""


UNWANTED_KEPT = 1_000
"""Most cancels of unknown orders that are remembered."""


def desk_topic(account: str) -> str:
    """Return the bus topic on which a desk says that it begins a life."""
    return f"desk:{account}"


class _PermitOverdue(Message, frozen=True, tag=True):
    pass


class OrderDesk(VenueSide):
    """Sends, cancels, tracks and reconciles the orders of one account.

    ``tag`` marks our orders at the venue; paths name the session, the risk coordinator, the groups' supervisor and the cache
    of trading rules.
    """

    SNAPSHOT_EVERY = 2_000

    def __init__(
        self, *, account: str, tag: str, session: str, reconciler: str, risk: str, groups: str, precision: str = ""
    ) -> None:
        super().__init__(
            account=account, tag=tag, session=session, reconciler=reconciler, groups=groups, precision=precision
        )
        self._risk = risk
        self._permit: Permit | None = None
        self._waiting: dict[str, tuple[SubmitOrder, int]] = {}
        self._whole: dict[str, SubmitBracket] = {}
        """Brackets whose entry waits for a permit, by its id: they leave, or are refused, as one."""
        self._unwanted: set[str] = set()
        """Cancelled before we ever heard of them: what is told us again after a crash is told in this order."""
        self._sides = Sides(account)

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Hear permits, ask for the first, and have every owner tell again what it does not know the outcome of."""
        self.context.bus.subscribe(PERMITS, self.ref)
        self.context.bus.subscribe(health_topic(self._account), self.ref)
        self.context.system.tell(self._risk, RenewPermit())
        self.context.bus.subscribe(GROUPS, self.ref, wanted=self._sides.concerns)
        self.context.bus.publish(desk_topic(self._account), DeskUp(self._account))
        self.context.bus.publish(desk_topic(self._account), TellStanding())

    @handles
    def stands(self, msg: GroupChanged) -> None:
        """Take which sides of a perpetual are held."""
        self._sides.take(msg)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        working = self._book.working()
        unknown = sum(order.state is OrderState.UNKNOWN for order in working)
        said = f"{len(working)} working" + (f", {unknown} unknown" if unknown else "")
        said += "" if self._hold.up else ", venue down"
        said += f", {len(self._hold)} wait for the venue" if len(self._hold) else ""
        return said + (f", entries stopped: {self._book.stopped_for}" if self._book.stopped_for else "")

    # --- from groups ---------------------------------------------------------------------------------------------------

    @handles
    def submit(self, msg: SubmitOrder) -> Do | None:
        """Send an order once; an order that is already known is answered with what is known."""
        known = self._book.get(msg.request.client_order_id)
        if known is not None:
            return Do(tells=self._retell(known))
        if msg.request.client_order_id in self._unwanted:
            self._unwanted.discard(msg.request.client_order_id)
            return self._refuse(msg, self._correlation(), "CancelledUnsent", "cancelled before it was heard of")
        if self._book.may_have_forgotten(msg.wanted_at):
            return self._ask_about(msg, self._correlation())
        return self._admit(msg, self._correlation())

    @handles
    def submit_bracket(self, msg: SubmitBracket) -> list[Do] | Do | None:
        """Send an entry with what protects it as one, once. It does not wait for its venue: it is refused."""
        known = [order for part in msg.parts if (order := self._book.get(part.request.client_order_id)) is not None]
        if known:
            return Do(tells=[tell for order in known for tell in self._retell(order)])
        correlation = self._correlation()
        if self._book.may_have_forgotten(msg.entry.wanted_at):
            return [self._ask_about(part, correlation) for part in msg.parts]
        if (barred := self._bracket_barred(msg)) is not None:
            return refuse_whole(msg, *barred, correlation=correlation, at=self.now())
        self._whole[msg.entry.request.client_order_id] = msg
        fresh = self._permit_is_fresh()
        return self._decide(msg.entry, correlation, None) if fresh else self._wait_for_permit(msg.entry, correlation)

    def _bracket_barred(self, msg: SubmitBracket) -> tuple[str, str] | None:
        key = msg.entry.request.client_order_id
        if key in self._unwanted:
            self._unwanted.discard(key)
            return "CancelledUnsent", "cancelled before it was heard of"
        if self._book.stopped_for:
            return self._book.stopped_for, self._book.stopped_why
        if self.now() > msg.valid_until:
            return "TooLate", "it came too late to be what was asked for"
        if not self._hold.may_leave(adds_risk=True):
            return "VenueDown", "the venue is not connected, or the books were not compared yet"
        return None

    def _ask_about(self, msg: SubmitOrder, correlation: int) -> Do:
        """Have the venue say what became of an order that we may have sent and forgotten; it is not sent again."""
        key, now = msg.request.client_order_id, self.now()
        reason = "told again after so long that it may have been sent before: the venue is asked"
        unknown = OrderStateChanged(
            client_order_id=key, state=OrderState.UNKNOWN, venue_order_id="", reason=reason, at=now
        )
        known = sent(msg, permit=0, correlation=correlation, at=now)
        update = OrderUpdate(client_order_id=key, state=OrderState.UNKNOWN, reason=reason, at=now)
        asked = QueryAtVenue(key, msg.request.symbol)
        return Do([known, unknown], [(msg.owner, update), (self._session, asked)], correlation_id=correlation)

    def _admit(self, msg: SubmitOrder, correlation: int) -> Do | None:
        if msg.adds_risk and self._book.stopped_for:
            return self._refuse(msg, correlation, self._book.stopped_for, self._book.stopped_why)
        if not self._hold.may_leave(adds_risk=msg.adds_risk):
            self._hold.unsent.setdefault(msg.request.client_order_id, (msg, correlation))
            return None
        if not msg.adds_risk:
            return self._send(msg, correlation)
        if not self._permit_is_fresh():
            return self._wait_for_permit(msg, correlation)
        return self._decide(msg, correlation, None)

    @handles
    def retell(self, msg: RetellOrders) -> Do:
        """Tell an owner again all that is known of its orders."""
        return Do(tells=[tell for order in self._book.owned_by(msg.owner) for tell in self._retell(order)])

    def _send(self, msg: SubmitOrder, correlation: int) -> Do:
        msg, now = self._sides.fitting(msg), self.now()
        permit = self._permit.number if self._permit is not None else 0
        if (whole := self._whole.pop(msg.request.client_order_id, None)) is not None:
            until = min(whole.valid_until, now + SEND_WITHIN_S * NANOS)
            return place_whole(whole, self._session, until, permit=permit, correlation=correlation, at=now)
        place = PlaceAtVenue(msg.request, now + SEND_WITHIN_S * NANOS, msg.adds_risk)
        event = sent(msg, permit=permit, correlation=correlation, at=now)
        return Do([event], [(self._session, place)], correlation_id=correlation)

    def _refuse(self, msg: SubmitOrder, correlation: int, code: str, reason: str) -> Do:
        now = self.now()
        if (whole := self._whole.pop(msg.request.client_order_id, None)) is not None:
            return refuse_whole(whole, code, reason, correlation=correlation, at=now)
        event = refused(msg, code, reason, correlation=correlation, at=now)
        update = OrderUpdate(
            client_order_id=msg.request.client_order_id,
            state=OrderState.REJECTED,
            reason=f"{code}: {reason}",
            code=code,
            at=now,
        )
        return Do([event], [(msg.owner, update)], correlation_id=correlation)

    def _wait_for_permit(self, msg: SubmitOrder, correlation: int) -> Do:
        if not self._waiting:
            self.timers.after(PERMIT_WAIT_S, _PermitOverdue())
        self._waiting.setdefault(msg.request.client_order_id, (msg, correlation))
        return Do(tells=[(self._risk, RenewPermit())])

    def rolled_back(self) -> None:
        """Drop what only waits: its group may not have wanted it after all; who does is asked to tell again."""
        self._unwanted.clear()
        self._whole.clear()
        if self._waiting or self._hold.unsent:
            self._waiting = {}
            self._hold.unsent.clear()
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
        if (barred := self._barred()) is not None:
            return self._refuse(msg, correlation, *barred)
        return self._send(msg, correlation)

    @handles
    def cancel(self, msg: CancelOrder) -> Do | None:
        """Ask the venue to cancel; an order that is already finished is answered at once."""
        order = self._book.get(msg.client_order_id)
        held = msg.client_order_id in self._hold.sent
        unsent = self._hold.drop(msg.client_order_id)
        if order is None:
            waiting = self._waiting.pop(msg.client_order_id, None) or unsent
            if waiting is None:
                if len(self._unwanted) < UNWANTED_KEPT:
                    self._unwanted.add(msg.client_order_id)
                return None
            return self._refuse(*waiting, "CancelledUnsent", "cancelled while it waited")
        if order.state.final:
            return Do(tells=self._retell(order))
        events = [] if order.cancel_requested else [CancelRequested(msg.client_order_id, self.now())]
        if held:
            unsent_for = ("CancelledUnsent", "cancelled while it waited for the venue")
            return Do(events, [(self.ref, never_sent(order, *unsent_for, self.now()))])
        # While the venue is down the next comparison asks it: a cancel into the dark would only make the order unknown.
        request = CancelAtVenue(msg.client_order_id, order.request.symbol)
        return Do(events, [(self._session, request)] if self._hold.up else [])

    @handles
    def allow_entries(self, msg: AllowEntries) -> Do:  # noqa: ARG002 - the type is the message
        """Let entries leave again: an operator has stopped the other engine (EX-1108)."""
        allowed = EntriesAllowed(self._account, self.now())
        return Do([allowed] if self._book.stopped_for else [], answer=allowed)

    # --- a venue that is down ------------------------------------------------------------------------------------------

    @handles
    def health(self, msg: VenueHealth) -> None:
        """Hold orders while the venue cannot be reached; exits wait for the first comparison only so long."""
        if self._hold.hears(msg):
            self.timers.after(EXITS_WAIT_S, LetHeld(exits=True))

    @handles
    def let_held(self, msg: LetHeld) -> list[Do] | None:
        """Send what waited for the venue: what adds no risk first."""
        if msg.exits:
            self._hold.let_exits()
        dos = [self._send_again(key) for key in self._hold.take_sent()]
        dos += [self._admit(wish, correlation) for wish, correlation in self._hold.take_unsent()]
        return [do for do in dos if do is not None] or None

    def _barred(self) -> tuple[str, str] | None:
        """Return why no entry may leave that was decided on before the venue went down, None when it may."""
        if self._book.stopped_for:
            return self._book.stopped_for, self._book.stopped_why
        permit = self._permit
        return permit.bars(self._account) if permit is not None else None

    def _send_again(self, client_order_id: str) -> Do | None:
        order = self._book.get(client_order_id)
        if order is None or order.state is not OrderState.SENT:
            return None
        if order.adds_risk and (barred := self._barred()):
            return Do(tells=[(self.ref, never_sent(order, *barred, self.now()))])
        place = PlaceAtVenue(order.request, self.now() + SEND_WITHIN_S * NANOS, order.adds_risk)
        return Do(tells=[(self._session, place)], correlation_id=order.correlation_id)

    def _correlation(self) -> int:
        envelope = self.context.envelope
        return envelope.correlation_id if envelope is not None else 0
