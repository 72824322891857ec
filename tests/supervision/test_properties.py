"""Random scripts of crashes and ends, against a model and against what must hold whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.control import SupervisorReport
from runtime.clock import NANOS
from runtime.lifecycle import ExitKind
from supervision.budget import Intensity
from supervision.errors import SupervisorExhausted
from tests.supervision.stage import Crash, Finish, Note, Stage, on_stage

NAMES = "abcd"
LIMIT = Intensity(3, 40)

strategy_names = st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])
restart_types = st.lists(
    st.sampled_from(["permanent", "permanent", "transient", "temporary"]), min_size=len(NAMES), max_size=len(NAMES)
)
actions = st.sampled_from(["crash", "finish", "shutdown"])
targets = st.sampled_from(NAMES)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep hundreds of expected crashes out of the log."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def act(stage: Stage, name: str, action: str) -> None:
    """Have a child end, if it is there to hear it."""
    cell = stage.system.cell_of(f"/{name}")
    if cell is None:
        return
    if action == "shutdown":
        cell.begin_stop(ExitKind.SHUTDOWN)
    else:
        message = Crash() if action == "crash" else Finish()
        asked = stage.system.loop.create_task(stage.ask(f"/{name}", message, 5_000.0))
        asked.add_done_callback(lambda task: task.cancelled() or task.exception())
        await stage.pass_s(0)


class Model:
    """What OTP's documentation says happens to one group of children that end one at a time."""

    def __init__(self, strategy: str, restarts: list[str]) -> None:
        self.strategy = strategy
        self.restart = dict(zip(NAMES, restarts, strict=True))
        self.up = dict.fromkeys(NAMES, True)

    def end(self, name: str, action: str) -> list[str]:
        """Return what starts and stops because a running child ends."""
        log = [] if action == "crash" else [f"-{name}"]
        restart = self.restart[name]
        if restart == "temporary":
            del self.up[name]
            return log
        if restart == "transient" and action != "crash":
            self.up[name] = False
            return log
        names = list(self.up)
        taken = {"one_for_one": [name], "one_for_all": names, "rest_for_one": names[names.index(name) :]}[self.strategy]
        log += [f"-{each}" for each in reversed(taken) if each != name and self.up[each]]
        back = [each for each in taken if self.restart[each] != "temporary"]
        for each in taken:
            if each not in back:
                del self.up[each]
        self.up.update(dict.fromkeys(back, True))
        return log + [f"+{each}" for each in back]


@settings(max_examples=60, deadline=None)
@given(strategy_names, restart_types, st.lists(st.tuples(targets, actions), max_size=12), st.integers(0, 1_000))
def test_one_end_at_a_time_follows_the_model(
    strategy: str, restarts: list[str], script: list[tuple[str, str]], seed: int
) -> None:
    """Each end restarts, stops, keeps and removes exactly whom OTP says, in OTP's order (rest_for_one: the suffix)."""

    async def play(stage: Stage) -> None:
        model = Model(strategy, restarts)
        specs = [stage.worker(name, restart=model.restart[name]) for name in NAMES]
        stage.root(*specs, strategy=strategy, intensity=Intensity(1_000, 1))
        await stage.pass_s(0.1)
        stage.take_log()
        for name, action in script:
            if not model.up.get(name):
                continue
            await act(stage, name, action)
            await stage.pass_s(100)
            assert stage.take_log() == model.end(name, action)
            assert {name: phase == "up" for name, phase in stage.phases().items()} == model.up
            assert set(stage.alive) == {name for name, up in model.up.items() if up}

    on_stage(play, seed=seed)


@settings(max_examples=80, deadline=None)
@given(
    strategy_names,
    restart_types,
    st.lists(st.tuples(targets, actions, st.sampled_from([0.0, 0.0, 0.3, 1.0, 9.0, 30.0])), max_size=25),
    st.dictionaries(targets, st.integers(1, 3), max_size=2),
    st.integers(0, 1_000),
)
def test_whatever_happens(
    strategy: str,
    restarts: list[str],
    script: list[tuple[str, str, float]],
    bad_restarts: dict[str, int],
    seed: int,
) -> None:
    """No child lives twice, the intensity is kept or escalated, permanent children end up running, nothing is left over.

    Children end at any moment (during restarts, waits, starts and stops of others), some fail to start again.
    """

    async def play(stage: Stage) -> None:
        kinds = dict(zip(NAMES, restarts, strict=True))
        specs = [stage.worker(name, restart=kinds[name]) for name in NAMES]
        stage.root(*specs, strategy=strategy, intensity=LIMIT)
        reports = stage.supervisor().reports
        await stage.pass_s(0.1)
        stage.bad_starts = dict(bad_restarts)
        for name, action, pause_s in script:
            await act(stage, name, action)
            if pause_s:
                await stage.pass_s(pause_s)
        await stage.pass_s(200)
        stage.bad_starts = {}
        await stage.pass_s(200)
        check_intensity(reports)
        if stage.failure is not None:
            assert isinstance(stage.failure, SupervisorExhausted)
            assert stage.alive == {}
            return
        phases = stage.phases()
        for name in NAMES:
            if kinds[name] == "permanent":
                assert phases[name] == "up"
            assert phases.get(name, "done") in ("up", "done")
            assert (name in stage.alive) == (phases.get(name) == "up")
            if phases.get(name) == "up":
                assert await stage.ask(f"/{name}", Note("well")) == "well"
        assert list(phases) == [name for name in NAMES if name in phases]

    on_stage(play, seed=seed)


def check_intensity(reports: Iterable[SupervisorReport]) -> None:
    """Assert that no window holds more restarts than allowed."""
    instants = [each.at for each in reports if each.context == "restart"]
    for index, at in enumerate(instants):
        window = [each for each in instants[: index + 1] if each >= at - LIMIT.window_s * NANOS]
        assert len(window) <= LIMIT.restarts


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(targets, st.sampled_from([0.0, 0.5, 5.0])), min_size=1, max_size=10), st.integers(0, 50))
def test_same_seed_same_run(script: list[tuple[str, float]], seed: int) -> None:
    """A run with one seed is one run: the same starts, stops and reports at the same instants."""

    async def play(stage: Stage) -> tuple[list[str], list[SupervisorReport]]:
        stage.root(*(stage.worker(name) for name in NAMES), strategy="rest_for_one", intensity=LIMIT)
        reports = stage.supervisor().reports
        await stage.pass_s(0.1)
        for name, pause_s in script:
            await act(stage, name, "crash")
            await stage.pass_s(pause_s)
        return stage.log, list(reports)

    assert on_stage(play, seed=seed) == on_stage(play, seed=seed)
