"""The style of the frame; each panel and widget has its own beside it."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
Screen { layers: base over; }
CommandLine { layer: over; dock: bottom; offset: 0 -1; }
#header, #tabs, #banner, #keys { height: 1; width: 1fr; }
#alerts { height: auto; max-height: 3; width: 1fr; }
#header { background: $surface; }
#banner { display: none; }
#said { height: auto; min-height: 1; max-height: 3; padding: 0 1; }
#keys { background: $surface; }
#panels { height: 1fr; }
Panel { height: 1fr; }
#header.-stale, #alerts.-stale, Panel.-stale Static { text-opacity: 65%; }
VerticalScroll, .box, #entry {
    scrollbar-size-vertical: 1; scrollbar-background: $background; scrollbar-color: $panel;
    scrollbar-background-hover: $background; scrollbar-color-hover: $accent;
}
"""
"""Textual style sheet of the application: it goes before what widgets say themselves."""
