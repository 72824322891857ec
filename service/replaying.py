"""Run a configuration over recorded prices, as fast as the machine allows, through the very actors of the daemon."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter

import anyio

from actors.feed import FEEDS, LiveSource
from actors.sender import Alert, DirectPlayer, SignalPlayer
from market.sources.base import MarketSource, Step
from protocol.errors import ValidationError
from protocol.market import FeedState, FeedStatus
from protocol.messages import Message
from rules.signals import parse_timestamp
from runtime.actor import Actor, handles
from runtime.clock import VirtualClock
from runtime.endings import failed_before
from runtime.journal import Journal
from runtime.loop import VirtualLoop
from runtime.memory_journal import MemoryJournal
from runtime.recording import Recorder
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets
from service.house import GATEWAY, Plan, build_house
from service.markets import Market, recorded_market
from service.summary import RunSummary, summarise
from service.webhooks import listener, listening_url
from supervision.child import ChildSpec

__all__ = ["EndWatch", "ReplayProgress", "ReplayResult", "read_alerts", "run_replay"]

_PROGRESS_EVERY_S = 6 * 3600.0
_REPLAY_TAG = "rply"
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """How far a replay is: prices delivered, the instant reached, real seconds since it began."""

    prices: int
    at: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What a replay came to; ``digest`` is that of its journal: equal runs have equal digests."""

    summary: RunSummary
    prices: int
    seconds: float
    started_at: int
    ended_at: int
    events: int
    digest: str
    dead_letters: int


def run_replay(
    config: Config,
    *,
    alerts: Sequence[Alert] = (),
    secrets: WebhookSecrets | None = None,
    journal: Journal | None = None,
    until: int | None = None,
    since: int | None = None,
    http: bool = False,
    seed: int | None = None,
    progress: Callable[[ReplayProgress], None] | None = None,
    recorder: Recorder | None = None,
) -> ReplayResult:
    """Replay ``config.market.replay`` with alerts at their instants; return what it came to.

    ``journal`` that has records already is gone on with, strictly after its newest instant. ``http`` posts the alerts to
    a real listener at the configured port (virtual time stands still meanwhile), otherwise they are handed to the
    gateway. ``seed`` draws the interleaving of actors, ``recorder`` records what durable actors are given. Raises
    MarketRefused, SourceError and whatever the tree fails with.
    """
    markets = {account.name: _cut(recorded_market(config, account), since, until) for account in config.accounts}
    used = journal if journal is not None else MemoryJournal()
    first = min(market.first_at or 0 for market in markets.values())
    clock = VirtualClock(max(first, since or 0, used.last_instant()))
    run = _Run(config, markets, used, clock, alerts, secrets, http, seed, progress, recorder)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock, seed=seed)) as runner:
        return runner.run(run.serve())


def read_alerts(path: Path) -> list[Alert]:
    """Read alerts from a file of JSON lines, one webhook body a line, each due at its own ``timestamp``.

    Raises ValidationError naming the line.
    """
    alerts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            body = json.loads(line)
            at = parse_timestamp(body["timestamp"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValidationError(f"{path.name}:{number}", f"not an alert with a timestamp: {error!r}") from error
        if at is None:
            raise ValidationError(f"{path.name}:{number}.timestamp", "not a time")
        alerts.append(Alert(at, line.encode()))
    # A nanosecond apart: every stimulus of a replay has its own instant, so that a restart knows which one was last.
    alerts.sort(key=lambda alert: alert.at)
    return [Alert(alert.at + 500 + index % 400, alert.body) for index, alert in enumerate(alerts)]


def _cut(market: Market, since: int | None, until: int | None) -> Market:
    if since is None and until is None:
        return market

    def opened() -> MarketSource:
        source = market.open()
        assert not isinstance(source, LiveSource), "a replay's source is recorded"
        return _CutSource(source, until)

    return replace(market, open=opened)


class _CutSource:
    """A source that ends at an instant."""

    def __init__(self, source: MarketSource, until: int | None) -> None:
        self._source = source
        self._until = until
        self.name = self._source.name
        self.symbols = self._source.symbols

    def __iter__(self) -> Iterator[Step]:
        until = self._until
        for step in self._source:
            if until is not None and step[0] > until:
                return
            yield step

    def resume_after(self, at: int) -> _CutSource:
        return _CutSource(self._source.resume_after(at), self._until)


class _Look(Message, frozen=True, tag=True):
    pass


class _Settled(Message, frozen=True, tag=True):
    pass


class EndWatch(Actor):
    """Ends the run when every feed has ended and its last bar is over; reports progress on the way."""

    def __init__(self, feeds: int, settle_s: float, done: anyio.Event, look: Callable[[], None]) -> None:
        self._left = feeds
        self._settle_s = settle_s
        self._done = done
        self._look = look

    def started(self) -> None:
        """Hear of feeds; look now and then."""
        self.context.bus.subscribe(FEEDS, self.ref)
        self.timers.every(_PROGRESS_EVERY_S, _Look())

    @handles
    def status(self, msg: FeedStatus) -> None:
        """Count the feeds that have ended."""
        if msg.state is FeedState.ENDED:
            self._left -= 1
            if self._left == 0:
                self.timers.after(self._settle_s, _Settled())

    @handles
    def look(self, msg: _Look) -> None:  # noqa: ARG002 - the type is the message
        """Report progress."""
        self._look()

    @handles
    def settled(self, msg: _Settled) -> None:  # noqa: ARG002 - the type is the message
        """Say that everything has settled."""
        self._done.set()


@dataclass(slots=True)
class _Run:
    config: Config
    markets: dict[str, Market]
    journal: Journal
    clock: VirtualClock
    alerts: Sequence[Alert]
    secrets: WebhookSecrets | None
    http: bool
    seed: int | None
    progress: Callable[[ReplayProgress], None] | None
    recorder: Recorder | None = None
    began: float = 0.0

    async def serve(self) -> ReplayResult:
        """Run the house to the end of its feeds."""
        started_at = self.clock.now()
        done = anyio.Event()
        system = ActorSystem(clock=self.clock, journal=self.journal, seed=self.seed)
        if self.recorder is not None:
            self.recorder.attach(system)
        async with system:
            plan = self._plan(system, done)
            with system.hold():
                system.start_root(build_house(plan))
                await system.ready()
            self.began = perf_counter()  # house: measures the machine, decides nothing
            if (failure := await failed_before(system, done.wait())) is not None:
                raise failure
            seconds = perf_counter() - self.began  # house: measures the machine, decides nothing
            prices = self._prices(system)
            dead = system.dead_letters.total
        return ReplayResult(
            summary=summarise(self.journal.read_all()),
            prices=prices,
            seconds=seconds,
            started_at=started_at,
            ended_at=self.clock.now(),
            events=self.journal.head(),
            digest=self.journal.digest(),
            dead_letters=dead,
        )

    def _plan(self, system: ActorSystem, done: anyio.Event) -> Plan:
        settle_s = max(market.lookback_ns for market in self.markets.values()) / 1_000_000_000 + 60
        watch = partial(EndWatch, len(self.markets), settle_s, done, lambda: self._report(system))
        return Plan(
            active=ActiveConfig(self.config),
            system=system,
            tag=_REPLAY_TAG,
            secrets=self.secrets,
            markets=self.markets,
            reconcile_every_s=0.0,
            store=[ChildSpec("watch", watch)],
            operators=self._senders(system),
        )

    def _senders(self, system: ActorSystem) -> list[ChildSpec]:
        user = self.config.webhook.user
        if not self.http:
            return [ChildSpec("player", partial(DirectPlayer, self.alerts, user=user, gateway=GATEWAY))]
        token = self.secrets.token.reveal() if self.secrets is not None else "replay"
        url = partial(listening_url, system, token, host=_LOOPBACK)
        player = ChildSpec("player", partial(SignalPlayer, self.alerts, url))
        return [listener(ActiveConfig(self.config), token, host=_LOOPBACK), player]

    def _prices(self, system: ActorSystem) -> int:
        feeds = [system.cell_of(f"/venues/{name}/feed") for name in self.markets]
        return sum(getattr(cell.actor, "delivered", 0) for cell in feeds if cell is not None)

    def _report(self, system: ActorSystem) -> None:
        if self.progress is not None:
            seconds = perf_counter() - self.began  # house: measures the machine, decides nothing
            self.progress(ReplayProgress(self._prices(system), self.clock.now(), seconds))
