"""Once a night has the day before decided again, and says what came of it.

The work is done by a process of its own at the lowest priority; this actor only knows when, starts it, and has the log
write down the outcome. A night that was missed (the daemon was down) is made up for when it is back. Days have UTC
midnights: nothing here knows a time zone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from protocol.event_log import EVENT_LOG, LogEvent
from protocol.messages import Message
from protocol.self_check import SELF_CHECK, SelfChecked
from runtime.actor import Actor, handles
from runtime.clock import NANOS
from store.inputs.files import day_of

__all__ = ["FIRST_S", "LOOK_S", "SelfCheck", "When"]

LOOK_S: Final = 30.0
"""Seconds between two looks at the clock."""

FIRST_S: Final = 120.0
"""Seconds after a start before a missed night is made up for: the house comes up undisturbed."""

_DAY_S: Final = 86_400

_CODES: Final = {"equal": "SelfCheckEqual", "diverged": "SelfCheckDiverged", "failed": "SelfCheckFailed"}
_SEVERITY: Final = {"equal": "info", "diverged": "error", "failed": "warning"}


class When(NamedTuple):
    """Whether nights are checked, and from which second of the day (UTC)."""

    nightly: bool
    second: int


class _Look(Message, frozen=True, tag=True):
    pass


class SelfCheck(Actor):
    """Checks each day once. ``newest`` returns the newest outcome that is kept, ``recorded`` whether a day has a record."""

    def __init__(
        self,
        *,
        when: Callable[[], When],
        check: Callable[[str], Awaitable[SelfChecked]],
        recorded: Callable[[str], bool],
        newest: Callable[[], SelfChecked | None],
    ) -> None:
        self._when = when
        self._check = check
        self._recorded = recorded
        self._newest = newest
        self._done = ""
        self._busy = ""

    def started(self) -> None:
        """Say what the last check came to, and begin to look at the clock."""
        known = self._newest()
        if known is not None:
            self._done = known.day
            self.context.bus.publish(SELF_CHECK, known, keep=True)
        self.timers.after(FIRST_S, _Look())

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return (
            f"checks {self._busy}" if self._busy else f"checked {self._done}" if self._done else "nothing checked yet"
        )

    @handles
    def look(self, msg: _Look) -> None:
        """Check the day before when it is time and nobody has."""
        self.timers.after(LOOK_S, msg)
        now, when = self.now(), self._when()
        day = day_of(now - _DAY_S * NANOS)
        due = when.nightly and now // NANOS % _DAY_S >= when.second
        if not due or self._busy or day <= self._done or not self._recorded(day):
            return
        self._busy = day
        self.context.pipe(
            self._check(day),
            lambda said: said,
            lambda error: SelfChecked(day, "failed", f"{day} could not be checked: {error!r}"),
            real=True,
        )

    @handles
    def checked(self, msg: SelfChecked) -> None:
        """Say what came of it; an error of a night is tried again in the next, not all day long."""
        self._done, self._busy = msg.day, ""
        self.context.bus.publish(SELF_CHECK, msg, keep=True)
        said = LogEvent(
            id=f"self-check-{msg.day}-{msg.verdict}",
            severity=_SEVERITY[msg.verdict],
            code=_CODES[msg.verdict],
            text=msg.text[:4_000],
            about=self.context.path,
            pinned=msg.verdict != "equal",
        )
        self.context.system.tell(EVENT_LOG, said)
