"""The risk coordinator: publishes the permit that every order which adds risk needs."""

from __future__ import annotations

from protocol.messages import Event
from protocol.risk import EngineStatus, EngineStatusChanged, PauseEngine, Permit, RenewPermit, ResumeEngine
from runtime.actor import Do, handles
from runtime.durable import DurableActor

__all__ = ["PERMITS", "RiskCoordinator"]

PERMITS = "permits"
"""Bus topic on which every permit is published."""


class RiskCoordinator(DurableActor):
    """Says whether entries are allowed, whenever a desk asks: a permit that nobody renews is soon worth nothing.

    Renewed on demand rather than by a clock: a replay of a year pays nothing for it, and an order that adds risk still
    cannot leave while this actor is down. Paused or running is journalled, so a pause survives every restart.
    """

    def __init__(self) -> None:
        self._status = EngineStatus.RUNNING
        self._reason = ""
        self._number = 0

    def started(self) -> None:
        """Publish the first permit of this life."""
        self._publish()

    def apply(self, event: Event) -> None:
        """Take over a recorded status."""
        if isinstance(event, EngineStatusChanged):
            self._status, self._reason, self._number = event.status, event.reason, event.number

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._status.value} {self._reason}".strip()

    @handles
    def pause(self, msg: PauseEngine) -> Do | None:
        """Stop entries until an operator resumes."""
        return self._change(EngineStatus.PAUSED, msg.reason or "by an operator")

    @handles
    def resume(self, msg: ResumeEngine) -> Do | None:  # noqa: ARG002 - the type is the message
        """Allow entries again."""
        return self._change(EngineStatus.RUNNING, "")

    @handles
    def renew(self, msg: RenewPermit) -> None:  # noqa: ARG002 - the type is the message
        """Say again what is allowed."""
        self._publish()

    def _change(self, status: EngineStatus, reason: str) -> Do | None:
        if status is self._status:
            return None
        return Do([EngineStatusChanged(self._number + 1, status, reason, self.now())], then=self._publish)

    def _publish(self) -> None:
        permit = Permit(number=self._number, status=self._status, reason=self._reason, at=self.now())
        self.context.bus.publish(PERMITS, permit, keep=True)
