"""What every market source gives: steps, one market fact at one instant that no other step of the source has.

A tick's instant is when it happened. A **bar's instant is its START**, although the bar is known only when it ended: the
paper exchange walks the bar's path from that instant on (``venues.paper.path``). Whoever receives a step must not show the
bar to strategies or groups then; they see its prices as path points and the bar itself after its end. Showing it
at its instant would let them trade on a future that they cannot know.

Unique instants are what makes an exact resume possible: a run that stopped after instant X continues with
``resume_after(X)`` and misses or repeats nothing. Within one recorded instant the n-th symbol is moved by n nanoseconds and
the k-th tick of a symbol by k times the number of symbols.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, TypeAlias

from protocol.errors import BulkheadError
from protocol.market import Bar, PriceTick

__all__ = ["MarketSource", "SourceError", "Step"]

Step: TypeAlias = tuple[int, Bar | PriceTick]
"""Instant (nanoseconds UTC) and what happened then."""


class SourceError(BulkheadError):
    """A source cannot be read: file or column missing, or its times cannot be ordered. Names the file."""


class MarketSource(Protocol):
    """An iterable of steps in strictly increasing time."""

    @property
    def name(self) -> str:
        """What screens show beside the prices (``replay``, ``SYNTHETIC``)."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols it delivers, in the order that breaks ties."""
        ...

    def __iter__(self) -> Iterator[Step]:
        """Start delivering, from the beginning or from where ``resume_after`` said."""
        ...

    def resume_after(self, at: int) -> MarketSource:
        """Return a source that continues strictly after an instant, with the very steps this one would give there."""
        ...
