"""To whom the gateway hands an accepted signal: the pool, or the approval desk for entries that need a word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from actors.gateway_memory import request_of
from actors.gateway_settings import GatewaySettings
from protocol.approvals import APPROVAL_DESK, HoldEntry, WithdrawHeld
from protocol.signals import ExitRequest, Signal, SignalKind
from protocol.values import Side

__all__ = ["handed_to"]


def handed_to(settings: GatewaySettings, account: str, pool: str, signal: Signal) -> list[tuple[str, Any]]:
    """Return who is told what of a signal.

    A reversal that needs a word closes what it turns at once, as an exit would: only what it opens waits. What closes an
    identity takes back an entry of it that still waits for its word.
    """
    held = settings.held
    if held is None:
        return [(pool, request_of(signal))]
    if signal.kind is SignalKind.EXIT:
        return [(pool, request_of(signal)), (APPROVAL_DESK, WithdrawHeld(signal.group_key))]
    if not signal.kind.opens or not held.wants(account, signal.label):
        return [(pool, request_of(signal))]
    hold = (APPROVAL_DESK, HoldEntry(signal, account, pool))
    if signal.kind is not SignalKind.REVERSE:
        return [hold]
    closing = _exit_of(signal)
    return [(pool, ExitRequest(closing, closing.group_key)), (APPROVAL_DESK, WithdrawHeld(closing.group_key)), hold]


def _exit_of(signal: Signal) -> Signal:
    """Return the exit of the position that a reversal turns; its outcome is nobody's but the pool's."""
    other = Side.SHORT if signal.side is Side.LONG else Side.LONG
    return msgspec.structs.replace(
        signal,
        signal_id=f"{signal.signal_id}-turn",
        kind=SignalKind.EXIT,
        side=other,
        fraction=Decimal(1),
        amount=None,
    )
