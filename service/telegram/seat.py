"""The house as the bridge to Telegram sees it: answers, what a command would do, and carrying it out.

Each command becomes the message that the command line's becomes, to the actor that owns what it changes. Repeated under the
same request id it changes nothing more: pausing, closing and approving are what they are, the queue knows its requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from actors.risk import PERMITS
from actors.telegram.seat import Answer, Named
from protocol.approvals import APPROVAL_DESK, AnswerApproval, ApprovalAnswer
from protocol.event_log import EVENT_LOG, AcknowledgeEvents
from protocol.groups import CloseGroup, CloseReason
from protocol.groups.naming import leg_id_of, leg_name
from protocol.messages import Request
from protocol.notifications import NOTIFIER, ListNotices, ReadNotices
from protocol.offset import RiskCommandDone, RunNow
from protocol.pool import ForceAdd, PromoteQueued, QueueAnswer, RemoveQueued
from protocol.risk import ArmAccount, PauseEngine, Permit, ResumeEngine, StatusAnswer, StopAccount
from rules.notices.sentence import who
from rules.telegram.commands import ALL
from service.api.answers import Refused
from service.api.control import actor_at
from service.api.host import ASK_S, RISK, Host
from service.telegram.drafts import apply_draft, draft_named
from service.telegram.lines import count, group_name
from service.telegram.pausing import paused_said, resumed_said, resuming_named
from service.telegram.views import PhoneViews

__all__ = ["HouseSeat"]

_QUEUE: Final[Mapping[str, type[PromoteQueued | ForceAdd | RemoveQueued]]] = {
    "/promote": PromoteQueued,
    "/forceadd": ForceAdd,
    "/remove": RemoveQueued,
}
_READ_ONLY_MAY: Final = frozenset({"/pause", "/stop", "/close", "/closeleg", "/closeall", "/ack"})
"""What works while the engine is read only (EX-1506)."""


class HouseSeat:
    """A running daemon's seat."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.views = PhoneViews(host)

    def close(self) -> None:
        """Release the files."""
        self.views.close()

    async def show(self, command: str, args: Sequence[str], account: str) -> Answer:
        """Answer a command that only looks."""
        return await self.views.show(command, args, account)

    # --- naming --------------------------------------------------------------------------------------------------------

    async def name(self, command: str, args: Sequence[str], account: str) -> Named:
        """Say what a command would do, with the ids that it is about from now on."""
        self._refuse_read_only(command)
        match command:
            case "/close":
                group = await self.views.group(args[0], account)
                return Named(f"Close the whole group at the market:\n{self.views.said(group)}", tuple(args))
            case "/closeleg":
                group = await self.views.group(args[0], account)
                leg_id = leg_id_of(" ".join(args[1:]))
                await self.views.leg(args[0], leg_id)
                return Named(f"Close {leg_name(leg_id)} at the market, of\n{self.views.said(group)}", (args[0], leg_id))
            case "/closeall":
                found = await self.views.open_groups(self._scope(account))
                if not found:
                    return Named("", error="No group is open.")
                lines = "\n".join(map(self.views.said, found[:20]))
                more = f"\nand {len(found) - 20} more" if len(found) > 20 else ""
                ids = tuple(each["group_id"] for each in found)
                return Named(f"Close {count(len(found), 'group')} at the market:\n{lines}{more}", ids)
            case "/promote" | "/forceadd" | "/remove":
                its_account, entry = await self.views.queue_entry(args[0], account)
                does = {"/promote": "Let in", "/forceadd": "Let in over the limit", "/remove": "Remove"}[command]
                said = f"{does}: {entry.symbol} {entry.timeframe} {entry.side.value} on {its_account}"
                return Named(said, tuple(args))
            case "/run":
                return Named(await self._planned(args, account), tuple(args))
            case "/resume":
                return resuming_named(self._scope(account), self._permit())
            case "/approve":
                return Named(f"Approve {await self.views.prompt(args[0])}", tuple(args))
            case "/apply":
                return await draft_named(self._host)
            case "/arm":
                return Named(f"Arm {self._account(account)}: it takes entries again.")
        raise Refused(422, "UnknownCommand", f"{command} needs no confirmation", value=command)

    async def _planned(self, args: Sequence[str], account: str) -> str:
        """Say what the loss offset would do now."""
        lines = []
        for name in self.views.accounts(account):
            done = await self._run(name, args[0] if args else "", check=True)
            plan = f"net {done.plan.net_usd} USD" if done.plan is not None and done.plan.executable else "nothing to do"
            lines.append(f"{name}: {done.message or plan}")
        return "Run the loss offset now:\n" + "\n".join(lines)

    # --- carrying out --------------------------------------------------------------------------------------------------

    async def act(self, command: str, args: Sequence[str], account: str, *, request_id: str, by: str) -> str:
        """Carry a command out; what cannot be done is told as a sentence with its code."""
        try:
            self._refuse_read_only(command)
            return await self._act(command, args, account, request_id, by)
        except Refused as refused:
            return f"Not done: {refused.code}: {refused.message}"

    async def _act(self, command: str, args: Sequence[str], account: str, request_id: str, by: str) -> str:
        match command:
            case "/pause":
                scope = self._scope(account)
                said: StatusAnswer = await self._ask(RISK, PauseEngine(f"by {who(by)}", scope))
                return paused_said(said)
            case "/resume":
                return resumed_said(await self._ask(RISK, ResumeEngine(self._scope(account))), self._permit())
            case "/stop":
                name = self._account(account)
                await self._ask(RISK, StopAccount(name, "from the phone", by))
                return f"{name} is stopped until an admin arms it: /arm {name}"
            case "/arm":
                name = self._account(account)
                await self._ask(RISK, ArmAccount(name, by))
                return f"{name} is armed."
            case "/close" | "/closeall":
                return await self._close(args, self._scope(account) if command == "/closeall" else account)
            case "/closeleg":
                return await self._close(args[:1], account, args[1])
            case "/promote" | "/forceadd" | "/remove":
                return await self._queue(command, args[0], account, request_id)
            case "/run":
                done = [await self._run(name, args[0] if args else "") for name in self.views.accounts(account)]
                return "\n".join(
                    each.message or (f"begun: {each.plan_id}" if each.plan_id else "done") for each in done
                )
            case "/approve" | "/reject":
                return await self._answer(command, args, by)
            case "/apply":
                return await apply_draft(self._host, args, by)
            case "/ack":
                return await self._acknowledge(args, by)
        raise Refused(422, "UnknownCommand", f"nothing is done by {command}", value=command)

    async def _close(self, idents: Sequence[str], account: str, leg: str = "") -> str:
        """Close groups by id, each that still lives; those that are gone have nothing left to close."""
        known = {each["group_id"]: each for each in await self.views.open_groups(account)}
        told, gone = [], []
        for ident in idents:
            path = next((path for path in self._host.system.paths() if path.endswith(f"~{ident}")), "")
            group = known.get(ident)
            if group is None or not path or group["state"] == "closing":
                gone.append(ident)
                continue
            close = CloseGroup(group_id=ident, reason=CloseReason.OPERATOR, leg_id=leg, at=self._host.system.now())
            actor_at(self._host.system, path).tell(close)
            told.append(group)
        lines = [f"Closing {group_name(each)} ({each['group_id']})" for each in told]
        lines += [f"{ident} is closing or closed already." for ident in gone]
        return "\n".join(lines) or "No group is open."

    async def _queue(self, command: str, ident: str, account: str, request_id: str) -> str:
        accounts = self.views.accounts(account)
        if len(accounts) > 1:
            accounts = [(await self.views.queue_entry(ident, account))[0]]
        said: QueueAnswer = await self._ask(f"/risk/pool-{accounts[0]}", _QUEUE[command](ident, request_id))
        if said.code:
            raise Refused(409, said.code, said.message, value=ident)
        return f"{ident}: {said.outcome}"

    async def _run(self, account: str, group: str, *, check: bool = False) -> RiskCommandDone:
        done: RiskCommandDone = await self._ask(f"/risk/offset-{account}", RunNow(group, check))
        return done

    async def _answer(self, command: str, args: Sequence[str], by: str) -> str:
        """Give the word on an entry that waits: of a tap, which says what was looked at, or of a command."""
        prompt_id, version, token, word = args if len(args) == 4 else (args[0], "0", "", command[1])
        answer = AnswerApproval(
            prompt_id=prompt_id,
            approve=word in ("y", "a"),
            by=by,
            version=int(version) if version.isdigit() else 0,
            token=token or ("-" if len(args) == 4 else ""),
        )
        said: ApprovalAnswer = await self._ask(APPROVAL_DESK, answer)
        return f"Nothing was done: {said.message}" if said.code else said.message

    async def _acknowledge(self, args: Sequence[str], by: str) -> str:
        """Acknowledge alerts: all there are, or up to a notice; they are no longer repeated and leave the strip."""
        found = await self._ask(NOTIFIER, ListNotices())
        through = int(args[0]) if args else found.last_seq
        positions = tuple(each.position for each in found.notices if each.pinned and each.seq <= through)
        await self._ask(NOTIFIER, ReadNotices(by=by, through=through))
        everything = self._host.system.journal.head() if not args else 0
        await self._ask(EVENT_LOG, AcknowledgeEvents(by, positions, everything))
        return "Acknowledged."

    # --- parts ---------------------------------------------------------------------------------------------------------

    def _account(self, account: str) -> str:
        """Return the account that is meant: the one there is, where none was named."""
        names = self.views.accounts(account)
        if len(names) > 1:
            raise Refused(422, "AccountNeeded", f"name one of {', '.join(names)}", path="account")
        return names[0]

    def _scope(self, account: str) -> str:
        """Return the account that is meant, empty for the engine, which ``all`` stands for."""
        return "" if account == ALL and ALL not in self.views.accounts("") else self._account(account)

    def _permit(self) -> Permit | None:
        permit: Permit | None = self._host.system.bus.kept(PERMITS)
        return permit

    def _refuse_read_only(self, command: str) -> None:
        if self._host.config.app.read_only and command not in _READ_ONLY_MAY:
            raise Refused(403, "ReadOnlyMode", "the engine is read only: pausing and closing still work")

    async def _ask(self, path: str, request: Request[Any]) -> Any:
        return await actor_at(self._host.system, path).ask(request, ASK_S)
