"""What stands on each card of the dashboard (EX-1610): contents only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from textual.content import Content
from textual.geometry import Size

from tui import cells
from tui.alerts import letter_of
from tui.cells import Cell
from tui.flows import without_flows
from tui.frame import engine_of, held_words
from tui.panels.risk import status_of
from tui.plot import braille
from tui.state import State
from tui.text import line, lines, padded

__all__ = ["brief", "capital", "engine", "equity", "pnl", "pool", "side", "troubles"]

_NANOS: Final = 1_000_000_000
_HOUR_S: Final = 3_600
_AXIS: Final = 10
_CLOSE: Final = 10.0
"""Ends of a curve that are nearer to each other than this have their cents: else both would read the same."""

_NO_TROUBLE: Final = Cell("✓ nothing went wrong", "dim")

_WHOLE: Final = 4
"""Lines of a card from which on nothing of it shares one."""

_WITH_AXIS: Final = 8
_WITH_WORST: Final = 56


def _title(text: str, right: Cell | None = None, width: int = 0) -> Content:
    left = line((text, "title"))
    if right is None:
        return left
    return padded(left, line(" ", right).truncate(max(0, width - len(text)), ellipsis=True), width)


def engine(state: State, size: Size) -> Content:
    """Return the engine's banner: running, paused or in error, and why; what lives and for how long."""
    status = state.get("status")
    if status is None:
        return _title("ENGINE")
    reason = status["engine"]["reason"] or "entries are allowed"
    venues = [f"{each['account']} {each['text'] or each['status']}" for each in status["venues"]]
    down = any(each["text"] for each in status["venues"])
    up = cells.span(status["uptime_s"])
    held = [f"{held_words(each)}: {each['why']}" for each in status["engine"].get("held", ())]
    return lines(
        _title("ENGINE", Cell(f"up {up}", "dim"), size.width),
        *_stacked(size, line(engine_of(state)), line((reason, "warn" if status["engine"]["reason"] else "dim"))),
        line((", ".join(held) + ("  " if held else ""), "warn"), (", ".join(venues), "alarm" if down else "dim")),
    )


def _stacked(size: Size, upper: Content, lower: Content) -> list[Content]:
    """Return two lines of a card, as one where it has a line less."""
    return [upper, lower] if size.height >= _WHOLE else [line(upper, "  ", lower)]


def pool(state: State, size: Size) -> Content:
    """Return how full the pool is, and what waits, split by why."""
    queues = state.rows("queue", "queues")
    taken = sum(int(each["occupied"]) for each in queues)
    most = sum(int(each["maximum"]) for each in queues)
    waiting = Counter(entry["hold"] or entry["reason"] for each in queues for entry in each["entries"])
    style = "alarm" if taken > most else "warn" if taken == most and most else ""
    track = {"alarm": "track-alarm", "warn": "track-warn"}.get(style, "track")
    counts = state.get("status")["counts"] if state.get("status") else {}
    room = max(4, min(24, size.width - 12))
    split = "  ".join(f"{cells.words(why)} {count}" for why, count in waiting.most_common())
    lives = f"{counts.get('open_groups', 0)} groups  {counts.get('working_orders', 0)} orders"
    return lines(
        _title("POOL", Cell(lives, "dim"), size.width),
        line((f"{taken}/{most}", style or "strong"), " ", (cells.bar(taken / most if most else 0.0, room), track)),
        *_stacked(
            size,
            line(("queued ", "dim"), (f"{sum(waiting.values())}", "strong")),
            line((split or "nothing waits", "dim")),
        ),
    )


def pnl(state: State, size: Size) -> Content:
    """Return what came of it: realized and unrealized, together in money and percent, and today's."""
    found = state.get("performance")
    if found is None:
        return _title("TOTAL PNL")
    total = found["total_pnl"]
    beneath = _sums(found, size, 2)
    if size.width < max(each.cell_length for each in beneath):
        beneath = _sums(found, size, 0)
    return lines(
        _title("TOTAL PNL", _prices(state, found), size.width),
        line(cells.signed(total), (" USD  ", "dim"), *_percent(found["total_pnl_percent"])),
        *beneath,
    )


def _sums(found: Mapping[str, Any], size: Size, places: int) -> tuple[Content, ...]:
    sums = found["dashboard"]["pnl"]
    opened = (("  open ", "dim"), cells.signed(found["unrealized"], places))
    today = (("today ", "dim"), cells.signed(sums["day"], places))
    if size.height < _WHOLE:
        return (line(*today, *opened),)
    week = (("  week ", "dim"), cells.signed(sums["week"], places))
    return line(("realized ", "dim"), cells.signed(sums["all"], places), *opened), line(*today, *week)


def _percent(value: Any) -> tuple[Cell, ...]:
    """Return a percentage with its unit; nothing where there is nothing to reckon it by."""
    return () if value is None else (cells.percent(value), Cell("%", "dim"))


def _prices(state: State, found: Mapping[str, Any]) -> Cell:
    """Return the scope, or which prices the open part is reckoned by where they are not those of the moment."""
    if not found["unrealized_complete"]:
        return Cell("prices missing", "warn")
    if any(row["venue_trouble"] for row in state.rows("groups", "groups")):
        return Cell("last known prices", "warn")
    return Cell(str(found["scope"]), "dim")


def capital(state: State, size: Size) -> Content:
    """Return the capital gauge: what is committed of what there is (EX-1717)."""
    found = state.get("performance")
    if found is None:
        return _title("CAPITAL")
    made = found["allocation"]
    share = made["gauge_percent"]
    style = "track-alarm" if share is not None and share > 100 else "track-accent"
    room = max(4, min(24, size.width - 10))
    shown = Cell(cells.DASH, "dim") if share is None else Cell(f"{share:.1f}%", "alarm" if share > 100 else "strong")
    return lines(
        _title("CAPITAL", Cell("committed of equity", "dim"), size.width),
        line(shown, " ", (cells.bar((share or 0.0) / 100, room), style)),
        line(
            ("committed ", "dim"),
            cells.short_money(made["gauge_committed_usd"]),
            ("  free ", "dim"),
            cells.short_money(made["gauge_free_usd"]),
        ),
        line(
            ("deployed ", "dim"),
            cells.short_money(made["deployed_usd"]),
            ("  locked ", "dim"),
            cells.short_money(made["locked_usd"]),
        ),
    )


def equity(state: State, size: Size) -> Content:
    """Return the curve of equity with its ends, and how far below its peak it is."""
    points = _equity(state.get("performance"))
    values = [value for _, value in points]
    newest = line(("EQUITY  ", "title"), (f"{values[-1]:,.2f}" if values else "", "strong"))
    head = padded(newest, _drawdown(state, size), size.width)
    axis = 1 if size.height >= _WITH_AXIS else 0
    height, width = size.height - 1 - axis, size.width - _AXIS - 1
    if not values or height < 1 or width < _AXIS:
        return lines(head, line(("no equity was noted yet", "dim")))
    style = "gain" if values[-1] >= values[0] else "loss"
    high, low, last = max(values), min(values), values[-1]
    places = 0 if high - low >= _CLOSE else 2
    marks = {0: f"{high:,.{places}f}", height - 1: f"{low:,.{places}f}"} if height > 1 else {0: f"{last:,.0f}"}
    curve = [
        line((f"{marks.get(place, ''):>{_AXIS}} ", "dim"), (text, style))
        for place, text in enumerate(braille(values, width, height))
    ]
    begin, end = cells.day_time(points[0][0])[:-3], cells.day_time(points[-1][0])[:-3]
    foot = [line((" " * (_AXIS + 1) + begin + end.rjust(width - len(begin)), "dim"))] if axis else []
    return lines(head, *curve, *foot)


def _drawdown(state: State, size: Size) -> Content:
    found = state.get("performance")
    if not found:
        return line("")
    drawdown = found["dashboard"]["drawdown"]
    current = [("drawdown ", "dim"), cells.percent(drawdown["current_drawdown_percent"]), ("%", "dim")]
    worst = [("  worst ", "dim"), cells.percent(drawdown["max_drawdown_percent"]), ("%", "dim")]
    return line(*current, *(worst if size.width >= _WITH_WORST else ()))


def _equity(found: Any) -> list[tuple[float, float]]:
    return [] if found is None else without_flows(found["curves"]["total"], found["curves"]["flows"])


def brief(state: State, size: Size) -> Content:
    """Return risk engine, last signal and what went wrong in the last hour, a line each."""
    pictures = state.rows("risk", "accounts")
    latest = max(pictures, key=lambda each: each["acted_at"] or 0, default=None)
    codes = Counter(str(row["code"]) for row in _last_hour(state)).most_common()
    found = (
        ("RISK", line(*(line(_standing(each), "   ") for each in pictures), _acted(latest))),
        ("WEBHOOK", line(_newest_signal(state), (f"  {_since_signal(state)}", "dim"))),
        ("LAST HOUR", line((", ".join(f"{count} {code}" for code, count in codes), "warn") if codes else _NO_TROUBLE)),
    )
    return lines(*(line((f"{name:<11}", "title"), said).truncate(size.width, ellipsis=True) for name, said in found))


def side(state: State, size: Size) -> Content:
    """Return risk engine, last signal and newest alerts, beneath each other."""
    found = [*_risk(state), Content(""), *_signal(state, size), Content(""), *_alerts(state, size)]
    return lines(*found[: max(1, size.height)])


def _risk(state: State) -> Iterator[Content]:
    yield _title("RISK ENGINE")
    for picture in state.rows("risk", "accounts"):
        yield _standing(picture)
        if picture["text"]:
            yield _acted(picture)


def _standing(picture: Mapping[str, Any]) -> Content:
    return line(
        status_of(picture),
        (f"  {picture['account']}  {len(picture['losers'])} losing  {picture['winners']} winning ", "dim"),
        cells.signed(picture["winners_usd"]),
    )


def _acted(picture: Mapping[str, Any] | None) -> Content:
    if picture is None or not picture["text"]:
        return line("")
    return line((f"{cells.clock_time(picture['acted_at'])} {picture['text']}", "dim"))


def _signal(state: State, size: Size) -> Iterator[Content]:
    yield _title("LAST WEBHOOK", Cell(_since_signal(state), "dim"), size.width)
    yield _newest_signal(state)


def _since_signal(state: State) -> str:
    signals = state.rows("signals", "signals")
    return f"{cells.age(signals[0]['received_at'], state.now()).text} ago" if signals else ""


def _newest_signal(state: State) -> Content:
    signals = state.rows("signals", "signals")
    if not signals:
        return line(("none yet", "dim"))
    newest = signals[0]
    outcome = newest["routed"] or newest["outcome"]
    taken = newest["outcome"] == "accepted" and not str(outcome).startswith("rejected")
    return line(
        (f"{cells.clock_time(newest['received_at'])} ", "dim"),
        (f"{newest['symbol'] or '?'} {newest['timeframe'] or ''} {newest['kind'] or ''} {newest['side'] or ''}  ", ""),
        (cells.words(outcome), "gain" if taken else "warn"),
    )


def _last_hour(state: State) -> list[dict[str, Any]]:
    since = state.now() - _HOUR_S * _NANOS
    return [row for row in state.rows("troubles", "events") if row["at"] >= since]


def _alerts(state: State, size: Size) -> Iterator[Content]:
    """Yield the newest troubles, and how many came in the last hour."""
    rows, count = state.rows("troubles", "events"), len(_last_hour(state))
    yield _title("ALERTS", Cell(f"{count} in the last hour", "warn" if count else "dim"), size.width)
    if not rows:
        yield line(("✓ none", "dim"))
    for row in rows:
        yield _trouble(row)


def _trouble(row: Mapping[str, Any]) -> Content:
    letter, alarming = letter_of(row)
    return line(
        (f"{cells.clock_time(row['at'])} ", "dim"),
        (f"{letter} ", "alarm" if alarming else "warn"),
        (str(row["text"]), ""),
        (f"  {row['identity'] or ''}", "dim"),
    )


def troubles(state: State, size: Size) -> Content:
    """Return what went wrong in the last hour, counted by code, and when last."""
    recent = _last_hour(state)
    counts = Counter(str(row["code"]) for row in recent)
    newest = {str(row["code"]): row["at"] for row in reversed(recent)}
    found = [_title("LAST HOUR BY KIND", Cell(f"{len(recent)}", "dim"), size.width)]
    for code, count in counts.most_common(max(0, size.height - 1)):
        found.append(
            line(
                (f"{count:>4}  ", "strong"), (f"{code:<28.28}", ""), (f" last {cells.clock_time(newest[code])}", "dim")
            )
        )
    if not counts:
        found.append(line(_NO_TROUBLE))
    return lines(*found)
