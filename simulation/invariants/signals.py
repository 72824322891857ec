"""Signals: whatever was answered is in the journal, comes to one outcome, and is acted on once."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.groups import PyramidAdded
from protocol.pool import PyramidAdmitted, SlotTaken
from protocol.signals import SignalReceived, SignalRouted
from runtime.clock import NANOS
from runtime.journal import Entry
from simulation.invariant import Answered, Invariant, Scene
from simulation.invariants.journal import parked_signals

__all__ = ["ActedOnce", "AnsweredIsKept", "OneOutcome"]

_ACCEPTED = ("accepted", "replacement")


class OneOutcome(Invariant):
    """Every accepted signal has one outcome at each account it went to, nothing else has any; at rest none is missing."""

    NAME = "signal-has-one-outcome"
    WANTS = (SignalReceived, SignalRouted)

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._waits: set[tuple[str, str]] = set()
        self._routed: set[tuple[str, str]] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Follow a signal from its receipt to its outcome."""
        event = entry.event
        if isinstance(event, SignalReceived):
            if event.signal_id in self._known:
                yield f"{event.signal_id} was received twice"
            self._known.add(event.signal_id)
            if event.outcome in _ACCEPTED:
                self._waits |= {(event.signal_id, account) for account in event.accounts or ("",)}
            return
        assert isinstance(event, SignalRouted)
        place = (event.signal_id, event.account)
        if place in self._routed:
            yield f"{event.signal_id} has a second outcome at {event.account}: {event.outcome}"
        elif place not in self._waits and event.outcome != "rejected:DelayedData":
            yield f"{event.signal_id} has an outcome at {event.account} and was never handed to it: {event.outcome}"
        self._routed.add(place)
        self._waits.discard(place)

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look for accepted signals that came to nothing."""
        parked = parked_signals(scene) if self._waits else set()
        for signal_id, account in sorted(self._waits):
            if signal_id in parked or f"{signal_id}-{account}" in parked:
                continue
            yield f"{signal_id} was accepted for {account} and has no outcome"


class ActedOnce(Invariant):
    """A signal is accepted once within its window and enters once: one slot or one pyramid, and only if it was accepted."""

    NAME = "signal-acted-once"
    WANTS = (SignalReceived, SlotTaken, PyramidAdmitted, PyramidAdded)

    def __init__(self) -> None:
        self._accepted: set[str] = set()
        self._marks: dict[str, int] = {}
        self._slots: dict[str, str] = {}
        self._pyramids: set[tuple[str, str]] = set()

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Follow what a signal leads to."""
        match entry.event:
            case SignalReceived() as event:
                yield from self._received(event, scene)
            case SlotTaken() as event if event.opening.adopted is None:
                yield from self._enters(event.signal_id, event.group_id)
            case PyramidAdmitted() as event:
                yield from self._enters(event.signal_id, event.group_id)
            case PyramidAdded() as event if event.levels_source != "adopted":
                if (event.group_id, event.signal_id) in self._pyramids:
                    yield f"{event.signal_id} became two pyramids of {event.group_id}"
                self._pyramids.add((event.group_id, event.signal_id))
                entered = self._slots.get(event.signal_id)
                if entered != event.group_id:
                    yield f"{event.signal_id} became a pyramid of {event.group_id}, the pool had it enter {entered}"

    def _received(self, event: SignalReceived, scene: Scene) -> Iterator[str]:
        if event.outcome not in _ACCEPTED:
            return
        self._accepted.add(event.signal_id)
        for account in event.accounts[1:]:
            self._accepted.add(f"{event.signal_id}-{account}")
        if not event.fingerprint:
            return
        before, window = self._marks.get(event.fingerprint), scene.config.signal.dedupe_window_seconds
        if before is not None and event.received_at - before <= window * NANOS:
            yield f"{event.signal_id} was accepted although its like came {(event.received_at - before) / NANOS:g} s before"
        self._marks[event.fingerprint] = event.received_at

    def _enters(self, signal_id: str, group_id: str) -> Iterator[str]:
        if signal_id in self._slots:
            yield f"{signal_id} enters {group_id} and had entered {self._slots[signal_id]} before"
        elif signal_id not in self._accepted:
            yield f"{signal_id} enters {group_id} and was never accepted"
        self._slots[signal_id] = group_id


class AnsweredIsKept(Invariant):
    """What was answered with a 2xx is in the journal, with that very outcome; no kill takes it away again."""

    NAME = "answered-is-kept"
    WANTS = (SignalReceived,)

    def __init__(self) -> None:
        self._outcomes: dict[str, str] = {}
        self._looked = 0
        self._bodies: dict[str, Answered] = {}
        self._window_s = 86_400

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:
        """Remember what is kept."""
        event = entry.event
        assert isinstance(event, SignalReceived)
        self._outcomes[event.signal_id] = event.outcome
        self._window_s = min(self._window_s, scene.config.signal.dedupe_window_seconds)
        yield from ()

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Compare the answers since the last look."""
        answers, self._looked = scene.answered[self._looked :], len(scene.answered)
        for answered in answers:
            answer = answered.answer
            if answer is None or not 200 <= answered.status < 300:
                continue
            kept = self._outcomes.get(answer.signal_id)
            if kept is None:
                yield f"a post was answered {answered.status} {answer.outcome} as {answer.signal_id!r} and is not kept"
            elif kept != answer.outcome:
                yield f"{answer.signal_id} was answered {answer.outcome} and is kept as {kept}"
            elif answer.outcome in _ACCEPTED:
                yield from self._again(answered)

    def _again(self, answered: Answered) -> Iterator[str]:
        # The smallest window that was ever in force: what is repeated within it is a duplicate under any.
        window = self._window_s * NANOS
        before = self._bodies.get(answered.body)
        if before is not None and answered.at - before.at <= window and before.answer is not None:
            first = before.answer.signal_id
            yield f"one body was accepted twice within its window: as {first} and as {answered.answer}"
        self._bodies[answered.body] = answered
