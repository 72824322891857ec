"""An account that goes by another account's prices: whose quotes count, and entries that wait while they are stale."""

from __future__ import annotations

from typing import Any

from actors.session_topics import DataFeed, SessionSettings, hours_topic, market_topic, session_topic
from protocol.market import PriceTick, SubscribeMarket
from protocol.orders import CancelAtVenue, OrderReport, OrderState
from protocol.values import MarketType
from protocol.venue import MarketsClosed, SessionDown, SessionUp, VenueStatus
from protocol.webhook import NewestPrice
from tests.actors.cast import D, Stage, of, play
from tests.actors.orders import SYMBOL, client_id, market, report
from tests.actors.test_session_venue import KEY, OPEN, Rig
from tests.actors.test_session_watch import Closing, hears, last, price, subscribed

FEED = DataFeed("quotes", "/house/quotes")
STALE_S = 30


class Followed:
    """A session whose prices come from the account ``quotes``, played by a probe."""

    def __init__(self, stage: Stage, *, venue_symbol: str = SYMBOL, **answers: list[Any]) -> None:
        self.stage = stage
        self.source = stage.probe("quotes")
        self.prices: list[PriceTick] = stage.probe("prices", topics=(market_topic("acc", SYMBOL),))
        self.theirs = venue_symbol
        self.rig = Rig(stage, data=FEED, settings=SessionSettings(mute_after_s=600.0), **(answers or {"place": [OPEN]}))

    def comes_up(self) -> None:
        kind = MarketType.PERP if ":" in self.theirs else MarketType.SPOT
        up = SessionUp("quotes", (market(self.theirs, kind=kind),), self.stage.now)
        self.stage.system.bus.publish(session_topic("quotes"), up, keep=True)

    def quote(self, bid: int = 99) -> None:
        tick = PriceTick(self.theirs, self.stage.now, D(bid), D(bid + 2), D(bid + 1))
        self.stage.system.bus.publish(market_topic("quotes", self.theirs), tick)

    async def entry(self) -> OrderReport:
        await self.stage.told("session", self.rig.place(entry=True))
        return last(self.rig)


def test_only_the_other_accounts_prices_count() -> None:
    """PF-231: prices on our own topic are those of the data account; what our venue says of prices is left aside."""

    async def script(stage: Stage) -> None:
        followed = Followed(stage, venue_symbol="BTC/USDT:USDT")
        await stage.told("session", SubscribeMarket(SYMBOL))
        assert of(followed.source, SubscribeMarket) == [], "before it has said what it has, nothing is asked of it"
        followed.comes_up()
        await stage.settle()
        assert of(followed.source, SubscribeMarket) == [SubscribeMarket("BTC/USDT:USDT")]
        assert subscribed(followed.rig) == [], "our own venue is not asked for prices"
        hears(followed.rig, price(stage))
        followed.quote(bid=200)
        await stage.settle()
        assert [(each.symbol, each.bid) for each in followed.prices] == [(SYMBOL, D(200))]
        answer = await stage.ask("session", NewestPrice(SYMBOL))
        assert answer.tick.bid == D(200)

    play(script)


def test_entries_wait_while_the_other_accounts_quotes_are_stale() -> None:
    """PF-231: no quote for 30 s in market hours: entries wait, exits and cancels leave; the next quote ends it by itself."""

    async def script(stage: Stage) -> None:
        followed = Followed(stage, place=[OPEN], cancel=[report(KEY, "cancelled")])
        followed.comes_up()
        await stage.told("session", SubscribeMarket(SYMBOL))
        assert (await followed.entry()).code == "FeedStale", "no quote has ever come"
        followed.quote()
        await stage.settle()
        await stage.passes(STALE_S - 1)
        assert (await followed.entry()).state is OrderState.OPEN
        hears(followed.rig, price(stage))
        await stage.passes(1)
        waits = await followed.entry()
        assert (waits.state, waits.absent_proven, waits.code) == (OrderState.REJECTED, True, "FeedStale")
        await stage.told("session", followed.rig.place(2))
        assert len(followed.rig.placed()) == 2, "an exit is never asked"
        await stage.told("session", CancelAtVenue(client_id(2), SYMBOL))
        assert last(followed.rig).state is OrderState.CANCELLED
        await stage.passes(8)
        assert followed.rig.standing()[-1] == "up FeedStale"
        assert "quotes" in followed.rig.health[-1].reason
        assert SYMBOL in followed.rig.health[-1].reason
        followed.quote()
        await stage.settle()
        assert followed.rig.standing()[-1] == "up"
        assert (await followed.entry()).state is OrderState.OPEN
        assert len(followed.rig.venues) == 1, "our own connection has nothing to do with it"

    play(script)


def test_a_closed_market_of_the_data_account_is_not_stale() -> None:
    """PF-231: out of market hours silence blocks nothing; from the opening on only a fresh quote lets entries go."""

    async def script(stage: Stage) -> None:
        followed = Followed(stage)
        followed.comes_up()
        await stage.told("session", SubscribeMarket(SYMBOL))
        stage.system.bus.publish(hours_topic("quotes"), MarketsClosed("quotes", (SYMBOL,), stage.now))
        await stage.passes(3_600)
        assert followed.rig.standing()[-1] == "up"
        assert (await followed.entry()).code == ""
        stage.system.bus.publish(hours_topic("quotes"), MarketsClosed("quotes", (), stage.now))
        await stage.settle()
        assert (await followed.entry()).code == "FeedStale"

    play(script)


def test_a_data_account_that_comes_up_anew_is_asked_again_and_its_end_is_not_ours() -> None:
    """A new life of the data account follows nothing until it is asked; that it went down leaves our connection alone."""

    async def script(stage: Stage) -> None:
        followed = Followed(stage)
        followed.comes_up()
        await stage.told("session", SubscribeMarket(SYMBOL))
        stage.system.bus.publish(session_topic("quotes"), SessionDown("quotes", "503", stage.now))
        await stage.passes(1)
        assert followed.rig.health[-1].status is VenueStatus.UP
        followed.comes_up()
        await stage.settle()
        assert of(followed.source, SubscribeMarket) == [SubscribeMarket(SYMBOL)] * 2

    play(script)


def test_a_market_that_the_data_account_has_not_is_never_entered() -> None:
    """Nobody's prices count for it, so no entry leaves."""

    async def script(stage: Stage) -> None:
        followed = Followed(stage, venue_symbol="ETH/USDT")
        followed.comes_up()
        await stage.told("session", SubscribeMarket(SYMBOL))
        hears(followed.rig, price(stage))
        followed.quote()
        await stage.settle()
        assert (await followed.entry()).code == "FeedStale"

    play(script)


def test_a_session_says_which_markets_are_closed() -> None:
    """Whoever goes by its prices learns the hours from it: when it connects, and when they change."""

    async def script(stage: Stage) -> None:
        said = stage.probe("hours", topics=(hours_topic("acc"),))
        Closing.hours = {SYMBOL: False}
        rig = Rig(stage, kind=Closing, settings=SessionSettings(mute_after_s=60.0))
        await stage.told("session", SubscribeMarket(SYMBOL))
        assert [each.symbols for each in said] == [(), (SYMBOL,)]
        Closing.hours = {SYMBOL: True}
        await stage.passes(20)
        assert [each.symbols for each in said] == [(), (SYMBOL,), ()]
        assert rig.standing()[-1] == "up"

    play(script)
