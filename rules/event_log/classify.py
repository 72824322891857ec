"""Event in, line of the log out (EX-1401 to EX-1406): one table over all event types."""

from __future__ import annotations

from typing import Final

from protocol.legible import legible
from protocol.messages import Event
from rules.event_log.line import INFO, Line, LineOf, Source
from rules.event_log.of_brackets import OF_BRACKETS
from rules.event_log.of_groups import OF_GROUPS
from rules.event_log.of_offset import OF_OFFSET
from rules.event_log.of_orders import OF_ORDERS
from rules.event_log.of_phone import OF_PHONE
from rules.event_log.of_pool import OF_POOL
from rules.event_log.of_signals import OF_SIGNALS
from rules.event_log.of_steering import OF_STEERING
from rules.event_log.of_system import OF_SYSTEM
from rules.event_log.of_venues import OF_VENUES
from rules.event_log.silent import SILENT

__all__ = ["LINES", "line_of"]

LINES: Final[dict[str, LineOf]] = {
    **OF_BRACKETS,
    **OF_SIGNALS,
    **OF_GROUPS,
    **OF_OFFSET,
    **OF_ORDERS,
    **OF_PHONE,
    **OF_POOL,
    **OF_STEERING,
    **OF_SYSTEM,
    **OF_VENUES,
}
"""Event type -> its line."""


def line_of(event: Event) -> Line | None:
    """Return an event's line, None for events that only machines read; one without a sentence says its type.

    Its text is one line, whatever strangers wrote into the event: nobody forges a second one.
    """
    name = type(event).__name__
    make = LINES.get(name)
    if make is not None:
        line = make(event)
        return line if line is None or line.text.isprintable() else line._replace(text=legible(line.text))
    if name in SILENT or not type(event).__module__.startswith("protocol."):
        return None
    said = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    group, signal = (getattr(event, field, "") for field in ("group_id", "signal_id"))
    return Line(Source.SYSTEM, INFO, name, said, group, getattr(event, "client_order_id", ""), signal)
