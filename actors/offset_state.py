"""What an account's loss offset remembers: timers, flags, the plan in flight, the last decision. Folded from its events."""

from __future__ import annotations

import msgspec

from protocol.messages import Event
from protocol.offset import (
    OffsetDecided,
    OffsetEnded,
    OffsetRepeated,
    OffsetStarted,
    OffsetStepAsked,
    OffsetStepEnded,
    RiskFlag,
    RiskFlagCleared,
    RiskFlagSet,
    RiskTimerCleared,
    RiskTimerStarted,
)
from rules.offset import Flight, begin, fold_step

__all__ = ["OffsetState"]


class OffsetState(msgspec.Struct, kw_only=True):
    """The sum of the events. ``timers`` are expiries by group; ``repeats`` counts what the journal knows of ``last``.

    ``decisions`` and ``plans`` count what was ever made, ``noted_at`` is when ``last`` was last written about.
    """

    timers: dict[str, int] = {}
    blocked: dict[str, int] = {}
    skipped: dict[str, int] = {}
    flight: Flight | None = None
    last: OffsetDecided | None = None
    repeats: int = 0
    noted_at: int = 0
    decisions: int = 0
    plans: int = 0
    acted_at: int = 0
    text: str = ""

    def fold(self, event: Event) -> None:
        """Change the state by one event."""
        match event:
            case RiskTimerStarted():
                self.timers[event.group_id] = event.expires_at
            case RiskTimerCleared():
                self.timers.pop(event.group_id, None)
            case RiskFlagSet():
                self.flags(event.flag)[event.group_id] = event.at
                self._did(f"{event.group_id} {_SET[event.flag]}", event.at)
            case RiskFlagCleared():
                self.flags(event.flag).pop(event.group_id, None)
                self._did(f"{event.group_id} {_cleared(event)}", event.at)
            case OffsetDecided():
                self.last, self.repeats, self.noted_at = event, 0, event.at
                self.decisions += 1
            case OffsetRepeated():
                self.repeats, self.noted_at = event.repeats, event.at
            case _:
                self._fold_plan(event)

    def _fold_plan(self, event: Event) -> None:
        match event:
            case OffsetStarted():
                self.flight = begin(event)
                self.plans += 1
                self._did(f"began {event.plan_id} for {event.plan.loser}", event.at)
            case OffsetStepAsked() | OffsetStepEnded():
                assert self.flight is not None, "a step belongs to a plan in flight"
                self.flight = fold_step(self.flight, event)
                if isinstance(event, OffsetStepEnded):
                    self._did(f"{event.group_id} {event.status} {event.code}".strip(), event.at)
            case OffsetEnded():
                self.flight = None
                code = f" ({event.code})" if event.code else ""
                self._did(f"{event.plan_id} {event.outcome}{code}, {event.booked_usd:f} USD booked", event.at)

    def flags(self, flag: RiskFlag) -> dict[str, int]:
        """Return the groups that carry a flag, and since when."""
        return self.blocked if flag is RiskFlag.BLOCKED else self.skipped

    def _did(self, text: str, at: int) -> None:
        self.text, self.acted_at = text, at

    def encoded(self) -> bytes:
        """Return the whole state encoded."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decoded(cls, state: bytes) -> OffsetState:
        """Return a state that was encoded."""
        return msgspec.msgpack.decode(state, type=cls)


_SET = {RiskFlag.BLOCKED: "blocked", RiskFlag.SKIP_ONCE: "will be skipped once"}


def _cleared(event: RiskFlagCleared) -> str:
    if event.flag is RiskFlag.BLOCKED:
        return "unblocked"
    return "was skipped once" if event.cause == "consumed" else "will not be skipped any more"
