"""The actor tree, live: how each stands, and one of them closely (EX-1622, EX-1623)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.content import Content

from tui import cells
from tui.grid import Grid
from tui.lines import Lines
from tui.panels.actor_columns import COLUMNS, STATES, tree_rows, unwell
from tui.panels.base import Panel, PanelKey
from tui.state import State
from tui.text import line, lines, padded

__all__ = ["ActorsPanel"]

_FEW: Final = 6


class ActorsPanel(Panel):
    """The tree; Enter opens one actor."""

    ident: ClassVar[str] = "actors"
    key: ClassVar[str] = "0"
    title: ClassVar[str] = "Actors"
    topics: ClassVar[tuple[str, ...]] = ("actors", "actor")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("r", "restart", "Restart"),
        PanelKey("Q", "quarantine", "Quarantine"),
        PanelKey("l", "release", "Release"),
        PanelKey("m", "inject", "Send message"),
        PanelKey("v", "incident", "Incident file"),
        PanelKey("u", "unwell", "Unwell only", target=False),
        PanelKey("d", "dead-letters", "Dead letters", target=False),
    )
    DEFAULT_CSS = """
    ActorsPanel #actors-summary { height: 1; }
    ActorsPanel #actors-body { height: 1fr; layout: vertical; }
    ActorsPanel #actors { height: 1fr; width: 1fr; }
    ActorsPanel #actor-scroll { display: none; height: 1fr; background: $surface; padding: 0 1; }
    ActorsPanel.-detail #actor-scroll { display: block; }
    ActorsPanel.-broad #actors-body { layout: horizontal; }
    ActorsPanel.-broad #actor-scroll { width: 1fr; height: 100%; }
    ActorsPanel #actor { text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.path = ""
        self.unwell_only = False

    def compose(self) -> ComposeResult:
        """Lay out the sum, the tree, the opened actor."""
        yield Lines(id="actors-summary")
        with Container(id="actors-body"):
            yield Grid(COLUMNS, ident="path", empty="none: every actor is well, or none has these words", id="actors")
            with VerticalScroll(id="actor-scroll", can_focus=False):
                yield Lines(id="actor")

    @property
    def grid(self) -> Grid | None:
        """Return the tree."""
        found = self.query("#actors")
        return found.first(Grid) if found else None

    def target(self) -> str:
        """Return the selected actor's path."""
        row = self.query_one("#actors", Grid).selected
        return "" if row is None else str(row["path"])

    def draw(self, state: State) -> None:
        """Draw the tree, and the opened actor."""
        actors = state.rows("actors", "actors")
        grid = self.query_one("#actors", Grid)
        grid.take(tree_rows(unwell(actors) if self.unwell_only else actors), stale=state.stale("actors"))
        only = line(("only those that are not well: u shows all ", "accent") if self.unwell_only else "")
        self.query_one("#actors-summary", Lines).put(padded(_summary(actors), only, self.size.width))
        if self.path:
            found = state.get("actor")
            shown = lines(*_closely(found, state.now())) if found is not None else line(("reading …", "dim"))
            self.query_one("#actor", Lines).put(shown)

    def details(self) -> None:
        """Open the selected actor."""
        if path := self.target():
            self.show_actor(path)

    def show_actor(self, path: str) -> None:
        """Open an actor by its path."""
        self.path = path
        self.seat.state.focus("actor", path)
        self.query_one("#actors", Grid).select(path)
        self.add_class("-detail")
        self.draw(self.seat.state)

    def back(self) -> bool:
        """Close the opened actor, else undo the filter."""
        if self.path:
            self.path = ""
            self.seat.state.focus("actor", "")
            self.remove_class("-detail")
            return True
        if self.unwell_only and not self.searched:
            self.show_unwell(only=False)
            return True
        return super().back()

    def show_unwell(self, *, only: bool) -> None:
        """Show only actors that do not run, or do not get their mail done, with those above them; or all."""
        self.unwell_only = only
        self.draw(self.seat.state)

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Let the opened actor follow the cursor."""
        if self.path and event.row is not None and event.grid.has_focus and event.row["path"] != self.path:
            self.show_actor(str(event.row["path"]))


def _summary(actors: list[dict[str, Any]]) -> Content:
    off = [each for each in actors if each["state"] != "running"]
    waiting = sum(int(each["mailbox"]) for each in actors)
    restarts = sum(int(each["restarts"]) for each in actors)
    return line(
        (f" {len(actors)}", "strong"),
        (" actors   ", "dim"),
        (f"{len(off)} not running", "alarm") if off else ("✓ all run", "gain"),
        ("   messages waiting ", "dim"),
        f"{waiting:,}",
        ("   restarts ", "dim"),
        (f"{restarts:,}", "warn" if restarts else ""),
        ("   dead ", "dim"),
        f"{sum(int(each['failed']) for each in actors):,}",
    )


def _closely(found: Mapping[str, Any], now: int) -> Iterator[Content]:
    actor = found["actor"]
    text, style = STATES.get(actor["state"], (actor["state"], "warn"))
    yield line(
        (actor["path"], "strong"),
        (f"  {actor['kind']}  ", "dim"),
        (text, style),
        (f"   handled {actor['handled']:,}  failed {actor['failed']:,}  parked {actor['parked']:,}", "dim"),
    )
    yield line((actor["detail"] or cells.DASH, ""))
    if found["waiting"]:
        yield line(("WAITS  ", "title"), ", ".join(found["waiting"]))
    yield line(("TAKES  ", "title"), (", ".join(found["takes"]) or "nothing from outside", "dim"))
    yield from _failures(found, now)
    yield line(("LAST EVENTS", "title"), ("   it writes none" if not found["events"] else "", "dim"))
    for each in found["events"]:
        yield line((f"{cells.clock_time(each['at'])} ", "dim"), (f"{each['type']}  ", "strong"), each["text"])


def _failures(found: Mapping[str, Any], now: int) -> Iterator[Content]:
    for each in found["incidents"][:_FEW]:
        error = each["error"]
        decided = (each.get("decision") or {}).get("said", "")
        yield line(
            (" ✖ ", "critical" if each["unread"] else "alarm"),
            (f" {cells.span((now - each['at']) / 1e9)} ago ", "dim"),
            (f"{error['type']}: {error['text']}", "alarm"),
            (f"  {decided}", "dim"),
            (f"  v shows {each['id']}", "accent"),
        )
    for each in found["reports"][:_FEW]:
        yield line(("↻ ", "warn"), (f"{cells.clock_time(each['at'])} ", "dim"), each["text"].partition(": ")[2])
    for each in found["letters"][:_FEW]:
        letter = each["event"]
        yield line(
            ("† ", "warn"),
            (f"{cells.clock_time(each['at'])} ", "dim"),
            f"{letter['message']} not handled: {letter['reason']}",
            (f"  :replay-letter {letter['id']}", "accent"),
        )
