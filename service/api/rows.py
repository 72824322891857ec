"""Groups, orders, fills, positions, signals and events as clients get them: rows of the read models, with live prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from actors.session_topics import market_topic
from protocol.market import PriceTick
from protocol.values import Scope, Side
from protocol.webhook import NewestPrice
from rules.notation import whole_number
from rules.quote_usd import quote_usd, rate_symbol
from runtime.errors import ActorError
from runtime.system import ActorSystem
from service.api.accounts import venue_standing
from service.api.answers import Refused, plain
from service.api.host import exchange_of
from store.queries import EventFilter, Views
from store.views.lines import LineSeverity
from store.views.rows import EventRow, GroupRow, LegRow
from venues.errors import VenueError

__all__ = [
    "LIMIT",
    "Results",
    "events",
    "group_rows",
    "groups_with_prices",
    "limit_of",
    "newest_prices",
    "overview_rows",
    "scope_of",
]

LIMIT: Final = 200
"""Rows of a list unless the client asks for another number."""

_MOST: Final = 10_000
_PRICE_S: Final = 0.5
_AT_LEAST: Final = {
    "info": (),
    "warning": (LineSeverity.WARNING, LineSeverity.ERROR),
    "error": (LineSeverity.ERROR,),
}


def limit_of(query: Mapping[str, str]) -> int:
    """Return how many rows a client wants; raise ``Refused`` for what is no sane number."""
    text = query.get("limit", str(LIMIT))
    number = whole_number(text, _MOST)
    if not number:
        raise Refused(422, "OutOfRange", f"limit is a number from 1 to {_MOST}", path="limit", value=text)
    return number


def scope_of(query: Mapping[str, str]) -> Scope | None:
    """Return the scope a client wants, None for all; raise ``Refused`` for what is none."""
    text = query.get("scope", "")
    if text and text not in list(Scope):
        raise Refused(422, "InvalidEnum", f"scope is one of {', '.join(Scope)}", path="scope", value=text)
    return Scope(text) if text else None


def group_rows(
    views: Views, *, open_only: bool, limit: int, account: str = "", scope: Scope | None = None
) -> list[tuple[GroupRow, list[LegRow]]]:
    """Return groups with their legs, of one account or scope when asked."""
    found = views.groups(open_only=open_only, account=account, scope=scope, limit=limit)
    return [(row, views.legs(row.group_id)) for row in found]


def events(views: Views, query: Mapping[str, str], limit: int) -> list[EventRow]:
    """Return lines of the event log, newest first."""
    severity = query.get("severity", "info")
    if severity not in _AT_LEAST:
        raise Refused(422, "InvalidEnum", f"severity is one of {', '.join(_AT_LEAST)}", path="severity", value=severity)
    wanted = EventFilter(
        severities=_AT_LEAST[severity],
        group_id=query.get("group", ""),
        text=query.get("text", ""),
        since=whole_number(query.get("since", "")),
    )
    return views.events(wanted, limit=limit)


class Results:
    """What was realised by account; added up anew only when the journal has grown since somebody looked."""

    def __init__(self) -> None:
        self._position = -1
        self._rows: list[Any] = []

    def newest(self, views: Views) -> list[Any]:
        """Return the sums of the newest read models."""
        position = views.position()
        if position != self._position:
            self._rows = [plain(row) for row in views.realised_pnl("account")]
            self._position = position
        return self._rows


def overview_rows(views: Views, limit: int) -> dict[str, Any]:
    """Return what a screen shows at once from the read models, in one read."""
    return {
        "groups": group_rows(views, open_only=True, limit=limit),
        "orders": [plain(row) for row in views.orders(open_only=True, limit=limit)],
        "events": [plain(row) for row in views.events(limit=limit)],
    }


async def newest_prices(system: ActorSystem, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PriceTick]:
    """Return the newest price of each (account, symbol) that has one; asked only when somebody looks."""
    found: dict[tuple[str, str], PriceTick] = {}
    for account, symbol in dict.fromkeys(wanted):
        exchange = system.lookup(exchange_of(system, account))
        if exchange is None:
            continue
        try:
            tick = (await exchange.ask(NewestPrice(symbol), _PRICE_S)).tick
        except (ActorError, VenueError):
            continue
        if tick is not None:
            found[account, symbol] = tick
    return found


async def groups_with_prices(system: ActorSystem, rows: list[tuple[GroupRow, list[LegRow]]]) -> list[dict[str, Any]]:
    """Return groups as clients see them: average, filled layers, mark price, unrealised result, worth of the quote currency.

    ``venue_trouble`` is ``venue down`` while the account's connection is away, of closed groups as well (EX-1207).
    """
    live = [(row.account, row.symbol) for row, _ in rows if row.open_qty]
    prices = await newest_prices(system, live)
    venues = {account: venue_standing(system, account)["text"] for account in {row.account for row, _ in rows}}
    return [
        {
            **_group(row, legs, prices.get((row.account, row.symbol))),
            "quote_usd": _text(_quote_usd(system, row)),
            "venue_trouble": venues[row.account],
        }
        for row, legs in rows
    ]


def _quote_usd(system: ActorSystem, row: GroupRow) -> Decimal | None:
    """Return USD per unit of a group's quote currency, None while no rate is known (EX-109)."""
    return quote_usd(row.quote, system.bus.kept(market_topic(row.account, rate_symbol(row.quote))), system.now())


def _group(row: GroupRow, legs: list[LegRow], tick: PriceTick | None) -> dict[str, Any]:
    mark = None if tick is None else (tick.bid if row.side is Side.LONG else tick.ask)
    unrealized = None
    if mark is not None and row.open_qty:
        unrealized = (row.open_qty * mark - row.open_cost_quote) * row.side.sign
    average = row.avg_entry
    return {
        **plain(row),
        "avg_entry": _text(average),
        "legs": len(legs),
        "legs_filled": sum(leg.filled_qty > 0 for leg in legs),
        "qty_planned": _text(sum((leg.qty for leg in legs), Decimal(0))),
        "mark": _text(mark),
        "unrealized_quote": _text(unrealized),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
