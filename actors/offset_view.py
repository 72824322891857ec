"""The picture of a loss offset that an operator reads: projected plans, timers, reasons (EX-1615). Nothing acts here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from actors.offset_figures import Figures, Known, Weighed
from actors.offset_state import OffsetState
from protocol.offset import LoserRow, OffsetStatus, RiskPicture
from rules.offset import (
    Candidate,
    OffsetSettings,
    Winner,
    age_ok,
    failures,
    loss_percent,
    plan_with,
    pyramids_ok,
    rank_losers,
    rank_winners,
    remaining_s,
    timer_expired,
    unrealized_usd,
)

__all__ = ["picture"]

_MINUTE: Final = 60 * 10**9
_ZERO: Final = Decimal(0)


def picture(
    account: str,
    figures: Figures,
    weighed: Weighed,
    state: OffsetState,
    settings: OffsetSettings,
    status: tuple[OffsetStatus, str],
    now: int,
) -> RiskPicture:
    """Return how the account's offset stands now, losing groups in the order they would be offset, unpriced ones last."""
    priced = [each for each in weighed.candidates if each.group_id not in weighed.left_out]
    losers = rank_losers(each for each in priced if (unrealized_usd(each) or _ZERO) < 0)
    unpriced = [each for each in weighed.candidates if each.group_id in weighed.left_out]
    winners = rank_winners(priced, "")
    rows = []
    for each in (*losers, *unpriced):
        known = figures.get(each.group_id)
        if known is not None:
            rows.append(_row(each, known, winners, weighed.left_out.get(each.group_id, ""), settings, now))
    return RiskPicture(
        account=account,
        enabled=settings.enabled,
        status=status[0],
        why=status[1],
        text=state.text,
        acted_at=state.acted_at,
        plan_id=state.flight.plan_id if state.flight is not None else "",
        losers=tuple(rows),
        blocked=tuple(sorted(state.blocked)),
        skip_once=tuple(sorted(state.skipped)),
        winners=len(winners),
        winners_usd=sum((each.profit for each in winners), _ZERO),
        at=now,
    )


def _row(
    group: Candidate, known: Known, ranked: Sequence[Winner], left_out: str, settings: OffsetSettings, now: int
) -> LoserRow:
    standing = known.standing
    winners = [each for each in ranked if each.group.group_id != group.group_id]
    first_fill = group.first_fill_at
    return LoserRow(
        group_id=group.group_id,
        key=standing.key,
        symbol=standing.symbol,
        timeframe=standing.timeframe,
        side=standing.side,
        state=standing.state.value,
        loss_percent=None if left_out else loss_percent(group),
        loss_usd=None if left_out else unrealized_usd(group),
        timer=_timer_word(group, now),
        expires_at=group.expires_at,
        remaining_s=remaining_s(group.expires_at, now),
        received=group.received,
        required=settings.required_pyramids_for_timer,
        pyramids_ok=pyramids_ok(group, settings),
        age_ok=age_ok(first_fill, now, settings) if settings.use_trade_age_filter else None,
        age_minutes=(now - first_fill) // _MINUTE if first_fill is not None else None,
        winners=len(winners),
        winners_usd=sum((each.profit for each in winners), _ZERO),
        plan=None if left_out else plan_with(group, winners, settings),
        reasons=() if left_out else failures(group, now, settings),
        blocked=group.blocked,
        skip_once=group.skip_once,
        left_out=left_out,
    )


def _timer_word(group: Candidate, now: int) -> str:
    if group.expires_at is None:
        return "not_started"
    return "expired" if timer_expired(group.expires_at, now) else "running"
