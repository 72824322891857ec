"""A small daemon in this process: real supervisors, gateway, coordinator, read models and API on a real unix socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import anyio

from actors.approvals import ApprovalDesk, ApprovalSettings
from actors.event_log import EventLog
from actors.gateway import Gateway, GatewaySettings, Route
from actors.notifier import Notifier
from actors.projector import Committed, ReadModelKeeper
from actors.risk import RiskCoordinator
from actors.session import session_topic
from protocol.control import ActorRow
from protocol.instruments import Instrument, PrecisionRules
from protocol.messages import Message, Request
from protocol.risk import EngineTrouble
from protocol.signals import EntryRequest, SignalOutcome
from protocol.values import MarketType
from protocol.venue import SessionUp
from runtime.actor import Actor, Do, handles
from runtime.clock import WallClock
from runtime.system import ActorSystem
from service.api import ApiServer
from service.api.client import Client
from service.config import Config, parse
from service.config.sources import Sources
from store.opening import open_reader
from store.projector import Projector
from store.sqlite_journal import open_journal
from supervision.backoff import Backoff
from supervision.budget import Intensity
from supervision.child import ChildSpec
from supervision.tree import supervisor

T = TypeVar("T")

__all__ = ["Fragile", "Host", "Poked", "Rig", "Slow", "rig", "run"]


class Poked(Request[ActorRow], frozen=True, tag=True):
    """Not a message of ``protocol``: operators cannot send it."""


class Slow(Message, frozen=True, tag=True):
    """Nobody handles it."""


class Fragile(Actor):
    """Crashes on every message."""

    LIVES: ClassVar[list[int]] = []

    @handles
    def trouble(self, msg: EngineTrouble) -> None:
        """Crash."""
        raise RuntimeError(f"cannot bear {msg.text!r}")


class Admitting(Actor):
    """Stands for the pool: says that every entry opened a group."""

    @handles
    def entry(self, msg: EntryRequest) -> Do:
        """Admit."""
        return Do(tells=[("/trading/gateway", SignalOutcome(msg.signal.signal_id, "opened", ("by the stand-in",)))])


@dataclass
class Host:
    """What the API asks of a daemon."""

    config: Config
    system: ActorSystem
    source_label: str = "SYNTHETIC"
    started_at: int = 0
    webhook_url: str = "http://127.0.0.1:1/webhook/token"
    stopped: anyio.Event = field(default_factory=anyio.Event)
    taken: list[str] = field(default_factory=list)

    @property
    def sources(self) -> Sources:
        return Sources.of_config(self.config)

    async def take_secrets(self, holder: str) -> tuple[str, ...]:
        self.taken.append(holder)
        return ()

    @property
    def socket_path(self) -> Path:
        return self.config.socket_path

    def stop(self) -> None:
        self.stopped.set()


class Rig:
    """The running daemon and ways to ask it; requests run on threads, as from another process."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.client = Client(host.socket_path, timeout_s=60)

    async def get(self, path: str, **query: Any) -> Any:
        return await anyio.to_thread.run_sync(lambda: self.client.get(path, **query))

    async def post(self, path: str, body: Any = None) -> Any:
        return await anyio.to_thread.run_sync(lambda: self.client.post(path, body))

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Ask again until the answer holds; every question is a whole round trip, so this waits without sleeping."""
        found = None
        for _ in range(2_000):
            found = await self.get(path)
            if holds(found):
                return found
        raise AssertionError(f"{path} still answers {found}")


def _desk() -> ApprovalDesk:
    return ApprovalDesk(ApprovalSettings(), "/trading/gateway")


def _config(folder: Path, settings: dict[str, str]) -> Config:
    return parse("", {"BULKHEAD_APP__DATA_DIR": str(folder), **settings})


def _instrument() -> Instrument:
    cent = __import__("decimal").Decimal("0.01")
    return Instrument(
        venue="binance",
        symbol="BTC/USDT",
        venue_symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        market_type=MarketType.SPOT,
        rules=PrecisionRules(tick_size=cent, step_size=cent, min_qty=cent, min_notional=cent),
    )


def _tree(host: Host, config: Config) -> Any:
    settings = GatewaySettings(user="trader", routes={"binance": (Route("paper", "/risk/pool", "/nowhere"),)})
    keeper = partial(
        ReadModelKeeper,
        reader=partial(open_reader, config.journal_path, check=False),
        projector=partial(Projector, config.app.data_dir / "views.db"),
    )
    fragile = ChildSpec("fragile", Fragile, on_exhausted="quarantine", backoff=Backoff(0.0, limit_s=0.0))
    return supervisor(
        "root",
        supervisor("store", ChildSpec("events", EventLog), ChildSpec("projector", keeper, dispatch="thread")),
        supervisor(
            "risk",
            ChildSpec("coordinator", RiskCoordinator),
            ChildSpec("approvals", _desk),
            ChildSpec("pool", Admitting),
        ),
        supervisor("trading", ChildSpec("gateway", partial(Gateway, settings)), fragile, intensity=Intensity(1, 60.0)),
        supervisor("operators", ChildSpec("notifier", Notifier), ChildSpec("api", partial(ApiServer, host))),
    )


@asynccontextmanager
async def rig(**settings: str) -> AsyncIterator[Rig]:
    """Run the small daemon; its folder is short enough for a socket path. ``settings``: environment variables."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        config = _config(Path(name), settings)
        journal = open_journal(config.journal_path)
        try:
            async with ActorSystem(journal=journal, threaded_journal=True) as system:
                host = Host(config, system, started_at=WallClock().now())
                system.durability.listeners.append(lambda _: system.tell("/store/projector", Committed()))
                system.start_root(_tree(host, config))
                await system.ready()
                up = SessionUp("paper", (_instrument(),), system.now())
                system.bus.publish(session_topic("paper"), up, keep=True)
                yield Rig(host)
        finally:
            journal.close()


def run(work: Callable[[Rig], Awaitable[T]], **settings: str) -> T:
    """Run a test's work against a rig of its own."""

    async def main() -> T:
        async with rig(**settings) as ready:
            return await work(ready)

    return asyncio.run(main())
