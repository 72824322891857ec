"""What supervision raises and answers with.

::

    ActorError
    └─ SupervisionError
       ├─ SupervisorExhausted   a child failed more often than its supervisor's budget allows: this supervisor has failed
       ├─ ChildStartFailed      a child could not be started
       ├─ ChildExists           the name is taken by a child that runs, waits or is quarantined
       ├─ NoSuchChild           the supervisor has no child of this name
       ├─ NotQuarantined        only a quarantined child can be released
       ├─ ChildQuarantined      a quarantined child must be released, not restarted
       └─ Overtaken             a later request or event decided otherwise about the same child
"""

from __future__ import annotations

from typing import ClassVar

from runtime.errors import ActorError

__all__ = [
    "ChildExists",
    "ChildQuarantined",
    "ChildStartFailed",
    "NoSuchChild",
    "NotQuarantined",
    "Overtaken",
    "SupervisionError",
    "SupervisorExhausted",
]


class SupervisionError(ActorError):
    """Base of supervision's errors."""


class SupervisorExhausted(SupervisionError):
    """A child failed once more than its supervisor's restart budget allows; ``cause`` is the child's last error."""

    INCIDENT: ClassVar[str] = "escalation"

    def __init__(self, supervisor: str, child: str, cause: BaseException | None) -> None:
        super().__init__(f"{supervisor} has used up its restarts: {child} failed again: {cause!r}")
        self.supervisor = supervisor
        self.child = child
        self.cause = cause


class ChildStartFailed(SupervisionError):
    """A child could not be started; ``cause`` is its error, None when it ended by itself before it was up."""

    INCIDENT: ClassVar[str] = "escalation"

    def __init__(self, child: str, cause: BaseException | None) -> None:
        super().__init__(f"{child} could not be started: {cause!r}")
        self.child = child
        self.cause = cause


class ChildExists(SupervisionError):
    """The name is taken by a child that runs, waits for its restart or is quarantined."""


class NoSuchChild(SupervisionError):
    """The supervisor has no child of this name."""


class NotQuarantined(SupervisionError):
    """Only a quarantined child can be released."""


class ChildQuarantined(SupervisionError):
    """A quarantined child must be released, not restarted."""


class Overtaken(SupervisionError):
    """A later request or event decided otherwise about the same child."""
