"""Lines of text with styles by name, as cells have them, in the colours of the theme."""

from __future__ import annotations

from typing import Final

from textual.content import Content

from tui.cells import Cell

__all__ = ["STYLES", "line", "lines", "padded"]

STYLES: Final = {
    "": "",
    "gain": "$gain",
    "loss": "$loss",
    "warn": "$warning",
    "alarm": "bold $error",
    "dim": "$text-muted",
    "strong": "bold",
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


def line(*pieces: Cell | tuple[str, str] | str) -> Content:
    """Return a line of pieces: texts, or texts with the name of a style."""
    return Content.assemble(*(piece if isinstance(piece, str) else (piece[0], STYLES[piece[1]]) for piece in pieces))


def lines(*found: Content) -> Content:
    """Return lines beneath each other."""
    return Content("\n").join(found)


def padded(left: Content, right: Content, width: int) -> Content:
    """Return two texts at both ends of a line; the left one is cut when they do not fit."""
    room = width - right.cell_length
    if room <= 0:
        return right.truncate(max(0, width))
    return left.truncate(room, ellipsis=True, pad=True) + right
