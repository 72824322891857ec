"""What triggered in a group's life: closes and how each ended, targets hit, triggers that came too late (EX-1613)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from protocol.groups import (
    CloseFinished,
    CloseSkipped,
    CloseStarted,
    GroupClosed,
    TargetFilled,
    TriggerSuperseded,
)
from protocol.groups.values import CloseReason
from runtime.journal import Record

__all__ = ["triggers"]


def triggers(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return a group's triggers, oldest first: when, which, of what scope, and what came of each.

    ``came`` is running, finished, given_up, skipped, too_late, or filled for a leg's target.
    """
    found: list[dict[str, Any]] = []
    closes: dict[int, dict[str, Any]] = {}
    hit: set[str] = set()
    for record in records:
        match record.event:
            case CloseStarted() as e:
                closes[e.number] = _row(e.at, e.reason, e.scope, "running")
                found.append(closes[e.number])
            case CloseFinished() as e if e.number in closes:
                closes[e.number]["came"] = "given_up" if e.given_up else "finished"
            case GroupClosed():
                for close in closes.values():  # the group's end is that of the close which brought it about
                    close["came"] = "finished" if close["came"] == "running" else close["came"]
            case CloseSkipped() as e:
                found.append(_row(e.at, e.trigger, "partial", "skipped"))
            case TriggerSuperseded() as e:
                found.append(_row(e.at, e.trigger, e.scope, "too_late"))
            case TargetFilled() as e if e.leg_id not in hit:
                hit.add(e.leg_id)
                found.append(_row(e.at, CloseReason.LEG_TP, f"leg:{e.leg_id}", "filled"))
    return found


def _row(at: int, trigger: CloseReason, scope: str, came: str) -> dict[str, Any]:
    return {"at": at, "trigger": trigger.value, "scope": scope, "came": came}
