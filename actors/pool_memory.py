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
    """What a signal came to. ``group_id``: the group of a pyramid; the next group of that identity is another."""

    outcome: str
    reasons: tuple[str, ...] = ()
    group_id: str = ""


class Outcomes:
    """Outcomes by signal id; the oldest are forgotten.

    What the journal tells and what was only answered are kept apart: when the journal could not keep a signal that was
    refused, the next signal is given the same id, and its outcome must not be hidden behind the refusal.
    """

    def __init__(self, kept: Iterable[tuple[str, Decided]] = ()) -> None:
        self._of: OrderedDict[str, Decided] = OrderedDict(kept)
        self._refused: OrderedDict[tuple[str, int], Decided] = OrderedDict()

    def of(self, signal: Signal) -> Decided | None:
        """Return what this very signal came to."""
        known = self._of.get(signal.signal_id)
        return known if known is not None else self._refused.get((signal.signal_id, signal.received_at))

    def note(self, event: Event) -> None:
        """Remember what an event says of a signal. One that waited was told so; its later fate is told by the journal."""
        match event:
            case SlotTaken() if event.signal_id not in self._of:
                self._keep(event.signal_id, Decided("opened"))
            case PyramidAdmitted() if event.signal_id not in self._of:
                self._keep(event.signal_id, Decided(f"pyramid_added:{event.pyramid}", group_id=event.group_id))
            case SignalQueued():
                outcome = f"queued:{event.queue_id}:{event.reason.value}"
                self._keep(event.signal_id, Decided(outcome, event.reasons))
            case QueuedReplaced():
                because = f"in place of signal {event.replaced_signal_id}, replacement {event.replacements}"
                self._keep(event.signal_id, Decided(f"replaced:{event.queue_id}", (because,)))

    def _keep(self, signal_id: str, decided: Decided) -> None:
        self._of[signal_id] = decided
        if len(self._of) > OUTCOMES_KEPT:
            self._of.popitem(last=False)

    def refuse(self, signal: Signal, decided: Decided) -> None:
        """Remember an answer of which the journal knows nothing."""
        self._refused[signal.signal_id, signal.received_at] = decided
        if len(self._refused) > OUTCOMES_KEPT:
            self._refused.popitem(last=False)

    def all(self) -> list[tuple[str, Decided]]:
        """Return all that are in the journal, for a snapshot."""
        return list(self._of.items())
