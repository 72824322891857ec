"""A console on which nothing is obeyed that strangers wrote: names, reasons of venues, errors (EX-1508)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from protocol.legible import legible

__all__ = ["CarefulConsole"]


class CarefulConsole(Console):
    """Takes no text for markup, and shows a sign for what a terminal would obey."""

    def __init__(self, **more: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **more)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the pieces of something; Rich's own controls pass."""
        for each in super().render(renderable, options):
            clean = each.control or each.text.isprintable()
            yield each if clean else each._replace(text=legible(each.text, lines=True))
