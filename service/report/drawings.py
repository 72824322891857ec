"""Drawings in SVG for a page: their colours are the page's, so that they follow its light or dark theme.

Each drawing has a title and a description for whoever cannot see it, and says nothing by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from service.report.numbers import axis_percent, axis_words, count, day, money, percent, short, zone_named
from service.report.scales import jumping, time_ticks, value_ticks

__all__ = ["drawdown", "equity", "histogram"]

_WIDTH: Final = 1_040
_HALF: Final = 500
_LEFT: Final = 8
_RIGHT: Final = 76
_TOP: Final = 18
_BOTTOM: Final = 26

_Curve = Sequence[Sequence[float]]


class _Frame(NamedTuple):
    """Where values lie on a drawing."""

    height: float
    first: float
    last: float
    low: float
    high: float
    width: float = _WIDTH

    @property
    def right(self) -> float:
        return self.width - _RIGHT

    def x(self, at: float) -> float:
        share = (at - self.first) / ((self.last - self.first) or 1)
        return _LEFT + share * (self.right - _LEFT)

    def y(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM)

    def place(self, at: float, value: float) -> str:
        return f"{self.x(at):.1f},{self.y(value):.1f}"


def equity(found: Mapping[str, Any]) -> str:
    """Return the curves of total and realized equity, with a mark at each deposit and withdrawal."""
    curves = found["curves"]
    total, realized = jumping(curves["total"], curves["flows"]), curves["realized"]
    if len(total) + len(realized) < 2:
        return ""
    every = [*total, *realized]
    levels = value_ticks(min(value for _, value in every), max(value for _, value in every))
    frame = _Frame(330, min(at for at, _ in every), max(at for at, _ in every), levels[0], levels[-1])
    zone = zone_named(found["range"]["timezone"])
    parts = [_rules(frame, levels, axis_words(levels)), _calendar(frame, zone)]
    if total:
        floor = (
            f"{frame.x(total[-1][0]):.1f},{frame.y(frame.low):.1f} {frame.x(total[0][0]):.1f},{frame.y(frame.low):.1f}"
        )
        parts.append(f'<polygon class="under" points="{_line(frame, total)} {floor}"/>')
    if realized:
        parts.append(f'<polyline class="realized" points="{_steps(frame, realized)}"/>')
    if total:
        parts.append(f'<polyline class="total" points="{_line(frame, total)}"/>')
    parts += [_flow(frame, at, amount, total or realized) for at, amount in curves["flows"]]
    shown = total or realized
    said = (
        f"From {short(shown[0][1])} on {day(int(shown[0][0]), zone)} to {short(shown[-1][1])} USD on "
        f"{day(int(shown[-1][0]), zone)}; {len(curves['flows'])} deposits and withdrawals are marked."
    )
    return _svg("equity", frame, "Equity in USD", said, parts)


def drawdown(found: Mapping[str, Any]) -> str:
    """Return how far equity stood below its highest, deposits taken out, with the deepest point named."""
    curve, figures = found["curves"]["drawdown"], found["dashboard"]["drawdown"]
    if len(curve) < 2 or figures["trough_at"] is None:
        return ""
    levels = [each for each in value_ticks(min(value for _, value in curve), 0.0, 3) if each <= 0]
    frame = _Frame(170, curve[0][0], curve[-1][0], levels[0], 0.0)
    zone = zone_named(found["range"]["timezone"])
    zero = frame.y(0)
    area = f"{frame.x(curve[0][0]):.1f},{zero:.1f} {_line(frame, curve)} {frame.x(curve[-1][0]):.1f},{zero:.1f}"
    parts = [
        _rules(frame, levels, axis_percent),
        _calendar(frame, zone),
        f'<polygon class="fall" points="{area}"/><polyline class="falling" points="{_line(frame, curve)}"/>',
    ]
    at, depth = figures["trough_at"], figures["max_drawdown_percent"]
    x, y = frame.x(at), frame.y(depth)
    side = "end" if x > frame.width / 2 else "start"
    parts.append(f'<circle class="worst" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    parts.append(
        f'<text class="word" x="{x + (-9 if side == "end" else 9):.1f}" y="{y - 3:.1f}" text-anchor="{side}">'
        f"{percent(depth)}, {day(at, zone)}</text>"
    )
    recovered = figures["recovered_at"]
    end = f"recovered on {day(recovered, zone)}" if recovered is not None else "not recovered yet"
    said = f"Deepest: {percent(depth)}, from {day(figures['peak_at'], zone)} to {day(at, zone)}, {end}."
    return _svg("drawdown", frame, "Drawdown in percent", said, parts)


def histogram(found: Mapping[str, Any]) -> str:
    """Return how the returns of trades are distributed; bars left of zero are losses."""
    edges, counts = found["dashboard"]["histogram"]["edges"], found["dashboard"]["histogram"]["counts"]
    if not counts:
        return ""
    low, high = edges[0], edges[-1]
    if low == high:
        low, high, edges = low - 0.5, high + 0.5, [low - 0.5, high + 0.5]
    levels = [each for each in value_ticks(0, max(counts), 4) if float(each).is_integer()]
    frame = _Frame(340, low, high, 0, levels[-1], _HALF)
    parts = [_rules(frame, levels, lambda value: count(int(value)))]
    base = frame.y(0)
    for left, right, number in zip(edges, edges[1:], counts, strict=False):
        x, width = frame.x(left), frame.x(right) - frame.x(left)
        kind = "gain" if left >= 0 else "loss" if right <= 0 else "even"
        top = frame.y(number)
        title = f"{percent(left)} to {percent(right)}: {count(number)} trades"
        parts.append(
            f'<rect class="{kind}" x="{x + 1:.1f}" y="{top:.1f}" width="{max(width - 2, 1):.1f}" height="{base - top:.1f}">'
            f"<title>{title}</title></rect>"
        )
    parts += [_below(frame, value, axis_percent(value)) for value in value_ticks(low, high, 6) if low <= value <= high]
    if low < 0 < high:
        parts.append(f'<line class="zero" x1="{frame.x(0):.1f}" x2="{frame.x(0):.1f}" y1="{_TOP}" y2="{base:.1f}"/>')
    said = f"{count(sum(counts))} trades from {percent(low)} to {percent(high)}."
    return _svg("histogram", frame, "Trades by return", said, parts)


# --- parts --------------------------------------------------------------------------------------------------------------


def _svg(name: str, frame: _Frame, title: str, said: str, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" class="drawing" '
        f'aria-labelledby="{name}-title {name}-said">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-said">{escape(said)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _line(frame: _Frame, curve: _Curve) -> str:
    return " ".join(frame.place(at, value) for at, value in curve)


def _steps(frame: _Frame, curve: _Curve) -> str:
    """Return a curve that keeps its value until the next one."""
    places: list[str] = []
    for number, (at, value) in enumerate(curve):
        if number:
            places.append(frame.place(at, curve[number - 1][1]))
        places.append(frame.place(at, value))
    places.append(frame.place(frame.last, curve[-1][1]))
    return " ".join(places)


def _rules(frame: _Frame, levels: Sequence[float], written: Any) -> str:
    end = frame.right
    return "".join(
        f'<line class="rule" x1="{_LEFT}" x2="{end:g}" y1="{frame.y(each):.1f}" y2="{frame.y(each):.1f}"/>'
        f'<text class="tick" x="{end + 8:g}" y="{frame.y(each) + 4:.1f}">{written(each)}</text>'
        for each in levels
    )


def _calendar(frame: _Frame, zone: Any) -> str:
    ticks = time_ticks(int(frame.first), int(frame.last), zone)
    return "".join(_below(frame, tick.at, tick.text) for tick in ticks)


def _below(frame: _Frame, at: float, text: str) -> str:
    x = min(max(frame.x(at), _LEFT + 14), frame.right - 10)
    return f'<text class="tick" x="{x:.1f}" y="{frame.height - 6:g}" text-anchor="middle">{escape(text)}</text>'


def _flow(frame: _Frame, at: float, amount: float, curve: _Curve) -> str:
    """Return the mark of a deposit (pointing up) or withdrawal (down), with its amount."""
    x, up = frame.x(at), amount > 0
    bottom = frame.height - _BOTTOM
    tip, base = (bottom - 12, bottom - 3) if up else (bottom - 3, bottom - 12)
    near_end = x > frame.right - 110
    words = f"{money(amount, 0)} {'deposited' if up else 'withdrawn'}"
    return (
        f'<line class="flow" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.y(_value_at(curve, at)):.1f}" y2="{bottom:.1f}"/>'
        f'<polygon class="flow-mark" points="{x:.1f},{tip:.1f} {x - 5:.1f},{base:.1f} {x + 5:.1f},{base:.1f}"/>'
        f'<text class="word" x="{x + (-9 if near_end else 9):.1f}" y="{bottom - 4:.1f}" '
        f'text-anchor="{"end" if near_end else "start"}">{words}</text>'
    )


def _value_at(curve: _Curve, at: float) -> float:
    return next((value for moment, value in reversed(curve) if moment <= at), curve[0][1])
