"""The tour: the real cockpit, real keys, a real daemon with 20 groups, a full queue and a venue session that is down."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.house.sources import ROOT
from tests.system.terminal import Terminal, terminal
from tests.system.tour import GROUPS, SESSION, WAITING, Tour, tour
from tests.system.tour_pictures import WallClock, show, take
from tests.tui.rig import cockpit
from tui import cells
from tui.panels import PANELS

pytestmark = pytest.mark.slow(seconds=80)

OPEN = GROUPS + 2
SEEN = {
    "dashboard": ("● RUNNING", f"{OPEN}/{2 * GROUPS}", "POOL", "TOTAL PNL"),
    "positions": ("SOL/USDT", "AVAX/USDT", f"{OPEN} groups"),
    "risk": ("AVAX/USDT", "PLAN", "desk", "lab"),
    "queue": (f"of {WAITING}", "SOL/USDT"),
}
"""What stands on a panel, whatever size it has; one that is not named must only not be empty."""
FORMS = ("inject",)
FRAME = 5
"""Lines that are not a panel's: header, tabs, alerts, status line, keys."""
WRONG = re.compile(r"\b(Traceback|nan|None|KeyError|undefined)\b|\{'")


class House:
    """The tour in a loop of its own, so that tests with loops of their own share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._over: asyncio.Event
        self._stands = Event()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._stay(),), name="tour")
        self.tour: Tour
        self.failure: BaseException | None = None

    async def _stay(self) -> None:
        self._over = asyncio.Event()
        try:
            async with tour(self._folder) as self.tour:
                self._stands.set()
                await self._over.wait()
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self._stands.set()

    def begin(self) -> None:
        """Bring it about."""
        self._thread.start()
        self._stands.wait()
        assert self.failure is None, self.failure

    def end(self) -> None:
        """Leave nothing of it."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        """Do something where the tour runs; return what comes of it."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(60)

    def get(self, path: str, **query: Any) -> Any:
        """Ask the daemon beside the cockpit."""
        return self.do(self.tour.get(path, **query))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give the house of the tour to all tests of this file."""
    found = House(tmp_path_factory.mktemp("tour"))
    found.begin()
    # What was told while it came about would lie over the screen for its eight seconds in each test.
    found.do(found.tour.link.post("/v1/notifications/dismiss-all", {}))
    yield found
    found.end()


def _body(text: str) -> str:
    return "\n".join(text.splitlines()[FRAME - 2 : -2])


def _whole(text: str, ident: str) -> None:
    """Fail unless a panel shows something, and nothing that only programmers read."""
    body = _body(text)
    assert sum(map(str.isalnum, body)) > 20, f"{ident} is empty:\n{text}"
    assert not WRONG.search(body), f"{ident} says what nobody understands:\n{text}"
    for words in SEEN.get(ident, ()):
        assert words in text, f"{words!r} is not on {ident}:\n{text}"


@pytest.mark.parametrize("size", [(80, 24), (200, 50)], ids=["small", "wide"])
@pytest.mark.anyio
async def test_every_panel_shows_the_house_as_it_is(house: House, size: tuple[int, int]) -> None:
    """EX-1601, EX-1604: by its key each panel opens, from the smallest terminal to a wide one, and nothing is refused."""
    async with cockpit(link=house.tour.new_link(), clock=WallClock(), size=size) as rig:
        for panel in PANELS:
            await show(rig, panel.ident)
            _whole(rig.text, panel.ident)
            assert max(map(len, rig.text.splitlines())) <= size[0]
            assert not rig.said, f"{panel.ident}: {rig.said}"


@pytest.mark.anyio
async def test_the_numbers_on_the_screen_are_the_daemons(house: House) -> None:
    """EX-1605, EX-1611: each open group stands there once with the result that the API tells, and so does their sum."""
    rows = list(house.get("/v1/groups", open=1, limit=1000)["groups"])
    assert len(rows) == OPEN
    async with cockpit(link=house.tour.new_link(), clock=WallClock(), size=(200, 50), panel="positions") as rig:
        await rig.settled()
        shown = rig.text.splitlines()
        for row in rows:
            its = re.compile(rf"{row['symbol']}\s+{row['timeframe']}\s.*\s{row['account']}\s")
            mine = [line for line in shown if its.search(line)]
            assert len(mine) == 1, (row, rig.text)
            assert cells.signed(row["unrealized_quote"]).text in mine[0], (row["unrealized_quote"], mine)
        total = sum(float(row["unrealized_quote"] or 0) for row in rows)
        assert f"unrealized {cells.signed(total).text}" in rig.text


@pytest.mark.anyio
async def test_the_session_that_is_down_is_said_everywhere_and_released(house: House) -> None:
    """EX-106, EX-1602: header, strip and groups say it; what another account holds is not touched; release ends it."""
    async with cockpit(link=house.tour.new_link(), clock=WallClock(), size=(160, 45), panel="positions") as rig:
        await rig.sees("lab: venue down")
        assert f"{SESSION}: quarantined: by an operator" in rig.text
        assert rig.text.count("✖ venue down") == 2
        await rig.link.post("/v1/release", {"path": SESSION}, timeout_s=30.0)
        await rig.until(lambda: "venue down" not in rig.text, "the venue is back")


@pytest.mark.anyio
async def test_a_slot_that_is_freed_by_keys_goes_to_the_best_that_waits(house: House) -> None:
    """EX-1607, EX-1617: close, confirm; the pool stays full and one waits less, all of it on the screen."""
    async with cockpit(link=house.tour.new_link(), clock=WallClock(), size=(160, 45), panel="positions") as rig:
        await rig.press("slash", *"ADA", "enter")
        await rig.sees("match “ADA”")
        await rig.press("x")
        await rig.sees("Close the whole group?")
        await rig.press("y")
        await rig.sees("is being closed")
        await rig.press("escape", "4")
        await rig.sees(f"waiting {WAITING - 1} of {WAITING}")
        assert f"free  0 of {GROUPS} slots" in rig.text


@pytest.mark.anyio
async def test_pictures_need_nothing_from_elsewhere(house: House, tmp_path: Path) -> None:
    """Each panel has its picture for README and docs: a small drawing, whole, without an address in it."""
    await take(house.tour, tmp_path)
    pictures = {file.stem: file.read_text(encoding="utf-8") for file in sorted(tmp_path.iterdir())}  # noqa: ASYNC240 - a test
    assert pictures.keys() == {panel.ident for panel in PANELS} | {"dashboard-light", "positions-group"}
    for text in pictures.values():
        ET.fromstring(text)
        assert len(text) < 200_000
        assert "http" not in text.replace("http://www.w3.org/", "")


def test_a_terminal_shows_it_and_survives_the_death_of_the_daemon(house: House, tmp_path: Path) -> None:
    """EX-1601, EX-1602: in a real terminal, small and wide; kill -9 is said, what was seen stays, and it goes on."""
    daemon = house.tour.daemon
    command = [sys.executable, "-m", "service.cli", "cockpit", "--socket", str(daemon.config.socket_path)]
    environment = {
        "XDG_STATE_HOME": str(tmp_path),
        "TERM": "xterm-256color",
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }
    with terminal(command, size=(80, 24), environment=environment) as screen:
        screen.sees("● RUNNING")
        _through_the_panels(screen)
    with terminal(command, size=(200, 50), environment=environment) as screen:
        screen.sees("● RUNNING")
        _through_the_panels(screen, forms=False)
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        screen.sees("NO CONNECTION", "trying again")
        screen.press("2")
        screen.sees("groups   unrealized", "SOL/USDT", "NO CONNECTION")
        daemon.up()
        screen.sees("connected again", "● RUNNING", "SOL/USDT", gone=["NO CONNECTION"])
        screen.press("C-q")
        while not screen.ended:
            assert "Traceback" not in screen.text


def _through_the_panels(screen: Terminal, *, forms: bool = True) -> None:
    """Open each panel by its key, or by its command; a form comes last, because it takes the keys that follow."""
    before = _body(screen.text)
    for panel in sorted(PANELS[1:] + PANELS[:1], key=lambda each: each.ident in FORMS):
        if panel.ident in FORMS and not forms:
            continue
        screen.press(*([panel.key] if panel.key else [":", *f"go {panel.ident}", "Enter"]))
        text = screen.sees(panel.title, *SEEN.get(panel.ident, ()), gone=[":go"], other_than=before)
        _whole(text, panel.ident)
        before = _body(text)
