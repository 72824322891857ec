"""The rows of Erlang/OTP's supervisor documentation: strategy x restart type x exit reason."""

from __future__ import annotations

import pytest

from runtime.errors import ActorCrashed
from runtime.lifecycle import ExitKind
from tests.supervision.stage import Crash, Finish, Stage, on_stage

STRATEGIES = {
    "one_for_one": ["+b"],
    "rest_for_one": ["-c", "+b", "+c"],
    "one_for_all": ["-c", "-a", "+a", "+b", "+c"],
}
"""What starts and stops when b, the second of a, b and c, is restarted."""

OUTCOMES = {
    ("permanent", "normal"): "restarted",
    ("permanent", "shutdown"): "restarted",
    ("permanent", "crash"): "restarted",
    ("permanent", "killed"): "restarted",
    ("transient", "normal"): "kept",
    ("transient", "shutdown"): "kept",
    ("transient", "crash"): "restarted",
    ("transient", "killed"): "restarted",
    ("temporary", "normal"): "removed",
    ("temporary", "shutdown"): "removed",
    ("temporary", "crash"): "removed",
    ("temporary", "killed"): "removed",
}
"""(restart type, exit reason) -> what becomes of the child."""

REPORTED = {
    ("permanent", "normal"),
    ("permanent", "shutdown"),
    ("permanent", "crash"),
    ("permanent", "killed"),
    ("transient", "crash"),
    ("transient", "killed"),
    ("temporary", "crash"),
    ("temporary", "killed"),
}
"""Exits of which OTP makes a ``child_terminated`` report."""


async def end(stage: Stage, name: str, reason: str) -> None:
    """Have a child end for a reason, by no doing of its supervisor, and wait until it has."""
    cell = stage.system.cell_of(f"/{name}")
    assert cell is not None
    if reason == "crash":
        with pytest.raises(ActorCrashed):
            await stage.ask(f"/{name}", Crash())  # asked, not told: it is not tried again in the next life
    elif reason == "shutdown":
        cell.begin_stop(ExitKind.SHUTDOWN)
    elif reason == "normal":
        stage.tell(f"/{name}", Finish())
    else:
        stage.deaf.add(name)
        stage.tell(f"/{name}", Finish())
    await stage.pass_s(0.5)
    if reason == "killed":
        stage.deaf.discard(name)
        await stage.pass_s(2)
    assert cell.last_exit is not None
    assert cell.last_exit.kind == reason


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("restart, reason", OUTCOMES)
def test_row(strategy: str, restart: str, reason: str) -> None:
    """Each restart type x exit reason restarts, keeps or removes the child, and each strategy takes along whom it must."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b", restart=restart), stage.worker("c"), strategy=strategy)
        await stage.pass_s(0.1)
        assert stage.take_log() == ["+a", "+b", "+c"]
        await end(stage, "b", reason)
        await stage.pass_s(30)
        outcome = OUTCOMES[restart, reason]
        hook = [] if reason == "crash" else ["-b"]
        assert stage.take_log() == hook + (STRATEGIES[strategy] if outcome == "restarted" else [])
        phases = {"restarted": {"b": "up"}, "kept": {"b": "done"}, "removed": {}}[outcome]
        order = [name for name in "abc" if name in {"a", "c", *phases}]
        assert stage.phases() == {name: phases.get(name, "up") for name in order}
        assert list(stage.phases()) == order
        assert ("child_terminated b" in stage.contexts()) == ((restart, reason) in REPORTED)
        assert stage.failure is None

    on_stage(script)


@pytest.mark.parametrize("position, expected", [("a", "-c -b +a +b +c"), ("b", "-c +b +c"), ("c", "+c")])
def test_rest_for_one_takes_the_suffix(position: str, expected: str) -> None:
    """rest_for_one stops those started after the failed child, last first, and starts from the failed one on."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy="rest_for_one")
        await stage.pass_s(0.1)
        stage.take_log()
        await end(stage, position, "crash")
        await stage.pass_s(10)
        assert stage.take_log() == expected.split()

    on_stage(script)


@pytest.mark.parametrize("strategy, expected", [("one_for_all", "-d -c -a +a +b +c"), ("rest_for_one", "-d -c +b +c")])
def test_temporary_sibling_is_not_brought_back(strategy: str, expected: str) -> None:
    """A temporary sibling that goes down with the group is removed, not started again."""

    async def script(stage: Stage) -> None:
        *abc, d = (stage.worker(name, restart="permanent" if name != "d" else "temporary") for name in "abcd")
        stage.root(*abc, d, strategy=strategy)
        await stage.pass_s(0.1)
        stage.take_log()
        await end(stage, "b", "crash")
        await stage.pass_s(10)
        assert stage.take_log() == expected.split()
        assert stage.phases() == {"a": "up", "b": "up", "c": "up"}
        assert stage.system.lookup("/d") is None

    on_stage(script)


@pytest.mark.parametrize("strategy, expected", [("one_for_all", "-a +a +b +c"), ("rest_for_one", "+b +c")])
def test_finished_transient_sibling_comes_back_with_its_group(strategy: str, expected: str) -> None:
    """As in OTP, the spec of a transient child that ended in order is kept, and a restart of its group starts it again."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"), stage.worker("c", restart="transient"), strategy=strategy)
        await stage.pass_s(0.1)
        await end(stage, "c", "normal")
        stage.take_log()
        await end(stage, "b", "crash")
        await stage.pass_s(10)
        assert stage.take_log() == expected.split()
        assert stage.phases() == {"a": "up", "b": "up", "c": "up"}
        assert [ref.path for ref in stage.supervisor().context.children] == ["/a", "/b", "/c"]

    on_stage(script)


def test_siblings_that_crash_together_count_once() -> None:
    """Two children that fail of one cause are one restart of the group, as in OTP: the second is only being stopped."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy="one_for_all")
        await stage.pass_s(0.1)
        stage.take_log()
        for name in "abc":
            stage.system.loop.create_task(_crash(stage, name))
        stage.system.pump.schedule()  # none of the three is to be served before the others have asked
        await stage.pass_s(10)
        assert stage.take_log() == ["+a", "+b", "+c"]
        assert [each for each in stage.contexts() if each.startswith("restart")] == ["restart a"]
        assert sum(child.restarts for child in stage.view().values()) == 1

    on_stage(script)


async def _crash(stage: Stage, name: str) -> None:
    with pytest.raises(ActorCrashed):
        await stage.ask(f"/{name}", Crash())
