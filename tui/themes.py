"""Colours: dark, light, and both for eyes that do not tell red from green.

Gains and losses differ in hue and always carry their sign (EX-1604). Every ink can be read on every ground, by day as in the
dark: at least 4.5 to 1, 3 to 1 where a value is dimmed for its age (``tests/tui/test_themes.py``).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from textual.theme import Theme

__all__ = ["THEMES", "Look"]


class Look(NamedTuple):
    """A theme of Textual and what it is for."""

    theme: Theme
    hint: str


class _Ground(NamedTuple):
    """What light and dark differ in, whatever the colours of gains and losses."""

    dark: bool
    background: str
    surface: str
    panel: str
    foreground: str
    muted: str
    disabled: str
    cursor: str
    risk: str
    warning: str
    error: str


def _theme(name: str, ground: _Ground, *, accent: str, gain: str, loss: str) -> Theme:
    variables = {
        "gain": gain,
        "loss": loss,
        "cursor": ground.cursor,
        "risk": ground.risk,
        "text-muted": ground.muted,
        "text-disabled": ground.disabled,
        "footer-key-foreground": accent,
        "button-focus-text-style": "bold",
        "input-selection-background": f"{accent} 35%",
    }
    return Theme(
        name=f"bulkhead-{name}",
        primary=accent,
        secondary=accent,
        accent=accent,
        warning=ground.warning,
        error=ground.error,
        success=gain,
        foreground=ground.foreground,
        background=ground.background,
        surface=ground.surface,
        panel=ground.panel,
        dark=ground.dark,
        variables=variables,
    )


_DARK: Final = _Ground(
    dark=True,
    background="#0d1117",
    surface="#161d27",
    panel="#222c3a",
    foreground="#d3dae3",
    muted="#8e9baa",
    disabled="#6e7a8a",
    cursor="#17314b",
    risk="#c49bf2",
    warning="#e0b050",
    error="#ff6b64",
)
_LIGHT: Final = _Ground(
    dark=False,
    background="#fbfbf9",
    surface="#f0f0ec",
    panel="#e7e7e2",
    foreground="#20262e",
    muted="#57616c",
    disabled="#7a848f",
    cursor="#d8e9fa",
    risk="#7d3fc0",
    warning="#835508",
    error="#b8201a",
)

THEMES: Final[dict[str, Look]] = {
    "dark": Look(_theme("dark", _DARK, accent="#6cb2f0", gain="#4fc994", loss="#ff7b72"), "for dim rooms"),
    "light": Look(_theme("light", _LIGHT, accent="#0b62b0", gain="#086d42", loss="#b8201a"), "for daylight"),
    "dark-blue-orange": Look(
        _theme("dark-blue-orange", _DARK, accent="#b9a7f0", gain="#5db0ff", loss="#ffa14d"), "gains blue, losses orange"
    ),
    "light-blue-orange": Look(
        _theme("light-blue-orange", _LIGHT, accent="#5b3fb0", gain="#0b5fb8", loss="#a04b00"),
        "gains blue, losses orange",
    ),
}
"""Every look by the name an operator gives."""
