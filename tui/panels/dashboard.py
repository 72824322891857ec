"""Panel A: the whole house in one look (EX-1610, EX-1611)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Grid as Cards
from textual.containers import Horizontal

from tui.grid import Grid
from tui.panels import cards
from tui.panels.base import Panel, PanelKey
from tui.panels.card import Card
from tui.panels.position_columns import COLUMNS
from tui.state import State

__all__ = ["DashboardPanel"]

_COLUMNS: Final = tuple(replace(column, need=2) if column.name == "average" else column for column in COLUMNS)
"""Of a group: where there is little room, how it stands comes before at what it was bought."""
_EMPTY: Final = "no group is open: signals that are taken open one"


class DashboardPanel(Panel):
    """Cards; a click on one, or its key, opens the panel it is about."""

    ident: ClassVar[str] = "dashboard"
    key: ClassVar[str] = "1"
    title: ClassVar[str] = "Dashboard"
    topics: ClassVar[tuple[str, ...]] = (
        "groups",
        "queue",
        "risk",
        "performance",
        "signals",
        "troubles",
    )
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("p", "toggle", "Pause / resume", target=False),
        PanelKey("g", "go", "Positions", target=False, fixed="positions"),
        PanelKey("r", "go", "Risk", target=False, fixed="risk"),
        PanelKey("w", "go", "Queue", target=False, fixed="queue"),
    )
    DEFAULT_CSS = """
    DashboardPanel #cards { grid-size: 2; grid-rows: 3; height: 6; grid-gutter: 0 2; padding: 0 1; }
    DashboardPanel #cards Card { border-top: none; }
    DashboardPanel.-roomy #cards { grid-rows: 4; height: 8; }
    DashboardPanel.-broad #cards { grid-size: 4; grid-rows: 5; height: 5; }
    DashboardPanel.-roomy #cards Card, DashboardPanel.-broad #cards Card { border-top: solid $panel; }
    DashboardPanel.-roomy #cards Card:hover, DashboardPanel.-broad #cards Card:hover { border-top: solid $accent; }
    DashboardPanel #brief { height: 4; margin: 0 1; }
    DashboardPanel #middle { height: 1fr; padding: 0 1; display: none; }
    DashboardPanel #equity { width: 3fr; height: 1fr; margin-right: 2; }
    DashboardPanel #side { width: 2fr; height: 1fr; }
    DashboardPanel #lower { height: 1fr; }
    DashboardPanel #top-groups { width: 3fr; }
    DashboardPanel #troubles { width: 2fr; height: 1fr; margin-left: 2; display: none; }
    DashboardPanel.-roomy #middle { display: block; }
    DashboardPanel.-roomy #brief { display: none; }
    DashboardPanel.-broad #lower { padding: 0 1; }
    DashboardPanel.-broad.-roomy #troubles { display: block; }
    """

    def compose(self) -> ComposeResult:
        """Lay out the cards; where there is no room for the curve and what stands beside it, that is three lines."""
        with Cards(id="cards"):
            yield Card("engine", opens="risk", draw=cards.engine)
            yield Card("pool", opens="queue", draw=cards.pool)
            yield Card("pnl", opens="positions", draw=cards.pnl)
            yield Card("capital", opens="positions", draw=cards.capital)
        yield Card("brief", opens="logs", draw=cards.brief)
        with Horizontal(id="middle"):
            yield Card("equity", opens="performance", draw=cards.equity)
            yield Card("side", opens="logs", draw=cards.side)
        with Horizontal(id="lower"):
            yield Grid(_COLUMNS, ident="group_id", empty=_EMPTY, id="top-groups")
            yield Card("troubles", opens="logs", draw=cards.troubles)

    def on_mount(self) -> None:
        """Show the groups that lose most first."""
        self.query_one("#top-groups", Grid).order_by("pnl", descending=False)

    def draw(self, state: State) -> None:
        """Draw every card, and the groups."""
        for card in self.query(Card):
            card.show(state)
        seconds, rows = state.now() // 1_000_000_000, state.rows("groups", "groups")
        for row in rows:
            row["now"] = seconds
        self.query_one("#top-groups", Grid).take(rows, stale=state.stale("groups"))

    def on_card_opened(self, event: Card.Opened) -> None:
        """Open the panel a card is about."""
        self.seat.open_panel(event.panel)

    def on_grid_chosen(self, event: Grid.Chosen) -> None:
        """Open a group among the positions."""
        event.stop()
        panel = self.seat.open_panel("positions")
        if panel is not None and event.row is not None:
            panel.show_group(str(event.row["group_id"]))
