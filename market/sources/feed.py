"""Where the recorded data of one symbol lies and how to read it."""

from __future__ import annotations

import msgspec

from protocol.instruments import Instrument
from protocol.messages import Value
from protocol.values import Name

__all__ = ["SymbolFeed"]


class SymbolFeed(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One symbol's file (Parquet or CSV, ``.gz`` allowed); ``path`` is relative to the source's root.

    ``duration_s`` is the bars' length, None = the smallest distance between rows. ``where`` selects rows of a file
    that holds several symbols. ``volume_in_quote``: the recorded volume is quote currency and is divided by the close.
    ``instrument`` None = derived from the data (see ``catalogue``).
    """

    symbol: Name
    path: Name
    duration_s: int | None = None
    where: dict[str, str] = msgspec.field(default_factory=dict)
    volume_in_quote: bool = False
    instrument: Instrument | None = None

    def __post_init__(self) -> None:
        if self.duration_s is not None and self.duration_s <= 0:
            raise ValueError("`duration_s` must be above 0")
        if self.instrument is not None and self.instrument.symbol != self.symbol:
            raise ValueError("`instrument` must be of the feed's symbol")
