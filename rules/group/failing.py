"""Closes that keep failing: how long to wait, whom to tell and when, and what nobody can close any more (EX-712)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from protocol.groups import DustRecorded, Severity
from protocol.groups.naming import scope_name
from rules.group.turn import Turn
from rules.group.view import CloseView, GroupView

__all__ = [
    "MARKET_HALTED",
    "MAX_HALTED_RETRY_S",
    "MAX_RETRY_S",
    "NOTHING_TO_REDUCE",
    "is_gone",
    "retry_delay_s",
    "tell_failing",
    "tell_over",
    "to_be_told",
    "write_off",
]

MARKET_HALTED: Final = "MarketHalted"
"""Code of a venue that does not trade this market at present."""

NOTHING_TO_REDUCE: Final = "ReduceOnly"
"""Code of a venue that has no position which the order would reduce."""

MAX_RETRY_S: Final = 60
"""Longest wait between two attempts of a close, seconds (EX-712)."""

MAX_HALTED_RETRY_S: Final = 300
"""Longest wait while the market is halted, seconds: it may be for a week end, and each attempt is a call of the venue."""

_PINNED_FROM_FAILURE: Final = 3
_MOST_REASONS: Final = 8
"""A venue that finds ever new words is told of at the growing distances only."""


def retry_delay_s(failures: int, code: str = "") -> int:
    """Return the wait after the n-th failed close: 1, 2, 4 ... 60 seconds, in a halted market up to 300 (EX-712)."""
    longest = MAX_HALTED_RETRY_S if code == MARKET_HALTED else MAX_RETRY_S
    return min(longest, 1 << min(failures - 1, 9))


def to_be_told(close: CloseView | None, failures: int, text: str) -> bool:
    """Whether operators hear of this failure: the third, the 10th, 100th, 1000th ..., and any for a new reason."""
    if close is None or failures < _PINNED_FROM_FAILURE:
        return False
    if failures == _PINNED_FROM_FAILURE or _is_power_of_ten(failures):
        return True
    known = {_wording(each) for each in close.told}
    return len(close.told) < _MOST_REASONS and _wording(text) not in known


def _is_power_of_ten(number: int) -> bool:
    return str(number).rstrip("0") == "1"


def _wording(text: str) -> str:
    """Return a reason without its figures: amounts and ids differ each time."""
    return re.sub(r"\d+", "#", text)


def tell_failing(turn: Turn, failures: int, wait_s: int, text: str) -> None:
    """Raise the pinned alert; it says that the attempts go on, as not each of them is told."""
    said = f"{failures} attempts failed: {text or 'no reason given'}; next in {wait_s} s, and so on until it works"
    turn.alert("CloseFailing", Severity.ERROR, said, pinned=True)


def tell_over(turn: Turn, close: CloseView) -> None:
    """Say that a close which was told to fail has worked after all."""
    if close.told and not is_gone(turn.view, close, close.code):
        said = f"the close of {scope_name(close.scope)} has worked after {close.failures} failed attempts"
        turn.alert("CloseWorks", Severity.INFO, said)


def is_gone(view: GroupView, close: CloseView, code: str) -> bool:
    """Whether what a close is to sell is not there: the comparison, the venue's refusal and an operator agree (EX-1204)."""
    return code == NOTHING_TO_REDUCE and bool(view.frozen) and close.by_operator and close.scope != "partial"


def write_off(turn: Turn, close: CloseView) -> None:
    """Let go of what is gone. What it cost stays out of realized profit, as nobody knows what was got for it (EX-708)."""
    claimed = turn.view.reserved()
    gone = {
        leg.leg_id: rest
        for leg in turn.view.legs_in(close.scope)
        if (rest := leg.open_qty - claimed.get(leg.leg_id, Decimal(0))) > 0
    }
    if not gone:
        return
    qty = sum(gone.values(), Decimal(0))
    turn.emit(DustRecorded(group_id=turn.view.group_id, qty=qty, legs=gone, at=turn.at))
    said = (
        f"{qty} written off: the venue has no position to close, as the comparison found; see there what became of it"
    )
    turn.alert("PositionGone", Severity.WARNING, said, pinned=True)
