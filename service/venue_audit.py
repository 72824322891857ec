"""Audit an account's venue without a daemon: what it asks of orders, how fast it answers, what fails our needs.

Nothing here trades, except the order test, which somebody has to ask for: one limit order far from the market, cancelled at
once, under an id that no engine takes for its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from statistics import median
from typing import Any, Final, NamedTuple

from actors.session_link import clock_offset
from protocol.instruments import Instrument
from protocol.market import PriceTick
from protocol.orders import OrderReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from runtime.clock import NANOS
from service.venue_probe import Heard, chosen, opened
from venues.contract import REQUIRED_CAPABILITIES, Capability, Venue
from venues.errors import NetworkTimeout, OrderNotFound, VenueError
from venues.facets import HasMarketFacts, MarketFacts

__all__ = ["CLOCK_FAR_S", "SLOW_MS", "Audit", "Latency", "Market", "audit"]

_PINGS: Final = 5
CLOCK_FAR_S: Final = 1.0
"""A clock further from ours is named: signatures follow it, our own times do not (EX-1106)."""

SLOW_MS: Final = 1_000.0
"""A median above this is named: prices move while an order is under way."""

_FAR: Final = Decimal("0.7")
"""An order test's price as a part of the bid: far enough not to trade, near enough not to be refused as absurd."""


class Latency(NamedTuple):
    """How long something takes, in milliseconds."""

    what: str
    times: int
    median_ms: float
    worst_ms: float


class Market(NamedTuple):
    """What is audited of one market."""

    instrument: Instrument
    facts: MarketFacts | None
    error: str = ""


class Audit(NamedTuple):
    """An account's limits: ``failing`` says what does not meet our needs, in sentences."""

    venue: str
    markets: tuple[Market, ...]
    latencies: tuple[Latency, ...]
    clock_s: float
    limit: str
    lacks: tuple[str, ...]
    failing: tuple[str, ...]


async def audit(
    make: Callable[[], Venue], now: Callable[[], int], wanted: Sequence[str], *, order_test: bool = False, most: int = 5
) -> Audit:
    """Return what a venue asks of orders, how fast it answers, and what fails our needs.

    ``wanted`` are the symbols to look at; at most ``most`` of them. With ``order_test`` an order is placed in the first.
    """
    async with opened(make) as (venue, heard):
        listed = chosen(await venue.instruments(), wanted, most)
        found = tuple([await _market(venue, each) for each in listed])
        pings = [await _timed(now, venue.server_time) for _ in range(_PINGS)]
        latencies = [_latency("ping", pings)]
        offset = await clock_offset(venue, now)
        problems = []
        if listed:
            quote_ms, problem = await _quoted(venue, heard, listed[0].symbol, now)
            latencies += [_latency("quote", [quote_ms])] if not problem else []
            problems += [problem] if problem else []
            if order_test and not problem:
                latencies += await _order_test(venue, listed[0], heard.ticks[listed[0].symbol], now)
        lacks = tuple(sorted(each.value for each in frozenset(Capability) - venue.capabilities))
        limit = f"{venue.limit.calls} in {venue.limit.window_s:g} s" if venue.limit is not None else ""
        failing = (*_failing(venue, found, latencies, offset / NANOS), *problems)
        return Audit(venue.name, found, tuple(latencies), offset / NANOS, limit, lacks, failing)


async def _market(venue: Venue, instrument: Instrument) -> Market:
    if not isinstance(venue, HasMarketFacts):
        return Market(instrument, None)
    try:
        return Market(instrument, await venue.market_facts(instrument.symbol))
    except VenueError as error:
        return Market(instrument, None, str(error))


async def _timed(now: Callable[[], int], work: Callable[[], Awaitable[Any]]) -> float:
    began = now()
    await work()
    return (now() - began) / 1e6


def _latency(what: str, taken: Sequence[float]) -> Latency:
    return Latency(what, len(taken), median(taken), max(taken))


async def _quoted(venue: Venue, heard: Heard, symbol: str, now: Callable[[], int]) -> tuple[float, str]:
    began = now()
    try:
        await venue.subscribe([symbol])
        await heard.price(symbol)
    except VenueError as error:
        return 0.0, str(error)
    return (now() - began) / 1e6, ""


async def _order_test(venue: Venue, instrument: Instrument, tick: PriceTick, now: Callable[[], int]) -> list[Latency]:
    """Place one order that cannot trade, and cancel it, whatever happens in between."""
    request = _far_order(instrument, tick, now())
    key, symbol = request.client_order_id, request.symbol
    began = now()
    try:
        report = await venue.place(request)
    except NetworkTimeout:
        await _cancel(venue, key, symbol)
        raise
    placed = (now() - began) / 1e6
    if report.state is OrderState.REJECTED:
        raise VenueError(venue.name, f"the test order was refused: {report.reason or report.code}")
    cancelled = await _timed(now, lambda: _cancel(venue, key, symbol))
    return [_latency("order", [placed]), _latency("cancel", [cancelled])]


async def _cancel(venue: Venue, key: str, symbol: str) -> None:
    """Cancel the test order; say loudly when that cannot be proven."""
    last: VenueError | None = None
    for _ in range(3):
        try:
            report: OrderReport = await venue.cancel(key, symbol)
        except OrderNotFound:
            return
        except VenueError as error:
            last = error
        else:
            if report.state.final:
                return
    why = f": {last}" if last is not None else ""
    raise VenueError(venue.name, f"the test order {key} in {symbol} may still rest there, cancel it by hand{why}")


def _far_order(instrument: Instrument, tick: PriceTick, at: int) -> OrderRequest:
    rules = instrument.rules
    price = _rounded(tick.bid * _FAR, rules.tick_size, ROUND_DOWN)
    least = max(rules.min_qty, rules.step_size, rules.min_notional * Decimal("1.1") / price)
    return OrderRequest(
        client_order_id=f"audit{at // 1_000_000:x}",
        symbol=instrument.symbol,
        side=OrderSide.BUY,
        type=OrderType.LIMIT,
        qty=_rounded(least, rules.step_size, ROUND_UP),
        price=price,
    )


def _rounded(value: Decimal, unit: Decimal, way: str) -> Decimal:
    return (value / unit).to_integral_value(way) * unit


def _failing(venue: Venue, found: Sequence[Market], latencies: Sequence[Latency], clock_s: float) -> tuple[str, ...]:
    said = [f"the connection lacks {name}" for name in sorted(REQUIRED_CAPABILITIES - venue.capabilities)]
    if Capability.STOP_ORDERS not in venue.capabilities:
        said.append("no stop orders: stops are watched by us alone, and act only while bulkhead runs")
    if not found:
        said.append("there is no market to trade")
    said += [f"{each.instrument.symbol}: {each.error}" for each in found if each.error]
    said += [f"{each.what} takes {each.median_ms:.0f} ms" for each in latencies if each.median_ms > SLOW_MS]
    if abs(clock_s) > CLOCK_FAR_S:
        said.append(f"clocks differ by {clock_s:+.1f} s: check this machine's (NTP)")
    return tuple(said)
