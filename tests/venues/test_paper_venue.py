"""The paper venue keeps the trading contract: its adapter, its exchange and a real actor system on the virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

import pytest

from actors.paper_exchange import PaperExchange
from protocol.instruments import Instrument, PrecisionRules
from protocol.market import Bar, PriceTick
from protocol.messages import Message
from protocol.orders import Balance, OrderReport, OrderState
from protocol.values import MarketType
from runtime.actor import Actor, handles
from runtime.clock import VirtualClock
from runtime.journal import JournalUnavailable
from runtime.lifecycle import ChildExited
from runtime.loop import VirtualLoop, run_virtual
from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.venues.contract_suite import TradingContract, TradingRig
from tests.venues.manual_time import Heard
from tests.venues.paper_helpers import order
from venues.errors import NetworkTimeout, VenueCapabilityMissing, VenueDown
from venues.paper.adapter import PaperVenue
from venues.paper.config import PaperConfig
from venues.paper.engine import PaperEngine

D = Decimal
START = 1_700_000_000_000_000_000
PATH = "/house/exchange"
RULES = PrecisionRules(D("0.01"), D("0.001"), D("0.001"), D(5))


def instruments() -> tuple[Instrument, ...]:
    """Return a spot market and its perpetual."""
    return tuple(
        Instrument(
            venue="paper",
            symbol=symbol,
            venue_symbol="BTCUSDT",
            base="BTC",
            quote="USDT",
            market_type=kind,
            rules=RULES,
        )
        for symbol, kind in (("BTC/USDT", MarketType.SPOT), ("BTC/USDT:USDT", MarketType.PERP))
    )


class Nurse(Actor):
    """Parent of the exchange; gives it its next life after a crash."""

    @handles
    def exited(self, news: ChildExited) -> None:
        self.context.respawn(news.name)


class PaperRig(TradingRig):
    """The adapter over an exchange that lives in a system of its own."""

    def __init__(self, system: ActorSystem, config: PaperConfig) -> None:
        self.system = system
        self.heard = Heard()
        self.venue = PaperVenue(system, PATH)
        system.spawn(Spec("house", Nurse, stop_s=None))
        house = system.cell_of("/house")
        assert house is not None
        engine = partial(PaperEngine, config, instruments())
        house.spawn(Spec("exchange", lambda: PaperExchange(account="acc", engine=engine)))

    def tell(self, message: Message) -> None:
        exchange = self.system.lookup(PATH)
        assert exchange is not None
        exchange.tell(message)

    async def set_price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        self.tell(PriceTick(symbol, self.system.now(), bid, ask, bid))
        await self.settled()

    async def trade(self, symbol: str, price: Decimal, volume: Decimal) -> None:
        # One jump to the price, with a quarter of the bar's volume at its first point; the rest of it is let pass.
        self.tell(Bar(symbol, self.system.now(), 60, price, price, price, price, volume))
        await self.settled()

    async def settled(self) -> None:
        loop = asyncio.get_running_loop()
        passed: asyncio.Future[None] = loop.create_future()
        loop.call_later(0.000_001, passed.set_result, None)
        await passed


@asynccontextmanager
async def rig_with(config: PaperConfig, journal: MemoryJournal | None = None) -> AsyncIterator[PaperRig]:
    """Run a rig on the test's virtual loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    async with ActorSystem(clock=loop._virtual, journal=journal) as system:
        yield PaperRig(system, config)


class PaperContract(TradingContract):
    """The contract on the virtual clock; ``config`` is the account's."""

    config: ClassVar[PaperConfig] = PaperConfig(balances=(Balance("USDT", D(100_000)),))

    @pytest.fixture
    def anyio_backend(self) -> Any:
        return ("asyncio", {"loop_factory": lambda: VirtualLoop(VirtualClock(START))})

    def open_rig(self) -> Any:
        return rig_with(self.config)


class TestPaperVenue(PaperContract):
    """An account that may trade a quarter of what each bar trades at a point."""

    config = PaperConfig(balances=(Balance("USDT", D(100_000)),), participation=D(4))


class TestPaperVenueWithCosts(PaperContract):
    """The same with slippage, and fees in the bought currency."""

    config = PaperConfig(
        balances=(Balance("USDT", D(100_000)),), participation=D(4), slippage_bps=D(2), fee_in_base=True, seed=3
    )


# --- what only the paper venue can suffer ------------------------------------------------------------------------------


class FullDisk(MemoryJournal):
    """A journal that keeps nothing while ``full``."""

    full = False

    def append(self, entries: Any) -> int:
        if self.full:
            raise JournalUnavailable("the disk is full")
        return super().append(entries)


def on_rig(scenario: Callable[[PaperRig], Any], journal: MemoryJournal | None = None) -> None:
    """Run a scenario on a connected rig with a price of 100."""

    async def main(_: VirtualClock) -> None:
        async with rig_with(PaperContract.config, journal) as rig:
            await rig.venue.connect(rig.heard)
            await rig.set_price("BTC/USDT", D(99), D(101))
            await scenario(rig)

    run_virtual(main, start=START)


def resting(number: int = 1) -> Any:
    """Return a limit order below the market."""
    return order(f"bhpaper{number}", "buy", "limit", "1", "90")


def crash(rig: PaperRig) -> None:
    """End the exchange's present life by an error."""
    cell = rig.system.cell_of(PATH)
    assert cell is not None
    cell.crash(RuntimeError("by the test"), None)


def test_an_exchange_that_is_not_there() -> None:
    """A call that reached nobody says so: the order was certainly not sent."""

    async def scenario(rig: PaperRig) -> None:
        nowhere = PaperVenue(rig.system, "/house/nobody")
        with pytest.raises(VenueDown):
            await nowhere.connect(rig.heard)
        with pytest.raises(VenueDown):
            await nowhere.place(resting())
        with pytest.raises(VenueDown):
            await nowhere.open_orders()
        await nowhere.close()

    on_rig(scenario)


def test_an_exchange_that_crashes_with_an_order_in_hand() -> None:
    """Nobody knows how far it came: the outcome is unknown, and asking again tells (EX-426)."""

    async def scenario(rig: PaperRig) -> None:
        placing = asyncio.ensure_future(rig.venue.place(None))  # type: ignore[arg-type]  # crashes the exchange
        with pytest.raises(NetworkTimeout):
            await placing
        answer = await rig.venue.query("bhpaper1", "BTC/USDT")
        assert (answer.state, answer.absent_proven) == (OrderState.REJECTED, True)

    on_rig(scenario)


def test_an_order_that_the_journal_could_not_keep() -> None:
    """It has no known outcome for the caller, and it does not exist: the next life proves its absence."""
    journal = FullDisk()

    async def scenario(rig: PaperRig) -> None:
        journal.full = True
        with pytest.raises(NetworkTimeout):
            await rig.venue.place(resting())
        journal.full = False
        assert await rig.venue.open_orders() == ()
        assert (await rig.venue.query("bhpaper1", "BTC/USDT")).absent_proven
        assert rig.heard.of(OrderReport, state=OrderState.FILLED) == []

    on_rig(scenario, journal)


def test_orders_outlive_the_exchanges_lives() -> None:
    """After a crash orders, balances and the memory of client ids are as before; whoever connects again is told again."""

    async def scenario(rig: PaperRig) -> None:
        await rig.venue.place(resting())
        before = await rig.venue.balances(), await rig.venue.open_orders()
        crash(rig)
        await rig.settled()
        after = await rig.venue.balances(), await rig.venue.open_orders()
        assert [report.client_order_id for report in after[1]] == [report.client_order_id for report in before[1]]
        assert after[0] == before[0]
        assert (await rig.venue.place(resting())).venue_order_id == before[1][0].venue_order_id
        rig.heard.forget()
        await rig.venue.connect(rig.heard)
        await rig.set_price("BTC/USDT", D(80), D(81))
        assert rig.heard.of(OrderReport)[-1].state is OrderState.FILLED

    on_rig(scenario)


def test_history_is_not_offered() -> None:
    """The paper exchange keeps no bars and says so."""

    async def scenario(rig: PaperRig) -> None:
        with pytest.raises(VenueCapabilityMissing):
            await rig.venue.candles("BTC/USDT", "1m", 0, 10)

    on_rig(scenario)


def test_positions_of_perpetuals() -> None:
    """What is bought of a perpetual is a position, no balance."""

    async def scenario(rig: PaperRig) -> None:
        symbol = "BTC/USDT:USDT"
        await rig.set_price(symbol, D(99), D(101))
        await rig.venue.place(order("bhpaper2", "sell", "market", "2", symbol=symbol))
        (position,) = await rig.venue.positions()
        assert (position.symbol, position.qty) == (symbol, D(-2))

    on_rig(scenario)
