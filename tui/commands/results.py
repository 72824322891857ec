"""Results: range, filters, pages, what is taken away as a file (EX-1624, EX-1718, EX-1719)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from tui.panels.results_bar import CURVES, PAGES, TABLES
from tui.results import FILTERS, RANGES, filters_of, narrow
from tui.seat import Argument, Choice, Command, Seat

__all__ = ["COMMANDS"]

_TABLES: Final = (
    *("trades", "performance", "equity", "realized", "closed", "drawdown", "flows", "falls", "best_worst"),
    *("by_pair", "by_timeframe", "by_strategy", "by_side", "by_account", "by_venue", "by_day", "by_week", "by_month"),
    *("heatmap", "histogram", "fills", "orders", "signals"),
)
_CHARTS: Final = (
    *("equity", "drawdown", "histogram", "heatmap", "months"),
    *("by_day", "by_pair", "by_timeframe", "by_strategy", "by_side"),
)
_FORMS: Final = ("csv", "json", "parquet")


def _near(known: Sequence[str], now: str, wanted: str) -> str:
    """Return the next or the one before of a list, or the one that is wanted."""
    step = {"next": 1, "previous": -1}.get(wanted)
    if step is None:
        return wanted
    return known[(known.index(now) + step) % len(known)] if now in known else known[0]


async def _range(seat: Seat, given: tuple[str, ...]) -> None:
    """Choose a range: by name, or from a day to a day."""
    words = " ".join(given).split()
    named = RANGES[:-1]
    current = filters_of(seat.state).get("range", "all")
    first = _near(named, current, words[0]) if words else "all"
    if first in named:
        narrow(seat.state, {"range": "" if first == "all" else first, "from": "", "to": ""})
        seat.say(f"range: {first}", "dim")
        return
    days = [word for word in words if word != "custom"]
    if not days or len(days) > 2 or any(not _is_day(day) for day in days):
        seat.say(f"ranges are {', '.join(named)}, or two days: range 2026-01-01 2026-01-31 [Usage]", "warn")
        return
    narrow(seat.state, {"range": "", "from": days[0], "to": days[1] if len(days) > 1 else ""})
    seat.say(f"range: {' to '.join(days)}", "dim")


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


async def _only(seat: Seat, given: tuple[str, ...]) -> None:
    """Show results of these alone; a filter without a value is taken off, ``none`` takes all off."""
    name, _, value = " ".join(given).strip().partition(" ")
    if name in ("", "none"):
        narrow(seat.state, dict.fromkeys(FILTERS, ""))
        seat.say("results of everything", "dim")
    elif name in FILTERS:
        narrow(seat.state, {name: value.strip()})
        seat.say(f"results of {name} {value.strip()}" if value.strip() else f"results of any {name}", "dim")
    else:
        seat.say(f"filters are {', '.join(FILTERS)} [Usage]", "warn")


async def _ask_only(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    seat.open_command_line("only ")


async def _page(seat: Seat, given: tuple[str, ...]) -> None:
    panel = seat.open_panel("performance")
    wanted = _near(PAGES, panel.page, given[0] if given else "next")
    if wanted not in PAGES:
        seat.say(f"pages are {', '.join(PAGES)} [Usage]", "warn")
        return
    panel.turn_to(wanted)


async def _by(seat: Seat, given: tuple[str, ...]) -> None:
    panel = seat.open_panel("performance")
    wanted = _near(TABLES, panel.table, given[0] if given else "next")
    wanted = "symbol" if wanted == "pair" else wanted
    if wanted not in TABLES:
        seat.say(f"results are listed by pair, {', '.join(TABLES[1:])} [Usage]", "warn")
        return
    panel.table = wanted
    panel.turn_to("tables")


async def _curve(seat: Seat, given: tuple[str, ...]) -> None:
    panel = seat.open_panel("performance")
    wanted = _near(CURVES, panel.curve, given[0] if given else "next")
    if wanted not in CURVES:
        seat.say(f"curves are {', '.join(CURVES)} [Usage]", "warn")
        return
    panel.curve = wanted
    panel.turn_to(PAGES[0])


async def _older(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    """Show groups that were closed before those on screen."""
    panel = seat.open_panel("history")
    if not panel.before:
        seat.say("there are no older ones in this range", "dim")
        return
    found = await seat.ask("/v1/performance/trades", limit=500, before=panel.before, **filters_of(seat.state))
    if found is not None:
        panel.add_older(found)


async def _ask_take(seat: Seat, given: tuple[str, ...]) -> None:
    seat.open_command_line(f"take {given[0] if given else 'report.html'}")


async def _take(seat: Seat, given: tuple[str, ...]) -> None:
    """Write results into a file: ``take by_pair.csv``, ``take equity.png``, ``take report.html [PATH]``."""
    what, _, where = " ".join(given).strip().partition(" ")
    name, _, form = what.rpartition(".")
    address = _address(name, form)
    if address is None:
        seat.say(f"take WHAT.{'|'.join(_FORMS)} or CHART.png or report.html: {', '.join(_TABLES)} [Usage]", "warn")
        return
    query = {**filters_of(seat.state), **({"format": form} if form in _FORMS else {})}
    if name != "trades":  # only the history knows why each was closed, and by what words it is looked for
        query.pop("reason", None)
        query.pop("text", None)
    if form == "png":
        query["theme"] = "dark" if seat.dark else "light"
    fetched = await seat.fetch(address, **query)
    if fetched is not None:
        await seat.save(Path(where.strip() or f"~/{fetched.name or what}"), fetched.data)


def _address(name: str, form: str) -> str | None:
    if form in _FORMS and name in _TABLES:
        return f"/v1/performance/export/{name}"
    if form == "png" and name in _CHARTS:
        return f"/v1/performance/picture/{name}"
    return "/v1/performance/report" if (name, form) == ("report", "html") else None


def _takes(seat: Seat) -> list[Choice]:  # noqa: ARG001 - every list of choices has this shape
    tables = [Choice(f"{name}.csv", "or .json, .parquet") for name in _TABLES]
    charts = [Choice(f"{name}.png", "a picture") for name in _CHARTS]
    return [Choice("report.html", "everything on one page, with pictures"), *tables, *charts]


def _filters(seat: Seat) -> list[Choice]:  # noqa: ARG001
    return [Choice("none", "everything"), *(Choice(name, hint) for name, hint in FILTERS.items())]


def _values(seat: Seat) -> list[Choice]:
    """Return what results there are of: each value with the filter that takes it."""
    figures = seat.state.get("figures")
    known = figures["breakdown"] if figures is not None else {}
    return [Choice(row["key"], name) for name in FILTERS for row in known.get(name, ()) if row["key"]]


COMMANDS: Final = (
    Command(
        name="range",
        help="Range of results: today, 7d, 30d, month, year, all, or two days",
        run=_range,
        arguments=(Argument("range", lambda _: [Choice(name) for name in RANGES[:-1]]),),
    ),
    Command(
        name="only",
        help="Results of one account, pair, timeframe, strategy, side alone; none: of everything",
        run=_only,
        arguments=(Argument("filter", _filters), Argument("value", _values, required=False)),
    ),
    Command(name="ask-only", help="Type a filter of results", run=_ask_only),
    Command(
        name="page",
        help="Another page of performance",
        run=_page,
        arguments=(Argument("page", lambda _: [Choice(name) for name in PAGES], required=False),),
    ),
    Command(
        name="by",
        help="List results by pair, timeframe, strategy, side, account, venue, day, week, month",
        run=_by,
        arguments=(Argument("what", lambda _: [Choice(name) for name in TABLES], required=False),),
    ),
    Command(
        name="curve",
        help="Draw one curve of equity alone (total, realized, or realized by closed trades), or all",
        run=_curve,
        arguments=(Argument("curve", lambda _: [Choice(name) for name in CURVES], required=False),),
    ),
    Command(name="older-trades", help="Show older closed groups", run=_older),
    Command(name="ask-take", help="Type what to export", run=_ask_take, arguments=(Argument("what", required=False),)),
    Command(
        name="take",
        help="Write results into a file: trades.csv, by_pair.parquet, equity.png, report.html",
        run=_take,
        arguments=(Argument("what", _takes),),
    ),
)
"""Commands of results."""
