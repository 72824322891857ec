"""Plots as SVG text that stands inside a page and takes its colours from there."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from simulation.report.coverage import Row

__all__ = ["bars", "curve", "histogram"]

_WIDTH: Final = 720
_BAR: Final = 16
_LABEL: Final = 230


def bars(rows: Sequence[Row], *, none: str) -> str:
    """Return horizontal bars, the largest the full width; a count of zero is marked with ``none``."""
    most = max((row.times for row in rows), default=0) or 1
    room = _WIDTH - _LABEL - 90
    parts = []
    for place, row in enumerate(rows):
        y = place * (_BAR + 5)
        width = max(1.0, room * row.times / most) if row.times else 0
        shown, kind = (f"{row.times:,}", "n") if row.times else (none, "never")
        parts.append(
            f'<text x="{_LABEL - 8}" y="{y + 12}" class="l">{escape(row.name)}</text>'
            f'<rect x="{_LABEL}" y="{y + 1}" width="{width:.1f}" height="{_BAR - 2}" rx="2"/>'
            f'<text x="{_LABEL + width + 6:.1f}" y="{y + 12}" class="{kind}">{escape(shown)}</text>'
        )
    return _svg(len(rows) * (_BAR + 5), parts)


def curve(points: Sequence[tuple[float, float]], *, x: str, y: str) -> str:
    """Return a line through points in order of x, from the origin."""
    height, low, left = 180, 150.0, 60.0
    right = max((at for at, _ in points), default=0.0) or 1.0
    top = max((value for _, value in points), default=0.0) or 1.0
    scaled = [(left + (_WIDTH - left - 20) * at / right, low - (low - 14) * value / top) for at, value in points]
    path = " ".join(f"L{at:.1f} {value:.1f}" for at, value in scaled)
    parts = [
        f'<path d="M{left} {low} {path}" class="line"/>',
        f'<path d="M{left} 8V{low}H{_WIDTH - 20}" class="axis"/>',
        f'<text x="{left - 6}" y="18" class="l">{top:,.0f}</text><text x="{left - 6}" y="{low}" class="l">0</text>',
        f'<text x="{_WIDTH - 20}" y="{height - 14}" class="l">{right:,.1f} {escape(x)}</text>',
        f'<text x="{left + 6}" y="18" class="n">{escape(y)}</text>',
    ]
    return _svg(height, parts)


def histogram(values: Sequence[float], *, unit: str, bins: int = 24) -> str:
    """Return how many values fall into each of equal ranges from 0 to the largest."""
    most = max(values, default=0.0) or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int(bins * value / most))] += 1
    height, low, left = 180, 150.0, 60.0
    step, top = (_WIDTH - left - 20) / bins, max(counts) or 1
    parts = [
        f'<rect x="{left + place * step + 1:.1f}" y="{low - 136 * count / top:.1f}" width="{step - 2:.1f}" '
        f'height="{136 * count / top:.1f}"><title>{count} runs</title></rect>'
        for place, count in enumerate(counts)
    ]
    parts += [
        f'<path d="M{left} 8V{low}H{_WIDTH - 20}" class="axis"/>',
        f'<text x="{left - 6}" y="18" class="l">{top:,}</text>',
        f'<text x="{left}" y="{height - 14}" class="n">0</text>',
        f'<text x="{_WIDTH - 20}" y="{height - 14}" class="l">{most:,.2f} {escape(unit)}</text>',
    ]
    return _svg(height, parts)


def _svg(height: float, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height:g}" role="img">{"".join(parts)}</svg>'
