"""Layers in the made-up house: what is wrong with them, and the ladder of a sample signal. Scenery, no rule of trading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tui.demo.prices import MARKETS

__all__ = ["DEFAULT", "ladders_of", "layers_of", "mistakes_in"]

_GRID: Final = "grid_strategy."
_SIZE: Final = 500.0

_Level = Mapping[str, Any]

DEFAULT: Final[list[_Level]] = [
    {"gap_percent": gap, "weight_percent": "20", "tp_percent": target}
    for gap, target in (("0", "1"), ("-0.5", "0.5"), ("-1", "0.5"), ("-1.5", "1"), ("-2", "1.5"))
]
"""The layers of a ladder that nobody wrote."""


def layers_of(document: Mapping[str, Any], pyramid: int) -> list[_Level]:
    """Return the layers of a pyramid as a document has them."""
    own = (document.get(f"{_GRID}pyramid_specific_levels") or {}).get(str(pyramid))
    if own:
        return list(own)
    count, gap = document.get(f"{_GRID}dca_count"), document.get(f"{_GRID}dca_gap_percent")
    if count and gap:
        target = str(document.get(f"{_GRID}tp_percent", "1"))
        share = f"{100 / int(count):.2f}"
        return [
            {"gap_percent": f"{-float(gap) * number:g}", "weight_percent": share, "tp_percent": target}
            for number in range(int(count))
        ]
    return list(document.get(f"{_GRID}levels") or DEFAULT)


def mistakes_in(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what is wrong with the layers of a document, overrides included."""
    places = {_GRID: document}
    for place, override in enumerate(document.get(f"{_GRID}overrides") or ()):
        places[f"{_GRID}overrides[{place}]."] = {f"{_GRID}{name}": value for name, value in override.items()}
    sets: dict[str, Sequence[_Level]] = {}
    for begins, values in places.items():
        own = values.get(f"{_GRID}pyramid_specific_levels") or {}
        sets[f"{begins}levels"] = values.get(f"{_GRID}levels") or ()
        sets |= {f"{begins}pyramid_specific_levels[{pyramid}]": levels for pyramid, levels in own.items()}
    return [mistake for path, levels in sets.items() for mistake in _mistakes(path, levels)]


def _for(document: Mapping[str, Any], symbol: str) -> Mapping[str, Any]:
    """Return a document with the values of the last override that is for a symbol in place."""
    found = document
    for override in document.get(f"{_GRID}overrides") or ():
        if override["match"].get("symbol") == symbol:
            found = {**document, **{f"{_GRID}{name}": value for name, value in override.items()}}
    return found


def _mistakes(path: str, levels: Sequence[_Level]) -> Iterator[dict[str, str]]:
    gaps = [float(level["gap_percent"]) for level in levels]
    for place, gap in enumerate(gaps):
        if gap > 0:
            yield _mistake("InvalidGapSign", f"{path}[{place}].gap_percent", "must be 0 or negative")
        elif place and gap >= gaps[place - 1]:
            yield _mistake(
                "GapsNotDescending", f"{path}[{place}].gap_percent", "must be below the gap of the layer before"
            )
    if levels and not 99.9 <= sum(float(level["weight_percent"]) for level in levels) <= 100:
        yield _mistake("WeightSum", path, "weights must sum to 99.9 to 100")


def _mistake(code: str, path: str, message: str) -> dict[str, str]:
    return {"code": code, "path": path, "message": message, "value": ""}


def ladders_of(before: Mapping[str, Any], after: Mapping[str, Any], sample: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the ladder of a sample before and after; without one, that of the last signal where it changes."""
    symbol, pyramid = str(sample.get("symbol") or ""), int(sample.get("pyramid") or 0)
    sides = [layers_of(_for(each, symbol), pyramid) for each in (before, after)]
    if not symbol and sides[0] == sides[1]:
        return []
    market = MARKETS.get(symbol) or next(iter(MARKETS.values()))
    side = str(sample.get("side") or "long")
    shown = {"symbol": market.symbol, "timeframe": "15m", "side": side, "entry_price": f"{market.home:g}"}
    ladders = [_ladder(market.home, levels, -1 if side == "short" else 1) for levels in sides]
    return [{"sample": shown, "before": ladders[0], "after": ladders[1]}]


def _ladder(entry: float, levels: Sequence[_Level], sign: int) -> dict[str, Any]:
    layers = []
    for number, level in enumerate(levels):
        price = entry * (1 + sign * float(level["gap_percent"]) / 100)
        target = price * (1 + sign * float(level["tp_percent"]) / 100)
        share = _SIZE * float(level["weight_percent"]) / 100
        layers.append(
            {
                "layer": number,
                "level": dict(level),
                "price": f"{price:.4f}",
                "qty": f"{share / price:.6f}",
                "target": f"{target:.4f}",
                "blocked": "BelowMinNotional" if share < 5 else "",
            }
        )
    return {"layers": layers, "funds": f"{_SIZE * 1.002:.2f}", "refusal": "", "watched": []}
