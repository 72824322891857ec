"""Writing a tree down, reading one that runs, and what supervisors report."""

from __future__ import annotations

import pytest

from protocol.codec import decode_json, encode_json
from protocol.control import ActorRow, ReleaseActor, RestartActor, SupervisorReport
from protocol.messages import injectable_types
from runtime.errors import ActorCrashed
from supervision.child import ChildSpec
from supervision.keeper import REPORTS_KEPT
from supervision.messages import start_child, stop_child
from supervision.tree import describe, outline, recent_reports, supervisor, supervisor_of
from tests.supervision.stage import Crash, Finish, Listener, Note, Stage, on_stage


def test_outline_is_what_runs() -> None:
    """A written tree names the very paths that stand once it has started, in start order."""

    async def script(stage: Stage) -> None:
        left = supervisor("left", stage.worker("a"), supervisor("deep", stage.worker("b")), strategy="rest_for_one")
        tree = supervisor("root", left, stage.worker("c"))
        stage.system.start_root(tree)
        await stage.pass_s(0.1)
        assert [path for path, _ in outline(tree)] == stage.system.paths()
        assert stage.system.paths() == ["/", "/left", "/left/a", "/left/deep", "/left/deep/b", "/c"]

    on_stage(script)


def test_describe_tells_what_waits() -> None:
    """A listing says of each actor what it is, how it stands, what waits and what it did."""

    async def script(stage: Stage) -> None:
        stage.root(stage.worker("a"), stage.worker("b"), stage.worker("c"))
        stage.slow_starts = {"c": 30.0}
        await stage.pass_s(0.1)
        for _ in range(3):
            await stage.ask("/b", Note("hello"))
        with pytest.raises(ActorCrashed):
            await stage.ask("/a", Crash())
        stage.tell("/a", Note("waits"))
        await stage.pass_s(0.5)
        rows = {row.path: row for row in describe(stage.system)}
        assert {path: row.state for path, row in rows.items()} == {
            "/": "starting",
            "/a": "waiting",
            "/b": "running",
            "/c": "starting",
        }
        assert (rows["/a"].mailbox, rows["/a"].oldest_ms, rows["/a"].failed) == (1, 500.0, 1)
        assert (rows["/b"].kind, rows["/b"].handled) == ("Worker", 3)
        assert rows["/b"].handle_p99_ms > 0
        await stage.pass_s(100)
        assert {row.path: (row.state, row.restarts) for row in describe(stage.system)} == {
            "/": ("running", 0),
            "/a": ("running", 1),
            "/b": ("running", 0),
            "/c": ("running", 0),
        }

    on_stage(script)


def test_describe_tells_whom_a_failure_took_along() -> None:
    """A sibling that was stopped with a failed child waits with it, and is shown so."""

    async def script(stage: Stage) -> None:
        stage.root(*(stage.worker(name) for name in "abc"), strategy="rest_for_one")
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/b", Crash())
        await stage.pass_s(0.1)
        assert [row.state for row in describe(stage.system)] == ["running", "running", "waiting", "waiting"]

    on_stage(script)


def test_supervisor_of_a_path() -> None:
    """An operator's request about an actor goes to the supervisor above it."""

    async def script(stage: Stage) -> None:
        stage.system.start_root(supervisor("root", supervisor("left", stage.worker("a"))))
        await stage.pass_s(0.1)
        above = {path: supervisor_of(stage.system, path) for path in ("/left/a", "/left", "/", "/x/y")}
        assert {path: ref.path if ref is not None else None for path, ref in above.items()} == {
            "/left/a": "/left",
            "/left": "/",
            "/": None,
            "/x/y": None,
        }
        ref = above["/left/a"]
        assert ref is not None
        assert (await ref.ask(RestartActor("/left/a"))).state == "up"

    on_stage(script)


def test_reports_are_published_and_kept() -> None:
    """Each report names supervisor, context, reason, offender, count and delay; the bus and the supervisor have the same."""
    heard: list[SupervisorReport] = []

    async def script(stage: Stage) -> list[SupervisorReport]:
        listener = ChildSpec("listener", lambda: Listener(heard))
        stage.system.start_root(supervisor("root", listener, supervisor("left", stage.worker("a"))))
        await stage.pass_s(0.1)
        with pytest.raises(ActorCrashed):
            await stage.ask("/left/a", Crash())
        await stage.pass_s(5)
        return recent_reports(stage.system)

    kept = on_stage(script)
    assert kept == heard
    terminated, restart = kept
    assert terminated == SupervisorReport(
        supervisor="/left",
        context=terminated.context,
        reason="crash: Broken('a')",
        offender="/left/a",
        restarts=0,
        delay_s=0.0,
        at=100_000_000,
    )
    assert (restart.context, restart.restarts, restart.delay_s) == ("restart", 1, 1.0)


def test_kept_reports_are_bounded() -> None:
    """A supervisor keeps the newest reports only."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("b"))
        await stage.pass_s(0.1)
        for _ in range(REPORTS_KEPT // 2 + 10):
            await stage.ask("/", RestartActor("/b"))
        for index in range(REPORTS_KEPT):
            await start_child(root, stage.worker("a", restart="temporary"))
            with pytest.raises(ActorCrashed):
                await stage.ask("/a", Crash())
            await stage.pass_s(0.01)
            assert index >= 0
        assert len(stage.supervisor().reports) == REPORTS_KEPT
        assert {each.offender for each in stage.supervisor().reports} == {"/a"}

    on_stage(script)


def test_orderly_ends_are_not_reported() -> None:
    """Ends that OTP calls orderly make no report: a done transient child, a child stopped on request."""

    async def script(stage: Stage) -> None:
        root = stage.root(stage.worker("a", restart="transient"), stage.worker("b"))
        await stage.pass_s(0.1)
        stage.tell("/a", Finish())
        await stop_child(root, "b")
        assert stage.contexts() == []

    on_stage(script)


def test_operator_messages_cross_the_edge() -> None:
    """What an operator sends and reads is decoded from and encoded to JSON by name."""
    assert {"ReleaseActor", "RestartActor"} <= set(injectable_types())
    assert decode_json(encode_json(ReleaseActor("/a/b")), ReleaseActor) == ReleaseActor("/a/b")
    row = ActorRow(
        path="/",
        kind="Supervisor",
        state="running",
        restarts=0,
        mailbox=0,
        oldest_ms=0.0,
        handled=1,
        failed=0,
        parked=0,
        handle_p99_ms=0.5,
    )
    assert decode_json(encode_json(row), ActorRow) == row
