"""Objects are collected when nobody trades."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from protocol.control import ReportContext, SupervisorReport
from protocol.webhook import RequestRefused
from runtime.actor import Do, handles
from runtime.durable import DurableActor
from runtime.spec import Spec
from runtime.system import ActorSystem
from service.housekeeper import GROWN_BYTES, LONGEST_S, LOOK_S, SHORTEST_S, Housekeeper
from supervision.keeper import TOPIC
from tests.runtime.cast import Line, pass_s, play


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """Note each collection of everything."""
    seen: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            seen.append(2)

    gc.callbacks.append(note)
    yield seen
    gc.callbacks.remove(note)


class Busy(DurableActor):
    """Journals something whenever it is told."""

    def apply(self, event: object) -> None:
        """Remember nothing."""

    @handles
    def line(self, msg: Line) -> Do:
        """Journal."""
        return Do([RequestRefused(user="ann", address=msg.text, size=1, code="BadSecret", refused=1, at=self.now())])


def test_a_quiet_house_is_tidied_at_intervals(collections: list[int]) -> None:
    """At the start, and in a quiet house once in each of the shortest intervals; Python's own way is given back."""
    before = gc.get_threshold()

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("housekeeper", Housekeeper))
        await pass_s(0.1)
        assert (len(collections), gc.get_freeze_count() > 0, gc.get_threshold() != before) == (1, True, True)
        await pass_s(SHORTEST_S - 1)
        assert len(collections) == 1
        await pass_s(LOOK_S + 1)
        assert len(collections) == 2

    play(scenario)
    assert gc.get_threshold() == before


def test_a_busy_house_that_grows_is_tidied(collections: list[int]) -> None:
    """Regression: what closed groups leave behind piled up for an hour; growth is counted from the last collection on."""
    held = [100 * 1_048_576]

    async def scenario(system: ActorSystem) -> None:
        busy = system.spawn(Spec("busy", Busy))
        system.spawn(Spec("housekeeper", lambda: Housekeeper(lambda: held[0])))

        async def goes_on(seconds: float) -> None:
            for _ in range(int(seconds / LOOK_S)):
                busy.tell(Line("x"))
                await pass_s(LOOK_S)

        await goes_on(3 * SHORTEST_S)
        assert len(collections) == 1
        held[0] += GROWN_BYTES
        await goes_on(2 * LOOK_S)
        assert len(collections) == 2
        await goes_on(3 * SHORTEST_S)
        assert len(collections) == 2
        held[0] += GROWN_BYTES
        await goes_on(2 * LOOK_S)
        held[0] += GROWN_BYTES
        await goes_on(2 * LOOK_S)
        assert len(collections) == 3, "never more often than the shortest interval"

    play(scenario)


def test_what_a_restarted_actor_knew_is_collected_before_long(collections: list[int]) -> None:
    """A desk that is restarted leaves its whole book behind; the report of its supervisor has it collected."""

    async def scenario(system: ActorSystem) -> None:
        busy = system.spawn(Spec("busy", Busy))
        system.spawn(Spec("housekeeper", lambda: Housekeeper(lambda: 0)))
        await pass_s(0.1)
        report = SupervisorReport(supervisor="/", context=ReportContext.RESTART, reason="x", offender="/desk", at=1)
        system.bus.publish(TOPIC, report)
        for _ in range(int(3 * SHORTEST_S / LOOK_S)):
            busy.tell(Line("x"))
            await pass_s(LOOK_S)
        assert len(collections) == 2

    play(scenario)


def test_a_busy_house_is_left_alone_for_long_but_not_for_ever(collections: list[int]) -> None:
    """While commits go on nothing is collected until the longest interval is over."""

    async def scenario(system: ActorSystem) -> None:
        busy = system.spawn(Spec("busy", Busy))
        system.spawn(Spec("housekeeper", lambda: Housekeeper(lambda: 0)))
        for _ in range(int(LONGEST_S / LOOK_S) - 2):
            busy.tell(Line("x"))
            await pass_s(LOOK_S)
        assert len(collections) == 1
        for _ in range(4):
            busy.tell(Line("x"))
            await pass_s(LOOK_S)
        assert len(collections) == 2

    play(scenario)
