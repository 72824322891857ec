"""Draw the life of a position group from its table: ``python -m service.cli.state_diagram FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import hypot
from pathlib import Path
from typing import Final

from service.explain.states import transitions

__all__ = ["diagram"]

_WIDE, _HIGH = 900, 430
_HALF_WIDE, _HALF_HIGH = 66, 20
_APART: Final = 12
"""Pixels between the two lines of a pair of states that lead to one another."""

_PLACES: Final = {
    "": (50, 200),
    "waiting": (230, 50),
    "live": (230, 200),
    "partially_filled": (515, 70),
    "active": (800, 200),
    "closing": (515, 370),
    "closed": (230, 370),
}
"""State -> where its middle is, in pixels."""

_STYLE: Final = (
    "rect.s{fill:#eceff1;stroke:#37474f;stroke-width:1.5}text{font:13px sans-serif;fill:#263238;text-anchor:middle}"
    "text.e{font-size:11px;fill:#455a64;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    "line{stroke:#607d8b;stroke-width:1.3}"
)

_HEAD_OF_ARROWS: Final = (
    '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0 0L10 5L0 10z" fill="#607d8b"/></marker></defs>'
)


def diagram() -> str:
    """Return the picture as SVG: every state, and an arrow with its causes for every pair the table connects."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img">',
        "<title>States of a position group and what moves it</title>",
        f"<style>{_STYLE}</style>",
        _HEAD_OF_ARROWS,
        f'<rect width="{_WIDE}" height="{_HIGH}" rx="8" fill="#fff"/>',
        *_arrows(),
        *_states(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _states() -> Iterator[str]:
    for name, (x, y) in _PLACES.items():
        if not name:
            yield f'<circle cx="{x}" cy="{y}" r="8" fill="#263238"/>'
            continue
        left, top = x - _HALF_WIDE, y - _HALF_HIGH
        yield f'<rect class="s" x="{left}" y="{top}" width="{2 * _HALF_WIDE}" height="{2 * _HALF_HIGH}" rx="8"/>'
        yield f'<text x="{x}" y="{y + 4}">{name.replace("_", " ").title()}</text>'


def _arrows() -> Iterator[str]:
    causes: dict[tuple[str, str], list[str]] = {}
    for each in transitions():
        causes.setdefault((each.before, each.after), []).append(each.cause.replace("_", " "))
    labels = []
    for (before, after), found in causes.items():
        (x1, y1), (x2, y2) = _line(before, after)
        yield f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" marker-end="url(#a)"/>'
        # Before the middle of the way, so that the labels of a pair that leads both ways do not cover one another.
        labels.append((x1 + (x2 - x1) * 3 // 10, y1 + (y2 - y1) * 3 // 10, ", ".join(found)))
    for x, y, text in labels:
        yield f'<text class="e" x="{x}" y="{y + 4}">{text}</text>'


def _line(before: str, after: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where an arrow begins and ends: at the edges of the boxes, a little to the right of its way."""
    (x1, y1), (x2, y2) = _PLACES[before], _PLACES[after]
    away = hypot(x2 - x1, y2 - y1)
    dx, dy = (x2 - x1) / away, (y2 - y1) / away
    aside = (-dy * _APART, dx * _APART)
    begin = _edge(before, (dx, dy), aside)
    end = _edge(after, (-dx, -dy), aside)
    return (
        (round(x1 + dx * begin + aside[0]), round(y1 + dy * begin + aside[1])),
        (round(x2 - dx * end + aside[0]), round(y2 - dy * end + aside[1])),
    )


def _edge(name: str, way: tuple[float, float], aside: tuple[float, float]) -> float:
    """Return how far the edge of a state is, from beside its middle in a direction."""
    if not name:
        return 10.0
    halves = (_HALF_WIDE + 2, _HALF_HIGH + 2)
    return min(
        (half - off * (1 if step > 0 else -1)) / abs(step)
        for half, step, off in zip(halves, way, aside, strict=True)
        if step
    )


def _main() -> None:
    Path(sys.argv[1]).write_text(diagram(), encoding="utf-8")


if __name__ == "__main__":
    _main()
