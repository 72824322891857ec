"""Curves over time with their axes, several of them in one field, in Braille dots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from textual.content import Content

from tui import cells
from tui.text import line, lines

__all__ = ["Curve", "chart"]

_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_EMPTY: Final = 0x2800
_NANOS: Final = 1_000_000_000
_DAY_S: Final = 86_400
_MINUTES_S: Final = 1_200
_AXIS: Final = 9
_LEAST: Final = 3

_Points = Sequence[Sequence[float]]
"""Instants (nanoseconds) and values, in order of time."""


class Curve(NamedTuple):
    """One curve and the name of its style; a later one is drawn over an earlier one."""

    points: _Points
    style: str


class _Span(NamedTuple):
    """The values of a part of the time: the least, the greatest, and the newest, where the next part goes on."""

    lowest: float
    highest: float
    last: float


class _Field:
    """Dots of a field of cells, and whose colour each cell has."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._dots = [[0] * width for _ in range(height)]
        self._styles = [[""] * width for _ in range(height)]

    def draw(self, spans: Sequence[_Span | None], low: float, high: float, style: str) -> None:
        """Draw two spans of values a column; from one to the next goes an upright."""
        most, before = self.height * 4 - 1, -1
        for x, span in enumerate(spans):
            if span is None:
                before = -1
                continue
            top, bottom, end = (
                most - round((value - low) / (high - low) * most) if high > low else most // 2
                for value in (span.highest, span.lowest, span.last)
            )
            if before >= 0:  # up to the one before, which has its dot
                top, bottom = min(top, before + 1), max(bottom, before - 1)
            for each in range(top, bottom + 1):
                self._dots[each // 4][x // 2] |= _DOTS[each % 4][x % 2]
                self._styles[each // 4][x // 2] = style
            before = end

    def row(self, number: int, marks: set[int]) -> Content:
        """Return a line of the field; where nothing is drawn a mark stands as a fine upright."""
        pieces: list[tuple[str, str]] = []
        for x in range(self.width):
            dots, style = self._dots[number][x], self._styles[number][x]
            text, style = (chr(_EMPTY + dots), style) if dots else ("╎", "dim") if x in marks else (" ", "")
            if pieces and pieces[-1][1] == style:
                pieces[-1] = (pieces[-1][0] + text, style)
            else:
                pieces.append((text, style))
        return line(*pieces)


def chart(
    curves: Sequence[Curve],
    width: int,
    height: int,
    *,
    label: Callable[[float], str] = cells.short_money,
    marks: Sequence[float] = (),
    dates: bool = True,
    zero: bool = False,
) -> Content:
    """Return curves with the values left and the time beneath. ``marks`` are instants; ``zero`` keeps 0 in sight."""
    drawn = [each for each in curves if each.points]
    values = [point[1] for each in drawn for point in each.points] + ([0.0] if zero else [])
    low, high, rows = min(values, default=0.0), max(values, default=0.0), height - dates
    shown = _labels(low, high, rows, label)
    axis = max(_AXIS, max(map(len, shown.values())) + 2)
    room = width - axis
    if not drawn or room < 8 or rows < _LEAST:
        return line(("nothing to draw yet", "dim"))
    first, last = min(each.points[0][0] for each in drawn), max(each.points[-1][0] for each in drawn)
    field = _Field(room, rows)
    for each in drawn:
        field.draw(_spans(each.points, first, last, room * 2), low, high, each.style)
    places = {_place(at, first, last, room) for at in marks if first <= at <= last}
    text = [
        line((f"{shown.get(number, ''):>{axis - 2}} ", "dim"), "▏", field.row(number, places)) for number in range(rows)
    ]
    if dates:
        text.append(line((" " * axis + _times(first, last, room), "dim")))
    return lines(*text)


def _spans(points: _Points, first: float, last: float, count: int) -> list[_Span | None]:
    """Return what the values span in each of so many equal parts of time, None before the first: no extreme is lost."""
    found: list[_Span | None] = []
    place, value = 0, None
    for number in range(count):
        # The newest point belongs to the last part, whatever is lost of so large a number.
        at = last if number == count - 1 else first + (last - first) * (number + 1) / count
        begin = place
        while place < len(points) and points[place][0] <= at:
            place += 1
        some = [point[1] for point in points[begin:place]]
        value = some[-1] if some else value
        found.append(None if value is None else _Span(min(some, default=value), max(some, default=value), value))
    return found


def _place(at: float, first: float, last: float, room: int) -> int:
    return min(room - 1, int((at - first) / (last - first) * room)) if last > first else 0


def _labels(low: float, high: float, rows: int, label: Callable[[float], str]) -> dict[int, str]:
    if high == low:
        return {rows // 2: label(low)}
    count = max(2, min(5, rows // 3 + 1))
    places = {round(number * (rows - 1) / (count - 1)) for number in range(count)}
    return {place: label(high - (high - low) * place / (rows - 1)) for place in places}


def _times(first: float, last: float, room: int) -> str:
    """Return instants beneath a field, the first left, the last right, as many between as have room."""
    form = (
        "%H:%M:%S"
        if (last - first) / _NANOS < _MINUTES_S
        else "%H:%M"
        if (last - first) / _NANOS < 2 * _DAY_S
        else "%b %d"
        if (last - first) / _NANOS < 300 * _DAY_S
        else "%Y-%m"
    )
    count = max(2, min(6, room // 14))
    texts = [
        f"{datetime.fromtimestamp((first + (last - first) * number / (count - 1)) / _NANOS, UTC):{form}}"
        for number in range(count)
    ]
    drawn = [" "] * room
    for number, text in enumerate(texts):
        middle = round(number * (room - 1) / (count - 1))
        begin = max(0, min(room - len(text), middle - len(text) // 2))
        drawn[begin : begin + len(text)] = text
    return "".join(drawn)
