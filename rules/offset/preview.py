"""What other settings would do to a loss offset: who becomes eligible, whose timer changes, the next plan (EX-1309)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from protocol.preview import GroupPreview, OffsetPreview
from rules.offset.cycle import risk_cycle
from rules.offset.eligibility import failures
from rules.offset.figures import Candidate
from rules.offset.settings import OffsetSettings
from rules.offset.timer import start_holds, timer_after

__all__ = ["Structure", "preview_offset"]


class Structure(NamedTuple):
    """What starts a group's timer: how much of it was received, sent and filled."""

    received: int
    all_sent: bool
    all_filled: bool


def preview_offset(
    account: str,
    priced: Sequence[Candidate],
    structures: Mapping[str, Structure],
    now: int,
    before: OffsetSettings,
    after: OffsetSettings,
) -> OffsetPreview:
    """Return what a change of settings at ``now`` would do to these groups; those that stay as they are left out."""
    moved = [each._replace(expires_at=_timer(each, structures[each.group_id], now, after)) for each in priced]
    lines = [_line(one, other, now, before, after) for one, other in zip(priced, moved, strict=True)]
    return OffsetPreview(
        account=account,
        groups=tuple(
            each for each in lines if (each.reasons_before, each.timer_before) != (each.reasons_after, each.timer_after)
        ),
        plan_before=risk_cycle(priced, before, now).plan,
        plan_after=risk_cycle(moved, after, now).plan,
    )


def _timer(group: Candidate, structure: Structure, now: int, settings: OffsetSettings) -> int | None:
    holds = start_holds(
        structure.received, all_sent=structure.all_sent, all_filled=structure.all_filled, settings=settings
    )
    return timer_after(group.expires_at, holds=holds, now=now, settings=settings)


def _line(one: Candidate, other: Candidate, now: int, before: OffsetSettings, after: OffsetSettings) -> GroupPreview:
    return GroupPreview(
        group_id=one.group_id,
        reasons_before=failures(one, now, before),
        reasons_after=failures(other, now, after),
        timer_before=one.expires_at,
        timer_after=other.expires_at,
    )
