"""The journal: no gap, no damage, nothing lost that was durable; and every dead letter has a reason that we gave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from protocol.messages import Event, event_types
from runtime.dead_letters import DeadLetter
from runtime.journal import Entry, JournalCorrupt
from simulation.invariant import Invariant, Scene
from simulation.scenario import Fault, FaultKind
from store.event_types import current_type

__all__ = ["DeadLettersExplained", "JournalWhole", "parked_groups", "parked_signals"]

_VERIFY_EVERY: Final = 4


def _all_events() -> tuple[type[Event], ...]:
    """Return every event type of the protocol, whatever was imported so far."""
    current_type("")  # an unknown name has the whole protocol imported
    return tuple(event_types().values())


class JournalWhole(Invariant):
    """Each stream goes on where it stood, positions have no gaps, and the chain of checksums holds."""

    NAME = "journal-is-whole"
    WANTS = _all_events()

    def __init__(self) -> None:
        self._seqs: dict[str, int] = {}
        self._count = 0
        self._looks = 0

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - the journal alone says it
        """Follow the streams."""
        before = self._seqs.get(entry.stream, 0)
        if entry.seq != before + 1:
            yield f"{entry.stream} goes from event {before} to {entry.seq}"
        self._seqs[entry.stream] = entry.seq
        self._count += 1

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Compare the head; now and then read all of it again."""
        journal: Any = scene.journal
        if journal.head() != self._count:
            yield f"the journal ends at {journal.head()}, {self._count} events were durable"
        self._looks += 1
        verify = getattr(journal.reader(), "verify", None)
        if verify is None or self._looks % _VERIFY_EVERY:
            return
        try:
            verify()
        except JournalCorrupt as error:
            yield f"position {error.position}: {error}"


_OF_ACTORS: Final = (FaultKind.HANDLER_RAISES, FaultKind.HANDLER_RAISES_LATE, FaultKind.ACTOR_HANGS)
_OF_DISK: Final = (FaultKind.DISK_FULL, FaultKind.DISK_LOCKED, FaultKind.DISK_IO_ERROR, FaultKind.COMMIT_ANSWER_LOST)


class DeadLettersExplained(Invariant):
    """A message that came to nothing did so because of a fault of the scenario."""

    NAME = "dead-letters-are-explained"

    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Look at the letters of this process."""
        kinds = {item.kind for item in scene.scenario.items if isinstance(item, Fault) and item.at <= scene.now}
        for letter in scene.system.dead_letters.all():
            key = (letter.id, letter.at)
            if key in self._seen:
                continue
            self._seen.add(key)
            if not _explained(letter, kinds):
                message = type(letter.envelope.message).__name__
                yield f"{message} from {letter.envelope.sender} to {letter.path}: {letter.reason} {letter.error}"[:400]


def parked_signals(scene: Scene) -> set[str]:
    """Return the signals whose message crashed its actor twice: parked, they wait for an operator or the next start."""
    parked = [letter.envelope.message for letter in scene.system.dead_letters.all() if letter.poison]
    within = (getattr(message, "message", message) for message in parked)
    return {_signal_of(message) for message in within} - {""}


def parked_groups(scene: Scene) -> set[str]:
    """Return the groups whose word was parked: what it says is done when an operator has it told again."""
    return {
        str(getattr(letter.envelope.message, "group_id", ""))
        for letter in scene.system.dead_letters.all()
        if letter.poison
    }


def _signal_of(message: Any) -> str:
    signal = getattr(message, "signal", None)
    return str(getattr(message, "signal_id", "") or getattr(signal, "signal_id", ""))


def _explained(letter: DeadLetter, kinds: set[FaultKind]) -> bool:
    if letter.poison:
        hung = "HandlerHung" in letter.error and bool(kinds & {FaultKind.ACTOR_HANGS, FaultKind.SLOW_CONSUMER})
        unkept = "JournalUnavailable" in letter.error and bool(kinds & set(_OF_DISK))
        return hung or unkept or "InjectedFault" in letter.error
    if "journal" in letter.reason:
        return bool(kinds & set(_OF_DISK))
    return False
