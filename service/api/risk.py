"""The loss offset over the API: how it stands, what it decided, and an operator's commands (EX-1615, EX-1616)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from protocol.codec import decode_json
from protocol.errors import ValidationError
from protocol.messages import Value
from protocol.offset import (
    BlockGroup,
    RiskCommandDone,
    RiskPicture,
    RiskView,
    RunNow,
    SkipOnce,
    UnblockGroup,
)
from rules.notation import whole_number
from service.api.accounts import account_names, known_account
from service.api.answers import Refused, answer, not_found, plain
from service.api.control import actor_at
from service.api.host import ASK_S
from service.api.rows import limit_of
from service.api.shared import Shared

__all__ = ["RiskCommand", "register"]

_STATUS: Final = {"NotFound": 404}
_FLAGS: Final[dict[str, type[SkipOnce | BlockGroup | UnblockGroup]]] = {
    "skip-once": SkipOnce,
    "block": BlockGroup,
    "unblock": UnblockGroup,
}


class RiskCommand(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Which group, or for a run of all groups whose account (empty: every one); ``check`` only says what would be."""

    group: str = ""
    account: str = ""
    check: bool = False


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses of the loss offset."""
    one = _Risk(shared)
    app.router.add_get("/v1/risk", one.pictures)
    app.router.add_get("/v1/risk/decisions", one.decisions)
    app.router.add_post("/v1/risk/run-now", one.run_now)
    for name in _FLAGS:
        app.router.add_post(f"/v1/risk/{name}", one.flag)


class _Risk:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._host = shared.host

    async def pictures(self, request: web.Request) -> web.Response:
        """Answer with every account's picture: status, losing groups with projected plans; nothing is changed."""
        accounts = self._wanted(request.query.get("account", ""))
        return answer({"accounts": [plain(await self._picture(account)) for account in accounts]})

    async def decisions(self, request: web.Request) -> web.Response:
        """Answer with decision records, newest first, searched by account, group, text, or those that began a plan.

        ``before`` is where the next page goes on, empty when this was the last.
        """
        query, limit = request.query, limit_of(request.query)
        account, group, text = (query.get(name, "") for name in ("account", "group", "text"))
        plans, before = query.get("plans") == "1", query.get("before")
        if before is not None and whole_number(before) is None:
            raise ValidationError("before", "is the position of a record: a whole number", value=before)
        found = await self._shared.reading.views(
            lambda views: views.risk_decisions(
                account=account,
                group_id=group,
                text=text,
                plans=plans,
                limit=limit,
                before=int(before) if before is not None else None,
            )
        )
        if account and not found:
            known_account(self._host, account)
        return answer({"decisions": found, "before": found[-1].position if len(found) == limit else ""})

    async def run_now(self, request: web.Request) -> web.Response:
        """Run a cycle of one account or of all at once, or offset one group whatever it still waits for (EX-1021)."""
        body = decode_json(await request.read() or b"{}", RiskCommand)
        accounts = [await self._account_of(body.group)] if body.group else self._wanted(body.account)
        done = [await self._ask(account, RunNow(body.group, body.check)) for account in accounts]
        return answer({"runs": done})

    async def flag(self, request: web.Request) -> web.Response:
        """Skip a group once, block it, or unblock it."""
        name = request.path.rsplit("/", 1)[1]
        body = decode_json(await request.read() or b"{}", RiskCommand)
        if not body.group:
            raise ValidationError("group", "say which group", code="MissingField")
        account = await self._account_of(body.group)
        return answer(await self._ask(account, _FLAGS[name](body.group)))

    # --- asking --------------------------------------------------------------------------------------------------------

    def _wanted(self, account: str) -> list[str]:
        return [known_account(self._host, account)] if account else account_names(self._host)

    def _engine(self, account: str) -> Any:
        return actor_at(self._host.system, f"/risk/offset-{account}")

    async def _picture(self, account: str) -> RiskPicture:
        found: RiskPicture = await self._engine(account).ask(RiskView(), ASK_S)
        return found

    async def _ask(self, account: str, command: RunNow | SkipOnce | BlockGroup | UnblockGroup) -> dict[str, Any]:
        done: RiskCommandDone = await self._engine(account).ask(command, ASK_S)
        if done.code:
            raise Refused(_STATUS.get(done.code, 409), done.code, done.message, path="group", value=done.group_id)
        return {**plain(done), "account": account}

    async def _account_of(self, group_id: str) -> str:
        """Return the account that trades a group, by the read models; without a row every engine would say NotFound."""
        row = await self._shared.reading.views(lambda views: views.group(group_id))
        if row is not None and row.account in account_names(self._host):
            return str(row.account)
        raise not_found("no group has this id", value=group_id, hint="; `bulkhead risk` lists those that lose")
