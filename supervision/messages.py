"""What a supervisor is told from inside the program: specs carry callables, so these never cross a process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from supervision.child import ChildSpec

if TYPE_CHECKING:
    from runtime.ref import ActorRef

__all__ = ["RestartDue", "StartChild", "StartOverdue", "StopChild", "start_child", "stop_child"]


@dataclass(frozen=True, slots=True)
class StartChild:
    """Add a child and start it.

    Asked: answered with its reference once it is up; when its first start fails the asker hears ``ChildStartFailed`` and
    the child is gone, as in OTP. Told: nobody would hear of that, so a failed first start is retried like a crash.
    """

    LANE: ClassVar[str] = "control"

    spec: ChildSpec


@dataclass(frozen=True, slots=True)
class StopChild:
    """Stop a child and forget it, with its mailbox; its name is free again. Answered with None once it is gone."""

    LANE: ClassVar[str] = "control"

    name: str


@dataclass(frozen=True, slots=True)
class RestartDue:
    """The backoff before a restart is over; ``token`` tells it from one that was overtaken."""

    LANE: ClassVar[str] = "control"

    token: int
    name: str


@dataclass(frozen=True, slots=True)
class StartOverdue:
    """A child should have been up by now."""

    LANE: ClassVar[str] = "control"

    token: int
    name: str


async def start_child(supervisor: ActorRef, spec: ChildSpec, timeout_s: float = 60.0) -> ActorRef:
    """Have a supervisor start a child; return its reference. Raises ChildExists, ChildStartFailed and what ``ask`` does."""
    return cast("ActorRef", await supervisor.ask(cast("Any", StartChild(spec)), timeout_s))


async def stop_child(supervisor: ActorRef, name: str, timeout_s: float = 60.0) -> None:
    """Have a supervisor stop and forget a child. Raises NoSuchChild and what ``ask`` does."""
    await supervisor.ask(cast("Any", StopChild(name)), timeout_s)
