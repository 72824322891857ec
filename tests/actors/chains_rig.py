"""A chain keeper and a session over a venue with options, on the virtual clock; what is asked of the venue, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from actors.chains import ChainKeeper
from actors.session import VenueSession
from protocol.chains import AskChain, ChainReply, LegsReply, RequoteLegs
from protocol.event_log import LogEvent
from protocol.options import OptionChain, OptionContract, Right
from runtime.actor import Actor, handles
from runtime.spec import Spec
from tests.actors.cast import S, Stage
from tests.actors.stub_venue import Later, StubVenue

D = Decimal
AAPL, MSFT, SPY = "AAPL/USD", "MSFT/USD", "SPY/USD"
NEAR, MIDDLE, FAR = "2023-12-15", "2023-12-22", "2024-01-19"
"""31, 38 and 66 days from the stage's first day: of 30 to 45 days the second is the target."""

WITHIN_S = 1_000.0


def contract(number: int, expiration: str = MIDDLE, underlying: str = AAPL, **changes: Any) -> OptionContract:
    """Return a clean contract."""
    fields: dict[str, Any] = {
        "symbol": f"{underlying}:USD-{expiration}-{number}-C",
        "underlying": underlying,
        "strike": D(number),
        "expiration": expiration,
        "right": Right.CALL,
        "bid": D("1.00"),
        "ask": D("1.10"),
        "mid": D("1.05"),
        "delta": 0.3,
        "implied_vol": 0.25,
        "open_interest": 10,
    }
    return OptionContract(**(fields | changes))


def chain(
    at: int, expiration: str = MIDDLE, underlying: str = AAPL, *, contracts: int = 10, bare: int = 0, again: int = 0
) -> OptionChain:
    """Return a chain; ``bare`` of its contracts have no Greeks, ``again`` are told twice."""
    made = [contract(each, expiration, underlying) for each in range(contracts - bare)]
    made += [contract(each, expiration, underlying, delta=None) for each in range(contracts - bare, contracts)]
    return OptionChain(
        underlying=underlying,
        underlying_price=D(190),
        expirations=(NEAR, MIDDLE, FAR),
        contracts=(*made, *made[:again]),
        at=at,
    )


class OptionVenue(StubVenue):
    """``script`` says what chain requests of an underlying come to, one after the other, then good chains."""

    def __init__(self, rig: ChainRig) -> None:
        super().__init__({}, [], lambda: rig.stage.now)
        self.rig = rig
        self.cut = asyncio.Event()

    async def expirations(self, underlying: str) -> tuple[str, ...]:
        self.rig.lists.append(underlying)
        if self.rig.list_error is not None:
            raise self.rig.list_error
        return self.rig.listed

    async def chain(
        self, underlying: str, expiration: str, *, strikes: int = 40, right: Right | None = None
    ) -> OptionChain:
        assert right is None
        self.rig.asked.append((self.rig.stage.now, underlying, expiration, strikes))
        script = self.rig.script.get(underlying, [])
        said = script.pop(0) if script else None
        if isinstance(said, Later):
            await said.came.wait()
            said = said.answer
        if isinstance(said, Exception):
            raise said
        found: OptionChain = (said or chain)(self.rig.stage.now, expiration, underlying)
        return found

    async def option_quotes(self, symbols: Sequence[str]) -> tuple[OptionContract, ...]:
        self.rig.quoted.append(tuple(symbols))
        said = self.rig.quotes.pop(0)
        if isinstance(said, Later):
            await said.came.wait()
            said = said.answer
        if isinstance(said, Exception):
            raise said
        return tuple(said)


class Log(Actor):
    """Stands for the event log."""

    def __init__(self, lines: list[LogEvent]) -> None:
        self.lines = lines

    @handles
    def line(self, msg: LogEvent) -> None:
        self.lines.append(msg)


class Store(Actor):
    """Stands where the event log's supervisor does."""

    def __init__(self, lines: list[LogEvent]) -> None:
        self.lines = lines

    def started(self) -> None:
        self.context.spawn(Spec("events", lambda: Log(self.lines)))


class ChainRig:
    """The keeper ``/house/chains``; ``asked`` are the chain requests: instant, underlying, expiration, strikes."""

    def __init__(self, stage: Stage, venue: Callable[[ChainRig], StubVenue] = OptionVenue) -> None:
        self.stage = stage
        self.asked: list[tuple[int, str, str, int]] = []
        self.lists: list[str] = []
        self.quoted: list[tuple[str, ...]] = []
        self.script: dict[str, list[Any]] = {}
        self.quotes: list[Any] = []
        self.listed: tuple[str, ...] = (NEAR, MIDDLE, FAR)
        self.list_error: Exception | None = None
        self.alerts: list[LogEvent] = []
        self.venues: list[StubVenue] = []

        def make() -> StubVenue:
            self.venues.append(venue(self))
            return self.venues[-1]

        stage.probe("desk")
        stage.system.spawn(Spec("store", lambda: Store(self.alerts)))
        stage.add("session", lambda: VenueSession(account="acc", venue=make, desk="/house/desk"), edge=True)
        stage.add("chains", lambda: ChainKeeper(account="acc", session="/house/session"))

    async def up(self) -> ChainRig:
        """Wait until the session is connected."""
        await self.stage.settle()
        return self

    def ask(self, underlying: str = AAPL, days: tuple[int, int] = (36, 40), **more: Any) -> asyncio.Task[ChainReply]:
        """Ask for a chain; the range holds the target alone unless it is given."""
        request = AskChain(underlying=underlying, least_dte=days[0], most_dte=days[1], **more)
        return asyncio.ensure_future(self.stage.ask("chains", request, WITHIN_S))

    def requote(self, *legs: OptionContract, round_number: int = 1) -> asyncio.Task[LegsReply]:
        """Ask for fresh quotes of legs."""
        request = RequoteLegs(underlying=AAPL, legs=legs, round=round_number)
        return asyncio.ensure_future(self.stage.ask("chains", request, WITHIN_S))

    def times(self, underlying: str = AAPL) -> list[float]:
        """Return the seconds between the first chain request of an underlying and each."""
        at = [each[0] for each in self.asked if each[1] == underlying]
        return [(each - at[0]) / S for each in at]


def bare(at: int, expiration: str, underlying: str) -> OptionChain:
    """Return a chain of which two of ten contracts have no Greeks: greeks_incomplete."""
    return chain(at, expiration, underlying, bare=2)
