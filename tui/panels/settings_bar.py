"""The lines above the settings: version and draft, and buttons for what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from textual.content import Content

from tui.lines import Lines
from tui.text import clickable, line, lines, padded

if TYPE_CHECKING:
    from tui.seat import Seat

__all__ = ["SettingsBar", "state_of"]

_BUTTONS: Final = (
    ("A", "config-apply", "Apply & restart engine", "Apply"),
    ("D", "config-discard", "Discard draft", "Discard"),
    ("e", "ask-backup", "Backup", "Backup"),
    ("i", "ask-restore", "Restore", "Restore"),
    ("Z", "config-reset", "Reset", "Reset"),
    ("B", "full-backup", "Full backup", "Full"),
    ("V", "config-versions", "Versions", "Versions"),
)
"""Key, command, label where there is room, label where there is little."""

_ROOM: Final = 116


class SettingsBar(Lines):
    """Two lines: state, buttons."""

    DEFAULT_CSS = """
    SettingsBar { height: 2; background: $surface; }
    """

    def show(self, config: Mapping[str, Any], width: int) -> None:
        """Draw how settings and draft stand, and what may be done."""
        self.put(lines(state_of(config, width), _buttons(config, width)))

    def action_press(self, command: str) -> None:
        """Do what a button says."""
        cast("Seat", self.app).run_text(command)


def state_of(config: Mapping[str, Any], width: int) -> Content:
    """Return version and draft; mistakes and a file that cannot be read come first."""
    changes, mistakes = len(config.get("changes") or ()), len(config.get("draft_mistakes") or ())
    left = line((" version ", "dim"), (str(config["version"]), "strong"), (f" by {config['author']}", "dim"))
    if config.get("unreadable"):
        said = (f"config.toml cannot be read, the draft stays: {config['unreadable']} [DraftUnreadable] ", "alarm")
        return padded(left + line("  "), line(said), width)
    if config.get("draft") is None:
        return padded(left, line(("no draft ", "dim")), width)
    by = f" by {config['draft_author']}" if config.get("draft_author") else ""
    if mistakes:
        one = "1 mistake" if mistakes == 1 else f"{mistakes} mistakes"
        return padded(left, line((f"draft{by}: {one}, it cannot be applied ", "alarm")), width)
    one = "1 change" if changes == 1 else f"{changes} changes"
    return padded(left, line((f"draft{by}: {one} ", "accent")), width)


def _buttons(config: Mapping[str, Any], width: int) -> Content:
    drafted = config.get("draft") is not None
    off = {"config-apply": not drafted or bool(config.get("draft_mistakes")), "config-discard": not drafted}
    found = []
    for key, command, long, short in _BUTTONS:
        dead = off.get(command, False)
        label = long if width >= _ROOM else short
        action = f"press('{command}')"
        ready = command == "config-apply" and not dead
        found.append(
            line(
                clickable(f" {key} ", "badge" if ready else "dim" if dead else "accent", action),
                clickable(f"{label} ", "badge" if ready else "dim" if dead else "", action),
            )
        )
    return Content(" ").join(found)
