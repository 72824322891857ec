"""Approvals over the API: what waits for a word, and saying it; one account's entries stopped and armed again."""

from __future__ import annotations

from aiohttp import web

from protocol.approvals import APPROVAL_DESK, AnswerApproval, ApprovalAnswer, ListApprovals
from protocol.codec import decode_json
from protocol.messages import Value
from protocol.risk import ArmAccount, StopAccount
from service.api.accounts import known_account
from service.api.answers import Refused, answer, plain
from service.api.audit import origin_of
from service.api.control import actor_at
from service.api.host import ASK_S, RISK
from service.api.shared import Shared

__all__ = ["ApprovalWord", "StopReason", "register"]


class ApprovalWord(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What was looked at: an answer to another version is refused; 0 stands for the newest."""

    version: int = 0
    token: str = ""


class StopReason(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Why an account is stopped."""

    reason: str = ""


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Approvals(shared)
    app.router.add_get("/v1/approvals", one.waiting)
    app.router.add_post("/v1/approvals/{id}/approve", one.word)
    app.router.add_post("/v1/approvals/{id}/reject", one.word)
    app.router.add_post("/v1/accounts/{account}/stop", one.stop)
    app.router.add_post("/v1/accounts/{account}/arm", one.arm)


class _Approvals:
    def __init__(self, shared: Shared) -> None:
        self._host = shared.host

    async def waiting(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        """Answer with what waits for a word, oldest first."""
        found = await actor_at(self._host.system, APPROVAL_DESK).ask(ListApprovals(), ASK_S)
        return answer({"approvals": [plain(each) for each in found.prompts]})

    async def word(self, request: web.Request) -> web.Response:
        """Approve or reject; the first answer from any channel wins (DK-154)."""
        given = decode_json(await request.read() or b"{}", ApprovalWord)
        ask = AnswerApproval(
            prompt_id=request.match_info["id"],
            approve=request.path.endswith("/approve"),
            by=origin_of(request)[0],
            version=given.version,
            token=given.token,
        )
        said: ApprovalAnswer = await actor_at(self._host.system, APPROVAL_DESK).ask(ask, ASK_S)
        if said.code:
            raise Refused(404 if said.code == "NotFound" else 409, said.code, said.message, value=said.prompt_id)
        return answer(plain(said))

    async def stop(self, request: web.Request) -> web.Response:
        """Stop an account's entries until it is armed again; exits go on."""
        account = known_account(self._host, request.match_info["account"])
        given = decode_json(await request.read() or b"{}", StopReason)
        ask = StopAccount(account, given.reason, origin_of(request)[0])
        return answer(plain(await actor_at(self._host.system, RISK).ask(ask, ASK_S)))

    async def arm(self, request: web.Request) -> web.Response:
        """Let a stopped account take entries again."""
        account = known_account(self._host, request.match_info["account"])
        return answer(
            plain(await actor_at(self._host.system, RISK).ask(ArmAccount(account, origin_of(request)[0]), ASK_S))
        )
