"""Layer rules of a configured ladder (EX-404 to EX-406), said with the path of the layer that breaks them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from rules.ladder import validate_levels
from service.config.errors import Problems
from service.config.grid import GridStrategy, Layer
from service.config.grid_config import as_levels

__all__ = ["check_layers", "check_shorthand"]

_MOST_GAP: Final = Decimal(100)
_MEANING: Final = {
    "EmptyLevels": "must hold at least one layer",
    "TooManyLayers": "must hold at most max_dca_per_pyramid layers",
    "InvalidGapSign": "must be 0 or negative: gaps are written as the long side sees them, a short mirrors them",
    "GapsNotDescending": "must be below the gap of the layer before",
    "WeightSum": "weights must sum to 99.9 to 100",
}
_BOUNDS: Final = {
    "gap_percent": "must be above -100",
    "weight_percent": "must be above 0 and at most 100",
    "tp_percent": "must be above 0 and at most 1000",
}


def check_layers(layers: Sequence[Layer], grid: GridStrategy, path: str, problems: Problems) -> None:
    """Note every broken rule of one set of layers."""
    for error in validate_levels(as_levels(layers), grid.max_dca_per_pyramid):
        message = _MEANING.get(error.code) or _BOUNDS[error.path.rpartition(".")[2]]
        problems.add(path + error.path.removeprefix("levels"), error.code, message)


def check_shorthand(grid: GridStrategy, path: str, problems: Problems) -> None:
    """Note what is wrong with ``dca_count`` and ``dca_gap_percent``; both unset is fine."""
    count, gap = grid.dca_count, grid.dca_gap_percent
    if count is None and gap is None:
        return
    if count is not None and count > grid.max_dca_per_pyramid:
        message = f"must be at most {grid.max_dca_per_pyramid} (max_dca_per_pyramid)"
        problems.add(f"{path}.dca_count", "OutOfRange", message, value=count)
        return
    if count is None or gap is None:
        missing = "dca_count" if count is None else "dca_gap_percent"
        problems.add(f"{path}.{missing}", "IncompleteShorthand", "dca_count and dca_gap_percent go together")
        return
    if grid.levels is not None:
        message = "the shorthand and explicit levels exclude each other: remove one of them"
        problems.add(f"{path}.dca_count", "ShorthandConflictsWithLevels", message, value=count)
    if gap * (count - 1) >= _MOST_GAP:
        problems.add(f"{path}.dca_gap_percent", "OutOfRange", "the last layer must be less than 100 % away", value=gap)
