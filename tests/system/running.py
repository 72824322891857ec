"""A whole house on the wall clock inside a test: made-up prices at any pace, alerts over real HTTP, journal on disk."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from actors.group import PositionGroup
from actors.projector import Committed, ReadModelProcess
from actors.webhook import WebhookListener
from market.sources.base import MarketSource, Step
from market.sources.catalogue import SourceKind, SourceSpec, open_source, source_instruments
from market.sources.synthetic import SyntheticConfig
from rules.group import GroupView
from rules.signals import iso_ms
from runtime.cell import Cell
from runtime.clock import WallClock
from runtime.journal import Entry, JournalUnavailable
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.active import ActiveConfig
from service.config import Config, Secret, WebhookSecrets, parse
from service.config.market import MarketSource as Kind
from service.house import GATEWAY, Plan, build_house
from service.markets import Market
from store.follow import command_of
from store.sqlite_journal import SqliteJournal, open_journal
from supervision.child import ChildSpec
from venues.contract import Venue

SECRETS = WebhookSecrets(Secret("t" * 24), Secret("very-secret-alert-word"), Secret("k" * 40))
PATHS = AccountPaths("paper")
WITHIN_S = 20.0
"""How long anything a test waits for may take before the test fails."""


async def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until something is so; fail with ``what`` when it does not come about."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110 - on many actors at once there is no one event
                await asyncio.sleep(0.002)  # house: sockets and threads have no clock of ours
    except TimeoutError:
        pytest.fail(f"not within {WITHIN_S} s: {what}")


def alert(symbol: str, *, price: Decimal, trade_id: str, at: int, timeframe: str = "1", enter: bool = True) -> bytes:
    """Return an alert as TradingView sends it (EX-202), worth 500 of quote currency."""
    return msgspec.json.encode(alert_document(symbol, price, trade_id, at, timeframe, enter=enter))


def alert_document(
    symbol: str, price: Decimal, trade_id: str, at: int, timeframe: str = "1", *, enter: bool = True
) -> dict[str, Any]:
    """Return the fields of an alert."""
    return {
        "secret": SECRETS.secret.reveal(),
        "source": "tradingview",
        "timestamp": iso_ms(at),
        "tv": {
            "exchange": "BINANCE",
            "symbol": symbol.replace("/", ""),
            "timeframe": timeframe,
            "action": "buy" if enter else "sell",
            "market_position": "long" if enter else "flat",
            "prev_market_position": "flat" if enter else "long",
            "entry_price": str(price),
            "order_size": "500",
        },
        "strategy_info": {"trade_id": trade_id, "alert_name": "load", "alert_message": "a test"},
        "execution_intent": {"type": "signal", "position_size_type": "quote"},
        "risk": {"max_slippage_percent": "5"},
    }


@dataclass
class House:
    """A running house and how a test reaches it."""

    config: Config
    system: ActorSystem
    journal: FullDisk
    session: aiohttp.ClientSession
    faults: list[Exception]
    """What the market source raises next instead of a price."""

    @property
    def url(self) -> str:
        """Where alerts are posted."""
        port = getattr(self.cell("/operators/webhook").actor, "port", 0)
        return f"http://127.0.0.1:{port}/webhook/{SECRETS.token.reveal()}"

    def cell(self, path: str) -> Cell:
        """Return the cell at a path."""
        cell = self.system.cell_of(path)
        assert cell is not None, f"nobody lives at {path}"
        return cell

    def actor(self, path: str) -> Any:
        """Return the present life of the actor at a path."""
        return self.cell(path).actor

    def up(self, path: str) -> bool:
        """Whether an actor runs and has said that it is up."""
        cell = self.system.cell_of(path)
        return cell is not None and cell.was_ready and cell.state.value == "running"

    def groups(self) -> dict[str, GroupView]:
        """Return every group that runs, by path."""
        found = {}
        for path in self.system.paths():
            actor = self.cell(path).actor
            if isinstance(actor, PositionGroup) and actor._view is not None:
                found[path] = actor._view
        return found

    async def post(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Post an alert; return status and answer."""
        async with self.session.post(self.url, data=body) as response:
            return response.status, await response.json()


def synthetic(*, step_ns: int, at: int) -> Market:
    """Return a lively made-up market with a quote a symbol each ``step_ns``."""
    settings = SyntheticConfig(seed=7, step_ns=step_ns, start_at=at, volatility_percent=10.0)
    spec = SourceSpec(name="SYNTHETIC", kind=SourceKind.SYNTHETIC, synthetic=settings)
    return Market(
        "SYNTHETIC",
        Kind.SYNTHETIC,
        partial(open_source, spec, Path()),
        source_instruments(spec, Path(), "binance"),
        0,
    )


class FullDisk:
    """A journal on a disk that a test can fill up: while ``full``, nothing is kept."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self.full = False
        self.refused = 0

    def append(self, entries: Sequence[Entry]) -> int:
        """Append, or fail as SQLite does when the disk is full."""
        return self.stage(entries)()

    def stage(self, entries: Sequence[Entry]) -> Callable[[], int]:
        """Stage, or fail as SQLite does when the disk is full."""
        if self.full:
            self.refused += 1
            raise JournalUnavailable("database or disk is full (SQLITE_FULL)")
        return self._journal.stage(entries)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


class _FaultySource:
    """A market source that raises what a test puts into ``faults``."""

    def __init__(self, source: MarketSource, faults: list[Exception]) -> None:
        self._source = source
        self._faults = faults
        self.name = source.name
        self.symbols = source.symbols

    def __iter__(self) -> Iterator[Step]:
        for step in self._source:
            if self._faults:
                raise self._faults.pop()
            yield step

    def resume_after(self, at: int) -> _FaultySource:
        """Go on after an instant."""
        return _FaultySource(self._source.resume_after(at), self._faults)


def faulty(market: Market, faults: list[Exception]) -> Market:
    """Return the same market with a source that raises ``faults``."""
    return replace(market, open=lambda: _FaultySource(market.open(), faults))


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def house_config(data_dir: Path, *, port: int = 0, max_restarts: int = 100) -> Config:
    """Return a configuration for load: many slots, a rich account, quick and frequent restarts."""
    return parse(
        f"""
[app]
data_dir = "{data_dir}"
[webhook]
port = {port}
[execution_pool]
max_open_groups = 1000
[supervision]
max_restarts = {max_restarts}
backoff_base_ms = 400
[[accounts]]
name = "paper"
latency_ms = 0
balances = {{ USDT = 100000000 }}
""",
        {},
    )


@asynccontextmanager
async def running_house(
    config: Config,
    *,
    step_ns: int = 10_000_000,
    operators: tuple[ChildSpec, ...] = (),
    nodes: Callable[[Config, ActorSystem, dict[str, Market]], Sequence[ChildSpec]] = lambda *_: (),
) -> AsyncIterator[House]:
    """Run a house until the block ends; nothing of it is left then. ``nodes`` makes its branch among other daemons."""
    clock = WallClock()
    journal = open_journal(config.journal_path, durability="normal", opened_at=clock.now())
    disk = FullDisk(journal)
    system = ActorSystem(clock=clock, journal=disk, threaded_journal=True)
    try:
        async with aiohttp.ClientSession() as session, system:
            system.durability.listeners.append(lambda _: system.tell("/store/projector", Committed()))
            faults: list[Exception] = []
            market = faulty(synthetic(step_ns=step_ns, at=clock.now()), faults)
            plan = replace(_plan(config, system, market, operators), nodes=nodes(config, system, {"paper": market}))
            system.start_root(build_house(plan))
            await system.ready()
            yield House(config, system, disk, session, faults)
    finally:
        journal.close()


def _plan(config: Config, system: ActorSystem, market: Market, operators: tuple[ChildSpec, ...]) -> Plan:
    keeper = partial(ReadModelProcess, command_of(config.journal_path, config.app.data_dir / "views.db"))
    return Plan(
        active=ActiveConfig(config),
        system=system,
        tag="test",
        secrets=SECRETS,
        markets={"paper": market},
        # Whoever comes back must find what was missed by itself, not by the timer.
        reconcile_every_s=3_600.0,
        store=[ChildSpec("projector", keeper)],
        operators=[_listener(config), *operators],
        # The test's own pace is what limits it.
        gateway=lambda settings: replace(settings, rate_per_minute=100_000_000),
    )


def _listener(config: Config) -> ChildSpec:
    listener = partial(
        WebhookListener,
        host=config.webhook.host,
        port=config.webhook.port,
        token=SECRETS.token.reveal(),
        user=config.webhook.user,
        gateway=GATEWAY,
        max_body_bytes=config.signal.max_body_bytes,
    )
    return ChildSpec("webhook", listener)


@asynccontextmanager
async def house_at_venues(
    config: Config, venues: Mapping[str, Callable[[], Venue]], *, tag: str, operators: Sequence[ChildSpec] = ()
) -> AsyncIterator[House]:
    """Run a house whose accounts all trade outside, with a journal in memory, until the block ends."""
    system = ActorSystem(clock=WallClock(), journal=MemoryJournal())
    plan = Plan(
        active=ActiveConfig(config),
        system=system,
        tag=tag,
        secrets=SECRETS,
        markets={},
        reconcile_every_s=3_600.0,
        operators=[_listener(config), *operators],
        gateway=lambda settings: replace(settings, rate_per_minute=100_000_000),
        venues=venues,
    )
    async with aiohttp.ClientSession() as session, system:
        system.start_root(build_house(plan))
        await system.ready()
        yield House(config, system, system.journal, session, [])  # type: ignore[arg-type] # one in memory
