"""What earlier signals came to, so that one told again only hears its outcome."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from protocol.messages import Event
from protocol.pool import PyramidAdmitted, QueuedReplaced, SignalQueued, SlotTaken
from protocol.signals import Signal

__all__ = ["OUTCOMES_KEPT", "Decided", "Outcomes"]

OUTCOMES_KEPT: Final = 10_000
"""Newest decided signals whose outcome is repeated when they are told again."""


class Decided(NamedTuple):
    """What a signal came to. ``received_at`` 0: it is in the journal, so that nothing else ever has its id.

    A refusal is not: when the journal could not keep the signal itself, the next one is given the same id. ``group_id`` is
    the group of a pyramid: the next group of that identity has nothing to do with it.
    """

    outcome: str
    reasons: tuple[str, ...] = ()
    received_at: int = 0
    group_id: str = ""


class Outcomes:
    """Outcomes by signal id; the oldest are forgotten."""

    def __init__(self, kept: Iterable[tuple[str, Decided]] = ()) -> None:
        self._of: OrderedDict[str, Decided] = OrderedDict(kept)

    def of(self, signal: Signal) -> Decided | None:
        """Return what this very signal came to."""
        known = self._of.get(signal.signal_id)
        return known if known is not None and known.received_at in (0, signal.received_at) else None

    def note(self, event: Event) -> None:
        """Remember what an event says of a signal. One that waited was told so; its later fate is told by the journal."""
        match event:
            case SlotTaken():
                self._first(event.signal_id, Decided("opened"))
            case PyramidAdmitted():
                self._first(event.signal_id, Decided(f"pyramid_added:{event.pyramid}", group_id=event.group_id))
            case SignalQueued():
                outcome = f"queued:{event.queue_id}:{event.reason.value}"
                self.keep(event.signal_id, Decided(outcome, event.reasons))
            case QueuedReplaced():
                because = f"in place of signal {event.replaced_signal_id}, replacement {event.replacements}"
                self.keep(event.signal_id, Decided(f"replaced:{event.queue_id}", (because,)))

    def _first(self, signal_id: str, decided: Decided) -> None:
        if signal_id not in self._of:
            self.keep(signal_id, decided)

    def keep(self, signal_id: str, decided: Decided) -> None:
        """Remember an outcome."""
        self._of[signal_id] = decided
        if len(self._of) > OUTCOMES_KEPT:
            self._of.popitem(last=False)

    def all(self) -> list[tuple[str, Decided]]:
        """Return all that are in the journal, for a snapshot."""
        return [(signal_id, decided) for signal_id, decided in self._of.items() if not decided.received_at]
