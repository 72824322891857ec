"""One venue through one fault: orders before, during and after it; then both sides are compared."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from decimal import Decimal
from typing import Final, NamedTuple

from protocol.orders import OrderState
from protocol.values import OrderType
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Order
from tests.venues.matrix.account import House, housed, within
from tests.venues.rigs import Rig

__all__ = ["Cell", "run_cell"]

CONNECT_S: Final = 30.0
AGREE_S: Final = 150.0
"""The longest that an adapter waits before an order that is not there is proven absent is two minutes (OANDA)."""
RESUME_S: Final = 75.0
STREAMS: Final = (Fault.DISCONNECT, Fault.DUPLICATED, Fault.REORDERED, Fault.STREAM_LOST)
PRICES: Final = (Fault.STALE_PRICE, Fault.ZERO_PRICE, Fault.CROSSED_BOOK)


class Cell(NamedTuple):
    """What came of it. ``trouble`` is empty when everything agreed and trading went on by itself."""

    venue: str
    fault: str
    happened: int
    agreed_s: float
    """From the end of the fault until both sides agreed."""
    resumed_s: float
    """From then until an entry had filled."""
    orders: int
    trouble: str

    @property
    def good(self) -> bool:
        """Whether the venue came through."""
        return not self.trouble


async def run_cell(rig: Rig, fault: Fault) -> Cell:
    """Run one cell; whatever goes wrong is its trouble."""
    try:
        async with rig.standing() as venue:
            venue.hall.price(venue.symbol, venue.price, venue.price * Decimal("1.0001"))
            async with housed(venue) as house:
                quiet = asyncio.Event()
                market = asyncio.create_task(_market(house, quiet))
                try:
                    return await _through(house, fault, quiet)
                finally:
                    market.cancel()
                    with suppress(asyncio.CancelledError):
                        await market
    except Exception as error:  # noqa: BLE001 - the table shows it
        return Cell(rig.name, fault.value, 0, 0.0, 0.0, 0, f"{type(error).__name__}: {error}"[:160])


async def _market(house: House, quiet: asyncio.Event) -> None:
    """Keep the price moving by a tick, as a market does, except while it is to be quiet."""
    venue, tick = house.venue, house.tick
    number = 0
    while True:
        await asyncio.sleep(0.2)  # house: sockets and threads have no clock of ours
        if quiet.is_set():
            continue
        number += 1
        bid = house.price("1") + tick * (number % 2)
        venue.hall.price(venue.symbol, bid, bid + tick * 2)


async def _through(house: House, fault: Fault, quiet: asyncio.Event) -> Cell:
    venue, faults = house.venue, house.venue.hall.faults
    if not await within(CONNECT_S, lambda: house.up and house.compared):
        return _cell(house, fault, f"never connected: {house.health}")
    house.follow()
    waits, goes = house.buy(), house.buy(at="0.98")
    if not await within(10, lambda: {house.state(waits), house.state(goes)} == {OrderState.OPEN}):
        return _cell(house, fault, f"orders were not taken: {house.state(waits)}, {house.state(goes)}")
    if not await within(10, lambda: house.quoted_since(0)):
        return _cell(house, fault, "prices never came")
    if fault in STREAMS:
        quiet.set()  # what befalls streams befalls what they say of orders, not the next quotes
    armed = _arm(house, fault)
    house.buy(OrderType.MARKET)
    house.buy(at="0.97")
    house.cancel(goes)
    await asyncio.sleep(0.2)  # house: sockets and threads have no clock of ours
    for _ in range(2):
        venue.hall.trade(venue.symbol, house.price("0.99"), house.qty / 2)
        await asyncio.sleep(0.1)  # house: sockets and threads have no clock of ours
    quiet.clear()
    await within(5, lambda: faults.happened.get(fault, 0) >= armed)
    await asyncio.sleep(1.0)  # house: sockets and threads have no clock of ours
    faults.clear()
    if not faults.happened.get(fault):
        return _cell(house, fault, "the fault found no occasion")
    return await _after(house, fault)


async def _after(house: House, fault: Fault) -> Cell:
    cleared, at = time.monotonic(), house.system.now()
    if not await within(AGREE_S, lambda: house.up and not differences(house)):
        return _cell(house, fault, "; ".join(differences(house)) or f"not up: {house.health}", agreed=cleared)
    agreed = time.monotonic()
    filled = False
    while not filled and time.monotonic() < agreed + RESUME_S:
        last = house.buy(OrderType.MARKET)
        await within(5, lambda: (house.state(last) or OrderState.SENT).final)  # noqa: B023 - waited for in this turn
        filled = house.state(last) is OrderState.FILLED
    quoted = await within(AGREE_S, lambda: house.quoted_since(at))
    resumed = time.monotonic()
    await within(AGREE_S, lambda: not differences(house))
    trouble = "; ".join(differences(house))
    if not filled:
        trouble = f"no entry fills any more: {[each.reason for each in house.updates][-1:]}; {trouble}"
    if house.venue.timeless and fault is Fault.STALE_PRICE:
        house.lies.clear()  # nothing in such a quote says how old it is
    if not quoted or house.lies:
        trouble += f" prices: {house.lies[:3] or 'none any more'}"
    if house.book.stopped_for:
        trouble += f" entries stopped: {house.book.stopped_for}"
    return _cell(house, fault, trouble, cleared, agreed, resumed)


def _cell(
    house: House, fault: Fault, trouble: str, cleared: float = 0.0, agreed: float = 0.0, resumed: float = 0.0
) -> Cell:
    happened = house.venue.hall.faults.happened.get(fault, 0)
    settled = agreed - cleared if agreed and cleared else 0.0
    name = house.venue.name
    return Cell(name, fault.value, happened, settled, resumed - agreed if resumed else 0.0, len(house.wishes), trouble)


def _arm(house: House, fault: Fault) -> int:
    """Arm a fault; return how often it can happen."""
    faults = house.venue.hall.faults
    faults.latency_s = 1.5
    kinds: tuple[On, ...] = ("any",)
    times = 1
    if fault is Fault.LATENCY:
        times = 4
    elif fault in STREAMS:
        times = 2 if fault is Fault.DISCONNECT else 8
    elif fault in PRICES:
        times = 3
    elif fault not in (Fault.MUTE, Fault.MARGIN_REJECT, Fault.PARTIAL_FILL):
        kinds = ("orders", "cancels", "reads")
    for kind in kinds:
        faults.arm(fault, times, kind)
    return times * len(kinds)


# --- both sides ----------------------------------------------------------------------------------------------------------


def differences(house: House) -> list[str]:
    """Return what desk and venue disagree on; empty when no order is doubled, lost or unknown."""
    at_venue = {key: order for key, order in house.venue.hall.orders.items() if order.number}
    found = []
    for name in house.wishes:
        mine = [order for key, order in at_venue.items() if _same(key, name)]
        if len(mine) > 1:
            found.append(f"{name} doubled")
        found += _compare(house, name, mine[0] if mine else None)
    known = house.wishes.keys()
    found += [f"{key} is nobody's" for key in at_venue if not any(_same(key, name) for name in known)]
    return found


def _same(key: str, name: str) -> bool:
    return key.endswith(name)


def _compare(house: House, name: str, order: Order | None) -> list[str]:
    state, mine = house.state(name), house.book.get(name)
    if order is None:
        return (
            []
            if state is not None and state.final and state is not OrderState.FILLED
            else [f"{name} {state}, not there"]
        )
    if mine is None:
        return [f"{name} there, unknown here"]
    found = []
    if state is not order.state:
        found.append(f"{name} {state}, there {order.state}")
    if mine.filled_qty != order.filled:
        found.append(f"{name} filled {mine.filled_qty}, there {order.filled}")
    if any(each.state is OrderState.REJECTED for each in house.updates if each.client_order_id == name):
        found.append(f"{name} told rejected, there {order.state}")  # its group may have sent another in its place
    told = sum((each.qty for each in house.fills if each.client_order_id == name), Decimal(0))
    if told != order.filled:
        found.append(f"{name} told {told} of {order.filled}")
    return found
