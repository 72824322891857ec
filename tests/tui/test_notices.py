"""The notification centre: bell, list, toasts (DS-720 to DS-725)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.rig import SECOND, cockpit
from tui.demo.notices import tell
from tui.notices import Notices
from tui.panels import NoticesPanel, PositionsPanel
from tui.toasts import Toasts

pytestmark = pytest.mark.anyio
SHOWN = (
    PositionsPanel,
    NoticesPanel,
)
NOW = 1_000_000 * SECOND


def notice(seq: int, severity: str = "critical", ago_s: int = 0, **more: Any) -> dict[str, Any]:
    at = NOW - ago_s * SECOND
    said = {"seq": seq, "at": at, "severity": severity, "type": "alert.pinned", "read": False, "dismissed": False}
    return {**said, **more}


def shown(notices: Notices, clock: int) -> list[int]:
    return [each["seq"] for each in notices.toasts(clock)[0]]


def test_only_fresh_critical_ones_are_toasts() -> None:
    """After a reconnect critical ones of the last five minutes are toasts, older ones only fill the list (DS-723)."""
    notices = Notices()
    notices.take([notice(1, ago_s=301), notice(2, ago_s=300), notice(3, "warning"), notice(4, read=True)], NOW, 0)
    assert shown(notices, 0) == [2]
    notices.take([notice(2, ago_s=300), notice(5)], NOW, SECOND)
    assert shown(notices, SECOND) == [5, 2], "what was shown is not shown again"


def test_toasts_stay_eight_seconds_and_four_are_stacked() -> None:
    """The rest is a counter (DS-725)."""
    notices = Notices()
    notices.take([notice(seq) for seq in range(1, 7)], NOW, 0)
    found, others = notices.toasts(0)
    assert ([each["seq"] for each in found], others) == ([6, 5, 4, 3], 2)
    assert notices.toasts(8 * SECOND - 1)[1] == 2
    assert notices.toasts(8 * SECOND) == ([], 0)


def test_a_busy_ladder_hides_nothing_that_is_worse() -> None:
    """DS-721, DS-725: each fill is critical; those of a ladder stand behind whatever else is, and are counted."""
    notices = Notices()
    fills = [{**notice(seq), "type": "order.filled"} for seq in range(2, 40)]
    notices.take([{**notice(1), "type": "exit.failing"}, *fills], NOW, 0)
    assert shown(notices, 0) == [1, 39, 38, 37]
    assert notices.toasts(0)[1] == 35


def test_what_is_read_or_put_away_elsewhere_is_no_toast_any_more() -> None:
    """The shelf is one for every screen and the phone (DS-724)."""
    notices = Notices()
    notices.take([notice(1), notice(2)], NOW, 0)
    notices.take([notice(1, read=True), notice(2, dismissed=True)], NOW, SECOND)
    assert shown(notices, SECOND) == []


def test_a_toast_that_is_over_does_not_come_back_when_a_newer_one_is_read() -> None:
    """What was shown stays shown, whatever is read elsewhere; a shelf that began anew is told from its first (DS-723)."""
    notices = Notices()
    notices.take([notice(10)], NOW, 0)
    assert notices.toasts(8 * SECOND) == ([], 0)
    notices.take([notice(10), notice(11, "info", read=True)], NOW, 9 * SECOND)
    notices.take([notice(10), notice(11, "info", read=True)], NOW, 10 * SECOND)
    assert shown(notices, 10 * SECOND) == []
    notices.take([notice(1)], NOW, 11 * SECOND)
    assert shown(notices, 11 * SECOND) == [1]


async def test_the_bell_counts_and_the_list_reads() -> None:
    """Unread ones stand at the bell; opening the list reads all it shows, and they stay marked while it is open (DS-722)."""
    async with cockpit(panels=SHOWN, size=(120, 30)) as rig:
        await rig.sees("✉ 3")
        await rig.press("n")
        await rig.until(lambda: rig.link.told, "they were read")
        assert rig.link.told[-1] == ("/v1/notifications/read", {"through": 6})
        await rig.settled()
        assert "✉ 3" not in rig.text
        assert rig.text.count("● ") >= 3
        await rig.press("d")
        await rig.until(lambda: rig.link.told[-1][0].endswith("/dismiss"), "it was put away")
        await rig.settled()
        assert len(rig.app.state.rows("notices", "notifications")) == 5
        await rig.press("D")
        await rig.sees("nothing to tell")


async def test_a_critical_one_is_a_toast_that_covers_no_question() -> None:
    """It stays eight seconds, can be put away with the mouse, and lies beneath a question (DS-725)."""
    async with cockpit(panels=SHOWN, panel="positions", size=(120, 30)) as rig:
        tell(rig.link.world, "critical", "Close failing", "BTC/USDT: the venue refuses")
        await rig.settled()
        await rig.sees("Close failing")
        await rig.press("x")
        await rig.sees("Close the whole group?")
        assert "Close failing" not in str(rig.app.screen.query("Toasts"))
        assert not rig.app.screen.query("Toasts")
        await rig.press("n")
        rig.clock.go(9)
        await rig.settled()
        assert "Close failing" not in rig.text
        assert "✉ 4" in rig.text


async def test_a_burst_of_fills_leaves_a_small_screen_readable() -> None:
    """At 80 by 24 four toasts and their counter take five lines at the right; Esc puts all of them away (DS-725)."""
    async with cockpit(panels=SHOWN, panel="positions", size=(80, 24)) as rig:
        for number in range(9):
            tell(rig.link.world, "critical", f"Bought 0.{number} BTC/USDT at 60,000", "group BTC/USDT 15m long")
        await rig.settled()
        await rig.sees("and 5 more")
        shown = [line for line in rig.text.splitlines() if "Bought" in line or "more" in line]
        assert len(shown) == 5
        assert all("✕" in line for line in shown[:4])
        toasts = rig.app.query_one(Toasts)
        assert toasts.region.height == 5
        assert toasts.region.bottom == 22, "status line and keys stay visible"
        await rig.press("escape")
        assert "Bought" not in rig.text
        assert "✉ 12" in rig.text


async def test_the_bell_says_when_the_link_is_cut_and_what_was_missed_comes() -> None:
    """Connected or reconnecting stands at the bell; what came meanwhile is in the list afterwards (DS-723, DS-725)."""
    async with cockpit(panels=SHOWN, size=(120, 30)) as rig:
        await rig.sees("●  11:06:40")
        rig.link.cut(away=True)
        tell(rig.link.world, "critical", "While you were away", "stop triggered")
        await rig.settled()
        await rig.sees("◌  11:06:40")
        rig.link.cut(away=False)
        await rig.settled()
        await rig.sees("While you were away")
        assert "✉ 4" in rig.text
