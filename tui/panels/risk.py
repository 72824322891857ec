"""Panel C: what loses, what it waits for, what would be done about it, what was decided (EX-1615, EX-1616)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from tui import cells
from tui.cells import Cell
from tui.commands.risk import plan_in_words
from tui.frame import held_words
from tui.grid import Grid
from tui.lines import Lines
from tui.older import Older
from tui.panels.base import Panel, PanelKey
from tui.panels.risk_columns import DECISIONS, LEFT_OUT, LOSERS, said_of
from tui.state import State
from tui.text import line, lines

__all__ = ["RiskPanel", "status_of"]

_STATUS: Final = {"active": ("● ACTIVE", "warn"), "idle": ("○ IDLE", "gain"), "blocked": ("✖ BLOCKED", "alarm")}
"""How the engine's status is said."""


class RiskPanel(Panel):
    """Losing groups with their projected plans, and the decisions beneath."""

    ident: ClassVar[str] = "risk"
    key: ClassVar[str] = "3"
    title: ClassVar[str] = "Risk"
    topics: ClassVar[tuple[str, ...]] = ("risk", "groups", "decisions")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("r", "run-now", "Run now"),
        PanelKey("R", "run-now", "Run all", target=False),
        PanelKey("s", "skip-once", "Skip once"),
        PanelKey("b", "block", "Block"),
        PanelKey("B", "unblock", "Unblock"),
        PanelKey("o", "group-log", "Log"),
        PanelKey("t", "trace", "Trace"),
        PanelKey("left_square_bracket", "older-decisions", "Older", target=False),
    )
    DEFAULT_CSS = """
    RiskPanel #risk-summary { height: auto; max-height: 3; }
    RiskPanel #losers { height: 1fr; min-height: 4; }
    RiskPanel #plan { height: auto; min-height: 5; max-height: 9; padding: 0 1; background: $surface; }
    RiskPanel #decisions-title { height: 1; color: $text-muted; text-style: bold; padding: 0 1; }
    RiskPanel #decisions { height: 1fr; min-height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._older = Older("decisions", "row")
        self._answer: Mapping[str, Any] | None = None
        self._newest: list[dict[str, Any]] = []

    def compose(self) -> ComposeResult:
        """Lay out summary, losers, the selected one's plan, decisions."""
        yield Lines(id="risk-summary")
        yield Grid(
            LOSERS,
            ident="group_id",
            empty="no group loses: one that does comes here with what it waits for",
            id="losers",
        )
        yield Lines(id="plan")
        with Vertical():
            yield Label("DECISIONS", id="decisions-title")
            yield Grid(
                DECISIONS,
                ident="row",
                empty="nothing was decided yet: each time the risk engine looked comes here, and why it acted or not",
                id="decisions",
            )

    @property
    def grid(self) -> Grid | None:
        """Return the table of losing groups."""
        found = self.query("#losers")
        return found.first(Grid) if found else None

    def target(self) -> str:
        """Return the selected losing group."""
        row = self.query_one("#losers", Grid).selected
        return "" if row is None else str(row["group_id"])

    def draw(self, state: State) -> None:
        """Draw the pictures of all accounts."""
        pictures = state.rows("risk", "accounts")
        self.query_one("#risk-summary", Lines).put(
            lines(*(_summary(each, _entries_of(state, each["account"])) for each in pictures))
        )
        losers = [{**loser, "account": each["account"]} for each in pictures for loser in each["losers"]]
        self.query_one("#losers", Grid).take(losers, stale=state.stale("risk"))
        names = {row["group_id"]: row for row in state.rows("groups", "groups")}
        self.query_one("#plan", Lines).put(lines(*_plan(self.query_one("#losers", Grid).selected, names)))
        self._draw_decisions(state)

    def _draw_decisions(self, state: State) -> None:
        if (answer := state.get("decisions")) is not self._answer:  # said in words once, not at each draw
            self._answer, self._newest = answer, [_row(each) for each in answer["decisions"]]
        rows = self._older.beneath(state, self._newest)
        self.query_one("#decisions", Grid).take(rows, stale=state.stale("decisions"))
        words = f"  with “{self.searched}”" if self.searched else ""
        more = "  [ older" if self.before else ""
        self.query_one("#decisions-title", Label).update(Content(f"DECISIONS  {len(rows)}{words}{more}"))

    @property
    def before(self) -> Any:
        """Return where older decisions begin, empty when there are none."""
        return self._older.before(self.seat.state)

    def add_older(self, page: Mapping[str, Any]) -> None:
        """Put a page of older decisions beneath those that are there."""
        self._older.add(page, [_row(each) for each in page["decisions"]])
        self.draw(self.seat.state)

    def search(self, text: str) -> None:
        """Search the losing groups on screen, and every decision that the daemon knows."""
        super().search(text)
        self.seat.state.narrow("decisions", {"text": text})

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Open the chosen group, or show the chosen decision whole."""
        if event.grid is self.grid:
            super().on_grid_chosen(event)
        elif event.row is not None:
            event.stop()
            self.seat.show_page(
                f"Decision {event.row['decision_id']} of {event.row['account']}", list(_whole(event.row))
            )

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Show the plan of the group the cursor is on."""
        if event.grid is self.grid:
            self.draw(self.seat.state)

    def details(self) -> None:
        """Open the selected group among the positions."""
        ident = self.target()
        panel = self.seat.open_panel("positions") if ident else None
        if panel is not None:
            panel.show_group(ident)


def _row(decision: Mapping[str, Any]) -> dict[str, Any]:
    return {**decision, "row": f"{decision['engine']} {decision['decision_id']}", "said": said_of(decision)}


def _whole(row: Mapping[str, Any]) -> Iterator[Content]:
    """Yield a decision whole: each losing group with its loss and everything against it, the plan, what came of it."""
    times = f", {row['repeats'] + 1} times until {cells.day_time(row['last_at'])}" if row["repeats"] else ""
    yield line(("made ", "dim"), f"{cells.day_time(row['at'])} because of {cells.words(row['trigger'])}{times}")
    for group, why in row["reasons"].items():
        yield line(
            (f"{row['named'].get(group) or group:<24} ", "strong"),
            cells.signed(row["losses"].get(group)),
            (" USD  ", "dim"),
            ", ".join(map(cells.words, why)) or "eligible",
        )
    for group, code in row["left_out"].items():
        yield line((f"{row['named'].get(group) or group:<24} ", "strong"), (LEFT_OUT.get(code, code), "warn"))
    if row["plan"]:
        yield line(("plan ", "dim"), plan_in_words(row["plan"], row["named"]))
    for step in row["steps"]:
        yield line(
            (f"{row['named'].get(step['group_id']) or step['group_id']:<24} ", "strong"),
            f"{cells.words(step['status'])} {cells.amount(step['qty']).text}, booked ",
            cells.signed(step["booked_usd"]),
            (f" USD  {step['code']}", "dim"),
        )
    if row["plan_id"]:
        outcome = cells.words(f"{row['outcome']} {row['code']}".strip())
        yield line(("came of it ", "dim"), f"{outcome}, booked ", cells.signed(row["booked_usd"]), (" USD", "dim"))


def status_of(picture: Mapping[str, Any]) -> tuple[str, str]:
    """Return how an account's risk engine stands: a sign and a word, and their style."""
    if not picture["enabled"]:
        return "○ OFF", "dim"
    return _STATUS.get(picture["status"], (str(picture["status"]).upper(), "warn"))


def _entries_of(state: State, account: str) -> str:
    """Say that an operator holds an account's entries, and why; empty when nobody does."""
    held = (state.get("status") or {"engine": {}})["engine"].get("held", ())
    return "  ".join(f"{held_words(each)}: {each['why']}" for each in held if each["account"] == account)


def _summary(picture: Mapping[str, Any], entries: str) -> Content:
    text, style = status_of(picture)
    last = f"   last {cells.clock_time(picture['acted_at'])} {picture['text']}" if picture["text"] else ""
    out = [f"blocked {len(picture['blocked'])}" if picture["blocked"] else ""]
    out.append(f"skip once {len(picture['skip_once'])}" if picture["skip_once"] else "")
    return line(
        (f" {picture['account']} ", "strong"),
        (f" {text} ", style),
        (f" {entries} " if entries else "", "warn"),
        (f" {cells.words(picture['why'])}", ""),
        ("   winners ", "dim"),
        f"{picture['winners']} ",
        cells.signed(picture["winners_usd"]),
        ("   " + "  ".join(filter(None, out)) if any(out) else "", "warn"),
        (last, "dim"),
    )


def _plan(loser: Mapping[str, Any] | None, groups: Mapping[str, Mapping[str, Any]]) -> Iterator[Content]:
    """Yield the projected plan: who pays with what, what of the loser is closed, what is left over."""
    if loser is None:
        yield line(("PLAN", "title"))
        return
    plan = loser["plan"]
    yield line(
        ("PLAN ", "title"),
        (f" {loser['symbol']} {loser['timeframe']}", "strong"),
        ("   required ", "dim"),
        cells.money(plan["required_usd"] if plan else None),
        ("   covered ", "dim"),
        cells.money(plan["covered_usd"] if plan else None),
        ("   net ", "dim"),
        cells.signed(plan["net_usd"] if plan else None),
        (" USD", "dim"),
    )
    if plan is None or plan["status"] == "not_executable":
        yield line(
            ("not executable: ", "dim"),
            (cells.words(plan["reason"]) if plan else LEFT_OUT.get(loser["left_out"], loser["left_out"]), "warn"),
        )
    for each in plan["winners"] if plan else ():
        yield line(
            ("close  ", "dim"),
            (f"{'all' if each['full'] else each['qty']:<12}", ""),
            (f"{_named(groups, each['group_id']):<22}", "strong"),
            cells.signed(each["profit_usd"]),
            (" USD", "dim"),
        )
    if plan is not None and plan["winners"]:
        size = "all" if plan["loser_full"] else str(plan["loser_close_qty"])
        yield line(
            ("then   ", "dim"),
            f"{size:<12}",
            (f"{_named(groups, plan['loser']):<22}", "strong"),
            Cell("the loser", "dim"),
        )


def _named(groups: Mapping[str, Mapping[str, Any]], ident: str) -> str:
    row = groups.get(ident)
    return ident if row is None else f"{row['symbol']} {row['timeframe']} {row['side']}"
