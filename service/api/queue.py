"""The waiting queue over the API: read it ranked, let an entry in, remove one (EX-916, EX-925 to EX-927, EX-1617)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from protocol.codec import decode_json
from protocol.messages import Value
from protocol.pool import ForceAdd, PromoteQueued, QueueAnswer, QueueReport, QueueSnapshot, RemoveQueued
from runtime.errors import ActorError
from service.api.accounts import account_names, known_account
from service.api.answers import Refused, answer, plain
from service.api.control import actor_at
from service.api.host import ASK_S
from service.api.rows import limit_of
from service.api.shared import Shared

__all__ = ["QueueCommand", "register"]

_STATUS: Final = {
    "NotQueued": 404,
    **dict.fromkeys(("NoFreeSlot", "HeldEntry", "EnginePaused", "AccountPaused", "AccountStopped", "DryRun"), 409),
}
_COMMANDS: Final[dict[str, type[PromoteQueued | ForceAdd | RemoveQueued]]] = {
    "promote": PromoteQueued,
    "force-add": ForceAdd,
    "remove": RemoveQueued,
}


class QueueCommand(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose queue (needed only when several wait under the same id), and the request's id: repeated, it acts once."""

    account: str = ""
    request_id: str = ""


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses of the queue."""
    one = _Queue(shared)
    app.router.add_get("/v1/queue", one.waiting)
    app.router.add_get("/v1/queue/history", one.history)
    for name in _COMMANDS:
        app.router.add_post(f"/v1/queue/{{id}}/{name}", one.command)


class _Queue:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._host = shared.host

    async def waiting(self, request: web.Request) -> web.Response:
        """Answer with every account's queue, best first, and why each stands where it does."""
        wanted = request.query.get("account", "")
        accounts = [known_account(self._host, wanted)] if wanted else account_names(self._host)
        return answer({"queues": [plain(await self._report(account)) for account in accounts]})

    async def history(self, request: web.Request) -> web.Response:
        """Answer with entries that waited, newest first, and how each ended."""
        limit, symbol = limit_of(request.query), request.query.get("symbol", "")
        found = await self._shared.reading.views(lambda views: views.queue_entries(symbol=symbol, limit=limit))
        return answer({"entries": found})

    async def command(self, request: web.Request) -> web.Response:
        """Promote, force-add or remove one entry."""
        queue_id, name = request.match_info["id"], request.path.rsplit("/", 1)[1]
        body = decode_json(await request.read() or b"{}", QueueCommand)
        account = known_account(self._host, body.account) if body.account else await self._account_of(queue_id)
        said: QueueAnswer = await self._pool(account).ask(_COMMANDS[name](queue_id, body.request_id), ASK_S)
        if said.code:
            status = _STATUS.get(said.code, 422)
            raise Refused(status, said.code, said.message, path="id", value=said.reason or queue_id)
        return answer({**plain(said), "account": account})

    def _pool(self, account: str) -> Any:
        return actor_at(self._host.system, f"/risk/pool-{account}")

    async def _report(self, account: str) -> QueueReport:
        found: QueueReport = await self._pool(account).ask(QueueSnapshot(), ASK_S)
        return found

    async def _account_of(self, queue_id: str) -> str:
        """Return the account whose queue has the entry; the first when none has, which then says so itself."""
        accounts, having = account_names(self._host), []
        for account in accounts:
            try:
                report = await self._report(account)
            except (ActorError, Refused):
                continue
            having += [account for entry in report.entries if entry.queue_id == queue_id]
        if len(having) > 1:
            text = f"{queue_id} waits on {' and '.join(having)}: say which account"
            raise Refused(422, "MissingField", text, path="account", value=queue_id)
        return having[0] if having else accounts[0]
