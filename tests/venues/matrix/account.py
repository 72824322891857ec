"""One account at an outside venue under real actors: risk coordinator, desk, session, reconciler, rules; no groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any, Final

from actors.desk import OrderDesk
from actors.desk_book import DeskBook
from actors.precision import PrecisionCache, PrecisionSettings
from actors.reconciler import Reconciler
from actors.risk import RiskCoordinator
from actors.session import VenueSession, health_topic, market_topic
from protocol.market import PriceTick, SubscribeMarket
from protocol.orders import (
    CancelOrder,
    FillReported,
    OrderRequest,
    OrderState,
    OrderUpdate,
    Purpose,
    SubmitOrder,
)
from protocol.values import OrderSide, OrderType
from protocol.venue import VenueHealth, VenueStatus
from rules.client_ids import derive
from runtime.actor import Actor, handles
from runtime.clock import WallClock
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.venues.rigs import Standing

__all__ = ["RECONCILE_EVERY_S", "House", "housed"]

RECONCILE_EVERY_S: Final = 5.0
"""The house's default is a minute: a matrix cannot wait so long in every cell."""

TAG: Final = "mtrx"
OWNER: Final = "/groups/owner"
BASE: Final = "/venues/acc"


class Owner(Actor):
    """Stands for a group: remembers what it is told of its orders."""

    def __init__(self, updates: list[OrderUpdate], fills: list[FillReported]) -> None:
        self._updates = updates
        self._fills = fills

    @handles
    def update(self, msg: OrderUpdate) -> None:
        self._updates.append(msg)

    @handles
    def fill(self, msg: FillReported) -> None:
        self._fills.append(msg)


class Watcher(Actor):
    """Hears the prices that the session lets through, and keeps those that are none."""

    def __init__(self, symbol: str, price: Decimal, lies: list[PriceTick], heard: list[int]) -> None:
        self._symbol = symbol
        self._price = price
        self._lies = lies
        self._heard = heard

    def started(self) -> None:
        self.context.bus.subscribe(market_topic("acc", self._symbol), self.ref)

    @handles
    def tick(self, msg: PriceTick) -> None:
        self._heard[:] = [self.now()]
        if not (0 < msg.bid <= msg.ask and abs(msg.bid / self._price - 1) < Decimal("0.1")):
            self._lies.append(msg)


class House:
    """The account's actors and what a cell does with them."""

    def __init__(self, system: ActorSystem, venue: Standing) -> None:
        self.system = system
        self.venue = venue
        self.updates: list[OrderUpdate] = []
        self.fills: list[FillReported] = []
        self.wishes: dict[str, SubmitOrder] = {}
        self.lies: list[PriceTick] = []
        """Prices that were let through and are none."""
        self._heard: list[int] = []
        self._rules = venue.hall.instruments()[venue.symbol].rules
        step = self._rules.step_size
        least = max(self._rules.min_qty, self._rules.min_notional / venue.price * 2)
        self.qty = (least // step + 10) * step * 4

    def tree(self) -> Any:
        """Return the actors, as the house builds them."""
        names = {"account": "acc", "session": f"{BASE}/session"}
        desk = partial(
            OrderDesk, **names, tag=TAG, reconciler=f"{BASE}/reconciler", risk="/risk/coordinator", groups="/groups",
            precision=f"{BASE}/precision",
        )  # fmt: skip
        session = partial(VenueSession, account="acc", venue=self.venue.make, desk=f"{BASE}/desk")
        reconciler = partial(Reconciler, **names, desk=f"{BASE}/desk", every_s=RECONCILE_EVERY_S)
        account = supervisor(
            "acc",
            ChildSpec("desk", desk),
            ChildSpec("session", session, edge=True),
            ChildSpec("reconciler", reconciler),
            ChildSpec("precision", partial(PrecisionCache, **names, settings=PrecisionSettings())),
            strategy="rest_for_one",
        )
        return supervisor(
            "root",
            supervisor("risk", ChildSpec("coordinator", partial(RiskCoordinator, ["acc"]))),
            supervisor("groups", ChildSpec("owner", lambda: Owner(self.updates, self.fills))),
            supervisor("watch", ChildSpec("watcher", self._watcher)),
            supervisor("venues", account),
        )

    def _watcher(self) -> Watcher:
        return Watcher(self.venue.symbol, self.venue.price, self.lies, self._heard)

    # --- orders --------------------------------------------------------------------------------------------------------

    def price(self, part: str) -> Decimal:
        """Return a part of the venue's price, on a tick."""
        tick = self._rules.tick_size
        return self.venue.price * Decimal(part) // tick * tick

    def buy(self, kind: OrderType = OrderType.LIMIT, at: str = "0.99") -> str:
        """Tell the desk to buy; return the order's id."""
        number = len(self.wishes) + 1
        name = derive(TAG, f"g{number}", pyramid=0, layer=0, purpose=Purpose.ENTRY, attempt=1)
        request = OrderRequest(
            client_order_id=name,
            symbol=self.venue.symbol,
            side=OrderSide.BUY,
            type=kind,
            qty=self.qty,
            price=None if kind is OrderType.MARKET else self.price(at),
        )
        wish = SubmitOrder(
            request=request, owner=OWNER, group_id=f"g{number}", leg_id="p0.l0", purpose=Purpose.ENTRY, adds_risk=True
        )
        self.wishes[name] = wish
        self.system.tell(f"{BASE}/desk", wish)
        return name

    def cancel(self, name: str) -> None:
        """Tell the desk to cancel an order."""
        self.system.tell(f"{BASE}/desk", CancelOrder(name, OWNER))

    def follow(self) -> None:
        """Have the venue's prices told."""
        self.system.tell(f"{BASE}/session", SubscribeMarket(self.venue.symbol))

    @property
    def tick(self) -> Decimal:
        """Return the smallest step of the price."""
        return self._rules.tick_size

    def quoted_since(self, at: int) -> bool:
        """Whether a price was let through after an instant."""
        return bool(self._heard) and self._heard[-1] > at

    # --- how it stands -------------------------------------------------------------------------------------------------

    def actor(self, path: str) -> Any:
        """Return the present life of an actor."""
        cell = self.system.cell_of(path)
        return None if cell is None else cell.actor

    @property
    def book(self) -> DeskBook:
        """What the desk remembers."""
        book: DeskBook = self.actor(f"{BASE}/desk")._book
        return book

    def state(self, name: str) -> OrderState | None:
        """Return how an order stands for the desk."""
        order = self.book.get(name)
        if order is not None:
            return order.state
        told = [each.state for each in self.updates if each.client_order_id == name]
        return told[-1] if told else None

    @property
    def health(self) -> VenueHealth | None:
        """Return what the session says of itself."""
        said: VenueHealth | None = self.system.bus.kept(health_topic("acc"))
        return said

    @property
    def up(self) -> bool:
        """Whether the session is up and was compared with the venue."""
        return self.health is not None and self.health.status is VenueStatus.UP

    @property
    def compared(self) -> int:
        """Count the comparisons with the venue of the reconciler's present life."""
        return int(getattr(self.actor(f"{BASE}/reconciler"), "_done", 0))


@asynccontextmanager
async def housed(venue: Standing) -> AsyncIterator[House]:
    """Run the actors until the block ends."""
    system = ActorSystem(clock=WallClock(), journal=MemoryJournal())
    async with system:
        house = House(system, venue)
        system.start_root(house.tree())
        await system.ready()
        yield house


async def within(seconds: float, condition: Callable[[], object]) -> bool:
    """Wait until something is so; return whether it came about in time."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - on many actors at once there is no one event
                await asyncio.sleep(0.01)  # house: sockets and threads have no clock of ours
    except TimeoutError:
        return False
    return True
