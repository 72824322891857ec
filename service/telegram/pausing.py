"""How the phone says what pausing and resuming would do, and what came of it (ML-1080, EX-1611)."""

from __future__ import annotations

from typing import Final

from actors.telegram.seat import Named
from protocol.risk import EngineStatus, Permit, StatusAnswer

__all__ = ["HELD", "paused_said", "resumed_said", "resuming_named"]

HELD: Final = {"AccountPaused": "PAUSED until resumed", "AccountStopped": "STOPPED until armed"}
"""What holds an account's entries, in the words of ``/status``."""


def paused_said(said: StatusAnswer) -> str:
    """Say whose entries are stopped now."""
    if said.account:
        return f"Paused: {said.account} takes no new entries, exits go on. Again with /resume {said.account}"
    return (
        f"Paused: no new entries of any account, exits go on. The engine is {said.status.value}. Again with /resume all"
    )


def resuming_named(scope: str, permit: Permit | None) -> Named:
    """Say what resuming an account, or the engine (empty), would do; nothing where it is not paused."""
    if not scope and permit is not None and permit.entries_allowed:
        lines = [f"{account} is {HELD[bar.code]}: {bar.why}" for account, bar in permit.held]
        return Named("", error="\n".join(["The engine is not paused.", *lines]))
    if not scope:
        return Named("End the engine's pause: accounts that are not paused by themselves take entries again.")
    if permit is not None and scope not in dict(permit.paused):
        return Named("", error=f"{scope} is not paused by itself.{_still(scope, permit)}")
    return Named(f"End the pause of {scope}: it takes new entries again.")


def resumed_said(said: StatusAnswer, permit: Permit | None) -> str:
    """Say whether entries are taken now, and what still holds them."""
    if said.account:
        still = _still(said.account, permit) if said.status is not EngineStatus.RUNNING else ""
        return (
            f"The pause of {said.account} is over.{still}" if still else f"Resumed: {said.account} takes entries again."
        )
    held = permit.held if permit is not None else ()
    lines = [f"{account} stays {HELD[bar.code]}: {bar.why}" for account, bar in held]
    why = f", {said.reason}" if said.reason else ""
    return "\n".join([f"Resumed: the engine is {said.status.value}{why}.", *lines])


def _still(account: str, permit: Permit | None) -> str:
    """Say what holds an account's entries all the same, and what ends that; empty for nothing."""
    bar = permit.bars(account) if permit is not None else None
    if permit is None or bar is None:
        return ""
    ends = {"AccountStopped": f"/arm {account}", "AccountPaused": f"/resume {account}", "EnginePaused": "/resume all"}
    how = "" if permit.status is EngineStatus.ERROR else f": {ends[bar.code]}"
    whose = "the engine is " if bar.code == "EnginePaused" else ""
    return f" Its entries still wait, {whose}{permit.said(account)}{how}"
