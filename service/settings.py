"""Which actor takes which part of the configuration: the one table of an apply (EX-1307)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from protocol.approvals import APPROVAL_DESK
from protocol.telegram import BRIDGE
from service.config.catalogue import catalogue
from service.config.grid_config import tolerance
from service.config.market import Account
from service.intake import gateway_settings
from service.logs import log_settings
from service.offset import offset_settings
from service.performance_settings import equity_settings
from service.pool_settings import pool_settings
from service.telegram.settings import approval_settings, phone_settings
from service.venue_settings import precision_settings, session_settings

if TYPE_CHECKING:
    from service.house import Plan

__all__ = ["Concern", "concerns", "coordinator", "later"]


class Concern(NamedTuple):
    """An actor that must hear of changes to keys that begin so. ``settings`` None: it is restarted instead of told."""

    path: str
    prefixes: tuple[str, ...]
    settings: Callable[[], Any] | None = None

    def is_about(self, keys: Iterable[str]) -> bool:
        """Whether any of the keys is its business."""
        return any(key.startswith(self.prefixes) for key in keys)


def concerns(plan: Plan) -> list[Concern]:
    """Return who takes what, in the order they are told; each value is built when it is needed."""
    from service.house import GATEWAY

    found: list[Concern] = []
    for account in plan.config.accounts:
        paths = plan.paths(account.name)
        found += [
            Concern(paths.precision, _PRECISION, lambda: precision_settings(plan.config)),
            Concern(paths.session, ("exchange.",), partial(_session, plan, account)),
            Concern(paths.pool, _POOL, partial(_pool, plan, account)),
            Concern(paths.groups, _TOLERANCE, lambda: tolerance(plan.config)),
            Concern(paths.offset, ("risk_engine.",), lambda: offset_settings(plan.config)),
        ]
    gateway = Concern(GATEWAY, _GATEWAY, lambda: plan.gateway(gateway_settings(plan.config, plan.secrets, plan.paths)))
    log = Concern("/store/projector", ("logging.", "app.log_level"), lambda: log_settings(plan.config))
    equity = Concern("/store/equity", ("performance.snapshot_interval_sec",), lambda: equity_settings(plan.config))
    approvals = Concern(APPROVAL_DESK, ("approvals.timeout_s",), lambda: approval_settings(plan.config))
    phone = Concern(
        BRIDGE, ("telegram.members", "telegram.warnings", "telegram.pace_ms"), lambda: phone_settings(plan.config)
    )
    found += [approvals, phone]
    return [*found, gateway, log, equity, Concern("/operators/webhook", _LISTENER)]


def coordinator() -> str:
    """Return the path of who knows the engine's status."""
    from service.house import RISK

    return RISK


def later(keys: Iterable[str], known: Sequence[Concern]) -> tuple[str, ...]:
    """Return the keys that hold only when bulkhead starts again: those of *restart* that no actor here restarts for."""
    return tuple(
        key
        for key in keys
        if (entry := catalogue().get(key)) is not None
        and entry.field.key.applies == "restart"
        and not any(concern.is_about([key]) for concern in known)
    )


def _pool(plan: Plan, account: Account) -> Any:
    return pool_settings(plan.config, _in_force(plan, account))


def _session(plan: Plan, account: Account) -> Any:
    return session_settings(plan.config, _in_force(plan, account))


def _in_force(plan: Plan, account: Account) -> Account:
    return next((each for each in plan.config.accounts if each.name == account.name), account)


_TOLERANCE = ("risk_engine.max_slippage_percent", "risk_engine.slippage_action", "risk_engine.slippage_guard")
_PRECISION = ("precision.refresh_seconds",)
_POOL = (
    *("execution_pool.", "waiting_rule.", "priority_rules.", "precision."),
    *("signal.opposite_signal_policy", "sizing.fee_buffer_percent", "app.mode"),
)
_GATEWAY = (
    "signal.",
    "security.webhook_",
    "security.signature_",
    "webhook.host",
    "sizing.",
    "grid_strategy.",
    "app.mode",
    "app.read_only",
    "approvals.",
)
_LISTENER = ("webhook.host", "webhook.port", "webhook.user", "signal.max_body_bytes")
