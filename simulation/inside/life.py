"""One life of the process: opens the disk, builds the daemon's tree, runs until it is told to stop, or dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from actors.equity import EquityKeeper
from actors.event_log import EventLog
from actors.group_recovery import RUN
from actors.projector import Committed
from actors.risk import tell_of_journal
from protocol.configuration import ApplySettings, SettingsTaken
from runtime.actor import Actor, handles
from runtime.endings import failed_before
from runtime.journal import Journal
from runtime.recording import Recorder
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets
from service.config.sources import Sources
from service.config_setup import begin_with, config_keeper
from service.house import RISK, Plan, build_house
from service.input_recording import begin_recording
from service.lives import begin_run, end_run
from service.performance_settings import equity_settings
from simulation.inside.system import SimulatedSystem
from simulation.outside.time import Agenda, ProcessClock, ProcessLoop
from supervision.child import ChildSpec
from venues.contract import Venue

__all__ = ["Died", "Follower", "Life", "Machine"]


class Died(SystemExit):
    """The process is dead: whatever runs in it ends here, and nothing cleans up."""


class Machine(NamedTuple):
    """What a life finds when it begins."""

    agenda: Agenda
    config: Config
    secrets: WebhookSecrets
    account: str
    venue: Callable[[], Venue]
    open_journal: Callable[[], Journal]
    make_system: Callable[[ProcessClock, Journal], SimulatedSystem]
    reconcile_every_s: float
    tapes: list[Recorder] | None = None
    """Where the record of what actors are given is put; None: nobody wants it."""


class Follower(Actor):
    """Stands where the daemon keeps its projector process; the run itself brings the read models up when it looks."""

    @handles
    def new(self, msg: Committed) -> None:
        """Let it be: the read models are brought up to the journal when somebody looks at them."""

    @handles
    def settings(self, msg: ApplySettings) -> SettingsTaken:
        """Take settings of the log, which is no part of a simulation."""
        return SettingsTaken(msg.version)


class Life:
    """A process from its start to its end."""

    def __init__(self, machine: Machine, *, seed: int, ahead: int) -> None:
        self._machine = machine
        self._seed = seed
        self.clock = ProcessClock(machine.agenda, ahead)
        self.system: SimulatedSystem | None = None
        self.active: ActiveConfig | None = None
        self.up = False
        self.dead = False
        self.failure: BaseException | None = None
        """Why the system as a whole failed, when it did."""
        self._over: asyncio.Event | None = None

    def go(self) -> bool:
        """Run to the end; return whether it ended in order (False: it died)."""
        agenda = self._machine.agenda
        loop = ProcessLoop(agenda, self.clock, seed=self._seed)
        loop.set_exception_handler(lambda *_: None)  # tasks of a dead process are destroyed while they wait
        agenda.attach(loop)
        try:
            loop.run_until_complete(self._serve())
        except Died:
            return False
        except Exception as error:  # noqa: BLE001 - the process ends with code 1, and whoever watches it starts it again
            self.failure = error
            return False
        finally:
            self.dead, self.up = True, False
            agenda.attach(None)
            loop.close()
        return True

    def die(self) -> None:
        """End the process at this instant, unless it has ended meanwhile."""
        if not self.dead:
            raise Died(137)

    def stop(self) -> None:
        """Have the process end in order."""
        if self._over is not None:
            self._over.set()

    def step_clock(self, nanos: int) -> None:
        """Set the machine's clock forward or back."""
        self.clock.ahead += nanos
        self._machine.agenda.rearm()
        if self.system is not None:
            self.system.arm()

    def run(self, work: Any) -> None:
        """Run a coroutine inside the process, beside its actors."""
        assert self.system is not None
        self.system.run_task(work, "/operators")

    async def _serve(self) -> None:
        machine = self._machine
        self._over = asyncio.Event()
        journal = machine.open_journal()
        sources = Sources.of_config(machine.config)
        start = begin_with(journal, sources, machine.config)
        run = begin_run(journal, self.clock.now())
        system = self.system = machine.make_system(self.clock, journal)
        active = self.active = ActiveConfig(start.config, start.version, start.trouble)
        if machine.tapes is not None:
            house = {"tag": "simu", "reconcile_every_s": machine.reconcile_every_s, "outside": [machine.account]}
            machine.tapes.append(begin_recording(active, system, machine.secrets, {}, **house))  # type: ignore[arg-type]
        async with system:
            plan = Plan(
                active=active,
                system=system,
                tag="simu",
                secrets=machine.secrets,
                markets={},
                venues={machine.account: machine.venue},
                reconcile_every_s=machine.reconcile_every_s,
                store=[
                    ChildSpec("events", EventLog),
                    ChildSpec("projector", Follower),
                    ChildSpec("equity", lambda: EquityKeeper(equity_settings(active.config))),
                ],
                operators=[config_keeper(lambda: plan, active, sources, start, watch=False)],
            )
            system.durability.snapshot_every = start.config.journal.snapshot_every
            system.durability.listeners.append(lambda _: system.tell("/store/projector", Committed()))
            system.durability.watchers.append(partial(tell_of_journal, system, RISK))
            system.bus.publish(RUN, run, keep=True)
            system.start_root(build_house(plan))
            await system.ready()
            self.up = True
            await self._until_over(system)
            self.up = False
        end_run(journal, run, self.clock.now())
        journal.close()

    async def _until_over(self, system: SimulatedSystem) -> None:
        assert self._over is not None
        self.failure = await failed_before(system, self._over.wait())
        if self.failure is not None:
            # The daemon ends with code 1, and whoever watches over it starts it again.
            raise Died(1)
