"""Invariants about signals find what they are for, and nothing in clean runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from protocol.pool import PyramidAdmitted
from protocol.signals import SignalAnswer, SignalReceived, SignalRouted
from simulation.invariant import Answered, Invariant
from simulation.invariants.signals import ActedOnce, AnsweredIsKept, OneOutcome
from tests.simulation.invariants.recording import Replayed, Stage

GATEWAY = "/trading/gateway"


@pytest.mark.parametrize("kind", [OneOutcome, ActedOnce, AnsweredIsKept])
def test_a_clean_run_shows_nothing(kind: type[Invariant], clean_runs: list[Replayed]) -> None:
    """No false alarm in twelve days of random markets and signals."""
    for run in clean_runs:
        assert run.run([kind()]) == []


def received(stage: Stage, name: str = "s1", outcome: str = "accepted", **more: Any) -> None:
    """Journal the receipt of a signal."""
    event = SignalReceived(
        signal_id=name,
        user="me",
        received_at=stage.now,
        source_address="x",
        outcome=outcome,
        accounts=("paper",) if outcome == "accepted" else (),
        **more,
    )
    stage.tell(GATEWAY, event)


def routed(stage: Stage, name: str = "s1", outcome: str = "opened") -> None:
    """Journal what became of it."""
    stage.tell(GATEWAY, SignalRouted(signal_id=name, outcome=outcome, account="paper", at=stage.now))


def test_a_signal_without_an_outcome_is_found_at_rest() -> None:
    """EX-253: nothing that was accepted is lost."""
    stage = Stage(OneOutcome())
    received(stage)
    assert stage.found == []
    assert stage.rest() == ["s1 was accepted for paper and has no outcome"]


def test_a_second_outcome_is_found() -> None:
    """EX-251: a signal comes to one outcome at each account."""
    stage = Stage(OneOutcome())
    received(stage)
    routed(stage)
    routed(stage, outcome="queued")
    assert stage.rest() == ["s1 has a second outcome at paper: queued"]


def test_an_outcome_of_a_duplicate_is_found() -> None:
    """What was refused or ignored is handed to nobody."""
    stage = Stage(OneOutcome())
    received(stage, outcome="duplicate_ignored")
    routed(stage)
    assert stage.rest() == ["s1 has an outcome at paper and was never handed to it: opened"]


def test_a_duplicate_that_is_accepted_is_found() -> None:
    """EX-240: within its window a signal is accepted once; after it, it is a new one."""
    stage = Stage(ActedOnce(), settings="[signal]\ndedupe_window_seconds = 60")
    received(stage, fingerprint="f")
    stage.wait(61)
    received(stage, "s2", fingerprint="f")
    assert stage.found == []
    stage.wait(59)
    received(stage, "s3", fingerprint="f")
    assert stage.found == ["s3 was accepted although its like came 59 s before"]


def test_a_signal_that_enters_twice_is_found(clean_runs: list[Replayed]) -> None:
    """One signal, one pyramid: told again by the gateway, the pool must know it."""
    admitted = next(each.event for each in clean_runs[0].records if isinstance(each.event, PyramidAdmitted))
    stage = Stage(ActedOnce())
    stage.tell("/risk/pool-paper", admitted)
    assert stage.found == [f"{admitted.signal_id} enters {admitted.group_id} and was never accepted"]
    received(stage, admitted.signal_id)
    stage.tell("/risk/pool-paper", msgspec.structs.replace(admitted, funds=Decimal(1)))
    assert "had entered" in stage.found[1]


def answered(stage: Stage, name: str, outcome: str = "accepted", body: str = "b") -> None:
    """Answer a post."""
    stage.answered.append(Answered(stage.now, body, 200, SignalAnswer(200, outcome, name)))


def test_an_answered_signal_that_is_not_kept_is_found() -> None:
    """EX-252: an answer is given when the journal has it, whatever dies afterwards."""
    stage = Stage(AnsweredIsKept())
    received(stage, "s1")
    answered(stage, "s1")
    answered(stage, "s2", body="c")
    stage.answered.append(Answered(stage.now, "d", 0, None))
    assert stage.rest() == ["a post was answered 200 accepted as 's2' and is not kept"]


def test_another_answer_than_what_is_kept_is_found() -> None:
    """The sender is told what was journalled."""
    stage = Stage(AnsweredIsKept())
    received(stage, "s1", outcome="duplicate_ignored")
    answered(stage, "s1")
    assert stage.rest() == ["s1 was answered accepted and is kept as duplicate_ignored"]


def test_a_body_accepted_twice_is_found() -> None:
    """EX-240, from the outside: the very same text is acted on once."""
    stage = Stage(AnsweredIsKept())
    for name in ("s1", "s2"):
        received(stage, name)
        answered(stage, name)
    assert stage.rest()[0].startswith("one body was accepted twice within its window: as s1")
