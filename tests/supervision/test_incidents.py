"""What supervisors decide stands in the incident of each crash, whatever kind of end it was."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from protocol.control import RestartActor
from protocol.incident_files import IncidentFile
from supervision.budget import Intensity
from supervision.tree import supervisor
from tests.supervision.stage import Crash, Note, Stage, on_stage


def told(script: Callable[[Stage], Awaitable[None]]) -> list[str]:
    """Run a script; return each incident as ``kind path: what was decided``."""
    found: list[IncidentFile] = []

    async def whole(stage: Stage) -> None:
        stage.system.black_box.sink = found.append
        await script(stage)

    on_stage(whole)
    return [f"{each.kind} {each.path}: {each.decision.said if each.decision else '-'}" for each in found]


def test_a_crash_is_restarted_after_its_backoff_and_then_quarantined() -> None:
    """The decision names number and wait of the restart; a quarantine says which command ends it."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", on_exhausted="quarantine"), intensity=Intensity(1, 60))
        await stage.pass_s(1)
        stage.tell("/a", Note("poison"))
        await stage.pass_s(5)

    assert told(script) == [
        "crash /a: restart 1 after 1 s",
        "crash /a: it stays down, its messages kept, until: bulkhead release /a",
    ]


def test_those_who_depend_on_it_are_mentioned_and_have_no_incident_of_their_own() -> None:
    """Under rest_for_one one failed, on both tries of its message, and the others were stopped in order."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"), stage.worker("c"), strategy="rest_for_one")
        await stage.pass_s(1)
        stage.tell("/b", Crash())
        await stage.pass_s(5)

    assert told(script) == [
        "crash /b: restart 1 after 1 s, with those that depend on it",
        "crash /b: restart 2 after 2 s, with those that depend on it",
    ]


def test_starts_that_fail_are_incidents() -> None:
    """One that raises and one that takes too long; both are tried again when they had been up before."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b", start_s=3.0))
        await stage.pass_s(1)
        stage.bad_starts["a"] = 1
        stage.tell("/", RestartActor("/a"))
        await stage.pass_s(20)
        stage.slow_starts["b"] = 1_000.0
        stage.tell("/", RestartActor("/b"))
        await stage.pass_s(3.5)
        del stage.slow_starts["b"]
        await stage.pass_s(20)

    assert told(script) == ["start /a: restart 2 after 1 s", "start /b: restart 2 after 1 s"]


def test_a_first_start_that_fails_goes_all_the_way_up() -> None:
    """The child's error, the supervisors that could not start, the system: each with its own incident."""

    async def script(stage: Stage) -> None:
        stage.bad_starts["a"] = 1
        stage.root(supervisor("inner", stage.worker("a")))
        await stage.pass_s(1)
        assert stage.failure is not None

    assert told(script) == [
        "start /inner/a: /inner gives up and fails too; whoever stands above it decides",
        "escalation /inner: / gives up and fails too; whoever stands above it decides",
        "escalation /: -",
        "system /: the daemon ends with exit code 1; open groups stay in the journal and go on at the next start",
    ]


def test_one_that_does_not_stop_is_killed_and_has_an_incident() -> None:
    """A restart by an operator that had to kill says so; its children are not counted apart."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a", stop_s=2.0))
        await stage.pass_s(1)
        stage.deaf.add("a")
        await stage.ask("/", RestartActor("/a"))
        stage.deaf.clear()

    assert told(script) == ["killed /a: restart 1 at once"]


def test_one_that_ends_in_order_has_none() -> None:
    """A stop, and an operator's restart, are no incidents."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"))
        await stage.pass_s(1)
        await stage.ask("/", RestartActor("/a"))

    assert told(script) == []
