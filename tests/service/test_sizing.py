"""What a group is opened with: the size that the signal asks for, or the one that is configured (EX-412)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from protocol.groups import OpenGroup, PyramidAdded
from protocol.pool import SlotTaken
from protocol.signals import SizeType
from runtime.memory_journal import MemoryJournal
from service.replaying import run_replay
from tests.system.recorded import SECRETS
from tests.system.test_scopes import LOSER, PAPER, configured

D = Decimal


def opened(folder: Path, sizing: str) -> tuple[OpenGroup, PyramidAdded]:
    """Return the opening and the first pyramid of a group whose signal asks for 10000 of quote currency."""
    journal = MemoryJournal()
    config = configured(folder, PAPER + sizing, slots=1)
    run_replay(config, alerts=[LOSER], secrets=SECRETS, journal=journal, seed=1)
    events = [record.event for record in journal.read_all()]
    (taken,) = [each for each in events if isinstance(each, SlotTaken)]
    (added,) = [each for each in events if isinstance(each, PyramidAdded)]
    return taken.opening, added


def test_a_signals_size_is_what_is_opened(tmp_path: Path) -> None:
    """EX-410: by default the order size of the alert counts, in its own unit."""
    opening, _ = opened(tmp_path, "")
    assert (opening.size, opening.size_type) == (D(10_000), SizeType.QUOTE)


def test_a_fixed_size_takes_no_notice_of_the_signal(tmp_path: Path) -> None:
    """EX-412: with source fixed_quote each pyramid is worth sizing.fixed_quote, whatever the alert asks for."""
    opening, added = opened(tmp_path, '[sizing]\nsource = "fixed_quote"\nfixed_quote = 250\n')
    assert (opening.size, opening.size_type) == (D(250), SizeType.QUOTE)
    assert sum((leg.qty * leg.price for leg in added.legs), D(0)) == D(250)
