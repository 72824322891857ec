"""The actor system of a simulated process: the runtime's own, with handlers that can be made to fail."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

from protocol.errors import BulkheadError
from runtime.cell import Cell
from runtime.journal import Journal
from runtime.life import Life
from runtime.spec import Spec
from runtime.system import ActorSystem
from simulation.outside.time import Agenda, ProcessClock
from simulation.outside.weather import Weather
from simulation.scenario import Fault, FaultKind

__all__ = ["InjectedFault", "SimulatedCell", "SimulatedSystem"]


class InjectedFault(BulkheadError):
    """A handler raised because the scenario says so."""


class SimulatedSystem(ActorSystem):
    """Counts the messages that each kind of actor handles, and lets faults happen where they are handled."""

    def __init__(
        self,
        *,
        clock: ProcessClock,
        journal: Journal,
        seed: int,
        agenda: Agenda,
        weather: Weather,
        handled: Counter[tuple[str, str]],
    ) -> None:
        self.agenda = agenda
        self.weather = weather
        self.handled_types = handled
        self.reports: list[tuple[str, str]] = []
        super().__init__(clock=clock, journal=journal, seed=seed)
        self._cells.clear()
        self.root = SimulatedCell(self, None, self.root.spec)
        self._cells["/"] = self.root

    def make_cell(self, parent: Life, spec: Spec) -> Cell:
        """Make the place of a new actor, with handlers that can fail."""
        cell = SimulatedCell(self, parent, spec)
        self._cells[cell.path] = cell
        return cell

    def report(self, path: str, what: str, error: BaseException | None = None) -> None:
        """Keep what an operator must see; the run's timeline shows it."""
        self.reports.append((path, f"{what}: {error!r}" if error is not None else what))

    async def sleep(self, seconds: float) -> None:
        """Wait, on the outside's time."""
        loop = self.loop
        over: asyncio.Future[None] = loop.create_future()
        # The process may be dead by then, and its loop with it.
        self.agenda.after(seconds, lambda: None if loop.is_closed() or over.done() else over.set_result(None))
        await over


class SimulatedCell(Cell):
    """A cell whose handlers are looked over by the weather."""

    system: SimulatedSystem

    def _began(self, rebuilt: bool, outcome: Any, error: BaseException | None) -> None:
        super()._began(rebuilt, outcome, error)
        if self.handlers:
            kind = type(self.actor).__name__
            self.handlers = {of: self._watched(kind, of.__name__, handler) for of, handler in self.handlers.items()}

    def _watched(self, actor: str, message: str, handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        key = (actor, message)
        handled = self.system.handled_types
        waiting = self.system.weather.of_handlers

        def handle(msg: Any) -> Any:
            handled[key] += 1
            if waiting and (fault := self.system.weather.at_handler(self.path)) is not None:
                return self._faulty(fault, handler, msg)
            return handler(msg)

        return handle

    def _faulty(self, fault: Fault, handler: Callable[[Any], Any], msg: Any) -> Any:
        match fault.kind:
            case FaultKind.HANDLER_RAISES:
                raise InjectedFault(f"{type(msg).__name__} at {self.path}")
            case FaultKind.HANDLER_RAISES_LATE:
                return self._raises_late(handler(msg), msg)
            case _:
                return self._held_up(fault.seconds, handler, msg)

    def _raises_late(self, outcome: Any, msg: Any) -> Any:
        error = InjectedFault(f"{type(msg).__name__} at {self.path}, after its work")
        if not inspect.isawaitable(outcome):
            raise error

        async def then_raise() -> None:
            await outcome
            raise error

        return then_raise()

    async def _held_up(self, seconds: float, handler: Callable[[Any], Any], msg: Any) -> Any:
        await self.system.sleep(seconds)
        outcome = handler(msg)
        return await outcome if inspect.isawaitable(outcome) else outcome
