"""A house with everything in it that an operator can meet: 20 open groups, a full queue, a venue session that is down.

The daemon is the real one, in a process of its own; the venues are practice exchanges in this process, so that prices are
those of the script and orders survive whatever happens to the daemon. Signals come over HTTP. What comes about is the same
each time but for instants and what follows from them::

    python -m tests.system.tour                                  stay in that state until Ctrl-C, to look around
    python -m tests.system.tour --pictures docs/assets/cockpit   write one picture a panel
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.orders import Balance
from tests.system.process import DaemonProcess, daemon_in
from tests.system.recorded import free_port
from tests.system.running import SECRETS, alert_document
from tui.link import DaemonLink
from venues.paper.config import PaperConfig
from venues.practice.server import PracticeServer

__all__ = ["GROUPS", "WAITING", "Tour", "tour"]

D = Decimal
GROUPS: Final = 20
WAITING: Final = 8
WITHIN_S: Final = 60.0
TICK_S: Final = 0.4
SESSION: Final = "/venues/lab/session"


class Coin(NamedTuple):
    """A market: where it begins, its tick, its step."""

    price: Decimal
    tick: Decimal
    step: Decimal


COINS: Final = {
    "BTC/USDT": Coin(D(60_000), D("0.01"), D("0.00001")),
    "ETH/USDT": Coin(D(3_000), D("0.01"), D("0.0001")),
    "SOL/USDT": Coin(D(150), D("0.01"), D("0.001")),
    "BNB/USDT": Coin(D(580), D("0.01"), D("0.001")),
    "XRP/USDT": Coin(D("0.52"), D("0.0001"), D("0.1")),
    "ADA/USDT": Coin(D("0.38"), D("0.0001"), D("0.1")),
    "LINK/USDT": Coin(D(14), D("0.001"), D("0.01")),
    "AVAX/USDT": Coin(D(27), D("0.01"), D("0.01")),
    "LTC/USDT": Coin(D(72), D("0.01"), D("0.001")),
    "DOGE/USDT": Coin(D("0.12"), D("0.00001"), D(1)),
}
LAB: Final = ("BTC/USDT", "ETH/USDT")

CONFIG: Final = """
[app]
data_dir = "data"
log_level = "warning"
[market]
symbols = [{symbols}]
[webhook]
port = {port}
[signal]
rate_limit_per_minute = 6000
near_duplicate_window_seconds = 0
[execution_pool]
max_open_groups = {groups}
queue_limit = {waiting}
[risk_engine]
loss_threshold_percent = -1.5
required_pyramids_for_timer = 1
require_full_pyramids = false
post_pyramids_wait_minutes = 15
[performance]
snapshot_interval_sec = 5
[demo]
signals = false
[[accounts]]
name = "desk"
venue = "practice"
exchange = "binance"
url = "{desk}"
[[accounts]]
name = "lab"
venue = "practice"
exchange = "bybit"
symbols = ["BTC/USDT", "ETH/USDT"]
url = "{lab}"
"""


class Entry(NamedTuple):
    """A signal that opens a group or adds to one."""

    symbol: str
    timeframe: str
    strategy: str = "breakout"
    size: str = "500"
    exchange: str = "BINANCE"


EARLIER: Final = (
    Entry("BTC/USDT", "60"),
    Entry("ETH/USDT", "60"),
    Entry("SOL/USDT", "15", "dip buyer"),
    Entry("XRP/USDT", "60", "dip buyer", "300"),
    Entry("LINK/USDT", "240", size="800"),
    Entry("LTC/USDT", "60", "dip buyer"),
)
"""What has been traded before: the first four reach their targets, the last two leave with a loss."""

RISEN: Final = 4
OPEN: Final = tuple(
    Entry(symbol, timeframe, "dip buyer" if number % 3 else "breakout", str(300 + 100 * (number % 4)))
    for number, (symbol, timeframe) in enumerate((s, t) for t in ("15", "60") for s in COINS)
)
AGAIN: Final = (
    Entry("SOL/USDT", "15", "dip buyer"),
    Entry("SOL/USDT", "15", "dip buyer"),
    Entry("AVAX/USDT", "60", "dip buyer"),
    Entry("BTC/USDT", "15"),
)
"""Pyramids on groups that are open."""

QUEUED: Final = tuple(Entry(symbol, "240", "swing", "600") for symbol in list(COINS)[:WAITING])
MOVES: Final = {
    "BTC/USDT": "1.0035",
    "ETH/USDT": "0.9920",
    "SOL/USDT": "0.9640",
    "BNB/USDT": "1.0072",
    "XRP/USDT": "0.9870",
    "ADA/USDT": "1.0053",
    "LINK/USDT": "0.9965",
    "AVAX/USDT": "0.9580",
    "LTC/USDT": "1.0081",
    "DOGE/USDT": "0.9815",
}
"""Where prices end, as a part of where they began."""


class Exchange:
    """A practice exchange whose prices stand where the script put them, told again and again: a market is never silent."""

    def __init__(self, account: str, symbols: tuple[str, ...]) -> None:
        instruments = [_instrument(symbol) for symbol in symbols]
        config = PaperConfig(balances=(Balance("USDT", D(50_000)),))
        self.server = PracticeServer(account, config, instruments, now=time.time_ns)
        self.prices = {symbol: COINS[symbol].price for symbol in symbols}

    def tell(self) -> None:
        """Tell every price."""
        for symbol, price in self.prices.items():
            tick, now = COINS[symbol].tick, time.time_ns()
            self.server.exchange.tick(PriceTick(symbol, now, price, price + tick, price))

    def move(self, moves: Mapping[str, str]) -> None:
        """Put prices where the script wants them: a part of where they began."""
        for symbol, part in moves.items():
            if symbol in self.prices:
                coin = COINS[symbol]
                self.prices[symbol] = coin.price * D(part) // coin.tick * coin.tick
        self.tell()


def _instrument(symbol: str) -> Instrument:
    base, _, quote = symbol.partition("/")
    coin = COINS[symbol]
    rules = PrecisionRules(coin.tick, coin.step, coin.step, D(5))
    return Instrument(
        venue="practice", symbol=symbol, venue_symbol=base + quote, base=base, quote=quote, rules=rules
    )  # fmt: skip


class Tour:
    """The house and the hands that bring it about."""

    def __init__(self, daemon: DaemonProcess, desk: Exchange, lab: Exchange, session: aiohttp.ClientSession) -> None:
        self.daemon = daemon
        self.desk = desk
        self.lab = lab
        self._session = session
        self._numbers = 0
        self.link = self.new_link()

    def new_link(self) -> DaemonLink:
        """Return a way to the daemon of one's own."""
        return DaemonLink(socket=self.daemon.config.socket_path)

    async def get(self, path: str, **query: Any) -> Any:
        """Ask the daemon."""
        return await self.link.get(path, **query)

    async def until(self, so: Callable[[], Any], what: str) -> None:
        """Wait until an answer of the daemon is so; raise ``TimeoutError`` with ``what`` when it does not come about."""
        end = time.monotonic() + WITHIN_S
        while not await so():
            if time.monotonic() > end:
                raise TimeoutError(what)
            await asyncio.sleep(0.05)  # house: a daemon in another process has no clock of ours

    async def send(self, entry: Entry, *, enter: bool = True, expect: int = 200) -> None:
        """Post an alert at the market's price."""
        self._numbers += 1
        exchange = self.desk if entry.exchange == "BINANCE" else self.lab
        price = exchange.prices[entry.symbol] + COINS[entry.symbol].tick
        document = alert_document(
            entry.symbol, price, f"t{self._numbers}", time.time_ns(), entry.timeframe, enter=enter
        )
        document["tv"] |= {"exchange": entry.exchange, "order_size": entry.size}
        if enter:
            document["tv"].pop("prev_market_position")  # the last group may have ended by its targets
        document["strategy_info"]["alert_name"] = entry.strategy
        document["risk"] = {"max_slippage_percent": "10"}
        url = f"http://127.0.0.1:{self.daemon.config.webhook.port}/webhook/{SECRETS.token.reveal()}"
        async with self._session.post(url, data=msgspec.json.encode(document)) as response:
            assert response.status == expect, await response.text()

    async def come_to(self, *, opened: int, waiting: int = 0, closed: int = 0) -> None:
        """Wait until so many groups are open, entries wait and groups are over, and nothing is under way any more."""
        heads: list[int] = []

        async def so() -> bool:
            status = await self.get("/v1/status")
            groups = (await self.get("/v1/groups", limit=1000))["groups"]
            queues = (await self.get("/v1/queue"))["queues"]
            heads.append(status["journal"]["head"])
            over = sum(1 for each in groups if each["state"] == "closed")
            return (
                len(groups) - over == opened
                and over == closed
                and sum(len(each["entries"]) for each in queues) == waiting
                and heads[-4:] == [heads[-1]] * 4
            )

        await self.until(so, f"{opened} open, {closed} closed, {waiting} waiting")

    async def bring_about(self) -> None:
        """Bring the house where the tour begins."""
        await self._earlier()
        for entry in OPEN:
            await self.send(entry)
        await self.come_to(opened=GROUPS, closed=len(EARLIER))
        for entry in (Entry("BTC/USDT", "60", exchange="BYBIT"), Entry("ETH/USDT", "15", exchange="BYBIT")):
            await self.send(entry)
        self.desk.move({symbol: str((1 + D(part)) / 2) for symbol, part in MOVES.items()})
        for entry in AGAIN:
            await self.send(entry)
        self.desk.move(MOVES)
        self.lab.move(MOVES)
        for entry in QUEUED:
            await self.send(entry)
        await self.come_to(opened=GROUPS + 2, closed=len(EARLIER), waiting=WAITING)
        await self.send(Entry("DOGE/USDT", "240", "swing"))  # finds no place
        await self.link.post("/v1/quarantine", {"path": SESSION}, timeout_s=30.0)
        await self.come_to(opened=GROUPS + 2, closed=len(EARLIER), waiting=WAITING)

    async def _earlier(self) -> None:
        for entry in EARLIER:
            await self.send(entry)
        await self.come_to(opened=len(EARLIER))
        risen, fallen = EARLIER[:RISEN], EARLIER[RISEN:]
        self.desk.move({each.symbol: "1.0125" for each in risen} | {each.symbol: "0.978" for each in fallen})
        await self.come_to(opened=len(fallen), closed=len(risen))
        for entry in fallen:
            await self.send(entry, enter=False)
        await self.come_to(opened=0, closed=len(EARLIER))
        self.desk.move(dict.fromkeys(COINS, "1"))


@asynccontextmanager
async def tour(folder: Path) -> AsyncIterator[Tour]:
    """Run the house in a folder and bring it about; nothing of it is left when the block ends."""
    desk, lab = Exchange("desk", tuple(COINS)), Exchange("lab", LAB)
    await desk.server.start()
    await lab.server.start()
    telling = asyncio.create_task(_keep_telling(desk, lab))
    text = CONFIG.format(
        symbols=", ".join(f'"{symbol}"' for symbol in COINS),
        port=free_port(),
        groups=GROUPS,
        waiting=WAITING,
        desk=desk.server.url,
        lab=lab.server.url,
    )
    try:
        with daemon_in(folder, text) as daemon:
            await asyncio.to_thread(daemon.up)
            async with aiohttp.ClientSession() as session:
                found = Tour(daemon, desk, lab, session)
                try:
                    await found.until(lambda: _ready(found), "both venues are up")
                    await found.bring_about()
                    yield found
                finally:
                    await found.link.close()
    finally:
        telling.cancel()
        await desk.server.stop()
        await lab.server.stop()


async def _ready(tour: Tour) -> bool:
    venues = (await tour.get("/v1/status"))["venues"]
    return len(venues) == 2 and not any(each["text"] for each in venues)


async def _keep_telling(*exchanges: Exchange) -> None:
    while True:
        for each in exchanges:
            each.tell()
        await asyncio.sleep(TICK_S)  # house: the exchanges' own pace


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.tour", description=__doc__)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="write one picture a panel")
    given = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_stay(given.pictures))


async def _stay(pictures: Path | None) -> None:
    with TemporaryDirectory(prefix="tour-") as folder:
        async with tour(Path(folder)) as house:
            if pictures is not None:
                from tests.system.tour_pictures import take

                await take(house, pictures)
                return
            print(f"bulkhead cockpit --socket {house.daemon.config.socket_path}   # Ctrl-C ends it here")  # noqa: T201 - for whoever ran it
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    main()
