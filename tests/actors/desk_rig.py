"""A desk with probes around it."""

from __future__ import annotations

from typing import Any

from actors.desk import OrderDesk, desk_topic
from actors.risk import PERMITS
from protocol.orders import OrderUpdate
from protocol.risk import EngineStatus, Permit, RenewPermit
from tests.actors.cast import Stage, of
from tests.actors.orders import TAG

DESK = "/house/desk"


def permit_of(stage: Stage, status: EngineStatus) -> None:
    """Publish a fresh permit."""
    permit = Permit(number=7, status=status, reason="because", at=stage.now)
    stage.system.bus.publish(PERMITS, permit, keep=True)


class DeskRig:
    """The desk ``/house/desk``; ``risk`` says how the coordinator answers: a status, or None for silence."""

    def __init__(
        self, stage: Stage, *, risk: EngineStatus | None = EngineStatus.RUNNING, owner: bool = True, groups: bool = True
    ) -> None:
        self.stage = stage
        self.risk_status = risk
        self.up = stage.probe("up", topics=(desk_topic("acc"),))
        self.session = stage.probe("session", edge=True)
        self.reconciler = stage.probe("reconciler")
        self.precision = stage.probe("precision")
        self.risk = stage.probe("risk", answers={RenewPermit: self._renew})
        self.owner = stage.probe("owner") if owner else []
        self.groups = stage.probe("groups") if groups else []
        stage.add("desk", self._make)

    def _make(self) -> OrderDesk:
        return OrderDesk(
            account="acc",
            tag=TAG,
            session="/house/session",
            reconciler="/house/reconciler",
            risk="/house/risk",
            groups="/house/groups",
            precision="/house/precision",
        )

    def _renew(self, _: RenewPermit) -> None:
        if self.risk_status is not None:
            self.permit(self.risk_status)

    def permit(self, status: EngineStatus, *, age_s: float = 0.0, number: int = 7) -> None:
        """Publish a permit."""
        at = self.stage.now - round(age_s * 10**9)
        self.stage.system.bus.publish(PERMITS, Permit(number=number, status=status, reason="because", at=at), keep=True)

    async def told(self, *messages: Any) -> None:
        """Tell the desk and let everything happen that needs no time."""
        await self.stage.told("desk", *messages)

    def events(self, kind: type | None = None) -> list[Any]:
        """Return the desk's journal."""
        return self.stage.events(DESK, kind)

    def updates(self) -> list[str]:
        """Return the states the owner heard."""
        return [update.state.value for update in of(self.owner, OrderUpdate)]
