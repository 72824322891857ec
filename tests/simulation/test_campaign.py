"""Campaigns: many seeds over processes, and what is kept of them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from protocol.errors import FeatureUnavailable
from simulation.campaign import Campaign, ExecutorUnavailable, Job, Outcome, carry_out, on_processes, run_campaign
from simulation.campaign.jobs import broken_off
from simulation.verdict import Verdict
from tests.simulation.toy_jobs import work


def jobs(*seeds: int) -> list[Job]:
    return [Job(seed, hours=2.0) for seed in seeds]


def test_sums_over_all_seeds() -> None:
    """Hours, faults, checks and failures of all seeds are summed; the failed ones are kept whole."""
    found = run_campaign(jobs(1, 2, 7, 17), workers=0, work=work)
    assert (found.hours, found.injected, found.violations) == (8.0, 27, 2)
    assert [outcome.job.seed for outcome in found.failures] == [7, 17]
    assert found.coverage.checked == {"no-sevens": 4}
    assert found.counts["events"] == 40


def test_the_first_failure_can_end_it() -> None:
    """With ``fail_fast`` nothing is begun after the first seed that fails."""
    found = run_campaign(jobs(1, 7, 2, 3), workers=0, work=work, fail_fast=True)
    assert [each.seed for each in found.seeds] == [1, 7]


def test_ctrl_c_keeps_what_is_known() -> None:
    """A campaign that is interrupted returns the seeds that were done, and says that it was interrupted."""

    def interrupted(campaign: Campaign, outcome: Outcome) -> None:
        if outcome.job.seed == 3:
            raise KeyboardInterrupt

    found = run_campaign((Job(seed) for seed in count(1)), workers=0, work=work, report=interrupted)
    assert [each.seed for each in found.seeds] == [1, 2, 3]
    assert found.interrupted


def test_the_digest_does_not_depend_on_the_order() -> None:
    """Two campaigns of the same seeds have one digest, whichever seed was done first; other seeds have another."""
    first, second = (run_campaign(jobs(*order), workers=0, work=work) for order in ((1, 2, 3), (3, 1, 2)))
    assert first.digest == second.digest != run_campaign(jobs(1, 2, 4), workers=0, work=work).digest


@pytest.mark.slow
def test_processes_give_what_one_process_gives() -> None:
    """Results are the same wherever the jobs ran, and a worker that dies costs its own seed only."""
    found = run_campaign(jobs(*range(5, 16)), workers=2, work=work)
    assert sorted(each.seed for each in found.seeds) == list(range(5, 16))
    failed = {each.job.seed: each.verdict.violations[0] for each in found.failures}
    assert sorted(failed) == [7, 13]
    assert failed[13].invariant == "the-run-goes-on"
    assert "exit code -9" in failed[13].message
    alone = run_campaign(jobs(*(seed for seed in range(5, 16) if seed != 13)), workers=0, work=work)
    assert found.counts == alone.counts


@pytest.mark.slow
def test_a_seed_that_hangs_is_given_up() -> None:
    """A seed that does not end within its limit counts as failed, and the next is run by a new worker."""
    found = list(on_processes(jobs(99, 4), work, lost=broken_off, workers=1, limit_s=2.0))
    assert [each.job.seed for each in found] == [99, 4]
    assert "did not end within 2 s" in found[0].verdict.violations[0].message
    assert not found[1].verdict.failed


def test_what_the_simulator_raises_is_that_seeds_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the simulator itself is a violation of its seed, with the place; the campaign goes on."""

    def broken(seed: int, *, hours: float, profile: Any, recorded: bool | None) -> Any:
        raise LookupError(f"no world of {seed}")

    monkeypatch.setattr("simulation.world.scenario_of", broken)
    violation = carry_out(Job(5)).verdict.violations[0]
    assert violation.invariant == "the-run-goes-on"
    assert "no world of 5" in violation.message
    assert "test_campaign.py" in violation.message


def test_ray_must_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library the extra that brings it is named."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(FeatureUnavailable, match=r"bulkhead\[ray\]"):
        run_campaign(jobs(1), ray="ray://nowhere:1", work=work)


class FakeRay:
    """As much of Ray as is used: remote calls are made when they are waited for."""

    exceptions = SimpleNamespace(RayError=OSError)

    def __init__(self) -> None:
        self.ended = False

    def init(self, *, address: str, log_to_driver: bool) -> None:
        if address != "ray://there":
            raise ConnectionError("nobody listens")

    def shutdown(self) -> None:
        self.ended = True

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 3.0}

    def remote(self, call: Callable[[Job], Outcome]) -> Any:
        return SimpleNamespace(remote=lambda job: (call, job))

    def wait(self, references: list[Any], *, num_returns: int) -> tuple[list[Any], list[Any]]:
        return references[-num_returns:], references[:-num_returns]

    def get(self, reference: Any) -> Outcome:
        call, job = reference
        if job.seed == 13:
            raise OSError("the node went away")
        return call(job)


def test_a_cluster_gives_what_one_process_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """All jobs are run on the cluster, a worker that is lost costs its seed, and the cluster is let go of."""
    fake = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", fake)
    found = run_campaign(jobs(*range(10, 20)), ray="ray://there", work=work)
    assert sorted(each.seed for each in found.seeds) == list(range(10, 20))
    assert sorted(each.job.seed for each in found.failures) == [13, 17]
    assert fake.ended


def test_a_cluster_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing falls back silently: a cluster that cannot be reached ends the command (DS-602)."""
    monkeypatch.setitem(sys.modules, "ray", FakeRay())
    with pytest.raises(ExecutorUnavailable, match="nobody listens"):
        run_campaign(jobs(1), ray="ray://nowhere", work=work)


def test_nobody_listens_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port at which nobody listens is told at once: Ray itself would try for minutes."""
    monkeypatch.setitem(sys.modules, "ray", FakeRay())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ExecutorUnavailable, match=f"127.0.0.1:{port}"):
        run_campaign(jobs(1), ray=f"127.0.0.1:{port}", work=work)


def test_two_runs_of_a_seed_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """On request a seed is run twice; another journal the second time is a violation of its own."""
    digests = iter(["one", "two", "same", "same"])
    scenario = SimpleNamespace(end_at=9)
    monkeypatch.setattr("simulation.world.scenario_of", lambda seed, **_: scenario)
    monkeypatch.setattr("simulation.run.run", lambda _: Verdict(1, digest=next(digests)))
    differs, equal = (carry_out(Job(1, twice=True)).verdict for _ in range(2))
    assert [each.invariant for each in differs.violations] == ["same-seed-same-run"]
    assert equal.violations == []
