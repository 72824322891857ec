"""When an invalid chain is fetched again, and when it is given up (DK-63)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["SKIP_REASON", "WAITS_S", "Attempt", "Outcome", "RetryPlan", "Verdict", "after_fetch", "retry_plan"]

WAITS_S: Final = (60, 120, 300)
"""Seconds before the first, second and third retry."""

SKIP_REASON: Final = "chain_incomplete"
"""Why an underlying whose chain stayed invalid is not in a scan."""


class Outcome(StrEnum):
    """``waiting``: fetch again after the wait. ``skipped``: the underlying is not in this scan."""

    VALID = "valid"
    WAITING = "waiting"
    SKIPPED = "skipped"


class Verdict(NamedTuple):
    """What follows one fetch; ``wait_s`` is None unless waiting, ``alert`` raises the operator."""

    outcome: Outcome
    wait_s: int | None = None
    alert: bool = False
    reason: str | None = None


class Attempt(NamedTuple):
    """One fetch: seconds after the first, its number from 0, and whether the chain was valid."""

    at_s: int
    number: int
    valid: bool


class RetryPlan(NamedTuple):
    """The fetches so far and what follows the last of them."""

    attempts: tuple[Attempt, ...]
    verdict: Verdict


def after_fetch(number: int, *, valid: bool) -> Verdict:
    """Say what follows fetch ``number`` (0: the first, 1: the first retry). Raises ValueError below 0."""
    if number < 0:
        raise ValueError(f"fetches are counted from 0, not {number}")
    if valid:
        return Verdict(Outcome.VALID)
    if number < len(WAITS_S):
        return Verdict(Outcome.WAITING, wait_s=WAITS_S[number])
    return Verdict(Outcome.SKIPPED, alert=True, reason=SKIP_REASON)


def retry_plan(results: Sequence[bool]) -> RetryPlan:
    """Lay fetches whose chains were valid or not on the schedule; what comes after its end is no part of it."""
    attempts: list[Attempt] = []
    verdict = Verdict(Outcome.WAITING, wait_s=0)
    at_s = 0
    for number, valid in enumerate(results):
        if verdict.wait_s is None:
            break
        at_s += verdict.wait_s
        attempts.append(Attempt(at_s, number, valid))
        verdict = after_fetch(number, valid=valid)
    return RetryPlan(tuple(attempts), verdict)
