"""What strangers write (names, reasons of venues, errors) on its way to the terminal: the last place where it can be obeyed.

Textual writes the text of a segment as it is: an escape sequence in it would wipe the screen or write the clipboard.
"""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from protocol.legible import legible

__all__ = ["LEGIBLE"]


class _Legible(LineFilter):
    """Takes out of each line what a terminal would obey; every line keeps its width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual passes it
        """Return the segments of a line; those without anything of the kind as they are."""
        return [each if each.text.isprintable() else each._replace(text=_shown(each.text)) for each in segments]


def _shown(text: str) -> str:
    """Return a text with a sign for what had a cell and nothing for what had none."""
    return "".join(sign for each, sign in zip(text, legible(text), strict=True) if sign == each or cell_len(each))


LEGIBLE: Final = _Legible()
