"""Sets of layers as they are being written: the common one, and those of single pyramids (EX-325, EX-401, EX-406)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

__all__ = ["COLUMNS", "SHORTHAND", "LayerSets", "Mode", "is_number"]

COLUMNS: Final = ("gap_percent", "weight_percent", "tp_percent")
SHORTHAND: Final = ("dca_count", "dca_gap_percent", "tp_percent")
_KEYS: Final = "grid_strategy."


class Mode(StrEnum):
    """How the common set is written: layer by layer, by the shorthand, or not at all."""

    LAYERS = "layers"
    SHORTHAND = "shorthand"
    DEFAULT = "default"


class LayerSets:
    """Texts of every set; ``wanted`` holds the keys of ``grid_strategy`` as the draft has them.

    ``sets`` has the common set under 0, while it is written layer by layer, and those of pyramids that have their own.
    """

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self.sets: dict[int, list[list[str]]] = {}
        self.shorthand = ["" if wanted.get(each) is None else str(wanted[each]) for each in SHORTHAND]
        self.pyramids = int(wanted.get("max_pyramids_per_group") or 1)
        self.mode = Mode.DEFAULT
        if wanted.get("levels"):
            self.mode = Mode.LAYERS
            self.take(0, wanted["levels"])
        elif self.shorthand[0]:
            self.mode = Mode.SHORTHAND
        for pyramid, levels in (wanted.get("pyramid_specific_levels") or {}).items():
            self.take(int(pyramid), levels)

    def take(self, pyramid: int, levels: Iterable[Mapping[str, Any]]) -> None:
        """Begin a set with these layers."""
        self.sets[pyramid] = [[str(level[each]) for each in COLUMNS] for level in levels]

    def rows(self, pyramid: int) -> list[list[str]]:
        """Return the layers of a set as they are written, empty for one that is not written layer by layer."""
        return self.sets.get(pyramid, []) if pyramid or self.mode is Mode.LAYERS else []

    # --- changing ------------------------------------------------------------------------------------------------------

    def add(self, pyramid: int, at: int) -> int:
        """Put a copy of a layer beneath it; return its place."""
        rows = self.sets.setdefault(pyramid, [])
        place = min(at + 1, len(rows))
        rows.insert(place, list(rows[min(at, len(rows) - 1)]) if rows else ["0", "100", "1"])
        return place

    def remove(self, pyramid: int, at: int) -> None:
        """Take a layer away; a set without layers is none."""
        rows = self.sets.get(pyramid, [])
        if 0 <= at < len(rows):
            del rows[at]
        if not rows:
            self.drop(pyramid)

    def move(self, pyramid: int, at: int, by: int) -> int:
        """Let a layer change places with its neighbour; return where it is."""
        rows, to = self.sets.get(pyramid, []), at + by
        if not (0 <= at < len(rows) and 0 <= to < len(rows)):
            return at
        rows[at], rows[to] = rows[to], rows[at]
        return to

    def drop(self, pyramid: int) -> None:
        """Write a set no more: the common one has its default then, a pyramid the common one."""
        self.sets.pop(pyramid, None)
        if not pyramid:
            self.mode = Mode.DEFAULT

    # --- what it comes to ----------------------------------------------------------------------------------------------

    def edits(self) -> dict[str, Any]:
        """Return the edits of the draft that all sets come to; None is "back to the default"."""
        short = self.mode is Mode.SHORTHAND
        count, gap, target = (text.strip() or None for text in self.shorthand)
        own = {str(pyramid): _levels(rows) for pyramid, rows in sorted(self.sets.items()) if pyramid and rows}
        found: dict[str, Any] = {
            "levels": _levels(self.sets[0]) if self.mode is Mode.LAYERS and self.sets.get(0) else None,
            "dca_count": int(count) if short and count and count.isdecimal() else count if short else None,
            "dca_gap_percent": gap if short else None,
            "pyramid_specific_levels": own or None,
        }
        if short:
            found["tp_percent"] = target
        return {f"{_KEYS}{name}": value for name, value in found.items()}

    def unreadable(self) -> str:
        """Return which text is no number, empty when all are."""
        for pyramid, rows in self.sets.items():
            for place, row in enumerate(rows):
                for name, text in zip(COLUMNS, row, strict=True):
                    if not is_number(text):
                        whose = f"pyramid {pyramid}, " if pyramid else ""
                        return f"{whose}L{place} {name.replace('_', ' ')}: {text or 'nothing'} is no number"
        return ""


def is_number(text: str) -> bool:
    """Tell whether a text is a number."""
    try:
        return Decimal(text.strip()).is_finite()
    except InvalidOperation:
        return False


def _levels(rows: Iterable[Iterable[str]]) -> list[dict[str, str]]:
    return [dict(zip(COLUMNS, (text.strip() for text in row), strict=True)) for row in rows]
