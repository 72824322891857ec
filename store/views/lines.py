"""The event log's lines, where the read models look for them; what they say is ``rules.event_log``.

A new event type gets its line in ``rules/event_log/of_*.py`` (or its reason in ``silent.py``) and its tags in ``tags.py``.
"""

from __future__ import annotations

from rules.event_log.classify import LINES, line_of
from rules.event_log.line import Line, LineSeverity, Source

__all__ = ["LINES", "Line", "LineSeverity", "Source", "line_of"]
