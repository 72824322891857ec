"""A stage for supervisors: workers that do what a script says, and a log of who started and stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from protocol.control import SupervisorReport
from runtime.actor import Actor, handles
from runtime.clock import VirtualClock
from runtime.loop import run_virtual
from runtime.ref import ActorRef
from runtime.spec import Spec
from runtime.system import ActorSystem
from supervision.backoff import Backoff
from supervision.child import ChildSpec
from supervision.slots import ChildView
from supervision.supervisor import Supervisor

T = TypeVar("T")

STEADY = Backoff(first_s=1.0, factor=2.0, limit_s=8.0, jitter=0.0, forget_s=60.0)


@dataclass(frozen=True)
class Crash:
    """Raise in the handler."""


@dataclass(frozen=True)
class Finish:
    """End in order, reason normal."""


@dataclass(frozen=True)
class Hang:
    """Handle this for ever the first time."""


@dataclass(frozen=True)
class Note:
    """Write down that this was handled; a note that says `poison` crashes."""

    text: str


class Broken(Exception):
    """What workers raise."""


class Worker(Actor):
    """Does what the stage says; logs ``+name`` at each start and ``-name`` at each orderly stop."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name

    def started(self) -> Awaitable[None] | None:
        """Start, fail to, or take its time."""
        stage = self.stage
        stage.log.append(f"+{self.name}")
        assert self.name not in stage.alive, f"{self.name} is alive twice"
        if stage.bad_starts.get(self.name, 0):
            stage.bad_starts[self.name] -= 1
            raise Broken(f"{self.name} does not start")
        stage.alive[self.name] = self
        if self.name in stage.early_ends:
            self.context.stop()
        if self.name in stage.slow_starts:
            return stage.pass_s(stage.slow_starts[self.name])
        return None

    def stopping(self) -> Awaitable[None] | None:
        """Stop, fail to, or refuse to."""
        self.stage.log.append(f"-{self.name}")
        self.end()
        if self.name in self.stage.bad_stops:
            raise Broken(f"{self.name} does not stop well")
        if self.name in self.stage.slow_stops:
            return self.stage.pass_s(self.stage.slow_stops[self.name])
        if self.name in self.stage.deaf:
            return self.never_end()
        return None

    async def never_end(self) -> None:
        """Ignore every cancellation until the stage is closed."""
        while not self.stage.closing:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                self.stage.ignored += 1

    def end(self) -> None:
        """Note that this life is over."""
        self.stage.alive.pop(self.name, None)

    @handles
    def crash(self, _msg: Crash) -> None:
        """Raise."""
        self.end()
        raise Broken(self.name)

    @handles
    def finish(self, _msg: Finish) -> None:
        """End in order."""
        self.context.stop()

    @handles
    async def hang(self, _msg: Hang) -> None:
        """Handle this for ever the first time; the next life gets it again and handles it."""
        self.stage.hung += 1
        if self.stage.hung == 1:
            await asyncio.get_running_loop().create_future()

    @handles
    def note(self, msg: Note) -> str:
        """Write it down."""
        assert self.stage.alive[self.name] is self, "a life that is over still acts"
        if msg.text == "poison":
            self.end()
            raise Broken("poison")
        self.stage.notes.append(f"{self.name}:{msg.text}")
        return msg.text


class Listener(Actor):
    """Keeps what supervisors report."""

    def __init__(self, reports: list[SupervisorReport]) -> None:
        self.reports = reports

    def started(self) -> None:
        """Subscribe."""
        self.context.bus.subscribe("supervision", self.ref)

    @handles
    def report(self, report: SupervisorReport) -> None:
        """Keep it."""
        self.reports.append(report)


class Stage:
    """A system on the virtual clock under test."""

    def __init__(self, clock: VirtualClock, seed: int | None = None) -> None:
        self.clock = clock
        self.system = ActorSystem(clock=clock, seed=seed)
        self.log: list[str] = []
        self.notes: list[str] = []
        self.alive: dict[str, Worker] = {}
        self.bad_starts: dict[str, int] = {}
        self.slow_starts: dict[str, float] = {}
        self.bad_stops: set[str] = set()
        self.slow_stops: dict[str, float] = {}
        self.early_ends: set[str] = set()
        self.deaf: set[str] = set()
        self.closing = False
        self.ignored = 0
        self.hung = 0

    async def __aenter__(self) -> Self:
        await self.system.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing = True
        await self.system.__aexit__(kind, error, trace)

    def worker(self, name: str, **options: Any) -> ChildSpec:
        """Return the spec of a worker; its backoff is 1, 2, 4, 8, 8 ... seconds unless said otherwise."""
        return ChildSpec(name, partial(Worker, self, name), **{"backoff": STEADY, "stop_s": 2.0, **options})

    def root(self, *children: ChildSpec, **options: Any) -> ActorRef:
        """Start a supervisor of these children as the root."""
        return self.system.start_root(Spec("root", partial(Supervisor, children, **options), stop_s=None))

    async def pass_s(self, seconds: float) -> None:
        """Let virtual time pass (no real time does)."""
        loop = asyncio.get_running_loop()
        passed = loop.create_future()
        alarm = loop.call_later(seconds, passed.set_result, None)
        try:
            await passed
        finally:
            alarm.cancel()

    def tell(self, path: str, message: Any) -> None:
        """Tell an actor."""
        ref = self.system.lookup(path)
        assert ref is not None, f"nobody lives at {path}"
        ref.tell(message)

    async def ask(self, path: str, message: Any, timeout_s: float = 60.0) -> Any:
        """Ask an actor."""
        ref = self.system.lookup(path)
        assert ref is not None, f"nobody lives at {path}"
        return await ref.ask(message, timeout_s)

    def supervisor(self, path: str = "/") -> Supervisor:
        """Return the supervisor that runs at a path."""
        cell = self.system.cell_of(path)
        assert cell is not None
        assert isinstance(cell.actor, Supervisor)
        return cell.actor

    def view(self, path: str = "/") -> dict[str, ChildView]:
        """Return how a supervisor's children stand."""
        return {child.name: child for child in self.supervisor(path).view()}

    def phases(self, path: str = "/") -> dict[str, str]:
        """Return the phase of each child in start order."""
        return {name: child.phase.value for name, child in self.view(path).items()}

    def contexts(self, path: str = "/") -> list[str]:
        """Return what a supervisor reported, as ``context name``."""
        return [f"{each.context} {each.offender.rpartition('/')[2]}" for each in self.supervisor(path).reports]

    def take_log(self) -> list[str]:
        """Return the log and begin a new one."""
        log, self.log = self.log, []
        return log

    @property
    def failure(self) -> BaseException | None:
        """Return why the system as a whole failed, None while it has not."""
        return self.system._failure


def on_stage(script: Callable[[Stage], Awaitable[T]], *, seed: int | None = None) -> T:
    """Run a script on a stage; the stage is closed and nothing may be left of it."""

    async def main(clock: VirtualClock) -> T:
        stage = Stage(clock, seed)
        async with stage:
            result = await script(stage)
        assert len(stage.system.tasks) == 0, "tasks are left"
        assert stage.system.threads == 0, "threads are left"
        assert stage.system.next_at() is None, "timers are left"
        assert stage.system.paths() == ["/"], "actors are left"
        return result

    return run_virtual(main, seed=seed)
