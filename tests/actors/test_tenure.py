"""The keeper of leases: renews in time, lives through a server that is away, ends the system when they are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from actors.tenure import LeaseKeeper, LeaseLost
from runtime.journal import JournalUnavailable
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import pass_s, play

TTL_S = 6.0


class Office:
    """Who gives leases: says what a test says, and how long is left by the system's own clock."""

    def __init__(self, system: ActorSystem, answers: Iterator[object]) -> None:
        self._system = system
        self._answers = answers
        self._until = system.now() + round(TTL_S * 1e9)
        self.asked = 0

    def renew(self) -> bool:
        """Answer, or be away."""
        self.asked += 1
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        if answer:
            self._until = self._system.now() + round(TTL_S * 1e9)
        return bool(answer)

    def left_s(self) -> float:
        """Return what is left."""
        return (self._until - self._system.now()) / 1e9


def kept(answers: Callable[[], Iterator[object]], seconds: float) -> tuple[Office, BaseException | None]:
    """Keep leases for so long; return the office and why the system failed, if it did."""

    async def scenario(system: ActorSystem) -> tuple[Office, BaseException | None]:
        office = Office(system, answers())
        system.spawn(Spec("lease", lambda: LeaseKeeper(office.renew, office.left_s, TTL_S, "box-1")))
        failed = asyncio.get_running_loop().create_task(system.failed())
        await pass_s(seconds)
        found = failed.result() if failed.done() else None
        failed.cancel()
        return office, found

    return play(scenario)


def test_leases_are_renewed_three_times_in_their_life() -> None:
    """A minute of a lease of six seconds takes a renewal each two."""

    def always() -> Iterator[object]:
        while True:
            yield True

    office, failed = kept(always, 60)
    assert failed is None
    assert 28 <= office.asked <= 32


def test_a_server_that_is_away_for_a_moment_is_asked_again() -> None:
    """The lease goes on as long as it lasts; asked more often the less is left."""

    def away_twice() -> Iterator[object]:
        yield True
        yield JournalUnavailable("away")
        yield JournalUnavailable("away")
        while True:
            yield True

    assert kept(away_twice, 30)[1] is None


@pytest.mark.parametrize("answer", [False, JournalUnavailable("away")], ids=["another has it", "the server stays away"])
def test_a_lost_lease_ends_the_system(answer: object) -> None:
    """LeaseLost: whoever may not act any more ends everything and stands by."""

    def lost() -> Iterator[object]:
        yield True
        while True:
            yield answer

    office, failed = kept(lost, 30)
    assert isinstance(failed, LeaseLost)
    assert "box-1" in str(failed)
    assert office.asked < 50
