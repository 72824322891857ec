"""What a script has a simulated venue do wrong, and until when (EX-1107). Weather, not state: nothing of it is durable."""

from __future__ import annotations

from protocol.paper import ScriptVenue, VenueFault
from venues.errors import AuthFailed, RateLimited, VenueDown, VenueError

__all__ = ["Faults"]

_NANOS = 1_000_000_000


class Faults:
    """The faults in force. Instants in nanoseconds."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._until: dict[VenueFault, int] = {}
        self._left: dict[VenueFault, ScriptVenue] = {}
        self._told_wait = False
        self._delay_ns = 0

    def take(self, script: ScriptVenue, now: int) -> None:
        """Add a fault to those in force; the newest of a kind counts."""
        if script.fault in (VenueFault.REJECT, VenueFault.LOSE_ANSWER, VenueFault.PARTIAL):
            self._left[script.fault] = script
            return
        self._until[script.fault] = now + round(script.seconds * _NANOS)
        if script.fault is VenueFault.RATE_LIMIT:
            self._told_wait = script.count > 0
        if script.fault is VenueFault.DELAY:
            self._delay_ns = script.delay_ms * 1_000_000

    def _lasts(self, fault: VenueFault, now: int) -> bool:
        return now < self._until.get(fault, 0)

    def refusal(self, now: int) -> VenueError | None:
        """Return what every call is answered with at present, None when calls pass."""
        if self._lasts(VenueFault.DISCONNECT, now):
            return VenueDown(self._venue, "the simulated venue is disconnected")
        if self._lasts(VenueFault.REFUSE_KEY, now):
            return AuthFailed(self._venue, "the simulated venue refuses the key")
        if self._lasts(VenueFault.RATE_LIMIT, now):
            wait = (self._until[VenueFault.RATE_LIMIT] - now) / _NANOS if self._told_wait else None
            return RateLimited(self._venue, "the simulated venue is asked too often", retry_after_s=wait)
        return None

    def delay_s(self, now: int) -> float:
        """Return how many seconds answers are held back."""
        return self._delay_ns / _NANOS if self._lasts(VenueFault.DELAY, now) else 0.0

    def next_of(self, fault: VenueFault) -> ScriptVenue | None:
        """Take one of the counted faults; None when there is none left."""
        script = self._left.get(fault)
        if script is None:
            return None
        if script.count > 1:
            self._left[fault] = _one_less(script)
        else:
            del self._left[fault]
        return script


def _one_less(script: ScriptVenue) -> ScriptVenue:
    return ScriptVenue(fault=script.fault, count=script.count - 1, code=script.code, share=script.share)
