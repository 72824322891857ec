"""The paper exchange's actor: bars walked through time, restarts inside a bar, durable orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from actors.paper_exchange import PaperExchange
from actors.session import market_topic
from protocol.market import Bar, PriceTick, SubscribeMarket
from protocol.messages import Message
from protocol.orders import Balance, FillReport, OrderReport, OrderState
from protocol.paper import PaperOrderFilled
from protocol.webhook import NewestPrice
from tests.actors.cast import START, D, FailingJournal, S, Stage, kinds, of, play
from tests.actors.orders import SYMBOL, market
from tests.venues.paper_helpers import order
from venues.paper.config import PaperConfig
from venues.paper.engine import PaperEngine
from venues.paper.messages import Attach, BarInProgress, PaperCancel, PaperPlace, PaperQuery, PaperView

PATH = "/house/exchange"
MINUTE = 60 * S


def rising(at: int, *, low: str = "90", high: str = "110", volume: str = "100") -> Bar:
    """Return a bar from 100 over its low (after 20 s) and its high (after 40 s) to 105."""
    return Bar(SYMBOL, at, 60, D(100), D(high), D(low), D(105), D(volume))


def flat(at: int, price: str = "100") -> Bar:
    """Return a bar at one price."""
    return Bar(SYMBOL, at, 60, D(price), D(price), D(price), D(price), D(100))


def buy(number: int, price: str | None = None, qty: str = "1") -> PaperPlace:
    """Return a limit buy, or a market buy without a price."""
    return PaperPlace(order(f"bhbuy{number:03d}", "buy", "market" if price is None else "limit", qty, price))


class ExchangeRig:
    """The exchange ``/house/exchange`` with a sink for its reports and an ear on its prices."""

    def __init__(self, stage: Stage, **config: Any) -> None:
        self.stage = stage
        self.config = PaperConfig(balances=(Balance("USDT", D(100_000)),), **config)
        self.heard: list[Message] = []
        self.prices: list[PriceTick] = stage.probe("prices", topics=(market_topic("acc", SYMBOL),))
        stage.add("exchange", self.make)
        self.attach()

    def make(self) -> PaperExchange:
        return PaperExchange(account="acc", engine=lambda: PaperEngine(self.config, (market(), market("ETH/USDT"))))

    def attach(self) -> None:
        self.stage.tell("exchange", Attach(self.heard.append))

    async def told(self, *messages: Any) -> None:
        await self.stage.told("exchange", *messages)

    async def place(self, wanted: PaperPlace) -> OrderReport:
        report: OrderReport = await self.stage.ask("exchange", wanted)
        return report

    def lasts(self) -> list[Decimal]:
        """Return the published last prices; forget them."""
        found = [tick.last for tick in self.prices]
        self.prices.clear()
        return found

    def fills(self) -> list[tuple[str, Decimal]]:
        """Return client id and price of the journalled fills."""
        return [(each.client_order_id, each.price) for each in self.stage.events(PATH, PaperOrderFilled)]


# --- bars and time -----------------------------------------------------------------------------------------------------


def test_a_bar_that_touches_nothing_is_not_walked() -> None:
    """It costs nothing while it lasts and becomes the last price when the next one begins."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(rising(stage.now))
        await stage.passes(59)
        assert rig.lasts() == []
        await rig.told(rising(START + MINUTE))
        assert rig.lasts() == [D(105)]
        assert stage.system.timers.next_at() is None

    play(script)


def test_a_bar_that_reaches_an_order_is_walked_through_its_time() -> None:
    """The price visits open, extreme, extreme, close at its instants and an order fills when it is reached."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(flat(stage.now))
        await rig.place(buy(1, "95"))
        await stage.passes(60)
        rig.lasts()
        begun = stage.now
        await rig.told(rising(begun))
        assert (rig.lasts(), rig.fills()) == ([D(100)], [])
        await stage.passes(20)
        assert (rig.lasts(), rig.fills()) == ([D(90)], [("bhbuy001", D(95))])
        await stage.passes(20)
        assert rig.lasts() == [D(110)]
        await stage.passes(20)
        assert rig.lasts() == [D(105)]
        assert [(event.at - begun) // S for event in stage.events(PATH, PaperOrderFilled)] == [20]

    play(script)


def test_a_bar_that_reaches_what_somebody_waits_for_is_walked() -> None:
    """EX-606, EX-610: a watched target inside a bar is reached when the price is there, not when the bar is over."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        waiting = stage.probe("waiting")
        topic = market_topic("acc", SYMBOL)
        ref = stage.system.lookup("/house/waiting")
        assert ref is not None
        stage.system.bus.subscribe(topic, ref, wanted=lambda tick: tick.bid >= 108)
        await rig.told(rising(stage.now, high="107"))
        assert rig.lasts() == [], "out of reach: not walked"
        await stage.passes(60)
        rig.lasts()
        await rig.told(rising(START + MINUTE))
        await stage.passes(40)
        assert rig.lasts() == [D(100), D(90), D(110)]
        assert [tick.last for tick in waiting] == [D(110)]

    play(script)


def test_an_order_in_the_middle_of_a_bar_sees_only_the_past() -> None:
    """It meets the price of its instant and what comes after, never an extreme that the bar has left behind."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(rising(START))
        await stage.passes(25)
        taken = await rig.place(buy(1))
        assert taken.state is OrderState.FILLED
        assert rig.fills() == [("bhbuy001", D(90))]
        await stage.passes(20)
        late = await rig.place(buy(2, "95"))
        assert late.state is OrderState.OPEN
        await stage.passes(100)
        assert len(rig.fills()) == 1

    play(script)


def test_an_order_does_not_know_the_future_of_its_bar() -> None:
    """A market order at the beginning of a bar pays its open, although the bar falls later."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(rising(START))
        await rig.place(buy(1))
        assert rig.fills() == [("bhbuy001", D(100))]

    play(script)


def test_a_cancel_comes_before_the_price() -> None:
    """An order that was cancelled before the price reached it does not fill."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(rising(START))
        await rig.place(buy(1, "95"))
        await stage.passes(19)
        report = await stage.ask("exchange", PaperCancel("bhbuy001", SYMBOL))
        assert report.state is OrderState.CANCELLED
        await stage.passes(60)
        assert rig.fills() == []

    play(script)


def test_symbols_do_not_share_instants() -> None:
    """Points of two symbols whose bars begin together come one after the other."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        other = msgspec.structs.replace(rising(START), symbol="ETH/USDT")
        await rig.told(BarInProgress(rising(START), 0), BarInProgress(other, 1))
        await rig.place(buy(1, "95"))
        await stage.ask("exchange", PaperPlace(order("bhethbuy1", "buy", "limit", "1", "95", symbol="ETH/USDT")))
        await stage.passes(60)
        assert [event.at - START for event in stage.events(PATH, PaperOrderFilled)] == [20 * S, 20 * S + 1]

    play(script)


def test_quotes_match_and_are_published() -> None:
    """A quote fills what it reaches and everybody sees it."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(PriceTick(SYMBOL, stage.now, D(99), D(101), D(100)))
        await rig.place(buy(1, "98"))
        quote = PriceTick(SYMBOL, stage.now, D(96), D(97), D(97))
        await rig.told(quote)
        assert rig.fills() == [("bhbuy001", D(98))]
        assert rig.prices[-1] == quote

    play(script)


def test_the_newest_price_is_told_again() -> None:
    """Whoever subscribes or asks learns the price of this instant, not that of the bar's end."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        assert (await stage.ask("exchange", NewestPrice(SYMBOL))).tick is None
        assert (await stage.ask("exchange", NewestPrice("NO/SUCH"))).tick is None
        await rig.told(rising(stage.now))
        await stage.passes(21)
        assert (await stage.ask("exchange", NewestPrice(SYMBOL))).tick.last == D(90)
        await rig.told(SubscribeMarket(SYMBOL))
        assert rig.lasts() == [D(90)]

    play(script)


# --- reports -----------------------------------------------------------------------------------------------------------


def test_fills_are_told_before_the_state_they_lead_to() -> None:
    """One report an order and turn, after its fills; the answer comes when all of it is durable."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(flat(START))
        answer = await rig.place(buy(1))
        assert kinds(rig.heard) == ["FillReport", "OrderReport", "BalancesChanged"]
        (report,) = of(rig.heard, OrderReport)
        assert (report.state, report.filled_qty, answer.state) == (OrderState.FILLED, D(1), OrderState.FILLED)

    play(script)


def test_the_same_order_twice_is_one_order() -> None:
    """A client id is placed once, however often it comes, over restarts too (EX-422)."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(flat(START))
        await rig.place(buy(1))
        await rig.place(buy(1))
        assert len(rig.fills()) == 1

    async def second(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(flat(START + MINUTE))
        assert (await rig.place(buy(1))).state is OrderState.FILLED
        assert len(rig.fills()) == 1
        assert rig.heard == []

    play(first, journal=journal)
    play(second, journal=journal, start=START + MINUTE)


def test_the_account_opens_once() -> None:
    """A restart with another configured balance changes nothing that is in the journal."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        ExchangeRig(stage)
        await stage.settle()

    async def second(stage: Stage) -> None:
        rig = ExchangeRig(stage, leverage=D(3))
        view = await stage.ask("exchange", PaperView())
        assert [(each.currency, each.free) for each in view.balances] == [("USDT", D(100_000))]
        assert kinds(stage.events(PATH)) == ["PaperAccountOpened"]
        assert rig.heard == []

    play(first, journal=journal)
    play(second, journal=journal)


# --- restarts ----------------------------------------------------------------------------------------------------------


def test_a_restart_inside_a_bar_goes_on_where_the_path_stands() -> None:
    """What the path has passed is not walked again: no order fills twice and none on a price of the past."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(rising(START))
        await rig.place(buy(1, "95"))
        await stage.passes(21)
        assert len(rig.fills()) == 1

    async def second(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(BarInProgress(rising(START), 0))
        assert (await stage.ask("exchange", NewestPrice(SYMBOL))).tick.last == D(90)
        await rig.place(buy(2, "89"))
        sell = PaperPlace(order("bhsell001", "sell", "limit", "1", "109"))
        await rig.place(sell)
        await stage.passes(100)
        assert rig.fills() == [("bhbuy001", D(95)), ("bhsell001", D(109))]
        assert rig.lasts() == [D(110), D(105)]

    play(first, journal=journal)
    play(second, journal=journal, start=START + 22 * S)


def test_a_feed_that_begins_anew_does_not_double_a_walk() -> None:
    """When only the feed restarted the exchange is already walking that bar: each point comes once."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage, participation=D(1))
        await rig.told(flat(stage.now))
        await rig.place(buy(1, "95", qty="2"))
        await stage.passes(60)
        begun = rising(stage.now, volume="2")
        await rig.told(begun)
        await stage.passes(10)
        rig.lasts()
        await rig.told(BarInProgress(begun, 0))
        await stage.passes(60)
        assert rig.lasts() == [D(90), D(110), D(105)]
        filled = [(event.at - begun.at) // S for event in stage.events(PATH, PaperOrderFilled)]
        assert filled == [20, 40]

    play(script)


def test_the_feeds_next_bar_ends_the_one_in_progress() -> None:
    """After a restart inside a bar the following bar begins as usual."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(BarInProgress(rising(START), 0))
        await stage.passes(30)
        rig.lasts()
        await rig.told(flat(START + MINUTE, "107"))
        await rig.told(flat(START + 2 * MINUTE, "108"))
        assert rig.lasts() == [D(107)]

    play(script, start=START + 30 * S)


def test_a_snapshot_is_the_whole_memory() -> None:
    """An exchange restored from its snapshot has the orders, balances and refusals of the one that made it."""

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(flat(START))
        for wanted in (buy(1), buy(2, "95"), buy(3, "0.01"), buy(4, "90")):
            await rig.place(wanted)
        await stage.ask("exchange", PaperCancel("bhbuy004", SYMBOL))
        exchange = stage.actor("exchange")
        twin = rig.make()
        twin.restore(exchange.snapshot())
        assert twin._engine.state.memory == exchange._engine.state.memory
        await stage.crash("exchange")
        states = [(await stage.ask("exchange", PaperQuery(f"bhbuy{n:03d}", SYMBOL))).state.value for n in range(1, 6)]
        assert states == ["filled", "open", "rejected", "cancelled", "rejected"]
        assert (await stage.ask("exchange", PaperView())).balances == exchange._engine.balances()

    play(script)


def test_nothing_is_told_of_what_was_not_kept() -> None:
    """When the journal refuses, the order does not exist and no answer says that it does."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = ExchangeRig(stage)
        await rig.told(flat(START))
        journal.failing = True
        stage.tell("exchange", buy(1))
        await stage.settle()
        journal.failing = False
        assert (await stage.ask("exchange", PaperQuery("bhbuy001", SYMBOL))).absent_proven
        assert rig.fills() == []
        assert len(of(rig.heard, FillReport)) <= 1

    play(script, journal=journal)
