"""What operators do to a running house: the same messages that the control API sends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from actors.group import PositionGroup
from protocol.configuration import CONFIG_STORE, ApplyDraft, EditDraft
from protocol.control import ReleaseActor, RestartActor
from protocol.groups import CloseGroup, CloseReason
from protocol.offset import BlockGroup, RunNow, UnblockGroup
from protocol.pool import ForceAdd, PromoteQueued, QueueReport, QueueSnapshot, RemoveQueued
from protocol.risk import PauseEngine, ResumeEngine
from protocol.venue import ReconcileNow
from runtime.errors import ActorError
from runtime.journal import JournalError
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.house import RISK
from simulation.scenario import Act, OperatorAction

__all__ = ["OperatorDesk"]

_ASK_S: Final = 5.0


class OperatorDesk:
    """Acts on one life of the house. What cannot be done now is not done: an operator sees the error and shrugs."""

    def __init__(self, system: ActorSystem, account: str) -> None:
        self._system = system
        self._paths = AccountPaths(account, outside=True)
        self._requests = 0

    async def act(self, act: Act) -> str:
        """Carry out an act; return what came of it in a few words."""
        try:
            return await self._DOES[act.action](self, act)
        except (ActorError, JournalError) as error:
            return f"not done: {error}"

    async def release(self) -> list[str]:
        """Start every quarantined actor again; return their paths."""
        released = []
        for path in self._system.paths():
            cell = self._system.cell_of(path)
            if cell is not None and cell.mark == "quarantined":
                await self._ask(path.rpartition("/")[0] or "/", ReleaseActor(path))
                released.append(path)
        return released

    def reconcile(self) -> None:
        """Have the account compared with its venue."""
        self._system.tell(self._paths.reconciler, ReconcileNow())

    async def _ask(self, path: str, message: Any) -> Any:
        actor = self._system.lookup(path)
        if actor is None:
            raise ActorError(f"no actor lives at {path}")
        return await actor.ask(message, _ASK_S)

    # --- the acts ------------------------------------------------------------------------------------------------------

    async def _pause(self, act: Act) -> str:
        await self._ask(RISK, PauseEngine(act.value or "the simulator"))
        return "paused"

    async def _resume(self, act: Act) -> str:  # noqa: ARG002 - one shape for all
        await self._ask(RISK, ResumeEngine())
        return "resumed"

    def _groups(self, symbol: str = "") -> list[tuple[str, str]]:
        """Return path and id of the living groups of a symbol, or of all."""
        found = []
        for path in self._system.paths():
            cell = self._system.cell_of(path)
            view = cell.actor._view if cell is not None and isinstance(cell.actor, PositionGroup) else None
            if view is not None and (not symbol or view.symbol == symbol):
                found.append((path, view.group_id))
        return found

    async def _close(self, act: Act) -> str:
        groups = self._groups(act.target)
        if act.action is OperatorAction.CLOSE_GROUP:
            groups = groups[:1]
        for path, ident in groups:
            close = CloseGroup(group_id=ident, reason=CloseReason.OPERATOR, at=self._system.now())
            self._system.tell(path, close)
        return f"closing {', '.join(ident for _, ident in groups) or 'nothing'}"

    async def _configure(self, act: Act) -> str:
        store = f"/operators/{CONFIG_STORE.rpartition('/')[2]}"
        values = f'{{"{act.target}": {act.value}}}'
        edited = await self._ask(store, EditDraft(values=values, author="simulator"))
        if edited.mistakes or edited.draft_mistakes:
            return f"refused: {(edited.mistakes or edited.draft_mistakes)[0].message}"
        applied = await self._ask(store, ApplyDraft(version=edited.base or edited.version, author="simulator"))
        return f"version {applied.version}" if not applied.mistakes else f"refused: {applied.mistakes[0].message}"

    async def _queue(self, act: Act) -> str:
        report: QueueReport = await self._ask(self._paths.pool, QueueSnapshot())
        if not report.entries:
            return "nothing waits"
        self._requests += 1
        first, request = report.entries[0].queue_id, f"sim-{act.at}-{self._requests}"
        command = {
            OperatorAction.FORCE_ADD: ForceAdd,
            OperatorAction.PROMOTE: PromoteQueued,
            OperatorAction.REMOVE: RemoveQueued,
        }[act.action]
        said = await self._ask(self._paths.pool, command(first, request))
        return f"{first}: {said.code or 'done'}"

    async def _flag(self, act: Act) -> str:
        groups = self._groups(act.target)
        if not groups:
            return "no group"
        flag = BlockGroup if act.action is OperatorAction.BLOCK_GROUP else UnblockGroup
        said = await self._ask(self._paths.offset, flag(groups[0][1]))
        return f"{groups[0][1]}: {said.code or 'done'}"

    async def _offset(self, act: Act) -> str:  # noqa: ARG002 - one shape for all
        said = await self._ask(self._paths.offset, RunNow())
        return said.code or "run"

    async def _restart(self, act: Act) -> str:
        await self._ask(act.target.rpartition("/")[0] or "/", RestartActor(act.target))
        return "restarted"

    async def _reconcile(self, act: Act) -> str:  # noqa: ARG002 - one shape for all
        self.reconcile()
        return "asked"

    _DOES: Final[dict[OperatorAction, Callable[[OperatorDesk, Act], Awaitable[str]]]] = {
        OperatorAction.PAUSE: _pause,
        OperatorAction.RESUME: _resume,
        OperatorAction.CLOSE_ALL: _close,
        OperatorAction.CLOSE_GROUP: _close,
        OperatorAction.CONFIGURE: _configure,
        OperatorAction.FORCE_ADD: _queue,
        OperatorAction.PROMOTE: _queue,
        OperatorAction.REMOVE: _queue,
        OperatorAction.BLOCK_GROUP: _flag,
        OperatorAction.UNBLOCK_GROUP: _flag,
        OperatorAction.RUN_OFFSET: _offset,
        OperatorAction.RESTART_ACTOR: _restart,
        OperatorAction.RECONCILE: _reconcile,
    }
