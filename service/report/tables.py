"""What can be exported: every table and curve of the dashboard, and the records behind it (EX-1718).

Each is a name, its columns with their types (those of ``store.transfer.exporting``), and rows made when they are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from protocol.messages import Value
from rules.performance import BreakdownKey, PeriodUnit, TradeStats, breakdown, with_open
from service.report.days import DayRow
from service.report.figures import Live, months_of, total_percent
from service.report.history import History
from store.event_search import Where
from store.performance import Wanted, of_groups, recorded_flows
from store.queries import Views
from store.tables.catalogue import Table
from store.trades import TradeRow, all_trades

__all__ = ["EXPORTS", "Source", "table_of"]

_Rows = Iterable[tuple[Any, ...]]


class Source(NamedTuple):
    """What rows are made from; figures are computed when they are asked for. ``reason`` and ``text`` narrow trades."""

    views: Views
    wanted: Wanted
    past: Callable[[], History]
    present: Callable[[], Live]
    days: Callable[[], list[DayRow]]
    reason: str = ""
    text: str = ""


class _Export(NamedTuple):
    says: str
    columns: dict[str, str]
    rows: Callable[[Source], _Rows]


def table_of(name: str) -> Table:
    """Return the table of an export; raise ``KeyError``."""
    return Table(name, EXPORTS[name].columns, ())


# --- figures ------------------------------------------------------------------------------------------------------------


def _performance(source: Source) -> Iterator[tuple[Any, ...]]:
    past, present = source.past(), source.present()
    figures = past.figures
    yield from ((f"realized_{name}", getattr(figures.pnl, name)) for name in ("day", "week", "month", "all"))
    yield "unrealized", present.unrealized
    yield "total_pnl", figures.pnl.all + present.unrealized
    yield "total_pnl_percent", total_percent(past, present)
    yield "starting_equity", past.begun
    yield "net_flows", past.net_flows
    yield "equity", past.newest
    for prefix, stats in (("", figures.stats), ("long_", figures.long), ("short_", figures.short)):
        yield from ((prefix + name, _number(getattr(stats, name))) for name in stats.__struct_fields__)
    for name in ("max_drawdown_percent", "current_drawdown_percent"):
        yield name, getattr(figures.drawdown, name)
    yield "sharpe", figures.sharpe
    yield "sortino", figures.sortino
    capital = present.allocation(past.newest)
    yield from ((name, capital[name]) for name in capital if name != "exposure")


def _exposure(source: Source) -> _Rows:
    found = source.present().allocation(source.past().newest)["exposure"]
    return ((symbol, each["usd"], each["percent"]) for symbol, each in found.items())


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


_STATS: Final = {
    **dict.fromkeys(("trades", "wins", "losses", "breakeven"), "INTEGER"),
    **dict.fromkeys(
        (
            *("win_rate_percent", "gross_profit", "gross_loss", "net_pnl", "average_win", "average_loss"),
            *("rr_ratio", "profit_factor", "expectancy"),
        ),
        "FLOAT",
    ),
}


def _stats(stats: TradeStats) -> tuple[Any, ...]:
    return tuple(getattr(stats, name) for name in _STATS)


def _by_key(by: BreakdownKey) -> Callable[[Source], _Rows]:
    def rows(source: Source) -> Iterator[tuple[Any, ...]]:
        past = source.past()
        found = with_open(breakdown(past.closed, past.earned, by), source.present().opened, by)
        yield from ((row.key, row.realized, row.unrealized, row.open, *_stats(row.stats)) for row in found)

    return rows


def _by_period(unit: PeriodUnit) -> Callable[[Source], _Rows]:
    return lambda source: (
        (row.key, row.start, row.realized, *_stats(row.stats)) for row in source.past().by_unit[unit]
    )


def _heatmap(source: Source) -> Iterator[tuple[Any, ...]]:
    for symbol, row in source.past().figures.heatmap.items():
        yield from ((symbol, frame, cell.trades, cell.net_pnl, cell.win_rate_percent) for frame, cell in row.items())


def _histogram(source: Source) -> _Rows:
    found = source.past().figures.histogram
    return zip(found.edges, found.edges[1:], found.counts, strict=False)


def _best_worst(source: Source) -> Iterator[tuple[Any, ...]]:
    found = source.past().closed.extremes
    for name, trades in (("best", found.best), ("worst", found.worst)):
        for rank, trade in enumerate(trades, 1):
            about = (trade.id, trade.symbol, trade.timeframe, trade.side.value, trade.opened_at, trade.closed_at)
            yield (name, rank, *about, trade.net_pnl, trade.return_percent)


def _curve(name: str) -> Callable[[Source], _Rows]:
    return lambda source: ((point.at, point.value) for point in source.past().curve(name))


def _days(source: Source) -> _Rows:
    return ((str(each.day), *(getattr(each, name) for name in _DAYS if name != "day")) for each in source.days())


def _flows(source: Source) -> _Rows:
    found = reversed(recorded_flows(source.views, source.wanted))
    return ((each["at"], each["account"], each["amount"].removeprefix("+"), each["note"]) for each in found)


def _falls(source: Source) -> _Rows:
    found = source.past().falls
    return ((each.depth_percent, each.peak_at, each.trough_at, each.recovered_at) for each in found)


# --- records ------------------------------------------------------------------------------------------------------------


def _span(where: Where, column: str, wanted: Wanted) -> Where:
    where.add(f"{column} >= ?", wanted.since, when=wanted.since is not None)
    return where.add(f"{column} < ?", wanted.until, when=wanted.until is not None)


def _fetched(columns: dict[str, str], joined: str, at: str, order: str) -> Callable[[Source], _Rows]:
    """Return a maker of rows of the read models whose columns are written as they are."""

    def rows(source: Source) -> _Rows:
        where = _span(of_groups(source.wanted), at, source.wanted)
        names = ", ".join(columns.values())
        found = source.views.database.fetch(f"SELECT {names} FROM {joined}{where} ORDER BY {order}", where.values)  # noqa: S608 our own text
        return (tuple(map(_text, row)) for row in found)

    return rows


def _text(value: Any) -> Any:
    """Return exact decimals as text, whichever database they come from."""
    return value if value is None or isinstance(value, str | int | float) else format(value, "f")


def _signals(source: Source) -> _Rows:
    wanted = source.wanted
    where = _span(Where(), "received_at", wanted)
    for name in ("symbol", "timeframe", "venue", "side"):
        value = getattr(wanted, name)
        where.add(f"{name} = ?", value, when=value)
    names = ", ".join(_SIGNALS)
    sql = f"SELECT {names} FROM signals{where} ORDER BY position"  # noqa: S608 our own text
    return (tuple(map(_text, row)) for row in source.views.database.fetch(sql, where.values))


def _trades(source: Source) -> _Rows:
    for row in all_trades(source.views, source.wanted, reason=source.reason, text=source.text):
        yield tuple(_text(_value(getattr(row, name))) for name in _TRADES)


def _value(value: Any) -> Any:
    return getattr(value, "value", value)


def _kinds(of: type[Value]) -> dict[str, str]:
    """Return the types of a row's columns by its annotations."""
    kinds = {"Instant": "INSTANT", "Decimal": "EXACT", "float": "FLOAT", "int": "INTEGER"}
    return {
        name: next((kind for word, kind in kinds.items() if word in str(of.__annotations__[name])), "TEXT")
        for name in of.__struct_fields__
    }


_DAYS: Final = {
    "day": "TEXT",
    "groups_closed": "INTEGER",
    "fills": "INTEGER",
    "volume_usd": "FLOAT",
    "net_pnl": "FLOAT",
    "best_symbol": "TEXT",
    "worst_symbol": "TEXT",
    "kept_at": "INSTANT",
}
_TRADES: Final = _kinds(TradeRow)
_SIGNALS: Final = {
    "signal_id": "TEXT",
    "position": "INTEGER",
    "received_at": "INSTANT",
    "user_id": "TEXT",
    "source": "TEXT",
    "venue": "TEXT",
    "symbol": "TEXT",
    "timeframe": "TEXT",
    "kind": "TEXT",
    "side": "TEXT",
    "trade_id": "TEXT",
    "label": "TEXT",
    "entry_price": "EXACT",
    "outcome": "TEXT",
    "routed": "TEXT",
    "routed_at": "INSTANT",
    "correlation_id": "INTEGER",
}
_FILLS: Final = {
    "at": ("INSTANT", "f.at"),
    "position": ("INTEGER", "f.position"),
    "account": ("TEXT", "g.account"),
    "group_id": ("TEXT", "o.group_id"),
    "leg_id": ("TEXT", "o.leg_id"),
    "purpose": ("TEXT", "o.purpose"),
    "client_order_id": ("TEXT", "f.client_order_id"),
    "trade_id": ("TEXT", "f.trade_id"),
    "symbol": ("TEXT", "f.symbol"),
    "side": ("TEXT", "f.side"),
    "qty": ("EXACT", "f.qty"),
    "price": ("EXACT", "f.price"),
    "fee": ("EXACT", "f.fee"),
    "fee_currency": ("TEXT", "f.fee_currency"),
}
_ORDERS: Final = {
    "wanted_at": ("INSTANT", "o.wanted_at"),
    "position": ("INTEGER", "o.position"),
    "account": ("TEXT", "g.account"),
    "group_id": ("TEXT", "o.group_id"),
    "leg_id": ("TEXT", "o.leg_id"),
    "purpose": ("TEXT", "o.purpose"),
    "client_order_id": ("TEXT", "o.client_order_id"),
    "venue_order_id": ("TEXT", "o.venue_order_id"),
    "symbol": ("TEXT", "o.symbol"),
    "side": ("TEXT", "o.side"),
    "type": ("TEXT", "o.type"),
    "qty": ("EXACT", "o.qty"),
    "price": ("EXACT", "o.price"),
    "state": ("TEXT", "o.state"),
    "reason": ("TEXT", "o.reason"),
    "error": ("TEXT", "o.error"),
    "filled_qty": ("EXACT", "o.filled_qty"),
    "filled_quote": ("EXACT", "o.filled_quote"),
    "slippage_percent": ("EXACT", "o.slippage_percent"),
    "sent_at": ("INSTANT", "o.sent_at"),
    "updated_at": ("INSTANT", "o.updated_at"),
}
_OF_ORDERS: Final = "orders o JOIN groups g ON g.group_id = o.group_id"
_OF_FILLS: Final = (
    f"fills f JOIN {_OF_ORDERS.replace('orders o', 'orders o ON o.client_order_id = f.client_order_id', 1)}"
)


def _records(columns: dict[str, tuple[str, str]], joined: str, at: str, order: str, says: str) -> _Export:
    wanted = {name: column for name, (_, column) in columns.items()}
    return _Export(says, {name: kind for name, (kind, _) in columns.items()}, _fetched(wanted, joined, at, order))


_POINT: Final = {"at": "INSTANT", "value": "FLOAT"}
_KEYED: Final = {"realized": "FLOAT", "unrealized": "FLOAT", "open": "INTEGER", **_STATS}
_WORDS: Final = {BreakdownKey.SYMBOL: "pair"}

EXPORTS: Final[dict[str, _Export]] = {
    "performance": _Export("all figures by name", {"figure": "TEXT", "value": "FLOAT"}, _performance),
    "trades": _Export("closed groups, the newest first", _TRADES, _trades),
    "equity": _Export("total equity", _POINT, _curve("total")),
    "realized": _Export("realized equity", _POINT, _curve("realized")),
    "closed": _Export("realized equity of closed trades", _POINT, _curve("closed")),
    "drawdown": _Export("drawdown in percent", _POINT, _curve("drawdown")),
    "flows": _Export(
        "deposits and withdrawals as they were recorded",
        {"at": "INSTANT", "account": "TEXT", "amount": "EXACT", "note": "TEXT"},
        _flows,
    ),
    "falls": _Export(
        "the deepest drawdowns",
        {"depth_percent": "FLOAT", "peak_at": "INSTANT", "trough_at": "INSTANT", "recovered_at": "INSTANT"},
        _falls,
    ),
    **{
        f"by_{_WORDS.get(by, by.value)}": _Export(
            f"results by {_WORDS.get(by, by.value)}", {_WORDS.get(by, by.value): "TEXT", **_KEYED}, _by_key(by)
        )
        for by in BreakdownKey
    },
    **{
        f"by_{unit.value}": _Export(
            f"results by {unit.value}",
            {unit.value: "TEXT", "start": "INSTANT", "realized": "FLOAT", **_STATS},
            _by_period(unit),
        )
        for unit in PeriodUnit
    },
    "days": _Export("each day with closed groups, fills, volume, best and worst pair, the newest first", _DAYS, _days),
    "months": _Export(
        "years by months: what was realized, and the return of total equity",
        {"year": "INTEGER", "month": "INTEGER", "realized": "FLOAT", "return_percent": "FLOAT"},
        lambda source: months_of(source.past()),
    ),
    "exposure": _Export(
        "what is open by pair at present prices", {"pair": "TEXT", "usd": "FLOAT", "percent": "FLOAT"}, _exposure
    ),
    "heatmap": _Export(
        "pairs by timeframes",
        {"pair": "TEXT", "timeframe": "TEXT", "trades": "INTEGER", "net_pnl": "FLOAT", "win_rate_percent": "FLOAT"},
        _heatmap,
    ),
    "histogram": _Export(
        "how returns are distributed", {"from_percent": "FLOAT", "to_percent": "FLOAT", "trades": "INTEGER"}, _histogram
    ),
    "best_worst": _Export(
        "the ten best and the ten worst trades",
        {
            "list": "TEXT",
            "rank": "INTEGER",
            "group_id": "TEXT",
            "pair": "TEXT",
            "timeframe": "TEXT",
            "side": "TEXT",
            "opened_at": "INSTANT",
            "closed_at": "INSTANT",
            "net_pnl": "FLOAT",
            "return_percent": "FLOAT",
        },
        _best_worst,
    ),
    "fills": _records(_FILLS, _OF_FILLS, "f.at", "f.position", "fills"),
    "orders": _records(_ORDERS, _OF_ORDERS, "o.wanted_at", "o.position", "orders"),
    "signals": _Export("received signals; those not understood only without a filter", _SIGNALS, _signals),
}
"""What can be exported, by name."""
