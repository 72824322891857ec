"""The tree as a whole: how to write one down, and how to read one that runs.

::

    root = supervisor(
        "root",
        supervisor("venues", ChildSpec("desk", Desk), ChildSpec("session", Session), strategy="rest_for_one"),
        ChildSpec("notifier", Notifier, restart="transient"),
    )
    system.start_root(root)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from protocol.control import ActorRow, SupervisorReport
from runtime.lifecycle import LifeState
from runtime.ref import ActorRef
from runtime.system import ActorSystem
from supervision.budget import Intensity
from supervision.child import ChildSpec, OnExhausted, Restart
from supervision.errors import SupervisionError
from supervision.keeper import Keeper
from supervision.slots import Strategy
from supervision.supervisor import Supervisor

__all__ = ["SupervisorSpec", "describe", "outline", "recent_reports", "supervisor", "supervisor_of"]


@dataclass(frozen=True, slots=True)
class SupervisorSpec(ChildSpec):
    """Recipe of a supervisor with its static children; made by ``supervisor``."""

    children: tuple[ChildSpec, ...] = ()
    strategy: Strategy = "one_for_one"
    intensity: Intensity = field(default_factory=Intensity)


def supervisor(
    name: str,
    *children: ChildSpec,
    strategy: Strategy = "one_for_one",
    intensity: Intensity | None = None,
    restart: Restart = "permanent",
    on_exhausted: OnExhausted = "escalate",
    kind: type[Supervisor] = Supervisor,
) -> SupervisorSpec:
    """Write down a supervisor and its children in start order; raises SupervisionError when two share a name.

    Starting and stopping take as long as the children need: each child has its own deadlines. ``kind`` is a subclass
    with the same arguments.
    """
    if len({child.name for child in children}) != len(children):
        raise SupervisionError(f"{name}: two children have the same name: {[child.name for child in children]}")
    limits = intensity if intensity is not None else Intensity()
    return SupervisorSpec(
        name,
        partial(kind, children, strategy=strategy, intensity=limits),
        stop_s=None,
        start_s=None,
        restart=restart,
        on_exhausted=on_exhausted,
        children=children,
        strategy=strategy,
        intensity=limits,
    )


def outline(spec: ChildSpec, above: str = "") -> Iterator[tuple[str, ChildSpec]]:
    """Yield (path, spec) of a written tree, parents before children, in start order; the outermost has the path ``/``."""
    path = f"{above.rstrip('/')}/{spec.name}" if above else "/"
    yield path, spec
    if isinstance(spec, SupervisorSpec):
        for child in spec.children:
            yield from outline(child, path)


def describe(system: ActorSystem) -> list[ActorRow]:
    """Return a row for each actor, parents before children; one that is down says whether it waits or is quarantined."""
    rows: list[ActorRow] = []
    for stats in system.stats():
        cell = system.cell_of(stats.path)
        state = stats.state
        if cell is not None and cell.state is LifeState.DOWN and cell.mark:
            state = cell.mark
        elif cell is not None and cell.state is LifeState.RUNNING and not cell.was_ready:
            state = LifeState.STARTING.value
        rows.append(
            ActorRow(
                path=stats.path,
                kind=stats.kind,
                state=state,
                restarts=stats.restarts,
                mailbox=stats.depth,
                oldest_ms=stats.oldest_age_ns / 1e6,
                handled=stats.handled,
                failed=stats.failed,
                parked=stats.parked,
                handle_p99_ms=stats.p(0.99) / 1e6,
                detail=stats.detail,
            )
        )
    return rows


def supervisor_of(system: ActorSystem, path: str) -> ActorRef | None:
    """Return the supervisor above an actor, to which ``ReleaseActor`` and ``RestartActor`` go; None above the root."""
    parent = path.rpartition("/")[0] or "/"
    return None if path == "/" else system.lookup(parent)


def recent_reports(system: ActorSystem, limit: int = 100) -> list[SupervisorReport]:
    """Return the newest reports of all supervisors that run, oldest first."""
    reports: list[SupervisorReport] = []
    for path in system.paths():
        cell = system.cell_of(path)
        if cell is not None and isinstance(cell.actor, Keeper):
            reports.extend(cell.actor.reports)
    return sorted(reports, key=lambda each: each.at)[-limit:]
