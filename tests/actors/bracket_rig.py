"""The guard of brackets over a real desk, with a venue that does to each order what a test says."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

from actors.brackets import BracketGuard
from actors.desk import OrderDesk
from actors.risk import PERMITS
from actors.session_topics import health_topic, session_topic
from protocol.brackets import (
    BracketAnswer,
    BracketList,
    BracketStanding,
    BracketStepTaken,
    ListBrackets,
    PlaceBracket,
    PlaceBracketAtVenue,
)
from protocol.incidents import ListIncidents
from protocol.orders import (
    CancelAtVenue,
    FillReport,
    OrderReport,
    OrderRequest,
    OrderState,
    PlaceAtVenue,
)
from protocol.risk import EngineStatus, Permit, RenewPermit
from protocol.values import MarketType, OrderSide, OrderType
from protocol.venue import QueryAtVenue, ReconcileNow, SessionUp, VenueHealth, VenueSnapshot, VenueStatus
from rules.broker.bracket_ids import bracket_id_of, close_id, entry_id, stop_again_id, stop_id, target_id
from runtime.actor import NO_ANSWER
from tests.actors.cast import Stage, play
from tests.actors.orders import TAG, market

D = Decimal
EURO = "EUR/USD:USD"
GUARD = "/house/brackets"
DESK = "/house/desk"
BRACKET = bracket_id_of("acc", "b1")
ENTRY = entry_id(TAG, BRACKET)
STOP, TARGET, AGAIN = stop_id(ENTRY), target_id(ENTRY), stop_again_id(TAG, BRACKET)
WORKS = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


def closing(number: int = 1) -> str:
    """Return the id of a close at the market."""
    return close_id(TAG, BRACKET, number)


def wish(**changes: Any) -> PlaceBracket:
    """Return a request: buy 100 at about 100, stop 95, target 110."""
    fields: dict[str, Any] = {
        "client_id": "b1", "symbol": EURO, "side": OrderSide.BUY, "qty": D(100), "stop": D(95), "target": D(110),
        "reference": D(100),
    }  # fmt: skip
    return PlaceBracket(**(fields | changes))


class Held:
    """One order at the venue."""

    def __init__(self, request: OrderRequest) -> None:
        self.request = request
        self.state = OrderState.OPEN
        self.filled = D(0)
        self.trades: list[Decimal] = []

    @property
    def rest(self) -> Decimal:
        return self.request.qty - self.filled if self.state in WORKS else D(0)


class VenueBook:
    """What the venue has: it outlives the process. ``fate`` says what becomes of an order, by its id.

    ``fate``: ``fills`` (orders at the market without one), ``rests``, ``refused``, ``lost`` (never came, nobody says so),
    ``mute`` (works, and the answer was lost), ``half`` (trades half, the rest is cancelled). ``blind``: questions about
    what it does not have prove nothing. ``children="rest"``: stop and target are kept without their entry.
    """

    def __init__(self, **fate: str) -> None:
        self.fate = fate
        self.orders: dict[str, Held] = {}
        self.came: list[str] = []
        self.cancels: list[str] = []
        self.blind = False
        self.dead: Callable[[], bool] = lambda: False

    def net(self) -> Decimal:
        """Return what the account holds."""
        return sum((o.filled if o.request.side is OrderSide.BUY else -o.filled for o in self.orders.values()), D(0))

    def behind_stops(self) -> Decimal:
        """Return how much is behind working stops."""
        return sum((o.rest for o in self.orders.values() if o.request.type is OrderType.STOP), D(0))


NAMES = {
    ENTRY: "entry",
    STOP: "stop",
    TARGET: "target",
    AGAIN: "again",
    **{closing(n): f"close{n}" for n in range(1, 9)},
}


class BracketRig:
    """Guard, desk and venue of the account ``acc``. ``rides`` as in ``BracketGuard``."""

    def __init__(self, stage: Stage, venue: VenueBook, *, rides: bool = False, takes: bool = True) -> None:
        self.stage, self.venue = stage, venue
        self.up = False
        self.told: list[Any] = []
        answers: dict[type, Any] = {
            PlaceBracketAtVenue: self._bracket,
            PlaceAtVenue: lambda msg: self._arrives(msg.request),
            CancelAtVenue: self._cancel,
            QueryAtVenue: self._query,
        }
        stage.probe("session", edge=True, answers=answers)
        self.reconciler = stage.probe("reconciler", answers={ReconcileNow: self._compare})
        stage.probe("risk", answers={RenewPermit: self._renew})
        self.groups = stage.probe("groups")
        self.status = EngineStatus.RUNNING
        stage.add("desk", self._desk)
        stage.add(
            "brackets",
            lambda: BracketGuard(
                account="acc", tag=TAG, desk=DESK, reconciler="/house/reconciler", takes=takes, rides=rides
            ),
        )

    def _desk(self) -> OrderDesk:
        paths = {"session": "/house/session", "reconciler": "/house/reconciler", "risk": "/house/risk"}
        return OrderDesk(account="acc", tag=TAG, groups="/house/groups", **paths)

    def _renew(self, _: RenewPermit) -> Any:
        permit = Permit(number=7, status=self.status, reason="because", at=self.stage.now)
        self.stage.system.bus.publish(PERMITS, permit, keep=True)
        return NO_ANSWER

    # --- the connection ------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Have the session up and the books compared."""
        self.up = True
        now = self.stage.now
        bus = self.stage.system.bus
        bus.publish(session_topic("acc"), SessionUp("acc", (market(EURO, MarketType.PERP),), now), keep=True)
        self._health(VenueStatus.UP)
        await self.stage.settle()
        await self.compare()

    async def disconnect(self) -> None:
        """Have the venue out of reach: what is sent fails, what happens there is not told."""
        self.up = False
        self._health(VenueStatus.DOWN)
        await self.stage.settle()

    def _health(self, status: VenueStatus) -> None:
        self.stage.system.bus.publish(
            health_topic("acc"), VenueHealth(account="acc", status=status, at=self.stage.now), keep=True
        )

    async def compare(self) -> None:
        """Compare the books, as the timer of the reconciler does."""
        self._compare(ReconcileNow())
        await self.stage.settle()

    def _compare(self, _: ReconcileNow) -> Any:
        if self.up and not self.venue.dead():
            orders = tuple(self._report(key) for key, held in self.venue.orders.items() if held.state in WORKS)
            fills = tuple(fill for key in self.venue.orders for fill in self._fills(key))
            fields: dict[str, Any] = {"balances": (), "positions": (), "since": 0, "at": self.stage.now}
            self._say(VenueSnapshot(account="acc", open_orders=orders, fills=fills, **fields))
        return NO_ANSWER

    # --- the venue -----------------------------------------------------------------------------------------------------

    def _say(self, *messages: Any) -> None:
        if self.up and not self.venue.dead():
            self.told += messages
            for message in messages:
                self.stage.system.tell(DESK, message)

    def _bracket(self, msg: PlaceBracketAtVenue) -> Any:
        if not self._reached(*msg.parts):
            return NO_ANSWER
        entry, *children = msg.parts
        self._arrives(entry)
        there = self.venue.orders.get(entry.client_order_id)
        for child in children:
            if self.venue.fate.get("children") != "rest" and (there is None or not there.filled):
                self._refuse(child, "Cancelled with its entry")
            else:
                self._arrives(child)
        return NO_ANSWER

    def _reached(self, *parts: OrderRequest) -> bool:
        if self.venue.dead():
            return False
        if not self.up:
            for part in parts:
                self.stage.system.tell(DESK, self._word(part, OrderState.REJECTED, "VenueDown", absent_proven=True))
        return self.up

    def _arrives(self, request: OrderRequest) -> Any:
        if not self._reached(request):
            return NO_ANSWER
        key = request.client_order_id
        self.venue.came.append(NAMES.get(key, key))
        name = NAMES.get(key, key)
        at_once = request.type is OrderType.MARKET
        fate = self.venue.fate.get(name, "fills" if at_once else "rests")
        if fate == "lost":
            self._say(self._word(request, OrderState.UNKNOWN, "NetworkTimeout"))
        elif fate == "refused":
            self._refuse(request, "no")
        else:
            self.venue.orders[key] = Held(request)
            if fate == "mute":
                if at_once:
                    self.trade(key, told=False)
                self._say(self._word(request, OrderState.UNKNOWN, "NetworkTimeout"))
            elif fate in ("fills", "half"):
                self.trade(key, request.qty if fate == "fills" else request.qty / 2, over=True)
            else:
                self._say(self._report(key))
        return NO_ANSWER

    def _refuse(self, request: OrderRequest, reason: str) -> None:
        held = self.venue.orders[request.client_order_id] = Held(request)
        held.state = OrderState.REJECTED
        self._say(self._word(request, OrderState.REJECTED, "OrderRejected", reason))

    def trade(self, key: str, qty: Decimal | None = None, *, over: bool = False, told: bool = True) -> None:
        """Have an order trade; ``over``: what is left of it is cancelled."""
        held = self.venue.orders[key]
        size = held.rest if qty is None else qty
        held.trades.append(size)
        held.filled += size
        held.state = OrderState.FILLED if held.filled >= held.request.qty else OrderState.PARTIALLY_FILLED
        if over and held.state is not OrderState.FILLED:
            held.state = OrderState.CANCELLED
        if told:
            self._say(self._fills(key)[-1], self._report(key))

    def end(self, key: str, state: OrderState = OrderState.CANCELLED) -> None:
        """Have an order end by itself."""
        self.venue.orders[key].state = state
        self._say(self._report(key))

    def _cancel(self, msg: CancelAtVenue) -> Any:
        held = self.venue.orders.get(msg.client_order_id)
        if self.venue.dead() or not self.up:
            return NO_ANSWER
        self.venue.cancels.append(NAMES.get(msg.client_order_id, msg.client_order_id))
        if held is None:
            self._say(_report(msg.client_order_id, OrderState.UNKNOWN, self.stage.now, code="OrderNotFound"))
            return NO_ANSWER
        if held.state in WORKS:
            held.state = OrderState.CANCELLED
        self._say(self._report(msg.client_order_id))
        return NO_ANSWER

    def _query(self, msg: QueryAtVenue) -> Any:
        key = msg.client_order_id
        if key in self.venue.orders:
            self._say(*self._fills(key), self._report(key))
        elif self.venue.blind:
            self._say(_report(key, OrderState.UNKNOWN, self.stage.now))
        else:
            self._say(_report(key, OrderState.REJECTED, self.stage.now, absent_proven=True))
        return NO_ANSWER

    def _word(self, request: OrderRequest, state: OrderState, code: str, reason: str = "", **more: Any) -> OrderReport:
        return _report(request.client_order_id, state, self.stage.now, code=code, reason=reason, **more)

    def _report(self, key: str) -> OrderReport:
        held = self.venue.orders[key]
        return _report(key, held.state, self.stage.now, filled_qty=held.filled, venue_order_id=f"v{key}")

    def _fills(self, key: str) -> list[FillReport]:
        held = self.venue.orders[key]
        return [
            FillReport(
                client_order_id=key, trade_id=f"{key}t{number}", symbol=EURO, side=held.request.side, qty=qty,
                price=D(100), fee=D(0), fee_currency="USD", maker=False, at=self.stage.now,
            )
            for number, qty in enumerate(held.trades)
        ]  # fmt: skip

    # --- the guard -----------------------------------------------------------------------------------------------------

    async def place(self, **changes: Any) -> BracketAnswer:
        """Ask for a bracket and let what needs no time happen."""
        answer: BracketAnswer = await self.stage.ask("brackets", wish(**changes))
        await self.stage.settle()
        return answer

    async def standing(self) -> BracketStanding:
        """Return how the only bracket stands."""
        said: BracketList = await self.stage.ask("brackets", ListBrackets(ended=True))
        (found,) = said.brackets
        return found

    async def alarms(self) -> list[str]:
        """Return the kinds of the incidents that stand."""
        return [each.kind for each in (await self.stage.ask("brackets", ListIncidents())).incidents]


def _report(key: str, state: OrderState, at: int, **more: Any) -> OrderReport:
    return OrderReport(client_order_id=key, symbol=EURO, state=state, at=at, **more)


Script = Callable[[BracketRig], Coroutine[Any, Any, None]]


def run(script: Script, venue: VenueBook | None = None, **options: Any) -> VenueBook:
    """Run a script over a connected rig."""
    book = venue or VenueBook()

    async def main(stage: Stage) -> None:
        rig = BracketRig(stage, book, **options)
        await stage.settle()
        await rig.connect()
        await script(rig)

    play(main)
    return book


def steps(rig: BracketRig) -> list[str]:
    """Return what the guard decided."""
    return [each.step.value for each in rig.stage.events(GUARD, BracketStepTaken)]
