"""What a supervisor knows about a child before it runs, and what its exit means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, get_args

from runtime.lifecycle import Exit
from runtime.spec import Spec
from supervision.backoff import Backoff
from supervision.errors import SupervisionError, SupervisorExhausted

__all__ = ["DEFAULT_START_S", "ChildSpec", "OnExhausted", "Restart", "Verdict", "verdict"]

Restart = Literal["permanent", "transient", "temporary"]
"""Restarted always; after an abnormal exit only; never."""

OnExhausted = Literal["escalate", "quarantine"]
"""What the end of the restart budget does: fails the supervisor, or leaves the child down until an operator releases it."""

DEFAULT_START_S: Final = 60.0
"""Seconds from a child's start until it must be up."""


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ChildSpec(Spec):
    """Recipe of a supervised actor.

    ``by_itself`` is asked at each crash: False leaves the child down at once, as in quarantine, until an operator releases
    it; a journal that cannot be written is no crash of the child's and waits for nobody.

    ``quarantine`` is for actors that hold money: each has a restart budget of its own (of its supervisor's intensity),
    and when it is used up the actor stays down with its mailbox kept. ``start_s`` None: starting may take for ever.
    """

    restart: Restart = "permanent"
    on_exhausted: OnExhausted = "escalate"
    backoff: Backoff = field(default_factory=Backoff)
    start_s: float | None = DEFAULT_START_S
    by_itself: Callable[[], bool] = _always

    def __post_init__(self) -> None:
        Spec.__post_init__(self)
        if self.restart not in get_args(Restart) or self.on_exhausted not in get_args(OnExhausted):
            raise SupervisionError(f"{self.name}: no such restart type or way out: {self.restart}, {self.on_exhausted}")


class Verdict(StrEnum):
    """What an exit means for the child."""

    RESTART = "restart"
    KEEP = "keep"
    """It is done; its spec is kept and a restart of its whole group brings it back."""
    REMOVE = "remove"
    ESCALATE = "escalate"


def verdict(restart: Restart, exit_: Exit) -> Verdict:
    """Judge the exit of a child that nobody told to stop.

    OTP's table, with one row more: a temporary supervisor that used up its budget is a failure of its parent too, or a
    whole subtree would be gone without anybody's doing.
    """
    if restart == "permanent":
        return Verdict.RESTART
    if restart == "transient":
        return Verdict.RESTART if exit_.abnormal else Verdict.KEEP
    return Verdict.ESCALATE if isinstance(exit_.error, SupervisorExhausted) else Verdict.REMOVE
