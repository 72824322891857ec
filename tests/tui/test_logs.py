"""Panel E: the log as it goes on or stands still, filters, acknowledgement, export, replay, retention (EX-1619)."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.tui.rig import BEGIN, SECOND, Rig, cockpit
from tui import cells
from tui.demo.stories import entry_order
from tui.panels import TracePanel
from tui.panels.log_toolbar import LogToolbar
from tui.panels.logs import LogsPanel
from tui.when import instant_of

pytestmark = pytest.mark.anyio
SHOWN = (LogsPanel,)


def logs_of(rig: Rig) -> LogsPanel:
    panel = rig.app.panel()
    assert isinstance(panel, LogsPanel)
    return panel


async def test_the_stream_shows_the_newest_line_and_review_stands_still() -> None:
    """What happens comes into sight by itself; looking at an older line stops that, End goes on (EX-1619)."""
    async with cockpit(panels=SHOWN, panel="logs", size=(140, 40)) as rig:
        panel = logs_of(rig)
        assert panel.stream
        rig.link.world.note("order", "OrderFilled", "BTC/USDT 15m long", "a fill that has just come")
        await rig.settled()
        await rig.sees("a fill that has just come")
        await rig.press("up", "up")
        assert not panel.stream
        assert "REVIEW" in rig.text
        rig.link.world.note("order", "OrderFilled", "BTC/USDT 15m long", "a later fill")
        await rig.settled()
        assert "a later fill" not in rig.text
        assert "1 newer" in rig.text
        await rig.press("s")
        await rig.settled()
        await rig.sees("a later fill")
        assert panel.stream


async def test_filters_are_the_daemons_and_are_seen() -> None:
    """Categories by a click, others by name with completion, words by search; all narrow what the daemon is asked."""
    async with cockpit(panels=SHOWN, panel="logs", size=(140, 40)) as rig:
        panel = logs_of(rig)
        toolbar = panel.query_one(LogToolbar)
        place = str(toolbar.visual).index(" order ") + 2
        await rig.pilot.click(toolbar, offset=(place, 0))
        await rig.settled()
        assert panel.filters["category"] == "order"
        assert {row["source"] for row in rig.app.state.rows("log", "events")} == {"order"}
        await rig.type("log tag tp")
        await rig.settled()
        assert all("tp" in row["tags"] for row in rig.app.state.rows("log", "events"))
        assert " tag tp " in rig.text
        await rig.press("slash", *"near", "enter")
        await rig.settled()
        assert {row["symbol"] for row in rig.app.state.rows("log", "events")} == {"NEAR/USDT"}
        await rig.type("log tag nonsense")
        assert "none of entry, exit" in rig.said
        await rig.press("F")
        await rig.settled()
        assert not any(panel.filters.values())
        await rig.type("log since 30m")
        await rig.settled()
        assert min(row["at"] for row in rig.app.state.rows("log", "events")) >= BEGIN - 1_800 * SECOND


async def test_alerts_are_highlighted_and_acknowledged_one_by_one() -> None:
    """A line that waits stands out with a letter; acknowledged it stays in the log and leaves the strip (EX-1406)."""
    async with cockpit(panels=SHOWN, panel="logs", size=(140, 40)) as rig:
        await rig.type("log pinned 1")
        await rig.settled()
        await rig.sees("order rate limit")
        await rig.press("end", "A")
        await rig.until(lambda: rig.link.told, "the acknowledgement was sent")
        path, body = rig.link.told[-1]
        assert (path, len(body["positions"])) == ("/v1/alerts/ack", 1)
        await rig.settled()
        assert rig.app.state.get("alerts")["count"] == 4


async def test_an_export_holds_what_the_filters_let_through(tmp_path: Path) -> None:
    """The file has every line that fits, not only those on screen; an unknown ending is refused (EX-1409, EX-1619)."""
    files = {form: tmp_path / f"log.{form}" for form in ("csv", "json", "txt")}
    async with cockpit(panels=SHOWN, panel="logs") as rig:
        logs_of(rig).set_filter("category", "order")
        for file in files.values():
            rig.app.run_text(f"log-export {file}")
            await rig.until(file.exists, "the file was written")
        rig.app.run_text(f"log-export {tmp_path / 'log.pdf'}")
        await rig.until(lambda: ".txt, .csv or .json" in rig.said, "the refusal")
    assert {row["source"] for row in json.loads(files["json"].read_text())} == {"order"}
    assert {row["severity"] for row in csv.DictReader(files["csv"].read_text().splitlines())} == {"order"}
    assert len(files["txt"].read_text().splitlines()) > 50


async def test_a_signal_is_rehearsed_from_its_line_and_traded_only_when_the_symbol_is_typed() -> None:
    """The rehearsal shows each step; live needs the symbol and a yes (EX-261 to EX-263)."""
    async with cockpit(panels=SHOWN, panel="logs", size=(140, 40)) as rig:
        await rig.type("log category webhook")
        await rig.settled()
        await rig.type("log code SignalDuplicate")
        await rig.settled()
        await rig.press("end", "w")
        await rig.sees("Rehearsal of s0000")
        assert "would be queued" in rig.text
        await rig.press("escape")
        assert rig.link.told[-1][1] == {"mode": "dry"}
        rig.app.run_text("replay-live s00000612")
        await rig.until(lambda: "ConfirmationMissing" in rig.said, "the refusal")
        rig.app.run_text("replay-live s00000612 SUI/USDT")
        await rig.sees("Trade this signal again?")
        for words in ("quantity", "≈ 600.00 USDT"):
            assert words in rig.text
        await rig.press("y")
        await rig.until(lambda: rig.link.told[-1][1].get("mode") == "live", "it was sent")
        assert rig.link.told[-1][1]["confirm"] == "SUI/USDT"
        await rig.press("escape", "W")
        await rig.until(lambda: rig.app.query_one("#line").has_focus, "the command line")
        assert rig.app.query_one("#line").value.startswith("replay-live s0000")  # type: ignore[attr-defined]


async def test_retention_is_shown_and_a_tidying_up_asked_for() -> None:
    """Files, what keeps them and which would go are one page; nothing goes without a yes that names it (EX-1408)."""
    async with cockpit(panels=SHOWN, panel="logs", size=(120, 40)) as rig:
        await rig.press("K")
        await rig.sees("Retention of the log")
        assert "2 would be removed now" in rig.text
        await rig.press("escape")
        await rig.type("log-prune")
        await rig.sees("Remove these files of the log?")
        await rig.press("n")
        assert all(body.get("preview") for path, body in rig.link.told if path == "/v1/log/prune")


def test_instants_are_spans_days_or_moments() -> None:
    """What an operator writes becomes nanoseconds; what is none of these is said to be none."""
    assert instant_of("10m", BEGIN) == BEGIN - 600 * SECOND
    assert instant_of("2026-01-31", BEGIN) == 1_769_817_600 * SECOND
    assert instant_of("2026-01-31T01:00:00+01:00", BEGIN) == 1_769_817_600 * SECOND
    assert instant_of("soon", BEGIN) is None


async def test_a_line_leads_to_its_order_its_group_and_its_chain() -> None:
    """A line about an order traces that order; its group's and its chain's lines are one key away (EX-1410, EX-1619)."""
    async with cockpit(panels=(LogsPanel, TracePanel), panel="logs", size=(140, 40)) as rig:
        group = rig.link.world.groups[0]
        order = entry_order(group, group.legs[0])
        rig.link.world.note("order", "OrderFilled", "BTC/USDT 15m long", "entry P0 DCA0 filled", group=group.group_id)
        rig.link.world.log[-1]["client_order_id"] = order
        await rig.settled()
        await rig.press("end", "t")
        await rig.until(lambda: rig.app.panel().ident == "trace", "the trace")
        assert rig.app.panel().traced == order  # type: ignore[attr-defined]
        await rig.type("go logs")
        await rig.press("end", "g")
        await rig.settled()
        assert {row["group_id"] for row in rig.app.state.rows("log", "events")} == {group.group_id}
        await rig.press("F")
        await rig.settled()
        await rig.press("home")
        chain = logs_of(rig).grid.selected["correlation_id"]  # type: ignore[union-attr, index]
        await rig.press("h")
        await rig.settled()
        assert {row["correlation_id"] for row in rig.app.state.rows("log", "events")} == {chain}
        await rig.press("g")
        assert "this line is of no group" in rig.said


async def test_the_log_is_paged_far_back_and_dates_are_read_as_dates() -> None:
    """Older pages come above without a jump; a date range stands in the toolbar as times (EX-1410, EX-1619)."""
    async with cockpit(panels=SHOWN, panel="logs", size=(140, 40)) as rig:
        panel = logs_of(rig)
        panel.set_filter("until", str(BEGIN - 3_600 * SECOND))
        await rig.settled()
        assert f" until {cells.day_time(BEGIN - 3_600 * SECOND)} " in rig.text
        rig.app.state.pieces["log"].value["events"] = rig.app.state.rows("log", "events")[:20]
        panel._rows = []
        panel.draw(rig.app.state)
        await rig.press("home")
        kept = panel.grid.selected  # type: ignore[union-attr]
        await rig.press("left_square_bracket")
        await rig.until(lambda: "older lines" in rig.said, "a page came")
        assert panel.grid.selected == kept  # type: ignore[union-attr]
        assert len(panel.grid.rows) > 20  # type: ignore[union-attr]
        assert panel.oldest < kept["position"]  # type: ignore[index]
