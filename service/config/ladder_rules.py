"""Layer rules of a configured ladder (EX-404 to EX-406), said with the path of the layer that breaks them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from service.config.errors import Problems
from service.config.grid import GridStrategy, Layer

__all__ = ["check_layers", "check_shorthand"]

_LEAST_WEIGHT: Final = Decimal("99.9")
_MOST: Final = Decimal(100)
_MOST_TARGET: Final = Decimal(1000)


def check_layers(layers: Sequence[Layer], grid: GridStrategy, path: str, problems: Problems) -> None:
    """Note every broken rule of one set of layers."""
    if not layers:
        problems.add(path, "EmptyLevels", "must hold at least one layer")
        return
    if len(layers) > grid.max_dca_per_pyramid:
        message = f"must hold at most {grid.max_dca_per_pyramid} layers (max_dca_per_pyramid)"
        problems.add(path, "TooManyLayers", message, value=len(layers))
    for index, layer in enumerate(layers):
        above = layers[index - 1].gap_percent if index else None
        _check_layer(layer, above, f"{path}[{index}]", problems)
    total = sum(layer.weight_percent for layer in layers)
    if not _LEAST_WEIGHT <= total <= _MOST:
        problems.add(path, "WeightSum", f"weights must sum to {_LEAST_WEIGHT} to {_MOST}", value=total)


def _check_layer(layer: Layer, above: Decimal | None, path: str, problems: Problems) -> None:
    gap, weight, target = layer.gap_percent, layer.weight_percent, layer.tp_percent
    if gap > 0:
        message = "must be 0 or negative: gaps are written as the long side sees them, a short mirrors them"
        problems.add(f"{path}.gap_percent", "InvalidGapSign", message, value=gap)
    elif gap <= -_MOST:
        problems.add(f"{path}.gap_percent", "OutOfRange", "must be above -100", value=gap)
    elif above is not None and gap >= above:
        problems.add(f"{path}.gap_percent", "GapsNotDescending", f"must be below the layer before ({above})", value=gap)
    if not 0 < weight <= _MOST:
        problems.add(f"{path}.weight_percent", "OutOfRange", "must be above 0 and at most 100", value=weight)
    if not 0 < target <= _MOST_TARGET:
        problems.add(f"{path}.tp_percent", "OutOfRange", "must be above 0 and at most 1000", value=target)


def check_shorthand(grid: GridStrategy, path: str, problems: Problems) -> None:
    """Note what is wrong with ``dca_count`` and ``dca_gap_percent``; both unset is fine."""
    count, gap = grid.dca_count, grid.dca_gap_percent
    if count is None and gap is None:
        return
    if count is None or gap is None:
        missing = "dca_count" if count is None else "dca_gap_percent"
        problems.add(f"{path}.{missing}", "IncompleteShorthand", "dca_count and dca_gap_percent go together")
        return
    if grid.levels is not None:
        message = "the shorthand and explicit levels exclude each other: remove one of them"
        problems.add(f"{path}.dca_count", "ShorthandConflictsWithLevels", message, value=count)
    if count > grid.max_dca_per_pyramid:
        message = f"must be at most {grid.max_dca_per_pyramid} (max_dca_per_pyramid)"
        problems.add(f"{path}.dca_count", "OutOfRange", message, value=count)
    if gap * (count - 1) >= _MOST:
        problems.add(f"{path}.dca_gap_percent", "OutOfRange", "the last layer must be less than 100 % away", value=gap)
