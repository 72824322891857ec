"""Run a scenario: the outside and one process after another, until the scenario's end; say what was violated."""

from __future__ import annotations

import gc
import logging
import random
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from runtime.journal import Entry, Journal
from runtime.recording import Recorder
from runtime.system import ActorSystem
from service.config import Config, WebhookSecrets
from simulation.defects import planted
from simulation.inside.life import Life, Machine
from simulation.inside.operator import OperatorDesk
from simulation.inside.system import SimulatedSystem
from simulation.invariant import Answered, Invariant
from simulation.invariants import ALL
from simulation.outside.disk import Disk
from simulation.outside.market import make_exchange, play_prices
from simulation.outside.network import Network
from simulation.outside.readmodels import ReadModels
from simulation.outside.senders import Senders
from simulation.outside.time import Agenda
from simulation.outside.venue import SimulatedVenue
from simulation.outside.weather import Weather
from simulation.rest import Rester
from simulation.scenario import Act, Fault, FaultKind, Item, Post, Rest, Scenario, Turn, TurnKind
from simulation.verdict import Coverage, Moment, Verdict, Violation
from simulation.world import SECRETS
from simulation.world.config import ACCOUNT, config_of
from store.queries import Views
from venues.practice.exchange import PracticeExchange

__all__ = ["Run", "run"]

_NANOS: Final = 1_000_000_000
_RECONCILE_S: Final = 900.0
_DATA_DIR: Final = Path("/simulated")
"""What the configuration says: it stands in the journal, which must not depend on where this run keeps its files."""
_DOWN_S: Final = 3.0
_LIVES_MOST: Final = 2_000


def run(
    scenario: Scenario,
    *,
    invariants: Iterable[type[Invariant]] = ALL,
    keep_timeline: bool = False,
    folder: Path | None = None,
) -> Verdict:
    """Run a scenario to its end; return what was violated and what was covered. Equal scenarios give equal verdicts."""
    with planted(scenario.defect), _quiet(), tempfile.TemporaryDirectory(dir=folder or _in_memory()) as name:
        return Run(scenario, Path(name), [each() for each in invariants], keep_timeline=keep_timeline).play()


def _in_memory() -> Path | None:
    memory = Path("/dev/shm")  # noqa: S108 - a folder in memory, where there is one, wears no disk out
    return memory if memory.is_dir() else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Take no notice of what dead processes leave behind: their coroutines are destroyed where they stand."""
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    level = logging.root.manager.disable
    logging.disable()  # what goes wrong inside is in the timeline
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
            yield
            gc.collect()
    finally:
        sys.unraisablehook = before
        logging.disable(level)


class Run:
    """One run; also the scene that invariants look at."""

    def __init__(
        self, scenario: Scenario, folder: Path, invariants: Sequence[Invariant], *, keep_timeline: bool
    ) -> None:
        self.scenario = scenario
        self.verdict = Verdict(seed=scenario.seed, hours=scenario.hours)
        self.answered: list[Answered] = []
        self.tapes: list[Recorder] = []
        self.agenda = Agenda(scenario.start_at)
        self.life: Life | None = None
        self._lives = 0
        self._down_until = 0
        self._ahead = 0
        self._invariants = invariants
        self._by_event: dict[type, list[Invariant]] = {}
        for each in invariants:
            for of in each.WANTS:
                self._by_event.setdefault(of, []).append(each)
        self._keep_timeline = keep_timeline
        self._config = self._in_force = config_of(scenario, _DATA_DIR)
        coverage: Coverage = self.verdict.coverage
        draws = random.Random(f"{scenario.seed}weather")  # noqa: S311 # house: drawn from the scenario's seed
        self.weather = Weather(lambda: self.agenda.now, draws, coverage.injected)
        account = next(each for each in self._config.accounts if each.name == ACCOUNT)
        self.exchange = make_exchange(self._config, account, self.agenda, scenario)
        self._exchanges = {ACCOUNT: self.exchange}
        self.network = Network(self.agenda, self.weather, self.exchange)
        self.disk = Disk(folder, self.weather, self._on_commit)
        self.models = ReadModels()
        self.senders = Senders(self)
        self.rester = Rester(self)

    # --- the scene -----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The instant on the outside's clock."""
        return self.agenda.now

    @property
    def secrets(self) -> WebhookSecrets:
        """What alerts prove themselves with."""
        return SECRETS

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self.life is not None and self.life.system is not None

    @property
    def system(self) -> ActorSystem:
        """The process's system."""
        assert self.life is not None and self.life.system is not None, "no process runs"  # noqa: PT018
        return self.life.system

    @property
    def journal(self) -> Journal:
        """The journal as the process has it open."""
        return self.system.journal

    @property
    def exchanges(self) -> Mapping[str, PracticeExchange]:
        """The truth about each account."""
        return self._exchanges

    @property
    def config(self) -> Config:
        """The configuration in force; between two processes that of the last one."""
        active = self.life.active if self.life is not None else None
        if active is not None:
            self._in_force = active.config
        return self._in_force

    def views(self) -> Views:
        """Return the read models, brought up to the journal's head."""
        return self.models.up_to(self.journal)

    # --- from beginning to end -----------------------------------------------------------------------------------------

    def play(self) -> Verdict:
        """Play the scenario."""
        began = perf_counter()  # house: measures the machine, decides nothing
        play_prices(self.scenario, self.exchange, self.agenda)
        for item in self.scenario.items:
            self.agenda.at(item.at, lambda item=item: self._happens(item))  # type: ignore[misc]
        self.agenda.at(self.scenario.end_at, self._end)
        try:
            while self.agenda.now < self.scenario.end_at and self._lives < _LIVES_MOST:
                self._live()
            self.verdict.digest = self._digest()
        except Exception as error:  # noqa: BLE001 - a run that cannot go on is a finding, not an end of the campaign
            self.note("error", traceback.format_exc())
            self.violate("the-run-goes-on", f"{type(error).__name__}: {error}")
        finally:
            self.models.close()
            self.disk.let_go()
        self.verdict.seconds = perf_counter() - began  # house: measures the machine, decides nothing
        return self.verdict

    def _live(self) -> None:
        self._lives += 1
        self.verdict.counts["lives"] += 1
        machine = Machine(
            agenda=self.agenda,
            config=self._config,
            secrets=SECRETS,
            account=ACCOUNT,
            venue=lambda: SimulatedVenue(self.network, name=self._config.accounts[0].exchange, dies=life.die),
            open_journal=lambda: self.disk.open(self.agenda.now, life.die),
            make_system=lambda clock, journal: SimulatedSystem(
                clock=clock,
                journal=journal,
                seed=self.scenario.seed * 1_000_003 + self._lives,
                agenda=self.agenda,
                weather=self.weather,
                handled=self.verdict.coverage.handled,
            ),
            reconcile_every_s=_RECONCILE_S,
            tapes=self.tapes if any(each.RECORDS for each in self._invariants) else None,
        )
        life = self.life = Life(machine, seed=self.scenario.seed + self._lives, ahead=self._ahead)
        injected = self.verdict.coverage.injected.total()
        in_order = life.go()
        if life.failure is not None and injected == self.verdict.coverage.injected.total():
            self.violate("the-daemon-stays-up", f"life {self._lives} failed by itself: {life.failure!r}")
        self._ahead = life.clock.ahead
        self.network.lose()
        self.disk.let_go()
        self._note_reports(life)
        if not in_order:
            self.verdict.counts["failures" if life.failure else "kills"] += 1
            self.note("killed", f"life {self._lives} has died{f': {life.failure}' if life.failure else ''}")
            self._between_lives()

    def _between_lives(self) -> None:
        if self.weather.next_of(FaultKind.SNAPSHOT_CORRUPTED) and self.disk.damage_snapshot():
            self.note("fault", "a snapshot was damaged")
        self.life = None
        back_at = max(self.agenda.now + round(_DOWN_S * _NANOS), self._down_until)
        self.agenda.pass_until(min(back_at, self.scenario.end_at))

    def _end(self) -> None:
        if self.life is not None:
            self.life.stop()

    # --- what happens --------------------------------------------------------------------------------------------------

    def _happens(self, item: Item) -> None:
        match item:
            case Post():
                self.senders.post(item)
            case Fault():
                self._go_wrong(item)
            case Act():
                self.note("operator", f"{item.action.value} {item.target} {item.value}".strip())
                self.in_process(lambda life: self._act(life, item))
            case Turn():
                self._turn(item)
            case Rest():
                self.rester.rest(item)

    def _go_wrong(self, fault: Fault) -> None:
        self.note("fault", f"{fault.kind.value} {fault.target} x{fault.count} {fault.seconds:g} s".strip())
        match fault.kind:
            case FaultKind.KILL:
                self._kill(fault)
            case FaultKind.DISCONNECT:
                self.weather.take(fault)
                self.network.cut("connection reset by peer")
            case FaultKind.CACHE_LOST:
                self.verdict.coverage.injected[fault.kind.value] += 1
                self.models.lose()
            case _:
                self.weather.take(fault)

    def _kill(self, fault: Fault) -> None:
        self._down_until = self.agenda.now + round(fault.seconds * _NANOS)
        if self.life is not None and not self.life.dead:
            self.verdict.coverage.injected[fault.kind.value] += 1
            self.life.die()

    def _turn(self, turn: Turn) -> None:
        self.note("turn", f"{turn.kind.value} {turn.amount:g}")
        match turn.kind:
            case TurnKind.CLOCK_STEP:
                self._step_clock(round(turn.amount * _NANOS))
            case TurnKind.LEAP_SECOND:
                self._step_clock(-_NANOS)
            case TurnKind.HALT:
                self.exchange.halted_until = self.agenda.now + round(turn.amount * _NANOS)

    def _step_clock(self, nanos: int) -> None:
        if self.life is None or self.life.dead:
            self._ahead += nanos
        else:
            self.life.step_clock(nanos)

    async def _act(self, life: Life, act: Act) -> None:
        assert life.system is not None
        said = await OperatorDesk(life.system, ACCOUNT).act(act)
        self.note("operator", f"{act.action.value}: {said}")

    def in_process(self, work: Callable[[Life], Any]) -> bool:
        """Run a coroutine inside the process; False when there is none that is up."""
        life = self.life
        if life is None or not life.up:
            return False
        life.run(work(life))
        return True

    # --- what is seen --------------------------------------------------------------------------------------------------

    def _on_commit(self, entries: Sequence[Entry]) -> None:
        self.verdict.counts["events"] += len(entries)
        for entry in entries:
            name = type(entry.event).__name__
            self.verdict.counts[name] += 1
            for invariant in self._by_event.get(type(entry.event), ()):
                self.verdict.coverage.checked[invariant.NAME] += 1
                for text in invariant.on_entry(entry, self):
                    self.violate(invariant.NAME, text)
            if self._keep_timeline:
                self.note(f"{entry.stream}", f"{name} {entry.event}"[:300])

    def check_at_rest(self) -> None:
        """Look at everything."""
        for invariant in self._invariants:
            self.verdict.coverage.checked[invariant.NAME] += 1
            for text in invariant.at_rest(self):
                self.violate(invariant.NAME, text)

    def violate(self, invariant: str, text: str) -> None:
        """Note a violation."""
        self.note("VIOLATED", f"{invariant}: {text}")
        self.verdict.violations.append(Violation(invariant, self.agenda.now, text))

    def note(self, kind: str, text: str) -> None:
        """Write a line of the timeline."""
        if self._keep_timeline:
            self.verdict.timeline.append(Moment(self.agenda.now, kind, text))

    def _note_reports(self, life: Life) -> None:
        reports = life.system.reports if life.system is not None else []
        self.verdict.counts["reports"] += len(reports)
        for path, text in reports:
            self.note(path, text)

    def _digest(self) -> str:
        journal = self.disk.open(self.agenda.now, lambda: None)
        try:
            return journal.digest()
        finally:
            journal.close()
