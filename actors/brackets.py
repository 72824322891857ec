"""The guard of one account's brackets: entries with a stop and a target, and whether the stop really works (PF-234).

It owns what is wanted and decided, the desk owns the orders: entry, stop and target are handed to the desk as one, and
everything that follows is heard from it. Everything is journalled before it is told, and told again in the next life; the
desk sends nothing twice. ``rules.broker.protection`` decides.
"""

from __future__ import annotations

import msgspec

from actors.bracket_orders import retold, whole
from actors.bracket_watch import BracketWatch
from actors.desk import desk_topic
from actors.group_recovery import compared_topic
from actors.session_topics import health_topic, session_topic
from protocol.brackets import (
    BracketAnswer,
    BracketList,
    BracketOrderMoved,
    BracketStep,
    BracketStepTaken,
    BracketWanted,
    CloseBracket,
    ListBrackets,
    PlaceBracket,
)
from protocol.errors import ValidationError
from protocol.groups.recovery import AccountCompared
from protocol.incidents import ClearIncident, IncidentList, ListIncidents
from protocol.instruments import Instrument
from protocol.orders import DeskUp, FillReported, OrderState, OrderUpdate, RetellOrders
from protocol.values import MarketType
from protocol.venue import ReconcileNow, SessionDown, SessionUp, VenueHealth, VenueStatus
from rules.broker.bracket_ids import bracket_id_of
from rules.broker.brackets import bracket as orders_of
from rules.broker.guarded import Guarded, began
from rules.order_life import IllegalOrderMove, advance
from runtime.actor import Do, handles

__all__ = ["BracketGuard"]


class BracketGuard(BracketWatch):
    """Takes brackets and sees them to their end. ``takes``: the venue takes entry, stop and target as one.

    ``rides``: the venue keeps stop and target at the size of what the entry has opened. ``tag`` marks our orders.
    """

    def __init__(self, *, account: str, tag: str, desk: str, reconciler: str, takes: bool, rides: bool) -> None:
        super().__init__(account, desk, reconciler)
        self._tag = tag
        self._takes = takes
        self._rides = rides
        self._markets: dict[str, Instrument] = {}
        self._up_at: int | None = None

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Hear how the venue stands; the books are compared before anything is decided that time alone decides."""
        hear = self.context.bus.subscribe
        hear(session_topic(self._account), self.ref)
        hear(health_topic(self._account), self.ref)
        hear(compared_topic(self._account), self.ref)
        hear(desk_topic(self._account), self.ref, wanted=lambda fact: type(fact) is DeskUp)

    def recovered(self) -> Do:
        """Tell the desk again what it may not have heard, and hear from it what became of the rest."""
        return self._tell_again()

    @handles
    def desk_up(self, msg: DeskUp) -> Do:  # noqa: ARG002 - the type is the message
        """Do the same for a desk that begins a life."""
        return self._tell_again()

    def _tell_again(self) -> Do:
        told = [message for bracket in self._live() for message in retold(bracket, self.context.path)]
        self._arrange()
        return Do(tells=[(self._desk, each) for each in (*told, RetellOrders(self.context.path))])

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        live = list(self._live())
        bare = sum(bool(bracket.exposed_at) for bracket in live)
        blind = "" if self._heard_at is not None else ", venue not heard"
        return f"{len(live)} brackets" + (f", {bare} without a working stop" if bare else "") + blind

    # --- whoever wants a bracket ---------------------------------------------------------------------------------------

    @handles
    def place(self, msg: PlaceBracket) -> Do:
        """Take a bracket: its intent is durable before the desk hears of it, and before this is answered."""
        try:
            wanted = self._wanted(msg)
        except ValidationError as error:
            return Do(answer=BracketAnswer(client_id=msg.client_id, code=error.code, message=error.message))
        known = self._book.brackets.get(wanted.bracket_id)
        if known is not None:
            return Do(answer=_answer_known(known, wanted))
        if self._heard_at is None:
            text = "the venue is not connected, or its books were not compared with ours yet: nothing was sent"
            return Do(answer=BracketAnswer(client_id=msg.client_id, code="VenueDown", message=text))
        bracket = began(wanted)
        answer = BracketAnswer(client_id=msg.client_id, standing=bracket.standing())
        return Do([wanted], [(self._desk, whole(bracket, self.context.path))], answer)

    def _wanted(self, msg: PlaceBracket) -> BracketWanted:
        """Return what a request comes to; raises ValidationError with the codes of PF-233 and our own."""
        if not self._takes:
            text = f"the venue of {self._account} does not take entry, stop and target as one"
            raise ValidationError("$", text, code="CapabilityMissing")
        market = self._markets.get(msg.symbol)
        if market is None:
            down = not self._markets
            text = "the venue was not connected yet" if down else f"{self._account} has no market {msg.symbol}"
            raise ValidationError("$.symbol", text, code="VenueDown" if down else "UnknownSymbol", value=msg.symbol)
        parts = orders_of(
            msg.side,
            msg.qty,
            reference=msg.reference,
            stop=msg.stop,
            target=msg.target,
            tick=market.rules.tick_size,
            client_id=msg.client_id,
        )
        stop = parts[1].price
        assert stop is not None, "a bracket has a stop"
        return BracketWanted(
            bracket_id=bracket_id_of(self._account, msg.client_id),
            client_id=msg.client_id,
            symbol=msg.symbol,
            side=msg.side,
            qty=msg.qty,
            stop=stop,
            target=parts[2].price if len(parts) > 2 else None,
            reference=msg.reference,
            tag=self._tag,
            reduce_only=market.market_type is MarketType.PERP,
            rides=self._rides,
            at=self.now(),
        )

    @handles
    def close(self, msg: CloseBracket) -> Do:
        """Close a bracket at the market because somebody says so."""
        bracket = self._book.brackets.get(bracket_id_of(self._account, msg.client_id))
        if bracket is None:
            text = f"{self._account} has no bracket {msg.client_id}"
            return Do(answer=BracketAnswer(client_id=msg.client_id, code="NotFound", message=text))
        if bracket.end or bracket.closing:
            return Do(answer=BracketAnswer(client_id=msg.client_id, standing=bracket.standing()))
        step = BracketStepTaken(
            bracket_id=bracket.wanted.bracket_id,
            client_id=bracket.wanted.client_id,
            step=BracketStep.CLOSING,
            reason="asked",
            at=self.now(),
        )
        do = self._go_on(bracket, step)
        after = bracket.after(step)
        do.answer = BracketAnswer(client_id=msg.client_id, standing=after.standing())
        return do

    @handles
    def list_brackets(self, msg: ListBrackets) -> BracketList:
        """Say how the brackets stand."""
        told = self._book.brackets.values() if msg.ended else self._live()
        return BracketList(tuple(bracket.standing() for bracket in told))

    @handles
    def incidents(self, msg: ListIncidents) -> IncidentList:
        """Say which incidents stand."""
        return IncidentList(tuple(each for each in self._book.incidents.values() if msg.kind in ("", each.kind)))

    @handles
    def clear(self, msg: ClearIncident) -> Do:
        """End an incident that an operator has dealt with."""
        over = self._over(msg.kind, msg.subject, f"cleared by {msg.operator or 'an operator'}")
        left = tuple(
            each for key, each in self._book.incidents.items() if not over or key != f"{msg.kind} {msg.subject}"
        )
        return Do(over, answer=IncidentList(left))

    # --- what the desk says --------------------------------------------------------------------------------------------

    @handles
    def update(self, msg: OrderUpdate) -> Do | None:
        """Take how an order stands; what is stale or repeated changes nothing."""
        bracket = self._of(msg.client_order_id)
        if bracket is None:
            return None
        leg = bracket.legs[msg.client_order_id]
        try:
            before = OrderState.SENT if leg.state is OrderState.INTENDED else leg.state
            state = advance(before, msg.state)
        except IllegalOrderMove:
            return None
        if state is leg.state and msg.filled_qty <= leg.reported:
            return None
        moved = BracketOrderMoved(
            bracket_id=bracket.wanted.bracket_id,
            client_order_id=msg.client_order_id,
            state=state,
            filled_qty=msg.filled_qty,
            code=msg.code,
            reason=msg.reason,
            at=self.now(),
        )
        return self._go_on(bracket, moved)

    @handles
    def fill(self, msg: FillReported) -> Do | None:
        """Count a trade once."""
        bracket = self._of(msg.client_order_id)
        if bracket is None or msg.trade_id in bracket.legs[msg.client_order_id].trades:
            return None
        leg = bracket.legs[msg.client_order_id]
        moved = BracketOrderMoved(
            bracket_id=bracket.wanted.bracket_id,
            client_order_id=msg.client_order_id,
            state=leg.state,
            trade_id=msg.trade_id,
            qty=msg.qty,
            at=self.now(),
        )
        return self._go_on(bracket, moved)

    def _of(self, client_order_id: str) -> Guarded | None:
        # The hash stands behind prefix and tag in each of our ids.
        bracket = self._book.brackets.get(client_order_id[6:19])
        return bracket if bracket is not None and client_order_id in bracket.legs else None

    # --- how the venue stands ------------------------------------------------------------------------------------------

    @handles
    def session(self, msg: SessionUp | SessionDown) -> None:
        """Take the markets."""
        if isinstance(msg, SessionUp):
            self._markets = {each.symbol: each for each in msg.instruments}

    @handles
    def health(self, msg: VenueHealth) -> None:
        """Note whether anything can be sent: while it cannot, no clock runs out (but it is said)."""
        if msg.status is not VenueStatus.UP:
            self._up_at = self._heard_at = None
            self._arrange()
        elif self._up_at is None:
            self._up_at = self.now()
            self._compare_books()

    @handles
    def compared(self, msg: AccountCompared) -> list[Do] | None:
        """Go on once the books agree with the venue's: the seconds of whatever is exposed begin anew."""
        if self._up_at is None or msg.at < self._up_at or self._heard_at is not None:
            return None
        self._heard_at = self.now()
        return self._all()

    def _compare_books(self) -> None:
        if self.context.system.lookup(self._reconciler) is not None:
            self.context.system.tell(self._reconciler, ReconcileNow())


def _answer_known(known: Guarded, wanted: BracketWanted) -> BracketAnswer:
    """Return how a bracket stands that was asked for before; another one under its name is refused."""
    at = known.wanted.at
    if msgspec.structs.replace(wanted, at=at) == known.wanted:
        return BracketAnswer(client_id=wanted.client_id, standing=known.standing())
    text = "another bracket was placed under this name; a name is used once"
    return BracketAnswer(client_id=wanted.client_id, code="DuplicateBracket", message=text, standing=known.standing())
