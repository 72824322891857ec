"""Colours: dark, light, and both for eyes that do not tell red from green.

Gains and losses differ in lightness as well as in hue, and always carry their sign (EX-1604).
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
    muted="#7d8a99",
    disabled="#525d6b",
    cursor="#1d3a57",
    risk="#c49bf2",
    warning="#e0b050",
    error="#ff6b64",
)
_LIGHT: Final = _Ground(
    dark=False,
    background="#fbfbf9",
    surface="#f0f0ec",
    panel="#dedfd9",
    foreground="#20262e",
    muted="#66707c",
    disabled="#9aa3ad",
    cursor="#cfe3f7",
    risk="#7d3fc0",
    warning="#92600a",
    error="#c0231c",
)

THEMES: Final[dict[str, Look]] = {
    "dark": Look(_theme("dark", _DARK, accent="#6cb2f0", gain="#4fc994", loss="#ff7b72"), "for dim rooms"),
    "light": Look(_theme("light", _LIGHT, accent="#0b62b0", gain="#0a7a4b", loss="#c0231c"), "for daylight"),
    "dark-blue-orange": Look(
        _theme("dark-blue-orange", _DARK, accent="#b9a7f0", gain="#5db0ff", loss="#ffa14d"), "gains blue, losses orange"
    ),
    "light-blue-orange": Look(
        _theme("light-blue-orange", _LIGHT, accent="#5b3fb0", gain="#0b5fb8", loss="#b35400"),
        "gains blue, losses orange",
    ),
}
"""Every look by the name an operator gives."""
