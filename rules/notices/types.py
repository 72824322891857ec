"""Types of notices: how loud each is and how long it is kept (DS-720, DS-721)."""

from __future__ import annotations

from typing import Final

from protocol.notifications import NoticeSeverity

__all__ = ["KEPT_NS", "SEVERITIES", "TOLD_ON_THE_PHONE", "severity_of"]

_DAY_NS: Final = 86_400 * 10**9
_CRITICAL, _WARNING, _INFO = NoticeSeverity.CRITICAL, NoticeSeverity.WARNING, NoticeSeverity.INFO

KEPT_NS: Final = {_CRITICAL: 7 * _DAY_NS, _WARNING: 3 * _DAY_NS, _INFO: _DAY_NS}
"""How long a notice is kept: present while now < its time + this."""

SEVERITIES: Final = {
    # those of the requirement
    "order.filled": _CRITICAL,
    "stop_loss.triggered": _CRITICAL,
    "kill_switch.activated": _CRITICAL,
    "rule.degraded": _CRITICAL,
    "rule.demoted": _CRITICAL,
    "price.stale_critical": _CRITICAL,
    "exit.failing": _CRITICAL,
    "alert.triggered": _WARNING,
    "rule.health_changed": _WARNING,
    "link.reconnecting": _WARNING,
    "pdt.warning": _WARNING,
    "order.submitted": _INFO,
    "mover.detected": _INFO,
    "pattern.discovered": _INFO,
    "run.finished": _INFO,
    # those of this house
    "alert.pinned": _CRITICAL,
    "approval.asked": _WARNING,
    "approval.ended": _INFO,
    "config.applied": _INFO,
    "daemon.started": _INFO,
    "engine.running": _WARNING,
    "group.closed": _INFO,
    "group.opened": _INFO,
    "summary.day": _INFO,
}
"""Type -> severity; a type that is not here is INFO."""

TOLD_ON_THE_PHONE: Final = frozenset({"config.applied", "daemon.started", "group.closed", "summary.day"})
"""Types that the phone is told of whatever their severity (ML-1083)."""


def severity_of(type_: str) -> NoticeSeverity:
    """Return how loud a type is; an unknown one is INFO."""
    return SEVERITIES.get(type_, _INFO)
