"""Run prices through an engine in one go: decide, apply, go on. For backtests and tests that need no actors between."""

from __future__ import annotations

from protocol.market import Bar, PriceTick
from protocol.messages import Event
from venues.paper.engine import Events, PaperEngine

__all__ = ["applied", "run_bar", "run_tick"]


def applied(engine: PaperEngine, events: Events) -> list[Event]:
    """Apply the events of one command and return them."""
    for event in events:
        engine.apply(event)
    return list(events)


def run_bar(engine: PaperEngine, bar: Bar, index: int = 0) -> list[Event]:
    """Walk a bar, applying after each point; return all events."""
    if not engine.touches(bar):
        engine.on_bar_untouched(bar)
        return []
    events: list[Event] = []
    for point in engine.path(bar, index):
        events += applied(engine, engine.on_point(bar.symbol, point.price_from, point.price_to, point.at, point.volume))
    return events


def run_tick(engine: PaperEngine, tick: PriceTick) -> list[Event]:
    """Take a quote and apply what follows; return all events."""
    return applied(engine, engine.on_tick(tick))
