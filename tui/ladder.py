"""The ladder of a sample signal as the daemon reckons it, before and after a draft: contents only (EX-1309)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from textual.content import Content

from tui import cells
from tui.text import line

__all__ = ["ladder_lines"]


def ladder_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Content]:
    """Yield the ladder of a sample as it would be: what each layer asks for, where it lies; new prices stand out."""
    if after["refusal"]:
        yield line((f"  {after['refusal']}", "alarm"))
    yield line((f"  {'':<3}{'gap %':>6}{'cap %':>6}{'price':>11}{'qty':>8}{'target':>11}", "dim"))
    known = {layer["layer"]: layer for layer in before["layers"]}
    for layer in after["layers"]:
        level, other = layer["level"], layer["price"] != known.get(layer["layer"], {}).get("price")
        yield line(
            (f"  L{layer['layer']:<2}", "dim"),
            f"{level['gap_percent']:>6}{level['weight_percent']:>6}",
            (f"{cells.price(layer['price']).text:>11}", "accent" if other else ""),
            f"{cells.amount(layer['qty'], 5).text:>8}",
            (f"{cells.price(layer['target']).text:>11}", "gain"),
            (f"  {layer['blocked']}" if layer["blocked"] else "", "warn"),
        )
    less = len(before["layers"]) - len(after["layers"])
    if less > 0:
        yield line((f"  {less} layer{'s' if less > 1 else ''} less", "warn"))
    for scope, price in after["watched"]:
        yield line(("  target of the ", "dim"), str(scope), " ", (cells.price(price).text, "gain"))
    yield line(("  funds ", "dim"), cells.money(before["funds"]), " → ", cells.money(after["funds"]))
