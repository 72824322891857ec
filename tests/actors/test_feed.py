"""The market feed: timed sources on the clock, resumed exactly; live sources pushed through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from actors.feed import FEEDS, MarketFeed
from protocol.market import Bar, FeedState, FeedStatus, PriceTick, SubscribeMarket
from protocol.messages import Message
from tests.actors.cast import START, D, S, Stage, kinds, of, play
from tests.actors.orders import SYMBOL
from venues.errors import VenueDown
from venues.paper.messages import BarInProgress

MINUTE = 60 * S


def bar(at: int, symbol: str = SYMBOL) -> Bar:
    """Return a minute at a price of 100."""
    return Bar(symbol, at, 60, D(100), D(100), D(100), D(100), D(1))


class Steps:
    """A timed source of given steps."""

    name = "steps"
    symbols = (SYMBOL,)

    def __init__(self, steps: list[tuple[int, Any]]) -> None:
        self.steps = steps

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return iter(self.steps)

    def resume_after(self, at: int) -> Steps:
        return Steps([step for step in self.steps if step[0] > at])


class Wire:
    """A live source that pushes what a test says."""

    name = "wire"

    def __init__(self, log: list[str], errors: dict[str, Exception]) -> None:
        self.log = log
        self.errors = errors
        self.sink: Callable[[Message], None] | None = None

    async def open(self, sink: Callable[[Message], None]) -> None:
        self._say("open")
        self.sink = sink

    async def subscribe(self, symbols: Iterable[str]) -> None:
        self._say("subscribe " + ",".join(symbols))

    async def close(self) -> None:
        self._say("close")

    def _say(self, what: str) -> None:
        self.log.append(what)
        if error := self.errors.pop(what, None):
            raise error


class FeedRig:
    """The feed ``/house/feed`` into an exchange's place."""

    def __init__(self, stage: Stage, make: Callable[[], Any]) -> None:
        self.stage = stage
        self.exchange = stage.probe("exchange")
        self.said: list[FeedStatus] = stage.probe("said", topics=(FEEDS,))
        stage.add(
            "feed",
            lambda: MarketFeed(venue="paper", source=make, target="/house/exchange", lookback_ns=MINUTE),
        )

    def states(self) -> list[str]:
        return [status.state.value for status in self.said]


def minutes(count: int, first: int = START, index: int = 0) -> list[tuple[int, Any]]:
    """Return that many bars, one a minute; their steps are ``index`` ns after their starts."""
    return [(first + n * MINUTE + index, bar(first + n * MINUTE)) for n in range(count)]


# --- timed sources -----------------------------------------------------------------------------------------------------


def test_steps_come_at_their_instants() -> None:
    """Each step is delivered at its instant and not before; the end of the source is said."""

    async def script(stage: Stage) -> None:
        rig = FeedRig(stage, lambda: Steps(minutes(3, START + MINUTE)))
        await stage.passes(59)
        assert rig.exchange == []
        for count in (1, 2, 3):
            await stage.passes(60)
            assert len(rig.exchange) == count
        assert rig.states() == ["live", "ended"]
        assert rig.said[-1].source == "steps"

    play(script)


def test_an_empty_source_has_ended() -> None:
    """A source without anything after now ends at once."""

    async def script(stage: Stage) -> None:
        rig = FeedRig(stage, lambda: Steps(minutes(2, START - 5 * MINUTE)))
        await stage.settle()
        assert rig.exchange == []
        assert rig.states()[-1] == "ended"

    play(script)


@pytest.mark.parametrize("index", [0, 3])
def test_a_start_inside_bars_tells_which_are_in_progress(index: int) -> None:
    """The bar that contains now is told as in progress, with its index; finished ones are not told at all."""

    async def script(stage: Stage) -> None:
        rig = FeedRig(stage, lambda: Steps(minutes(4, START, index)))
        await stage.settle()
        assert rig.exchange == [BarInProgress(bar(START + 2 * MINUTE), index)]
        await stage.passes(100)
        assert rig.exchange[1:] == [bar(START + 3 * MINUTE)]

    play(script, start=START + 2 * MINUTE + 30 * S)


def test_a_restart_goes_on_strictly_after_now() -> None:
    """A crash repeats no step and skips none that is still to come."""

    async def script(stage: Stage) -> None:
        rig = FeedRig(stage, lambda: Steps(minutes(6)))
        await stage.passes(90)
        await stage.crash("feed")
        await stage.passes(90)
        bars = [each.at for each in of(rig.exchange, Bar)]
        assert bars == [START + MINUTE, START + 2 * MINUTE, START + 3 * MINUTE]
        assert [each.bar.at for each in of(rig.exchange, BarInProgress)] == [START, START + MINUTE]

    play(script)


def test_old_quotes_are_not_told() -> None:
    """A quote from before the start is history: nobody can trade on it any more."""

    async def script(stage: Stage) -> None:
        quote = PriceTick(SYMBOL, START - S, D(1), D(1), D(1))
        later = PriceTick(SYMBOL, START + S, D(2), D(2), D(2))
        rig = FeedRig(stage, lambda: Steps([(START - S, quote), (START + S, later)]))
        await stage.passes(2)
        assert rig.exchange == [later]

    play(script)


def test_the_end_of_a_life_ends_its_stream() -> None:
    """After the feed is stopped nothing more is delivered."""

    async def script(stage: Stage) -> None:
        rig = FeedRig(stage, lambda: Steps(minutes(5, START + S)))
        await stage.passes(2)
        stage.remove("feed")
        await stage.passes(1_000)
        assert len(rig.exchange) == 1

    play(script)


def test_a_source_that_breaks_is_the_feeds_crash() -> None:
    """An error inside a source ends the feed's life and no other; the next life goes on."""

    def broken() -> Iterator[tuple[int, Any]]:
        yield from minutes(2, START + MINUTE)
        raise ValueError("the file is cut")

    class Torn(Steps):
        def resume_after(self, at: int) -> Any:
            return broken()

    async def script(stage: Stage) -> None:
        sources = [Torn([]), Steps(minutes(4, START + MINUTE))]
        rig = FeedRig(stage, lambda: sources.pop(0))
        await stage.passes(290)
        assert [each.at - START for each in of(rig.exchange, Bar)] == [MINUTE * n for n in (1, 2, 3, 4)]
        assert sources == []

    play(script)


# --- live sources ------------------------------------------------------------------------------------------------------


def test_a_live_source_is_passed_through() -> None:
    """Quotes and bars go on to the exchange; what the source says of itself is published under the feed's name."""

    async def script(stage: Stage) -> None:
        log: list[str] = []
        wires: list[Wire] = []
        rig = FeedRig(stage, lambda: wires.append(Wire(log, {})) or wires[-1])
        await stage.settle()
        sink = wires[0].sink
        assert sink is not None
        quote = PriceTick(SYMBOL, 1, D(1), D(2), D(1))
        for fact in (quote, bar(START), FeedStatus("x", "y", FeedState.DEGRADED, 1, "mute")):
            sink(fact)
        await stage.settle()
        assert rig.exchange == [quote, bar(START)]
        assert rig.said[-1] == FeedStatus("paper", "wire", FeedState.DEGRADED, rig.said[-1].at, "mute")

    play(script)


def test_a_subscription_reaches_source_and_exchange() -> None:
    """The source is asked for the symbol, the exchange for its newest price."""

    async def script(stage: Stage) -> None:
        log: list[str] = []
        rig = FeedRig(stage, lambda: Wire(log, {}))
        await stage.told("feed", SubscribeMarket(SYMBOL))
        assert log == ["open", f"subscribe {SYMBOL}"]
        assert rig.exchange == [SubscribeMarket(SYMBOL)]

    play(script)


def test_a_live_source_is_closed_at_the_end_of_each_life() -> None:
    """Whatever ended a life, its source is closed before the next opens, and what it still says is not heard."""

    async def script(stage: Stage) -> None:
        log: list[str] = []
        wires: list[Wire] = []
        errors: dict[str, Exception] = {"open": VenueDown("wire", "503")}
        rig = FeedRig(stage, lambda: wires.append(Wire(log, errors)) or wires[-1])
        await stage.settle()
        await stage.crash("feed")
        assert log == ["open", "close", "open", "close", "open"]
        old = wires[1].sink
        assert old is not None
        old(bar(START))
        await stage.settle()
        assert rig.exchange == []

    play(script)


def test_timed_sources_need_no_subscription() -> None:
    """A subscription only asks the exchange for the newest price."""

    async def script(stage: Stage) -> None:
        rig = FeedRig(stage, lambda: Steps([]))
        await stage.told("feed", SubscribeMarket(SYMBOL))
        assert kinds(rig.exchange) == ["SubscribeMarket"]

    play(script)
