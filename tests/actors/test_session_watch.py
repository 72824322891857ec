"""A session that keeps entries back: failures in a row, markets that are mute, windows of maintenance, steps, weights."""

from __future__ import annotations

from typing import Any

import pytest

from actors.feed import FEEDS
from actors.session import SessionSettings
from actors.session_limit import Limiter, RateMode, Urgency
from actors.session_watch import PAUSED_AFTER
from protocol.configuration import ApplySettings
from protocol.market import FeedState, FeedStatus, PriceTick, SubscribeMarket
from protocol.orders import CancelAtVenue, OrderReport, OrderState
from protocol.venue import FetchVenueState, QueryAtVenue, SessionDown, VenueStatus
from tests.actors.cast import D, S, Stage, of, play
from tests.actors.orders import SYMBOL, client_id, report
from tests.actors.stub_venue import StubVenue
from tests.actors.test_session_venue import KEY, OPEN, Rig
from venues.contract import CallLimit
from venues.errors import NetworkTimeout, RateLimited, VenueDown

OTHER = "ETH/USDT"
MUTE = SessionSettings(mute_after_s=40.0)


def price(stage: Stage, symbol: str = SYMBOL) -> PriceTick:
    """Return a quote of now."""
    return PriceTick(symbol, stage.now, D(99), D(101), D(100))


def hears(rig: Rig, *facts: Any) -> None:
    """Have the newest connection say something on its own."""
    sink = rig.venues[-1].sink
    assert sink is not None
    for fact in facts:
        sink(fact)


def last(rig: Rig) -> OrderReport:
    """Return the newest word on an order."""
    return of(rig.desk, OrderReport)[-1]


def subscribed(rig: Rig) -> list[str]:
    """Return what each subscription asked for."""
    return [call.partition(" ")[2] for call in rig.calls if call.startswith("subscribe")]


# --- failures in a row ------------------------------------------------------------------------------------------------


def test_three_failures_in_a_row_keep_entries_back_until_the_venue_answers() -> None:
    """Entries wait and the operator is told; exits and cancels go on; trading resumes by itself when it answers."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, query=[NetworkTimeout("stub", "no answer")], place=[OPEN], cancel=[report(KEY, "cancelled")])
        await stage.settle()
        rig.answers["server_time"] = [VenueDown("stub", "502")]
        for number in range(PAUSED_AFTER):
            assert rig.standing()[-1] == "up", number
            await stage.told("session", QueryAtVenue(client_id(9), SYMBOL))
        assert rig.standing()[-1] == "up VenueFailing"
        assert not rig.health[-1].entries
        await stage.told("session", rig.place(entry=True))
        assert (last(rig).state, last(rig).absent_proven, last(rig).code) == (OrderState.REJECTED, True, "VenueFailing")
        assert rig.placed() == []
        assert "entries wait (VenueFailing)" in stage.actor("session").detail
        rig.answers["server_time"] = [stage.now]
        await stage.passes(3)
        assert rig.standing()[-1] == "up"
        assert rig.health[-1].entries
        await stage.told("session", rig.place(entry=True))
        assert len(rig.placed()) == 1

    play(script)


def test_what_closes_leaves_while_entries_wait() -> None:
    """An exit and a cancel are sent to a venue that fails, and an answer to either ends the pause."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, query=[NetworkTimeout("stub", "no answer")], place=[OPEN], cancel=[report(KEY, "cancelled")])
        await stage.settle()
        for _ in range(PAUSED_AFTER):
            await stage.told("session", QueryAtVenue(client_id(9), SYMBOL))
        await stage.told("session", rig.place())
        assert len(rig.placed()) == 1
        assert rig.standing()[-1] == "up"
        await stage.told("session", CancelAtVenue(KEY, SYMBOL))
        assert last(rig).state is OrderState.CANCELLED

    play(script)


def test_two_failures_and_an_answer_are_no_row() -> None:
    """Only failures that follow one another count."""

    async def script(stage: Stage) -> None:
        rig = Rig(
            stage, query=[VenueDown("stub", "502"), VenueDown("stub", "502"), OPEN, VenueDown("stub", "502"), OPEN]
        )
        await stage.settle()
        for _ in range(5):
            await stage.told("session", QueryAtVenue(KEY, SYMBOL))
        assert all(each == "up" for each in rig.standing()[2:] if not each.startswith("connecting"))

    play(script)


# --- markets that are mute --------------------------------------------------------------------------------------------


def test_a_market_that_says_nothing_is_asked_again_then_mute() -> None:
    """Quiet for half of the deadline: subscribed again. Quiet for all of it: its entries wait; the first price ends it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, settings=MUTE, place=[OPEN])
        await stage.told("session", SubscribeMarket(SYMBOL), SubscribeMarket(OTHER))
        for _ in range(8):
            hears(rig, price(stage, OTHER))
            await stage.passes(2.5)
        await stage.passes(0.1)
        assert subscribed(rig)[2:] == [SYMBOL]
        assert rig.standing()[-1] == "up"
        for _ in range(9):
            hears(rig, price(stage, OTHER))
            await stage.passes(2.5)
        assert rig.standing()[-1] == "up MarketMute"
        assert SYMBOL in rig.health[-1].reason
        assert OTHER not in rig.health[-1].reason
        await stage.told("session", rig.place(entry=True))
        assert (last(rig).absent_proven, last(rig).code) == (True, "MarketMute")
        hears(rig, price(stage))
        await stage.settle()
        assert rig.standing()[-1] == "up"
        await stage.told("session", rig.place(entry=True))
        assert len(rig.placed()) == 1
        assert len(rig.venues) == 1

    play(script)


def test_a_connection_that_is_deaf_is_replaced() -> None:
    """Connected and no market says anything for twice the deadline: it is connected anew and everything subscribed."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, settings=MUTE)
        await stage.told("session", SubscribeMarket(SYMBOL), SubscribeMarket(OTHER))
        hears(rig, price(stage), price(stage, OTHER))
        await stage.passes(95)
        assert len(rig.venues) == 2
        assert "down VenueDown" in rig.standing()
        assert subscribed(rig)[-1] == f"{SYMBOL},{OTHER}"
        assert (await _held(stage, rig)).code == "MarketMute", "a new connection alone proves nothing"
        hears(rig, price(stage))
        assert (await _held(stage, rig)).code != "MarketMute"

    play(script)


async def _held(stage: Stage, rig: Rig) -> OrderReport:
    rig.answers["place"] = [OPEN]
    await stage.told("session", rig.place(entry=True))
    return last(rig)


class Closing(StubVenue):
    """A venue whose markets close."""

    hours: dict[str, bool] = {}  # noqa: RUF012 - one for all connections of a test

    def is_open(self, symbol: str, at: int) -> bool:
        return self.hours.get(symbol, True)


def test_a_closed_market_is_not_mute() -> None:
    """Silence in closed hours is no fault; when it opens, a market has its whole time."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, settings=MUTE, kind=Closing)
        Closing.hours = {SYMBOL: False}
        await stage.told("session", SubscribeMarket(SYMBOL))
        await stage.passes(3_600)
        assert rig.standing()[-1] == "up"
        assert (len(rig.venues), len(subscribed(rig))) == (1, 1)
        Closing.hours = {SYMBOL: True}
        await stage.passes(30)
        assert rig.standing()[-1] == "up"
        await stage.passes(30)
        assert rig.standing()[-1] == "up MarketMute"

    play(script)


def test_what_an_adapter_says_of_its_stream_counts_until_a_price_comes() -> None:
    """A stream that is degraded holds entries in markets that say nothing since; prices that are polled let them leave."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, place=[OPEN])
        feeds = stage.probe("feeds", topics=(FEEDS,))
        await stage.settle()
        await stage.passes(1)
        hears(rig, price(stage), FeedStatus("stub", "stub", FeedState.DEGRADED, stage.now))
        await stage.passes(1)
        assert [each.state for each in feeds] == [FeedState.DEGRADED]
        hears(rig, FeedStatus("stub", "stub", FeedState.DEGRADED, stage.now))
        await stage.passes(1)
        assert (await _held(stage, rig)).code == "MarketMute"
        hears(rig, price(stage))
        assert (await _held(stage, rig)).code == ""

    play(script)


# --- maintenance ------------------------------------------------------------------------------------------------------


def test_in_a_window_of_maintenance_entries_wait_and_errors_are_expected() -> None:
    """Between the configured minutes no entry leaves, a lost venue counts as maintained, and after them all goes on."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, place=[OPEN])
        await stage.settle()
        minute = stage.now // (60 * S)
        start, end = minute % 1_440, (minute + 3) % 1_440
        window = f"{start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
        await stage.ask("session", ApplySettings(2, SessionSettings(maintenance=(window,))))
        await stage.passes(16)
        assert rig.standing()[-1] == "up Maintenance"
        assert (await _held(stage, rig)).code == "Maintenance"
        hears(rig, SessionDown("acc", "503", stage.now))
        await stage.settle()
        assert rig.standing()[-1] == "down Maintenance"
        await stage.passes(200)
        assert rig.standing()[-1] == "up"
        assert (await _held(stage, rig)).code == ""

    play(script)


# --- steps, limits ----------------------------------------------------------------------------------------------------


def test_each_step_to_a_connection_is_said() -> None:
    """Connect, markets, authenticate, subscribe, resync, ready, in this order; between two tries it waits."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, balances=[VenueDown("stub", "503"), ()])
        await stage.told("session", SubscribeMarket(SYMBOL))
        assert rig.health[-1].step == "wait"
        await stage.passes(2)
        assert rig.health[-1].status is VenueStatus.UP
        assert "resync" in stage.actor("session").detail
        await stage.ask("session", FetchVenueState(0))
        assert "resync" not in stage.actor("session").detail
        steps = list(dict.fromkeys(each.step for each in rig.health))
        assert steps == ["connect", "markets", "authenticate", "wait", "subscribe", "resync", "ready"]

    play(script)


def test_a_call_weighs_what_the_venue_says() -> None:
    """EX-1105: the published limit is spent by weight, and one heavier than all of it leaves when all of it is free."""

    async def script(stage: Stage) -> None:
        woken: list[int] = []
        limiter = Limiter(CallLimit(10, 1.0), RateMode.VENUE, wake_at=woken.append)
        now = stage.now
        assert limiter.free(now, 6)
        assert not limiter.free(now, 6)
        heavy, light = limiter.turn(Urgency.QUESTION, now, 50), limiter.turn(Urgency.CLOSE, now, 5)
        assert woken == [now + 100_000_001] * 2 or woken
        limiter.pump(now + S // 10 + 1)
        assert (heavy.done(), light.done()) == (False, True)
        limiter.pump(now + S)
        assert not heavy.done()
        limiter.pump(now + S + S // 5)
        assert heavy.done()

    play(script)


class Heavy(StubVenue):
    """A venue where placing costs five, asking four."""

    weights = {"place": 5, "query": 4}  # noqa: RUF012 - read only


def test_methods_are_charged_by_their_weight() -> None:
    """EX-1105: an order of weight five leaves room for one question of four of a limit of ten, not for two."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, limit=CallLimit(10, 10.0), kind=Heavy, place=[OPEN], query=[OPEN])
        await stage.told("session", rig.place(), QueryAtVenue(client_id(2), SYMBOL), QueryAtVenue(client_id(3), SYMBOL))
        assert [call for call in rig.calls if call.startswith("query")] == [f"query {client_id(2)}"]
        await stage.passes(3.1)
        assert len([call for call in rig.calls if call.startswith("query")]) == 2

    play(script)


@pytest.mark.parametrize("where", ["call", "connect"])
def test_a_venue_that_shuts_us_out_hears_nothing_until_then(where: str) -> None:
    """418 with Retry-After: no call and no try to connect before its end, whatever waits or is lost meanwhile."""

    async def script(stage: Stage) -> None:
        ban = RateLimited("stub", "418", retry_after_s=120)
        rig = Rig(stage, query=[ban, OPEN]) if where == "call" else Rig(stage, connect=[ban, None])
        await stage.settle()
        if where == "call":
            await stage.told("session", QueryAtVenue(KEY, SYMBOL))
            hears(rig, SessionDown("acc", "reset", stage.now))
            await stage.settle()
        made = len(rig.calls)
        await stage.told("session", rig.place(2))
        await stage.passes(119)
        assert len(rig.calls) - made == 0
        await stage.passes(2)
        assert len(rig.calls) > made

    play(script)
