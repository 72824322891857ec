"""What an operator does: keys and command line, the question before, the answer and what came of it, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from tests.tui.rig import CORE, cockpit
from tui.command_line import completions
from tui.commands import COMMANDS, named
from tui.demo.stories import entry_order
from tui.grid import Grid
from tui.help import Help
from tui.panels import PANELS
from tui.telling import WATCHED_S

pytestmark = pytest.mark.anyio


async def test_a_group_is_closed_after_a_question_that_names_the_effect() -> None:
    """The question names pair, quantity, estimated USD; Enter says no; the answer and the event are said (EX-1603)."""
    async with cockpit(panel="positions", panels=CORE) as rig:
        await rig.press("x")
        await rig.sees("Close the whole group?")
        for words in ("long BTC/USDT 15m on main", "0.0954 BTC", "≈ 6,440.48 USD", "6 layers are cancelled first"):
            assert words in rig.text
        await rig.press("enter")
        await rig.until(lambda: "Close the whole" not in rig.text, "the question is gone")
        assert rig.link.told == []
        await rig.press("x")
        await rig.sees("Close the whole group?")
        await rig.press("y")
        await rig.until(lambda: rig.link.told, "the command was sent")
        assert rig.link.told == [("/v1/group/g00btcq7aq/close", {})]
        await rig.sees("is being closed")
        rig.clock.go(4)
        rig.link.world.go_to(rig.clock())
        await rig.settled()
        await rig.sees("closed by the operator")
        assert "g00btcq7aq" not in {row["group_id"] for row in rig.app.state.rows("groups", "groups")}


async def test_a_group_that_closes_is_said_while_nobody_commands() -> None:
    """The status line tells which group has closed; an answer or a refusal is not written over for a while (EX-1603)."""
    closed = {"kind": "event", "code": "GroupClosed", "text": "group closed: long BTC/USDT 1m, exit signal", "at": 0}
    async with cockpit(panel="positions", panels=CORE) as rig:
        rig.app.telling.hear(closed)
        await rig.sees("group closed: long BTC/USDT 1m, exit signal")
        rig.app.telling.wrong(ValueError("no such thing"))
        rig.app.telling.hear(closed)
        await rig.sees("no such thing")
        rig.clock.go(WATCHED_S + 1)
        rig.app.telling.hear(closed)
        await rig.sees("group closed: long BTC/USDT 1m, exit signal")


async def test_a_command_that_comes_in_one_piece_is_typed_and_not_taken_for_keys() -> None:
    """Over a slow line, or pasted, keys come together: none of them acts as a key of the panel (EX-1603)."""
    async with cockpit(panel="positions", panels=CORE) as rig:
        for key, letter in (("colon", ":"), *((each, each) for each in "pause"), ("enter", None)):
            rig.app.post_message(events.Key(key, letter))
        await rig.sees("Stop new entries?")
        assert rig.link.told == []


async def test_a_leg_is_closed_and_unfilled_layers_are_cancelled_as_previewed() -> None:
    """In the opened group the selected leg is closed; cancelling does exactly what its preview showed (EX-1614)."""
    async with cockpit(panel="positions", size=(140, 40)) as rig:
        await rig.press("enter")
        await rig.sees("PENDING TARGETS")
        await rig.press("tab", "down", "down", "l")
        await rig.sees("Close P0 DCA2?")
        await rig.press("y")
        await rig.until(lambda: rig.link.told, "the command was sent")
        assert rig.link.told[-1] == ("/v1/group/g00btcq7aq/close", {"leg_id": "p0.l2"})
        await rig.type("cancel-unfilled btc")
        await rig.sees("Cancel unfilled layers?")
        await rig.press("y")
        await rig.sees("is version 2")
        preview, done = (body for path, body in rig.link.told if path.endswith("/edit"))
        assert "layers are cancelled" in rig.said
        assert preview == {"changes": {"cancel_layers": ["all"]}, "preview": True}
        assert done["digest"] == "demo"
        assert done["request_id"] == rig.link.ids[-1] != ""


async def test_the_queue_promotes_forces_and_removes() -> None:
    """Promote says that no slot is free; force add opens, remove deletes, each after a question (EX-1618)."""
    async with cockpit(panel="queue", panels=CORE) as rig:
        await rig.press("p")
        await rig.sees("Let it in out of turn?")
        await rig.press("y")
        await rig.sees("[NoFreeSlot]")
        assert "Try: look up NoFreeSlot" in rig.text
        await rig.press("f")
        await rig.sees("Let it in over the limit?")
        for words in ("long SUI/USDT 15m on main", "quantity", " at 1.2", "≈ 600.00 USDT", "expected profit"):
            assert words in rig.text
        await rig.press("y")
        await rig.sees("enters over the limit: opened")
        await rig.press("x")
        await rig.sees("is not executed")
        await rig.press("y")
        await rig.sees("is removed")
        done = [path.rpartition("/")[2] for path, body in rig.link.told if body.get("mode") != "dry"]
        assert done == ["promote", "force-add", "remove"]
        assert len(rig.link.world.queue) == 5


async def test_the_offset_is_run_skipped_and_blocked() -> None:
    """Run now shows the plan it would follow; skip once and block mark the group (EX-1615, EX-1616)."""
    async with cockpit(panel="risk", panels=CORE) as rig:
        await rig.press("s")
        await rig.sees("S skip once")
        await rig.press("b")
        await rig.sees("Exempt this group")
        await rig.press("y")
        await rig.sees("B blocked")
        await rig.press("down", "r")
        await rig.sees("Offset the loss now?")
        assert "passed over" in rig.text
        assert "net" in rig.text
        await rig.press("y")
        await rig.sees("plan p7 has begun")
        await rig.press("B")
        await rig.until(lambda: "End this group's" in rig.text or "unblock" in rig.said, "the question")


async def test_decisions_are_searched_paged_and_shown_whole() -> None:
    """The daemon searches all decisions, also by who their groups were; older ones follow; Enter shows one (EX-1616)."""
    async with cockpit(panel="risk", panels=CORE, size=(140, 40)) as rig:
        panel = rig.app.panel()
        await rig.sees("DECISIONS  200")
        await rig.type("filter avax/usdt long 4h")
        await rig.sees("DECISIONS  50  with “avax/usdt long 4h”")
        assert "BNB/USDT 1h long" in rig.text
        panel.query_one("#decisions").focus()
        await rig.press("enter")
        await rig.sees("came of it")
        assert "Decision d447 of main" in rig.text
        await rig.press("escape", "escape")
        await rig.sees("DECISIONS  200")
        await rig.press("left_square_bracket")
        await rig.sees("DECISIONS  400")
        await rig.type("older-decisions")
        await rig.sees("DECISIONS  450")
        await rig.type("older-decisions")
        assert "no older decisions" in rig.said


async def test_a_leg_leads_to_the_trace_of_its_order() -> None:
    """On a leg of the opened group the order that filled it is traced, elsewhere the group (EX-1613)."""
    async with cockpit(panel="positions", size=(140, 40)) as rig:
        await rig.press("enter")
        await rig.sees("PENDING TARGETS")
        assert "TRIGGERS" in rig.text
        await rig.press("tab", "down", "t")
        await rig.until(lambda: rig.app.panel().ident == "trace", "the trace")
        legs = rig.link.world.groups[0].legs
        assert rig.app.panel().traced == entry_order(rig.link.world.groups[0], legs[1])  # type: ignore[attr-defined]


async def test_the_command_line_completes_runs_and_says_what_is_wrong() -> None:
    """Every command is in the line, with completion of names and arguments; a wrong one says what to do (EX-1601)."""
    async with cockpit(panels=CORE) as rig:
        assert [each.value for each in completions(rig.app, "clo")] == ["close", "close-leg"]
        assert [each.value for each in completions(rig.app, "close avax")] == ["g03avav7aq"]
        assert [each.value for each in completions(rig.app, "go q")] == ["queue"]
        await rig.press("colon", "g", "o", "space", "r", "i", "tab", "enter")
        assert rig.app.panel().ident == "risk"
        await rig.type("closse btc")
        await rig.sees("is it close?")
        await rig.type("close btc 99x")
        await rig.sees("no open group is btc 99x [NotFound]")
        await rig.press("colon", "up")
        assert rig.app.query_one("#line").value == "close btc 99x"  # type: ignore[attr-defined]
        await rig.press("escape")
        await rig.type("pause lunch")
        await rig.sees("Stop new entries?")
        await rig.press("y")
        await rig.sees("Ⅱ PAUSED")
        assert rig.link.told[-1] == ("/v1/pause", {"reason": "lunch"})
        await rig.type("ack")
        await rig.sees("no alerts")


async def test_one_account_is_paused_and_resumed() -> None:
    """ML-1080, EX-1611: by name, beside the engine: header, dashboard and risk panel say so until it is resumed."""
    async with cockpit(panels=CORE, size=(160, 44)) as rig:
        assert [each.value for each in completions(rig.app, "pause-account ")] == ["main", "perp"]
        await rig.type("pause-account perp funding at four")
        await rig.sees("Stop new entries of perp?")
        await rig.press("y")
        await rig.sees("Ⅱ perp paused")
        assert rig.link.told[-1] == ("/v1/pause", {"reason": "funding at four", "account": "perp"})
        assert "● RUNNING" in rig.text
        await rig.sees("Ⅱ perp paused: funding at four")
        await rig.press("3")
        await rig.sees("Ⅱ perp paused: funding at four")
        await rig.type("resume")
        await rig.sees("perp, held by itself: funding at four")
        await rig.press("y")
        assert "Ⅱ perp paused" in rig.text
        await rig.type("resume-account perp")
        await rig.sees("Allow entries of perp again?")
        await rig.press("y")
        await rig.until(lambda: "Ⅱ perp paused" not in rig.text, "it is resumed")
        assert "entries of perp are allowed" in rig.said


async def test_nothing_is_sent_while_read_only() -> None:
    """With --read-only each command that changes something is off and says so; looking works (EX-1506)."""
    async with cockpit(panel="positions", read_only=True, panels=CORE) as rig:
        assert "READ ONLY" in rig.text
        await rig.press("x")
        await rig.sees("close is off: this cockpit is read only [ReadOnlyMode]")
        for command in COMMANDS:
            assert rig.app.is_off(command) == command.writes
        rig.app.options = type(rig.app.options)(**{**_fields(rig.app.options), "read_only": False})
        rig.app.state.pieces["config"].value = {"effective": [{"key": "app.read_only", "value": True}]}
        off = {command.name for command in COMMANDS if rig.app.is_off(command)}
        assert "promote" in off
        assert not off & {"pause", "pause-account", "close", "close-leg", "go"}
        assert rig.link.told == []


def _fields(options: object) -> dict[str, object]:
    return {name: getattr(options, name) for name in options.__slots__}  # type: ignore[attr-defined]


async def test_help_names_every_key_and_command() -> None:
    """The page of help lists the panel's keys, those everywhere, every panel and every command (EX-1601)."""
    async with cockpit(size=(110, 80), panel="queue", panels=PANELS) as rig:
        await rig.press("question_mark")
        assert isinstance(rig.app.screen, Help)
        text = str(rig.app.screen.query("Static").first().visual)  # type: ignore[attr-defined]
        for command in COMMANDS:
            assert command.usage in text
        for panel in rig.app.panels:
            assert panel.title in text
        assert "Force add" in text
        await rig.press("escape")
        assert not isinstance(rig.app.screen, Help)


async def test_every_key_of_every_panel_runs_a_command_there_is() -> None:
    """A key line promises only what exists; panels have keys and names of their own."""
    for panel in PANELS:
        assert [key.command for key in panel.keys if named(key.command) is None] == []
    assert len({panel.key for panel in PANELS}) == len({panel.ident for panel in PANELS}) == len(PANELS)
    names = [command.name for command in COMMANDS]
    assert len(set(names)) == len(names)


async def test_what_an_operator_chose_is_there_the_next_time(tmp_path: Path) -> None:
    """Theme, density, columns and order are remembered per operator; a broken file says so and is kept (EX-1604)."""
    file = tmp_path / "bulkhead" / "cockpit.json"
    async with cockpit(panel="positions", theme="", preferences=file, panels=CORE) as rig:
        await rig.type("theme light")
        await rig.type("density compact")
        await rig.type("columns pair pnl age id")
        await rig.type("sort pnl desc")
        await rig.until(lambda: rig.app.panel().grid.rows.sort == "pnl", "sorted")  # type: ignore[union-attr]
        await rig.press("enter")
        await rig.sees("PENDING TARGETS")
        await rig.press("tab")
        await rig.type("columns leg state filled")
        await rig.type("sort filled")
    async with cockpit(panel="positions", theme="", preferences=file, panels=CORE) as rig:
        grid = rig.app.panel().grid
        assert grid is not None
        assert grid.shown_columns == ("pair", "pnl", "age", "id")
        assert (grid.rows.sort, grid.rows.descending) == ("pnl", True)
        assert rig.app.theme == "bulkhead-light"
        legs = rig.app.query_one("#legs", Grid)
        assert (legs.shown_columns, legs.rows.sort, legs.density) == (("leg", "state", "filled"), "filled", "compact")
        await rig.type("columns pair nonsense")
        await rig.sees("no column is nonsense")
    file.write_text("{broken")
    async with cockpit(preferences=file, panels=CORE) as rig:
        await rig.sees("[PreferencesBroken]")
        assert file.with_suffix(".broken").read_text() == "{broken"
