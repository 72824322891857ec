"""What every panel is framed by: header, tabs, banner, key line. Contents only; the application places them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from textual.content import Content

from tui import cells
from tui.cells import Cell
from tui.link import LinkState
from tui.state import State
from tui.text import clickable, line, padded

if TYPE_CHECKING:
    from tui.panels.base import Panel, PanelKey

__all__ = ["banner", "engine_of", "header", "held_words", "key_line", "shown_key", "tabs"]

_ENGINE: Final = {
    "running": ("● RUNNING", "gain"),
    "paused": ("Ⅱ PAUSED", "warn"),
    "unknown": ("? UNKNOWN", "warn"),
}
"""How the engine's status is said: a sign, a word, a colour; any other status is an error."""

_MADE_UP: Final = "SYNTHETIC"
"""Prices that nobody trades at: said in colour, whatever else finds no place."""

_NANOS: Final = 1_000_000_000


def header(state: State, where: str, width: int, *, read_only: bool) -> Content:
    """Return the first line: whose money, what engine, how full, what came of it, what time it is there."""
    status = state.get("status")
    right = line(" ", _bell(state), (f"  {cells.clock_time(state.now())} UTC ", "dim"))
    if status is None:
        return padded(line((" bulkhead ", "badge"), f"  asking {where}"), right, width)
    pieces: list[Cell | tuple[str, str] | str] = [(" bulkhead ", "badge"), " ", _mode(status), "  "]
    if _MADE_UP in status["source"]:
        pieces[3:] = [" ", (f" {_MADE_UP} ", "badge-warn"), "  "]
    pieces += [engine_of(state), "  ", *_slots(status["counts"])]
    if read_only:
        pieces += ["  ", (" READ ONLY ", "badge-warn")]
    pieces += _troubles(status)
    pieces += [("  " + _source(status), "dim")]
    return padded(line(*pieces), right, width)


def engine_of(state: State) -> tuple[str, str]:
    """Return how the engine stands, a sign and a word and their style: while the daemon is away nobody knows."""
    said = "unknown" if state.link_state is LinkState.RECONNECTING else str(state.get("status")["engine"]["status"])
    return _ENGINE.get(said, (f"✖ {said.upper()}", "alarm"))


def held_words(held: Mapping[str, Any]) -> str:
    """Say that an operator holds an account's entries: until it is resumed, or armed."""
    return f"Ⅱ {held['account']} {'stopped' if held['code'] == 'AccountStopped' else 'paused'}"


def _bell(state: State) -> Content:
    """Return the unread notifications and how the link stands (DS-725); a click opens the list."""
    found = state.get("notices")
    unread = int(found["unread"]) if found is not None else 0
    there = state.link_state is LinkState.CONNECTED
    text = clickable(f" ✉ {unread} " if unread else " ✉ ", "badge" if unread else "dim", "app.go('notices')")
    return line(("n ", "accent"), text, (" ●" if there else " ◌", "gain" if there else "warn"))


def _mode(status: Mapping[str, Any]) -> tuple[str, str]:
    if status["mode"] == "dry_run":
        return " DRY RUN ", "badge-warn"
    scope = str(status["scope"])
    return f" {scope.upper()} ", "badge-alarm" if "live" in scope else "badge-good"


def _slots(counts: Mapping[str, Any]) -> list[tuple[str, str]]:
    taken, most = counts["slots_taken"], counts["slots"]
    return [("slots ", "dim"), (f"{taken}/{most}", "alarm" if taken > most else "")]


def _troubles(status: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for venue in status["venues"]:
        if venue["text"]:
            yield f"  {venue['account']}: {venue['text']}", "alarm"
    for each in status["engine"].get("held", ()):
        yield f"  {held_words(each)}", "warn"
    if status["journal"]["error"]:
        yield "  THE JOURNAL CANNOT BE WRITTEN", "alarm"
    if status["dead_letters"]["total"]:
        yield f"  {status['dead_letters']['total']} dead letters", "warn"


def _source(status: Mapping[str, Any]) -> str:
    source = "" if _MADE_UP in status["source"] else f"{status['source']}  "
    return f"{source}up {cells.span(status['uptime_s'])}  v{status['version']}"


def tabs(panels: Sequence[type[Panel]], current: str, width: int) -> Content:
    """Return the line of tabs; names are cut to fit a narrow screen, the one in front never."""
    shown = [panel for panel in panels if panel.tab or panel.ident == current]
    whole = sum(len(panel.key) + len(panel.title) + 3 for panel in shown)
    gap = " " if whole + len(shown) <= width else ""
    names = [len(panel.title) for panel in shown if panel.ident != current]
    rest = width - whole + sum(names)
    most = next((most for most in range(12, 0, -1) if sum(min(most, size) for size in names) <= rest), 1)
    return Content(gap).join(_tab(panel, most, front=panel.ident == current) for panel in shown)


def _tab(panel: type[Panel], most: int, *, front: bool) -> Content:
    title = panel.title if front else panel.title[:most]
    key, name = ("badge", "badge") if front else ("accent", "dim")
    action = f"app.go('{panel.ident}')"
    return line(clickable(f" {panel.key}" if panel.key else "", key, action), clickable(f" {title} ", name, action))


def banner(state: State, where: str) -> Content | None:
    """Return what is said while the daemon is away, None while it is there."""
    if state.link_state is LinkState.CONNECTED:
        return None
    if state.link_state is LinkState.CONNECTING:
        return line((f" connecting to {where} … ", "badge-warn"))
    gone = cells.span((state.clock() - state.lost_at) / _NANOS)
    return line(
        (" ✖ NO CONNECTION ", "badge-alarm"),
        (f" for {gone}, trying again: {state.link_problem}. What you see is from before.", "alarm"),
    )


def key_line(keys: Sequence[PanelKey], off: frozenset[str], width: int) -> Content:
    """Return the last line: the panel's keys, those that are off dimmed, and those that work everywhere.

    Each can be clicked. Where there is little room all stand closer together before any is cut.
    """
    right = Content(" ").join(_everywhere(*each) for each in _EVERYWHERE)
    left = _keys(keys, off, " ")
    if left.cell_length + right.cell_length + 1 > width:
        right = _everywhere(*_EVERYWHERE[-1])
    if left.cell_length + right.cell_length + 1 > width:
        left = _keys(keys, off, "")
    return padded(left, line(right, " "), width)


def _keys(keys: Sequence[PanelKey], off: frozenset[str], gap: str) -> Content:
    return Content(gap).join(_key(key, dead=key.command in off) for key in keys)


def _key(key: PanelKey, *, dead: bool) -> Content:
    action = f"app.press('{key.key}')"
    return line(
        clickable(f" {shown_key(key.key)}", "dim" if dead else "accent", action),
        clickable(f" {key.label}", "dim" if dead else "", action),
    )


def _everywhere(key: str, label: str, action: str) -> Content:
    return line(clickable(key, "accent", action), clickable(f" {label}", "dim", action))


_EVERYWHERE: Final = (
    ("/", "search", "app.search"),
    (":", "command", "app.command_line"),
    ("?", "help", "app.help"),
)


def shown_key(key: str) -> str:
    """Return a key of Textual as it is written for somebody who is to press it."""
    names = {"enter": "⏎", "space": "␣", "pageup": "PgUp", "pagedown": "PgDn"}
    names |= {"question_mark": "?", "left_square_bracket": "["}
    if len(key) > 1 and key not in names:
        return key.removeprefix("shift+").upper() if key.startswith("shift+") else key.title()
    return names.get(key, key)
