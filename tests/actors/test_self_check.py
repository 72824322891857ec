"""The nightly self-check: when it looks, what it says, and that one bad night stops nothing."""

from __future__ import annotations

from typing import Any

from actors.self_check import SelfCheck, When
from protocol.event_log import LogEvent
from protocol.self_check import SELF_CHECK, SelfChecked
from runtime.actor import Actor, handles
from runtime.clock import NANOS
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import pass_s, play

HOUR_S = 3_600.0


class Log(Actor):
    """Stands where the event log stands."""

    def __init__(self, lines: list[LogEvent]) -> None:
        self.lines = lines

    @handles
    def line(self, msg: LogEvent) -> None:
        """Note a line."""
        self.lines.append(msg)


class Store(Actor):
    """Stands above the event log."""

    def __init__(self, lines: list[LogEvent]) -> None:
        self.lines = lines

    def started(self) -> None:
        """Start the log."""
        self.context.spawn(Spec("events", lambda: Log(self.lines)))


class Nights:
    """A house whose days are recorded, and what became of their checks."""

    def __init__(self, *, known: str = "", nightly: bool = True, fails: bool = False, diverges: bool = False) -> None:
        self.checked: list[tuple[str, float]] = []
        self.lines: list[LogEvent] = []
        self.known = known
        self.when = When(nightly, 600)
        self.fails = fails
        self.verdict = "diverged" if diverges else "equal"
        self.system: ActorSystem

    async def check(self, day: str) -> SelfChecked:
        """Check a day."""
        self.checked.append((day, self.system.now() / NANOS % 86_400 / 60))
        if self.fails:
            raise ChildProcessError("it was killed")
        return SelfChecked(day, self.verdict, f"{day} {self.verdict}")

    def played(self, hours: float) -> Any:
        """Let hours pass from 1970-01-01; return what stands on the bus."""

        async def scenario(system: ActorSystem) -> Any:
            self.system = system
            system.spawn(Spec("store", lambda: Store(self.lines)))
            known = SelfChecked(self.known, "equal", "before") if self.known else None
            make = lambda: SelfCheck(  # noqa: E731 - the recipe of one actor
                when=lambda: self.when,
                check=self.check,
                recorded=lambda day: day >= "1970-01-01",
                newest=lambda: known,
            )
            system.spawn(Spec("check", make))
            await pass_s(hours * HOUR_S)
            return system.bus.kept(SELF_CHECK)

        return play(scenario)


def test_each_day_is_checked_once_the_night_after() -> None:
    """At the configured time of the next day, in UTC, and not again."""
    nights = Nights()
    nights.played(72.5)
    assert [day for day, _ in nights.checked] == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert all(10 <= minute < 11 for _, minute in nights.checked)


def test_what_was_checked_before_a_restart_is_not_checked_again() -> None:
    """The newest outcome is read when the house starts, and stands for whoever asks how it is."""
    nights = Nights(known="1970-01-01")
    said = nights.played(30)
    assert nights.checked == []
    assert said == SelfChecked("1970-01-01", "equal", "before")


def test_nothing_is_checked_when_nights_are_off() -> None:
    """``self_check.nightly = false`` leaves days alone."""
    nights = Nights(nightly=False)
    assert nights.played(49) is None
    assert nights.checked == []


def test_a_divergence_is_an_error_that_stays_in_sight() -> None:
    """The log has it as a pinned error under its code, and status shows it."""
    nights = Nights(diverges=True)
    said = nights.played(25)
    assert said == SelfChecked("1970-01-01", "diverged", "1970-01-01 diverged")
    assert [(line.code, line.severity, line.pinned) for line in nights.lines] == [("SelfCheckDiverged", "error", True)]


def test_an_equal_day_is_a_line_of_the_log() -> None:
    """The log says which day was checked; nobody has to look at it."""
    nights = Nights()
    nights.played(25)
    assert [(line.code, line.severity, line.pinned) for line in nights.lines] == [("SelfCheckEqual", "info", False)]


def test_a_check_that_fails_is_a_warning_and_the_next_night_is_checked() -> None:
    """A process that is killed costs that night's check, says so once, and stops nothing."""
    nights = Nights(fails=True)
    said = nights.played(49)
    assert said.verdict == "failed"
    assert [day for day, _ in nights.checked] == ["1970-01-01", "1970-01-02"]
    assert [line.code for line in nights.lines] == ["SelfCheckFailed", "SelfCheckFailed"]
