"""The daemon: opens what a configuration names, starts the tree, stays until told to stop, leaves nothing behind."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from actors.equity import EquityKeeper
from actors.event_log import EventLog
from actors.gateway import GatewaySettings
from actors.group_recovery import RUN
from actors.projector import Committed, ReadModelProcess
from actors.risk import tell_of_journal
from actors.tenure import LeaseLost
from protocol.errors import BulkheadError
from protocol.groups.recovery import DaemonStarted
from runtime.actor import Actor
from runtime.clock import NANOS, Clock, ReplayClock, VirtualClock, WallClock
from runtime.endings import failed_before
from runtime.journal import Fenced
from runtime.loop import VirtualLoop
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets, open_webhook_secrets
from service.config.kept import read_kept
from service.config.market import MarketSource as Kind
from service.config.sources import Sources, Start
from service.config_setup import begin_with, config_keeper
from service.demo import demo_trader
from service.deployment import deployment_tag
from service.hiding import Hiding
from service.house import RISK, Plan, build_house
from service.housekeeper import Housekeeper
from service.input_recording import keep_inputs
from service.journals import journal_of, views_of
from service.leaving import refuse_half_restored, refuse_moved
from service.live_journal import LiveJournal, open_live_journal
from service.lives import begin_run, end_run
from service.logs import log_folder, log_settings
from service.markets import Market, prepare_market
from service.nightly import nightly_check
from service.nodes import node_children
from service.notices import notifier_child
from service.performance_settings import equity_settings
from service.replaying import EndWatch
from service.standing import NotNeeded, holding_tenure
from service.taking_secrets import newest, take_secrets
from service.tenure import Tenure, fences_of, lease_keeper
from service.venues import is_outside, outside_venues, price_label
from service.watching import watched
from service.webhooks import listener, listening_url
from store.follow import command_of, environment_of
from supervision.backoff import Backoff
from supervision.child import ChildSpec

__all__ = ["Daemon", "read_models_spec", "run_daemon"]

log = logging.getLogger("bulkhead")

_TAKEN_OVER = -1
"""Not an exit code: this process has lost its leases and stands by again."""


@dataclass(slots=True)
class Daemon:
    """A running daemon, for whoever embeds it: its system, and how it is reached."""

    active: ActiveConfig
    system: ActorSystem
    sources: Sources
    source_label: str
    started_at: int
    webhook_token: str
    stopping: anyio.Event

    @property
    def config(self) -> Config:
        """The configuration in force at this moment."""
        return self.active.config

    @property
    def socket_path(self) -> Path:
        """The control API's unix socket."""
        return self.config.socket_path

    @property
    def webhook_url(self) -> str:
        """Where alerts are to be posted."""
        return listening_url(self.system, self.webhook_token, host=self.config.webhook.host)

    async def take_secrets(self, holder: str) -> tuple[str, ...]:
        """Go on under what the vault keeps now; return the accounts that log in anew."""
        return await take_secrets(self.system, self.active, self.sources, holder)

    def stop(self) -> None:
        """Ask the daemon to stop in order."""
        self.stopping.set()


def run_daemon(
    config: Config,
    *,
    sources: Sources | None = None,
    on_ready: Callable[[Daemon], None] | None = None,
    gateway: Callable[[GatewaySettings], GatewaySettings] = lambda settings: settings,
    on_standby: Callable[[str], None] = lambda _: None,
) -> int:
    """Run until SIGINT, SIGTERM or ``Daemon.stop``; return the exit code (0, or 1 when the system as a whole failed).

    ``sources`` are the file and environment that gave ``config``; without them it is taken as a document of its own.
    ``gateway`` changes the gateway's settings beyond what a configuration may say (a benchmark's rate limit). ``on_standby``
    is told who trades when it is not this daemon's turn yet. Raises
    BulkheadError when it cannot start: the journal is locked or damaged, a port is taken, a market cannot be had.
    """
    refuse_half_restored(config.app.data_dir)
    refuse_moved(config)
    config.app.data_dir.mkdir(parents=True, exist_ok=True)
    sources = sources if sources is not None else Sources.of_config(config)
    try:
        while True:
            with holding_tenure(config, on_standby) as tenure:
                code = _run(config, sources, on_ready, gateway, tenure)
            if code != _TAKEN_OVER:
                return code
            log.warning("another process has taken over: this one stands by")
    except NotNeeded:
        return 0


def _run(
    config: Config,
    sources: Sources,
    on_ready: Callable[[Daemon], None] | None,
    gateway: Callable[[GatewaySettings], GatewaySettings],
    tenure: Tenure | None,
) -> int:
    """Run once, from the opening of the journal to its closing."""
    wall = WallClock()
    secrets = open_webhook_secrets(config)
    sources.memory.now = read_kept(config)
    accounts = [account.name for account in config.accounts]
    journal = open_live_journal(config, opened_at=wall.now(), **(fences_of(tenure, accounts) if tenure else {}))
    try:
        start = begin_with(journal, sources, config)
        config = start.config
        with asyncio.Runner() as runner:
            markets = runner.run(_prepare(config, wall.now()))
        clock = _clock_for(config, markets, journal)
        if config.deployment.auto_update:
            log.warning("deployment.auto_update is true, and this version installs nothing by itself: update by hand")
        loop = (lambda: VirtualLoop(clock)) if isinstance(clock, VirtualClock) else None
        run = begin_run(journal, clock.now(), lambda: deployment_tag(config.app.data_dir))
        with asyncio.Runner(loop_factory=loop) as runner:
            code = runner.run(_serve(sources, start, secrets, journal, markets, clock, on_ready, gateway, run, tenure))
        if code == 0:
            end_run(journal, run, clock.now())
        return code
    finally:
        journal.close()


async def _prepare(config: Config, now: int) -> dict[str, Market]:
    """Return the prices of each account on paper; the others hear theirs from their venue."""
    return {
        account.name: await prepare_market(config, account, now=now)
        for account in config.accounts
        if not is_outside(account)
    }


def _clock_for(config: Config, markets: dict[str, Market], journal: LiveJournal) -> Clock:
    """Return the clock the markets need; a replay goes on at the newest instant that anything durable happened."""
    starts = [market.first_at for market in markets.values() if market.first_at is not None]
    if not starts:
        return WallClock()
    if len(starts) < len(config.accounts):
        raise BulkheadError("recorded and live markets cannot run in one daemon: they live at different times")
    start = max(min(starts), journal.last_instant())
    if config.market.speed == "max":
        return VirtualClock(start)
    return ReplayClock(start, float(config.market.speed))


async def _serve(
    sources: Sources,
    start: Start,
    secrets: WebhookSecrets,
    journal: LiveJournal,
    markets: dict[str, Market],
    clock: Clock,
    on_ready: Callable[[Daemon], None] | None,
    gateway: Callable[[GatewaySettings], GatewaySettings],
    run: DaemonStarted,
    tenure: Tenure | None,
) -> int:
    config = start.config
    virtual = isinstance(clock, VirtualClock)
    system = ActorSystem(clock=clock, journal=journal, threaded_journal=not virtual, inline_threads=False)
    stopping = anyio.Event()
    # From before the first actor until after the last: a signal at any moment is an orderly stop, a second one no more.
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    active = ActiveConfig(config, start.version, start.trouble)
    # The watch is the outer one: it still sees how the tree ends.
    hiding = Hiding(active, secrets)
    async with watched(system, active, hiding, run), system:
        label = _labels(config, markets)
        daemon = Daemon(active, system, sources, label, WallClock().now(), secrets.token.reveal(), stopping)
        ended = anyio.Event()
        keeper = config_keeper(lambda: plan, active, sources, start, watch=not virtual)
        tag, every_s = run.tag, 3_600.0 if virtual else 60.0
        venues = outside_venues(config, system.now, partial(newest, active, sources))
        inputs = keep_inputs(
            active, system, secrets, markets, hiding, tag=tag, reconcile_every_s=every_s, outside=venues
        )
        plan = Plan(
            active=active,
            system=system,
            tag=tag,
            secrets=secrets,
            markets=markets,
            reconcile_every_s=every_s,
            store=[*lease_keeper(tenure), *inputs, *_log(active, hiding), *_end_of_recording(system, markets, ended)],
            operators=[keeper, *_operators(config, secrets, markets, daemon)],
            gateway=gateway,
            nodes=node_children(config, system, markets),
            venues=venues,
            send_by=(lambda: tenure.send_by(system.now())) if tenure is not None else lambda: None,
        )
        system.durability.snapshot_every = config.journal.snapshot_every
        system.durability.listeners.append(lambda _: system.tell("/store/projector", Committed()))
        system.durability.watchers.append(partial(tell_of_journal, system, RISK))
        system.bus.publish(RUN, run, keep=True)
        with system.hold():
            system.start_root(build_house(plan))
            await system.ready()
        # The address holds a secret; ``bulkhead status`` shows it to whoever may use the control socket.
        log.info("ready: %s prices, alerts to %s", label, daemon.webhook_url.rpartition("/")[0] + "/...")
        if on_ready is not None:
            on_ready(daemon)
        if virtual:
            system.run_task(_stand_still(system, ended), "/")
        return await _until_stopped(system, daemon.stopping)


def _labels(config: Config, markets: dict[str, Market]) -> str:
    """Return whose prices the accounts trade at."""
    outside = {price_label(config, account) for account in config.accounts if account.name not in markets}
    return ", ".join(sorted({market.label for market in markets.values()} | outside))


def read_models_spec(factory: Callable[[], Actor]) -> ChildSpec:
    """Return the recipe of who keeps the read models: whatever is wrong with them, trading never ends because of it.

    It is tried again ever more slowly, and stays down alone where even that is more than the restart budget allows.
    """
    backoff = Backoff(first_s=2.0, limit_s=60.0, jitter=0.0)  # 62 s for six crashes: more than the default window
    return ChildSpec("projector", factory, backoff=backoff, on_exhausted="quarantine")


def _log(active: ActiveConfig, hiding: Hiding) -> list[ChildSpec]:
    """Return who keeps the log, the process that keeps read models and segments up, who notes what equity is drawn from."""
    config = active.config
    ends = journal_of(config), views_of(config)
    command, environment = command_of(*ends, log_folder(config)), environment_of(*ends)
    projector = read_models_spec(lambda: ReadModelProcess(command, log_settings(active.config), environment))
    equity = ChildSpec("equity", lambda: EquityKeeper(equity_settings(active.config)))
    return [ChildSpec("events", lambda: EventLog(hiding)), projector, equity]


def _operators(
    config: Config, secrets: WebhookSecrets, markets: dict[str, Market], daemon: Daemon
) -> Sequence[ChildSpec]:
    from service.api import ApiServer

    webhook = listener(daemon.active, secrets.token.reveal())
    # Last, so that it sets aside what all the others have made.
    virtual = isinstance(daemon.system.clock, VirtualClock)
    keeper = [] if virtual else [*nightly_check(daemon.active), ChildSpec("housekeeper", Housekeeper)]
    notifier = notifier_child(daemon.active, daemon.system)
    children = [notifier, webhook, ChildSpec("api", partial(ApiServer, daemon))]
    synthetic = [each for each in config.accounts if each.name in markets and markets[each.name].kind is Kind.SYNTHETIC]
    if config.demo.signals and synthetic:
        account, url = synthetic[0], (lambda: daemon.webhook_url)
        children.append(demo_trader(lambda: daemon.config, account, markets[account.name], secrets, url))
    if config.telegram.enabled and not virtual:
        from service.telegram.child import telegram_tree

        children.append(telegram_tree(daemon))
    return [*children, *keeper]


def _end_of_recording(system: ActorSystem, markets: dict[str, Market], ended: anyio.Event) -> list[ChildSpec]:
    """Return the actor that notices the end of recorded prices, where there is one to notice."""
    if not isinstance(system.clock, VirtualClock):
        return []
    settle_s = max(market.lookback_ns for market in markets.values()) / NANOS + 60
    return [ChildSpec("end", partial(EndWatch, len(markets), settle_s, ended, lambda: None))]


async def _stand_still(system: ActorSystem, ended: anyio.Event) -> None:
    """Stop virtual time at the end of a recording: nothing comes after it, and timers alone would spin for ever."""
    await ended.wait()
    log.info("the recorded prices have ended; time stands still")
    with system.hold():
        await anyio.Event().wait()


async def _until_stopped(system: ActorSystem, stopping: anyio.Event) -> int:
    """Wait until somebody asks to stop or the system as a whole fails; return the exit code."""
    failure = await failed_before(system, stopping.wait())
    if failure is None:
        return 0
    log.critical("the system has failed: %r", failure)
    return _TAKEN_OVER if isinstance(failure, Fenced | LeaseLost) else 1
