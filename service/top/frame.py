"""Lay out one picture of the daemon for a terminal of any size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.console import RenderableType
from rich.layout import Layout
from rich.text import Text

from service.top.panels import actors_panel, events_panel, groups_panel, header, health_line, orders_panel

__all__ = ["KEYS", "WIDE", "frame", "waiting_frame"]

WIDE: Final = 132
"""Columns from which on the tree of actors stands beside the rest."""

KEYS: Final = " q quit   p pause or resume entries"
_ACTORS_SHARE: Final = 0.36
_LEAST_ACTORS: Final = 44
_WIDE_LISTS: Final = 114
"""Columns that lists with whole words and ids take: the tree leaves them that much where it can."""
_LEAST_EVENTS: Final = 5


def frame(data: Mapping[str, Any], width: int, height: int, *, hint: str = KEYS, problem: str = "") -> Layout:
    """Return the picture; ``problem`` is shown loudly, ``hint`` stands in the last line."""
    whole = Layout()
    narrow = width < WIDE
    body = height - 3 - (1 if narrow else 0)
    whole.split_column(
        Layout(header(data, problem), size=2),
        *([Layout(health_line(data["ps"]), size=1)] if narrow else []),
        Layout(name="body", size=max(1, body)),
        Layout(_footer(hint), size=1),
    )
    lists_width = width
    if narrow:
        lists = whole["body"]
    else:
        actors_width = min(int(width * _ACTORS_SHARE), max(_LEAST_ACTORS, width - _WIDE_LISTS))
        lists_width = width - actors_width
        lists = Layout(name="lists")
        whole["body"].split_row(Layout(actors_panel(data["ps"], body), size=actors_width), lists)
    _split_lists(lists, data, lists_width, body)
    return whole


def _split_lists(lists: Layout, data: Mapping[str, Any], width: int, height: int) -> None:
    """Give groups and orders what they need, up to a third each, and the rest to events."""
    most = max(4, (height - _LEAST_EVENTS) // 2)
    groups = min(max(4, len(data["groups"]) + 3), most)
    orders = min(max(4, len(data["orders"]) + 3), most)
    events = max(0, height - groups - orders)
    lists.split_column(
        Layout(groups_panel(data["groups"], groups, width), size=groups),
        Layout(orders_panel(data["orders"], orders, width), size=orders),
        Layout(events_panel(data["events"], events), size=events),
    )


def _footer(hint: str) -> RenderableType:
    return Text(hint or " ", style="dim", no_wrap=True, overflow="ellipsis")


def waiting_frame(problem: str) -> RenderableType:
    """Return what is shown before the daemon has answered once."""
    return Text.assemble((" bulkhead ", "bold reverse"), f"  {problem}", "\n\n", (" q quit", "dim"))
