"""The words a ladder and its take-profits are configured with (EX-1302)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["EntryOrderType", "PriceRounding", "PyramidScope", "TakeProfitMode", "TriggerPrice", "WhenFlat"]


class TakeProfitMode(StrEnum):
    """How profit is taken (EX-601); ``leg`` is the older word for ``per_leg``."""

    PER_LEG = "per_leg"
    AGGREGATE = "aggregate"
    HYBRID = "hybrid"
    PYRAMID_AGGREGATE = "pyramid_aggregate"

    @classmethod
    def _missing_(cls, value: object) -> TakeProfitMode | None:
        return cls.PER_LEG if value == "leg" else None


class PyramidScope(StrEnum):
    """What pyramid_aggregate aggregates."""

    COMBINED = "combined"
    PER_PYRAMID = "per_pyramid"


class EntryOrderType(StrEnum):
    """Order type of layer 0."""

    LIMIT = "limit"
    MARKET = "market"


class PriceRounding(StrEnum):
    """Direction of tick rounding."""

    DOWN = "down"
    PASSIVE = "passive"


class TriggerPrice(StrEnum):
    """Price that watched targets compare with."""

    EXECUTABLE = "executable"
    LAST = "last"


class WhenFlat(StrEnum):
    """What happens to a group that is flat while layers still wait."""

    CLOSE = "close"
    KEEP = "keep"
