"""Try a venue account without a daemon: connect step by step, list its markets. Nothing here trades."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from actors.session_link import CLOCK_WARN_S, clock_offset
from protocol.instruments import Instrument
from protocol.market import PriceTick
from rules.identity import UnknownSymbol, canonical_symbol, market_names
from runtime.clock import NANOS
from venues.contract import Venue, check_capabilities
from venues.errors import NetworkTimeout, PermissionDenied, VenueError
from venues.facets import KeyRights, TellsKeyRights

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from protocol.messages import Message

__all__ = ["Found", "Heard", "Step", "Trial", "chosen", "markets", "opened", "probe"]

_STEP_S: Final = 20.0
"""Longest time of one step."""

_QUOTE_S: Final = 10.0
"""How long a first quote is waited for."""


class Step(NamedTuple):
    """One step of a test: how long it took, what was found, or why it failed (``code`` and ``text``).

    ``warns``: it went well, and what was found should be changed all the same.
    """

    name: str
    ms: float
    text: str
    code: str = ""
    warns: bool = False


class Found(NamedTuple):
    """What a step found."""

    text: str
    warns: bool = False


class Heard:
    """Keeps what an adapter says on its own, and wakes who waits for a price."""

    def __init__(self) -> None:
        self.ticks: dict[str, PriceTick] = {}
        self._came = asyncio.Event()

    def __call__(self, fact: Message) -> None:
        """Take a fact; only prices are of interest."""
        if isinstance(fact, PriceTick):
            self.ticks[fact.symbol] = fact
            self._came.set()

    async def price(self, symbol: str) -> PriceTick:
        """Return a market's first price; raise NetworkTimeout when none comes."""
        try:
            async with asyncio.timeout(_QUOTE_S):
                while symbol not in self.ticks:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError as error:
            raise NetworkTimeout(symbol, f"no price came within {_QUOTE_S:g} s; is the market open?") from error
        return self.ticks[symbol]


class Trial:
    """One test: its steps as they are done."""

    def __init__(self, now: Callable[[], int], tell: Callable[[Step], None]) -> None:
        self.steps: list[Step] = []
        self._now = now
        self._tell = tell

    async def step(self, name: str, work: Callable[[], Awaitable[Found]]) -> bool:
        """Do one step and note it; return whether it succeeded."""
        began = self._now()
        code, warns = "", False
        try:
            async with asyncio.timeout(_STEP_S):
                text, warns = await work()
        except TimeoutError:
            text, code = f"no answer within {_STEP_S:g} s", NetworkTimeout.__name__
        except VenueError as error:
            text, code = str(error), error.code
        except OSError as error:
            text, code = str(error) or type(error).__name__, "VenueDown"
        done = Step(name, (self._now() - began) / 1e6, text, code, warns)
        self.steps.append(done)
        self._tell(done)
        return not code


async def probe(
    make: Callable[[], Venue],
    now: Callable[[], int],
    wanted: Sequence[str],
    tell: Callable[[Step], None] = lambda _: None,
) -> tuple[Step, ...]:
    """Connect, ask the key's rights, clock, balances and markets, hear one quote, disconnect; the first failure ends it.

    ``wanted`` are symbols to quote: the first that the venue has. ``tell`` hears each step as it is done.
    """
    test = Trial(now, tell)
    venue: Venue | None = None

    async def connect() -> Found:
        nonlocal venue
        venue = make()
        await venue.connect(heard)
        check_capabilities(venue.name, venue.capabilities)
        return Found(f"{venue.name}, login accepted")

    heard = Heard()
    try:
        if await test.step("connect", connect):
            assert venue is not None, "it has connected"
            looks = _Looks(venue, heard, now, wanted)
            for name, work in looks.steps():
                if not await test.step(name, work):
                    break
    finally:
        if venue is not None:
            await test.step("disconnect", partial(_closed, venue))
    return tuple(test.steps)


class _Looks:
    """What is looked at once a venue is connected."""

    def __init__(self, venue: Venue, heard: Heard, now: Callable[[], int], wanted: Sequence[str]) -> None:
        self._venue = venue
        self._heard = heard
        self._now = now
        self._wanted = wanted
        self._found: tuple[Instrument, ...] = ()

    def steps(self) -> Iterator[tuple[str, Callable[[], Awaitable[Found]]]]:
        """Yield them in order; no quote where there is no market."""
        yield "rights", self._rights
        yield "clock", self._clock
        yield "balances", self._balances
        yield "markets", self._markets
        if self._found:
            yield "quote", self._quote

    async def _rights(self) -> Found:
        return await _rights(self._venue)

    async def _clock(self) -> Found:
        offset = await clock_offset(self._venue, self._now)
        word = "ahead of" if offset > 0 else "behind"
        return Found(f"{abs(offset) / NANOS:.3f} s {word} ours", abs(offset) > CLOCK_WARN_S * NANOS)

    async def _balances(self) -> Found:
        held = await self._venue.balances()
        amounts = (f"{(each.free + each.locked).normalize():f} {each.currency}" for each in held)
        return Found(", ".join(amounts) or "nothing")

    async def _markets(self) -> Found:
        self._found = await self._venue.instruments()
        return Found(f"{len(self._found)}")

    async def _quote(self) -> Found:
        (first,) = chosen(self._found, self._wanted, 1)
        await self._venue.subscribe([first.symbol])
        tick = await self._heard.price(first.symbol)
        return Found(f"{tick.symbol} {tick.bid.normalize():f} / {tick.ask.normalize():f}")


async def _rights(venue: Venue) -> Found:
    """Say what the key may do; raise PermissionDenied for one that may not trade. What is not said stays unsaid."""
    try:
        told = await venue.key_rights() if isinstance(venue, TellsKeyRights) else KeyRights()
    except VenueError as error:
        return Found(f"the venue does not say what the key may do: {error.message}")
    if told.trade is False:
        raise PermissionDenied(venue.name, "the key may not trade")
    trades = "the key may trade" if told.trade else "whether the key may trade, the venue does not say"
    if told.withdraw:
        return Found(f"{trades}; it may WITHDRAW too: bulkhead never does, take that right off the key", warns=True)
    return Found(trades + ("; it may not withdraw" if told.withdraw is False else ""))


async def _closed(venue: Venue) -> Found:
    await venue.close()
    return Found("done")


@asynccontextmanager
async def opened(make: Callable[[], Venue]) -> AsyncIterator[tuple[Venue, Heard]]:
    """Connect for the length of a block, within ``_STEP_S``; what the venue says on its own is heard."""
    venue, heard = make(), Heard()
    try:
        async with asyncio.timeout(_STEP_S):
            await venue.connect(heard)
        yield venue, heard
    except TimeoutError as error:
        raise NetworkTimeout(venue.name, f"no answer within {_STEP_S:g} s") from error
    finally:
        await venue.close()


async def markets(make: Callable[[], Venue]) -> tuple[Instrument, ...]:
    """Return every market that an account may trade, by symbol."""
    async with opened(make) as (venue, _):
        return tuple(sorted(await venue.instruments(), key=lambda each: each.symbol))


def chosen(found: Sequence[Instrument], wanted: Sequence[str], most: int) -> tuple[Instrument, ...]:
    """Return the wanted markets in their order, by any of their names; where the venue has none of them, its first ones."""
    by_symbol = {each.symbol: each for each in found}
    names = market_names(found)
    listed = [by_symbol[symbol] for name in wanted if (symbol := _symbol(name, names)) in by_symbol]
    return tuple(dict.fromkeys(listed or sorted(found, key=lambda each: each.symbol)))[:most]


def _symbol(name: str, names: Mapping[str, str]) -> str:
    try:
        return canonical_symbol(name, names)
    except UnknownSymbol:
        return ""
