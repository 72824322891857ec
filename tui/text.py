"""Lines of text with styles by name, as cells have them, in the colours of the theme."""

from __future__ import annotations

from typing import Final

from textual.content import Content
from textual.style import Style

from tui.cells import Cell

__all__ = ["RUN", "STYLES", "clickable", "line", "lines", "padded"]

RUN: Final = "run"
"""Where a clickable text keeps its action: Textual's own place would have it look like a link."""

STYLES: Final = {
    "": "",
    "gain": "$gain",
    "loss": "$loss",
    "warn": "$warning",
    "alarm": "bold $error",
    "dim": "$text-muted",
    "strong": "bold",
    "risk": "$risk",
    "critical": "bold $background on $error",
    "accent": "$accent",
    "title": "bold $text-muted",
    "badge": "bold $background on $accent",
    "badge-good": "bold $background on $gain",
    "badge-warn": "bold $background on $warning",
    "badge-alarm": "bold $background on $error",
    "track": "$gain on $surface",
    "track-warn": "$warning on $surface",
    "track-alarm": "$error on $surface",
    "track-accent": "$accent on $surface",
}
"""What each name of a style means to Textual."""


def line(*pieces: Cell | tuple[str, str] | str | Content) -> Content:
    """Return a line of pieces: texts, texts with the name of a style, or lines."""
    return Content.assemble(
        *(piece if isinstance(piece, str | Content) else (piece[0], STYLES[piece[1]]) for piece in pieces)
    )


def clickable(text: str, style: str, action: str) -> Content:
    """Return a text that runs an action of Textual when it is clicked on ``Lines``; it looks like any other text."""
    return Content.assemble((text, STYLES[style])).stylize(Style.from_meta({RUN: action}))


def lines(*found: Content) -> Content:
    """Return lines beneath each other."""
    return Content("\n").join(found)


def padded(left: Content, right: Content, width: int) -> Content:
    """Return two texts at both ends of a line; the left one is cut when they do not fit."""
    room = width - right.cell_length
    if room <= 0:
        return right.truncate(max(0, width))
    return left.truncate(room, ellipsis=True, pad=True) + right
