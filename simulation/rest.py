"""Rest: faults end, what is broken is released, the account is reconciled, and then everything must be in order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from actors.desk import OrderDesk
from runtime.lifecycle import LifeState
from simulation.inside.life import Life
from simulation.inside.operator import OperatorDesk
from simulation.inside.system import SimulatedSystem
from simulation.scenario import Rest

if TYPE_CHECKING:
    from simulation.run import Run

__all__ = ["Rester"]

_WAIT_S: Final = 600.0
"""How long a house may take to come to rest."""
_LOOK_S: Final = 2.0
_AGAIN_S: Final = 60.0
_QUIET_LOOKS: Final = 4


class Rester:
    """Brings a house to rest and has it looked at."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def rest(self, rest: Rest) -> None:
        """Come to rest at this instant; a process that is down is waited for."""
        run = self._run
        run.weather.clear()
        if not run.in_process(self._settle) and run.now + round(_AGAIN_S * 1e9) < run.scenario.end_at:
            run.agenda.after(_AGAIN_S, lambda: self.rest(rest))

    async def _settle(self, life: Life) -> None:
        run, system = self._run, life.system
        assert system is not None
        operator = OperatorDesk(system, run.exchange.account)
        for path in await operator.release():
            run.note("operator", f"released {path}")
        operator.reconcile()
        quiet, waited, why = 0, 0.0, ""
        while quiet < _QUIET_LOOKS and waited < _WAIT_S:
            await system.sleep(_LOOK_S)
            waited += _LOOK_S
            why = next(self._unrest(system), "")
            quiet = 0 if why else quiet + 1
        if why:
            run.verdict.coverage.checked["comes-to-rest"] += 1
            run.violate("comes-to-rest", f"still at work after {waited:g} s: {why}")
            return
        run.verdict.coverage.checked["comes-to-rest"] += 1
        run.verdict.counts["rests"] += 1
        run.note("rest", f"after {waited:g} s")
        run.check_at_rest()

    def _unrest(self, system: SimulatedSystem) -> Iterator[str]:
        """Yield what is still under way."""
        if system.durability.pending:
            yield "a commit"
        if asked := len(system.asks):
            yield f"{asked} questions without an answer"
        for path in system.paths():
            cell = system.cell_of(path)
            if cell is None:
                continue
            if cell.state is not LifeState.RUNNING or not cell.was_ready:
                yield f"{path} is {cell.state.value}"
            elif len(cell.mailbox) or cell.busy:
                yield f"{path} has {len(cell.mailbox)} messages, busy: {cell.busy}"
            elif isinstance(cell.actor, OrderDesk) and (working := _under_way(cell.actor)):
                yield f"orders on their way: {', '.join(working)}"


def _under_way(desk: OrderDesk) -> list[str]:
    """Return the orders whose state is sent or unknown."""
    working = desk._book.working()
    return [each.request.client_order_id for each in working if each.state.value in ("sent", "unknown")]
