"""Read models that cannot be kept never end the house."""

from __future__ import annotations

import pytest

from runtime.actor import Actor, handles
from service.daemon import read_models_spec
from supervision.budget import Intensity
from supervision.tree import supervisor
from tests.supervision.stage import Crash, Stage, on_stage


class _Broken(Actor):
    """Comes up and crashes, as a process does whose database is damaged."""

    def started(self) -> None:
        """Have it happen soon."""
        self.timers.after(0.5, Crash())

    @handles
    def crash(self, msg: Crash) -> None:
        """Crash."""
        raise ChildProcessError(f"no such table {msg}")


@pytest.mark.parametrize(("restarts", "phase"), [(5, "waiting"), (1, "quarantined"), (0, "quarantined")])
def test_a_projector_that_always_crashes_is_tried_ever_more_slowly_and_takes_nobody_along(
    restarts: int, phase: str
) -> None:
    """Regression: six crashes within a minute used up /store, then the root, and the daemon ended with groups open."""

    async def script(stage: Stage) -> None:
        spec = read_models_spec(_Broken)
        store = supervisor("store", spec, stage.worker("events"), intensity=Intensity(restarts, 60))
        stage.root(store, stage.worker("trading"), intensity=Intensity(restarts, 60))
        await stage.pass_s(24 * 3_600)
        assert stage.failure is None
        assert stage.phases() == {"store": "up", "trading": "up"}
        assert stage.phases("/store")["projector"] in (phase, "starting")
        assert stage.phases("/store")["events"] == "up"

    on_stage(script)
