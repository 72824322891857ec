"""The guard of brackets when processes die: after any commit, whatever the venue does, the end is the same (PF-234)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from protocol.brackets import BracketWanted
from runtime.recording import Recorder
from runtime.verifying import verify_records
from tests.actors.bracket_rig import ENTRY, GUARD, STOP, TARGET, BracketRig, D, VenueBook
from tests.actors.cast import FailingJournal, Stage, play
from tests.actors.cuts import cut_after

STORIES: dict[str, dict[str, str]] = {
    "works": {},
    "stop refused": {"stop": "refused"},
    "stop refused twice": {"stop": "refused", "again": "refused"},
    "stop lost": {"stop": "lost", "again": "lost"},
    "answers lost": {"entry": "mute", "stop": "mute", "target": "mute"},
    "stop refused, the second mute": {"stop": "refused", "again": "mute"},
    "close refused": {"stop": "refused", "again": "refused", "close1": "refused"},
    "close mute": {"stop": "refused", "again": "refused", "close1": "mute"},
    "half": {"entry": "half"},
    "entry refused": {"entry": "refused"},
}


class Killed(FailingJournal):
    """A journal of a process that dies after so many commits: what comes later is forgotten, and reaches no venue.

    ``sends``: what the last commit let out still does.
    """

    def __init__(self, commits: int, *, sends: bool) -> None:
        super().__init__()
        self.most = commits
        self.sends = sends
        self.kept: int | None = None

    def append(self, entries: Any) -> int:
        if self.kept is None and len(self.commits) >= self.most:
            self.kept = self.head()
        return super().append(entries)

    @property
    def dead(self) -> bool:
        """Whether nothing reaches the venue any more."""
        return self.kept is not None or (not self.sends and len(self.commits) >= self.most)


def first_life(journal: FailingJournal, venue: VenueBook, seconds: float) -> None:
    """Ask for a bracket and let the process live that long."""

    async def script(stage: Stage) -> None:
        rig = BracketRig(stage, venue)
        await stage.settle()
        await rig.connect()
        await rig.place()
        await stage.passes(seconds)

    play(script, journal=journal)


def later_lives(journal: FailingJournal, venue: VenueBook, *, crashes: bool = False) -> dict[str, Any]:
    """Let a process begin with what is left, and run until all is settled; return how the bracket ended."""
    found: dict[str, Any] = {}

    async def script(stage: Stage) -> None:
        rig = BracketRig(stage, venue)
        await stage.settle()
        await stage.passes(30)
        await rig.connect()
        for _ in range(4 if crashes else 0):
            await stage.passes(2)
            await stage.crash("brackets")
            await stage.crash("desk")
        await stage.passes(120)
        await rig.compare()
        await stage.passes(30)
        if stage.events(GUARD, BracketWanted):
            standing = await rig.standing()
            found.update(end=standing.end, closing=standing.closing)

    kept = journal.kept if isinstance(journal, Killed) and journal.kept is not None else journal.head()
    play(script, journal=cut_after(journal, kept), start=1_700_000_100 * 10**9)
    return found


def check(venue: VenueBook, found: dict[str, Any]) -> None:
    """No order came twice; what is held is behind a stop of the same size, and nothing else rests."""
    assert len(venue.came) == len(set(venue.came)), venue.came
    held = venue.net()
    assert held >= 0
    assert venue.behind_stops() == held
    target = venue.orders.get(TARGET)
    if not held and target is not None:
        assert target.state.final
    if not found:
        assert venue.came == []
    elif not held:
        assert found["end"] in ("closed", "refused"), found


@pytest.mark.parametrize("sends", [True, False])
@pytest.mark.parametrize("story", STORIES)
def test_killed_after_any_commit(story: str, sends: bool) -> None:
    """No order is sent twice or forgotten, and no position stays without a stop, whenever the process dies."""
    whole = FailingJournal()
    first_life(whole, VenueBook(**STORIES[story]), 40)
    assert len(whole.commits) > 1
    for commits in range(len(whole.commits) + 1):
        venue, journal = VenueBook(**STORIES[story]), Killed(commits, sends=sends)
        venue.dead = partial(getattr, journal, "dead")
        first_life(journal, venue, 40)
        venue.dead = lambda: False
        check(venue, later_lives(journal, venue))


@pytest.mark.parametrize("story", STORIES)
def test_actors_that_crash_while_it_goes_wrong(story: str) -> None:
    """Guard and desk crash again and again: their next lives go on where the journal says."""
    journal, venue = FailingJournal(), VenueBook(**STORIES[story])
    first_life(journal, venue, 1)
    check(venue, later_lives(journal, venue, crashes=True))


def test_a_trade_while_the_process_was_away() -> None:
    """The stop traded meanwhile: the comparison brings its fill, the target is cancelled, nothing is closed again."""
    journal, venue = FailingJournal(), VenueBook()
    first_life(journal, venue, 1)
    held = venue.orders[STOP]
    held.trades, held.filled, held.state = [D(100)], D(100), venue.orders[ENTRY].state  # filled as the entry is
    assert later_lives(journal, venue)["end"] == "stopped"
    assert (venue.net(), venue.cancels) == (D(0), ["target"])


@pytest.mark.parametrize("story", ["stop refused twice", "answers lost"])
def test_the_same_is_decided_again_from_the_record(story: str) -> None:
    """The nightly check of the day before finds the same decisions, crashes and all."""
    journal, recorder = FailingJournal(), Recorder()

    async def script(stage: Stage) -> None:
        recorder.attach(stage.system)
        rig = BracketRig(stage, VenueBook(**STORIES[story]))
        await stage.settle()
        await rig.connect()
        await rig.place()
        await stage.passes(6)
        await stage.crash("brackets")
        await stage.passes(60)

    play(script, journal=journal)
    assert verify_records(journal, recorder.items) is None
