"""What waits for an operator's word, and one account stopped and armed again."""

from __future__ import annotations

from typing import Final

from protocol.approvals import ApprovalAnswer, ApprovalPrompt
from protocol.risk import AccountStanding
from service.access.roles import Scope
from service.api.approvals import ApprovalWord, StopReason
from service.api.table.routes import Route, get, post, shape

__all__ = ["APPROVING"]

_WAITING: Final = shape("approvals", "What waits for a word, oldest first.", approvals=list[ApprovalPrompt])
_ERRORS: Final = ("NotFound", "StaleApproval")

APPROVING: Final[tuple[Route, ...]] = (
    get("/v1/approvals", "What waits for an operator's word", _WAITING),
    post("/v1/approvals/{id}/approve", "Let a held entry go on", ApprovalWord, ApprovalAnswer, errors=_ERRORS),
    post("/v1/approvals/{id}/reject", "Refuse a held entry", ApprovalWord, ApprovalAnswer, errors=_ERRORS),
    post(
        "/v1/accounts/{account}/stop",
        "Stop an account's entries until it is armed again; exits go on",
        StopReason,
        AccountStanding,
        errors=("NotFound",),
    ),
    post(
        "/v1/accounts/{account}/arm",
        "Let a stopped account take entries again",
        None,
        AccountStanding,
        scope=Scope.ADMIN,
        errors=("NotFound",),
    ),
)
"""The addresses of ``service.api.approvals``."""
