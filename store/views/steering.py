"""Projections of what others make a group do: timer and flags of the loss offset, freezing, new rules of its market."""

from __future__ import annotations

from typing import Final

from protocol.groups import GroupFrozen, GroupUnfrozen, RulesTaken
from protocol.offset import RiskFlag, RiskFlagCleared, RiskFlagSet, RiskTimerCleared, RiskTimerStarted
from store.views.registry import Writer, projection, run

__all__ = ["flag_cleared", "flag_set", "frozen", "rules_taken", "timer_cleared", "timer_started", "unfrozen"]

_COLUMNS: Final = {RiskFlag.BLOCKED: "blocked", RiskFlag.SKIP_ONCE: "skip_once"}


@projection(RiskTimerStarted)
def timer_started(writer: Writer, event: RiskTimerStarted) -> None:
    """Write when the group's waiting time is over (EX-1005)."""
    run(writer, "UPDATE groups SET risk_timer_expires = ? WHERE group_id = ?", event.expires_at, event.group_id)


@projection(RiskTimerCleared)
def timer_cleared(writer: Writer, event: RiskTimerCleared) -> None:
    """Write that the group waits no more."""
    run(writer, "UPDATE groups SET risk_timer_expires = NULL WHERE group_id = ?", event.group_id)


@projection(RiskFlagSet)
def flag_set(writer: Writer, event: RiskFlagSet) -> None:
    """Write that the group is blocked, or skipped once."""
    _flag(writer, event.group_id, event.flag, True)


@projection(RiskFlagCleared)
def flag_cleared(writer: Writer, event: RiskFlagCleared) -> None:
    """Write that the flag is gone."""
    _flag(writer, event.group_id, event.flag, False)


def _flag(writer: Writer, group_id: str, flag: RiskFlag, value: bool) -> None:
    run(writer, f"UPDATE groups SET {_COLUMNS[flag]} = ? WHERE group_id = ?", value, group_id)  # noqa: S608 our own names


@projection(GroupFrozen)
def frozen(writer: Writer, event: GroupFrozen) -> None:
    """Write why the group sends nothing of its own accord."""
    sql = "UPDATE groups SET frozen = ?, updated_at = ? WHERE group_id = ?"
    run(writer, sql, event.reason, event.at, event.group_id)


@projection(GroupUnfrozen)
def unfrozen(writer: Writer, event: GroupUnfrozen) -> None:
    """Write that the group goes on."""
    run(writer, "UPDATE groups SET frozen = NULL, updated_at = ? WHERE group_id = ?", event.at, event.group_id)


@projection(RulesTaken)
def rules_taken(writer: Writer, event: RulesTaken) -> None:
    """Write the layers that are sent once more by the new rules (EX-516)."""
    for leg in event.legs:
        sql = "UPDATE legs SET price = ?, qty = ? WHERE group_id = ? AND leg_id = ?"
        run(writer, sql, leg.price, leg.qty, event.group_id, leg.leg_id)
