"""Keys that come faster than a hand types them, and a size that changes on a loaded machine."""

from __future__ import annotations

from functools import partial
from time import perf_counter

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.widgets import Input

from tests.tui.rig import CORE, Rig, cockpit
from tui.escape import tell_apart
from tui.panels import ActorsPanel, InjectPanel, PositionsPanel, QueuePanel

pytestmark = pytest.mark.anyio


async def in_one_piece(rig: Rig, *keys: str) -> None:
    """Have keys come all at once, as a terminal hands in what it was sent in one piece; wait until they are dealt with."""
    for key in keys:
        character = {"slash": "/", "colon": ":", "space": " ", "enter": "\r", "escape": "\x1b"}.get(key, key[-1])
        rig.app.post_message(events.Key(key, character))
    await rig.pilot.pause()
    await rig.until(lambda: rig.app.turns.over, "the keys are dealt with")


@pytest.mark.parametrize("times", [2, pytest.param(8, marks=pytest.mark.slow)])
async def test_keys_in_one_piece_go_where_they_would_one_by_one(times: int) -> None:
    """``:`` and ``/`` take what follows them, Enter gives the keys back, a digit those of the panel it opens (EX-1601)."""
    async with cockpit(panels=CORE) as rig:
        for _ in range(times):
            first = ("1", "colon", *"go", "space", *"queue", "enter", "2", "slash", *"sol", "enter", "enter")
            await in_one_piece(rig, *first, "escape", "down", "4", "slash", *"eth", "enter")
            grid = rig.app.panel().grid
            assert rig.app.panel().ident == "queue"
            assert grid is not None
            assert grid.rows.text == "eth"
            positions = rig.app.query_one(PositionsPanel)
            assert positions.searched == "sol"
            assert rig.app.focused is grid
            await in_one_piece(rig, "escape", "2", "escape")
            assert (positions.searched, grid.rows.text) == ("", "")


async def test_keys_wait_for_one_another_on_a_loaded_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a key takes, the next one goes where it would had it come later (EX-1601)."""
    whole = Input.action_submit

    async def slowly(field: Input) -> None:
        end = perf_counter() + 0.4
        while perf_counter() < end:  # the loop stands still, as it does where a core is not to be had
            assert field.has_focus
        await whole(field)

    monkeypatch.setattr(Input, "action_submit", slowly)
    async with cockpit(panels=CORE, panel="positions") as rig:
        await in_one_piece(rig, "slash", *"sol", "enter", "4", "slash", *"eth", "enter", "1")
        assert rig.app.panel().ident == "dashboard"
        assert rig.app.query_one(PositionsPanel).searched == "sol"
        assert rig.app.query_one(QueuePanel).searched == "eth"


async def test_whoever_leaves_waits_for_no_key_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+Q leaves, also where a widget does not answer the key before (EX-1601)."""
    async with cockpit(panels=CORE) as rig:
        monkeypatch.setattr(rig.app.turns, "begin", lambda _: False)
        rig.app.post_message(events.Key("ctrl+q", None))
        await rig.until(lambda: not rig.app.is_running, "it is left")


async def test_a_digit_after_esc_opens_a_panel_from_within_a_form() -> None:
    """Esc leaves the field before the digit is looked at (EX-1601)."""
    async with cockpit(panels=(ActorsPanel, InjectPanel, QueuePanel), panel="inject") as rig:
        await rig.sees("required")
        await in_one_piece(rig, "x", "escape", "4")
        assert rig.app.panel().ident == "queue"
        assert rig.app.query_one(InjectPanel).to.endswith("x")


@pytest.mark.parametrize(
    ("piece", "keys"),
    [
        ("\x1b4", ["escape", "4"]),
        ("\x1b:go", ["escape", "colon", "g", "o"]),
        ("\x1bx2/sol\r", ["escape", "x", "2", "slash", "s", "o", "l", "enter"]),
        ("\x1b[A", ["up"]),
        ("\x1bOQ", ["f2"]),
        ("\x1bb", ["ctrl+left"]),
    ],
)
def test_esc_in_one_piece_with_a_key_is_esc_and_the_key(piece: str, keys: list[str]) -> None:
    """No cent sign is made of Esc and 4, no Esc is lost before a colon; arrows and word-wise steps stay what they are."""
    tell_apart()
    assert [event.key for event in XTermParser().feed(piece) if isinstance(event, events.Key)] == keys


async def test_a_new_size_reaches_the_screen_on_a_loaded_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen has the terminal's size at once, also where Textual's timer misses its tick (EX-1604)."""
    async with cockpit(size=(80, 24), panels=CORE) as rig:
        monkeypatch.setattr(rig.app, "set_timer", partial(rig.app.set_timer, pause=True))
        await rig.pilot.resize_terminal(200, 50)
        assert rig.app.panel().size.width == 200
        await rig.sees("2 Positions   3 Risk")
