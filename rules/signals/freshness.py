"""Judge the age of an alert (EX-230)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["Freshness", "check_freshness"]

_MS: Final = 1_000_000


class Freshness(StrEnum):
    """Fresh, or the code of the refusal."""

    OK = "ok"
    STALE = "StaleSignal"
    FUTURE = "FutureSignal"


def check_freshness(fired_at: int, received_at: int, *, max_age_s: int = 60, max_future_skew_s: int = 10) -> Freshness:
    """Return whether an alert is neither too old nor from the future; both limits pass when equal (EX-230).

    Instants in nanoseconds, compared in milliseconds (EX-108). For what arrived as a webhook, whatever its ``source``
    field claims; operators' signals are stamped at injection and need no judgement.
    """
    age_ms = received_at // _MS - fired_at // _MS
    if age_ms > max_age_s * 1000:
        return Freshness.STALE
    if -age_ms > max_future_skew_s * 1000:
        return Freshness.FUTURE
    return Freshness.OK
