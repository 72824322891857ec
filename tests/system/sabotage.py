"""A loaded house, the bugs a test plants in it, and what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from actors.desk import OrderDesk
from actors.gateway import Gateway
from actors.group import PositionGroup
from actors.paper_exchange import PaperExchange
from actors.pool import Pool
from protocol.control import ReportContext, SupervisorReport
from runtime.durable import DurableActor
from runtime.metrics import ActorStats, quantile_ns
from supervision.child import ChildSpec
from tests.system.load import LoadTrader, Pace, Witness
from tests.system.running import House, eventually, house_config, running_house
from tests.system.wholeness import all_up, check_whole, decided, open_targets

__all__ = ["GATEWAY", "LOAD", "Recovered", "Sabotage", "Ship", "at_rest", "frozen", "loaded", "sail"]

GATEWAY = "/trading/gateway"
LOAD = "/operators/load"
ALERTS_PER_SECOND = 30
STEP_NS = 20_000_000

Recovered = dict[str, list[bytes]]
"""Path to the encoded state with which each life began."""


class Sabotage(Exception):
    """The bug that a test plants."""


class Ship:
    """A loaded house with what a test plants in it and what it hears of it."""

    def __init__(self, house: House, reports: list[SupervisorReport]) -> None:
        self.house = house
        self.reports = reports
        self.at_strike = b""
        """The state of the actor in which a planted bug struck last."""

    # --- planting ------------------------------------------------------------------------------------------------------

    def trip(self, path: str, kind: type) -> None:
        """Make the present life of an actor raise on the next message of a type; its next life knows nothing of it."""
        cell = self.house.cell(path)
        assert kind in cell.handlers

        def broken(msg: Any) -> None:
            actor = cell.actor
            self.at_strike = frozen(actor) if isinstance(actor, DurableActor) else b""
            raise Sabotage(f"{path} on {type(msg).__name__}")

        cell.handlers[kind] = broken

    # --- watching ------------------------------------------------------------------------------------------------------

    def stats(self) -> dict[str, ActorStats]:
        """Return the numbers of all actors."""
        return {each.path: each for each in self.house.system.stats()}

    async def crash(self, path: str, plant: Callable[[], None]) -> Outage:
        """Plant a bug, wait until it struck and the part is back; return what happened meanwhile."""
        cell = self.house.cell(path)
        lives, heard = cell.lives, len(self.reports)
        before = self.stats()
        plant()
        await eventually(lambda: cell.failed > before[path].failed, f"{path} crashes")
        struck = self.stats()
        await eventually(lambda: cell.lives > lives and all_up(self.house), f"{path} and who depends on it are back")
        back = self.stats()
        await eventually(lambda: self.reports[heard:], "a supervisor reports it")
        outage = Outage(path, struck, back, self.reports[heard:])
        outage.show()
        return outage


class Outage:
    """One crash: the numbers when it struck and when the part was back, and what supervisors said."""

    def __init__(
        self, path: str, struck: dict[str, ActorStats], back: dict[str, ActorStats], reports: list[SupervisorReport]
    ) -> None:
        self.path = path
        self.struck = struck
        self.back = back
        self.reports = reports

    def check(self, *busy: str, along: tuple[str, ...] = ()) -> None:
        """Fail unless it was reported, these went on handling messages, and nobody restarted but it and ``along``."""
        contexts = {each.context for each in self.reports if each.offender == self.path}
        assert {ReportContext.CHILD_TERMINATED, ReportContext.RESTART} <= contexts
        assert any("Sabotage" in each.reason for each in self.reports)
        for other in busy:
            assert self.handled(other) > 0, f"{other} stood still while {self.path} was down"
        assert {path for path in self.struck if self.restarts(path)} == {self.path, *along}

    def handled(self, path: str) -> int:
        """Return how many messages an actor handled meanwhile."""
        return self.back[path].handled - self.struck[path].handled

    def restarts(self, path: str) -> int:
        """Return how often an actor was restarted meanwhile."""
        return self.back[path].restarts - self.struck[path].restarts if path in self.back else 0

    def show(self) -> None:
        """Print what the others' messages took meanwhile; nothing is asserted on time."""
        total = [0] * len(self.back[self.path].histogram)
        for path, now in self.back.items():
            if path != self.path and path in self.struck:
                for bucket, count in enumerate(now.histogram):
                    total[bucket] += count - self.struck[path].histogram[bucket]
        p99_ms = quantile_ns(total, 0.99) / 1e6
        print(f"{self.path} down: others handled {sum(total)} messages, p99 <= {p99_ms:.2f} ms")  # noqa: T201


def state_of(actor: DurableActor) -> Any:
    """Return what a durable actor holds, comparable."""
    match actor:
        case PaperExchange():
            engine = actor._engine
            return engine.open_orders(0), engine.balances(), engine.fills_since(0)
        case OrderDesk():
            return actor._book.orders
        case PositionGroup():
            return actor._view, actor._acted
        case Pool():
            return decided(actor._state)
        case Gateway():
            return msgspec.structs.astuple(actor._state)
    raise AssertionError(actor)


def frozen(actor: DurableActor) -> bytes:
    """Return an actor's state as bytes: what happens to it later does not show."""
    return msgspec.msgpack.encode(state_of(actor), order="deterministic")


@asynccontextmanager
async def loaded(data_dir: Path, port: int) -> AsyncIterator[Ship]:
    """Run a house under load, with groups open and orders working."""
    reports: list[SupervisorReport] = []
    houses: list[House] = []
    operators = (
        ChildSpec("witness", lambda: Witness(reports)),
        ChildSpec("load", lambda: LoadTrader(lambda: houses[0].url)),
    )
    async with running_house(house_config(data_dir, port=port), step_ns=STEP_NS, operators=operators) as house:
        houses.append(house)
        house.system.tell(LOAD, Pace(ALERTS_PER_SECOND))
        await eventually(lambda: holding(house), "groups hold something")
        yield Ship(house, reports)


def holding(house: House) -> bool:
    """Whether several groups hold a position with targets."""
    return len(open_targets(house)) >= 4


async def at_rest(ship: Ship) -> None:
    """Stop the alerts, then check the whole."""
    ship.house.system.tell(LOAD, Pace(0))
    await check_whole(ship.house)


def sail(data_dir: Path, scenario: Callable[[Ship], Any], *, port: int = 0) -> None:
    """Run a scenario on a loaded house, then check the whole."""

    async def main() -> None:
        async with loaded(data_dir, port) as ship:
            await scenario(ship)
            await at_rest(ship)

    asyncio.run(main())
