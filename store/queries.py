"""Read the read models: typed rows for CLI, API and cockpit, and the trace of any id.

All lists are newest first unless they say otherwise; ``limit`` bounds them and ``before`` (a position) goes on where the
last page ended. A reader in another process sees whole batches only.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, tzinfo
from decimal import Decimal
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from protocol.messages import Value
from protocol.values import Instant, Scope
from runtime.journal import Journal, Record
from store.event_search import EventFilter, Where, squashed, where_of
from store.pnl import OtherFee, PnlFilter, other_fees, pnl
from store.reading import JournalReader
from store.tables.database import Database, Row
from store.tables.opening import Where as Location
from store.tables.opening import read_tables
from store.views.risk_decisions import DecisionRow
from store.views.rows import (
    EngineRow,
    EquityRow,
    EventRow,
    FillRow,
    GroupRow,
    IncidentRow,
    LegRow,
    OrderRow,
    PnlRow,
    PoolRow,
    PositionRow,
    PyramidRow,
    QueueRow,
    RealizationRow,
    SignalRow,
)

__all__ = ["MOST_ROWS", "Counts", "EventFilter", "Views", "open_views", "records_about"]

MOST_ROWS: Final = 1_000
"""Rows a page has at most, unless the caller asks for another number."""

R = TypeVar("R", bound=Value)

_WORKING: Final = "state NOT IN ('filled', 'cancelled', 'rejected', 'expired')"
_JSON: Final = frozenset({"accounts", "left_out", "losses", "named", "plan", "problems", "ranked", "reasons", "steps"})
_WORDS: Final = frozenset({"tags"})
_COLUMNS: Final = {"user": "user_id"}
_DECISION_WORDS: Final = ("reasons", "left_out", "named", "plan", "steps", "outcome", "code", "trigger")


class Counts(NamedTuple):
    """How much there is of what."""

    signals: int
    open_groups: int
    closed_groups: int
    working_orders: int


class Views:
    """The queries on one database. Raises ``JournalUnavailable`` when it cannot be read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._fetch = database.fetch

    @property
    def database(self) -> Database:
        """The tables themselves, for queries that have a module of their own."""
        return self._database

    def position(self) -> int:
        """Return how far the journal has been projected."""
        return int(self._fetch("SELECT coalesce(max(position), 0) FROM progress", [])[0][0])

    def counts(self) -> Counts:
        """Return how many signals, open groups, closed groups and working orders there are."""
        sql = f"""SELECT (SELECT count(*) FROM signals),
            (SELECT count(*) FROM groups WHERE closed_at IS NULL AND state <> 'closed'),
            (SELECT count(*) FROM groups WHERE state = 'closed'), (SELECT count(*) FROM orders WHERE {_WORKING})"""  # noqa: S608 our own text
        return Counts(*self._fetch(sql, [])[0])

    def signals(self, *, limit: int = MOST_ROWS, before: int | None = None) -> list[SignalRow]:
        """Return received signals."""
        where = Where().add("position < ?", before, when=before)
        return self._rows(SignalRow, f"signals{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def signal(self, signal_id: str) -> SignalRow | None:
        """Return one signal."""
        return self._one(SignalRow, "signals WHERE signal_id = ?", [signal_id])

    def incidents(self, *, kind: str = "", standing: bool = True, limit: int = MOST_ROWS) -> list[IncidentRow]:
        """Return incidents; ``standing`` leaves out those that are over."""
        where = Where().add("cleared_at IS NULL", when=standing).add("kind = ?", kind, when=kind)
        return self._rows(IncidentRow, f"incidents{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def groups(
        self,
        *,
        open_only: bool = False,
        account: str = "",
        scope: Scope | None = None,
        limit: int = MOST_ROWS,
        before: int | None = None,
    ) -> list[GroupRow]:
        """Return position groups; ``open_only`` leaves out the closed ones."""
        # The first condition is that of the index on the few that live; the second is what is meant.
        where = Where().add("closed_at IS NULL AND state <> 'closed'", when=open_only)
        where.add("scope = ?", scope, when=scope)
        where.add("position < ?", before, when=before).add("account = ?", account, when=account)
        return self._rows(GroupRow, f"groups{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def group(self, group_id: str) -> GroupRow | None:
        """Return one group."""
        return self._one(GroupRow, "groups WHERE group_id = ?", [group_id])

    def group_fees(self, group_id: str) -> dict[str, Decimal]:
        """Return the fees of a group as they were paid, by currency."""
        found = self._fetch("SELECT currency, amount FROM group_fees WHERE group_id = ? ORDER BY currency", [group_id])
        return {currency: Decimal(amount) for currency, amount in found}

    def pyramids(self, group_id: str) -> list[PyramidRow]:
        """Return a group's pyramids, first to last."""
        return self._rows(PyramidRow, "pyramids WHERE group_id = ? ORDER BY pyramid", [group_id])

    def legs(self, group_id: str) -> list[LegRow]:
        """Return a group's legs by pyramid and layer (EX-430)."""
        return self._rows(LegRow, "legs WHERE group_id = ? ORDER BY pyramid, layer", [group_id])

    def orders(
        self,
        *,
        group_id: str = "",
        open_only: bool = False,
        limit: int = MOST_ROWS,
        before: int | None = None,
    ) -> list[OrderRow]:
        """Return orders; ``open_only`` leaves out those in a final state."""
        where = Where().add("group_id = ?", group_id, when=group_id).add("position < ?", before, when=before)
        where.add(_WORKING, when=open_only)
        return self._rows(OrderRow, f"orders{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def order(self, client_order_id: str) -> OrderRow | None:
        """Return one order."""
        return self._one(OrderRow, "orders WHERE client_order_id = ?", [client_order_id])

    def fills(
        self,
        *,
        client_order_id: str = "",
        group_id: str = "",
        symbol: str = "",
        limit: int = MOST_ROWS,
        before: int | None = None,
    ) -> list[FillRow]:
        """Return fills, of one order, group or symbol when asked."""
        where = Where().add("client_order_id = ?", client_order_id, when=client_order_id)
        of_group = "client_order_id IN (SELECT client_order_id FROM orders WHERE group_id = ?)"
        where.add(of_group, group_id, when=group_id).add("symbol = ?", symbol, when=symbol)
        where.add("position < ?", before, when=before)
        return self._rows(FillRow, f"fills{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def positions(self) -> list[PositionRow]:
        """Return the net position of every desk and symbol that ever traded, by name."""
        return self._rows(PositionRow, "positions ORDER BY desk, symbol", [])

    def realizations(
        self, *, group_id: str = "", since: Instant | None = None, until: Instant | None = None
    ) -> list[RealizationRow]:
        """Return realizations, oldest first; ``until`` is exclusive."""
        where = Where().add("group_id = ?", group_id, when=group_id)
        where.add("at >= ?", since, when=since).add("at < ?", until, when=until)
        return self._rows(RealizationRow, f"realizations{where} ORDER BY position, lot", where.values)

    def realised_pnl(
        self,
        by: str = "group_id",
        *,
        scope: Scope | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> list[PnlRow]:
        """Return realizations added up by a property of their group, or by reason (EX-1702, EX-1704)."""
        return self.pnl(by, PnlFilter(scope=scope, since=since, until=until))

    def pnl(self, by: str, wanted: PnlFilter | None = None, zone: tzinfo = UTC) -> list[PnlRow]:
        """Return realizations added up by one of ``store.pnl.PNL_KEYS``; days are those of ``zone``."""
        return pnl(self._fetch, by, wanted or PnlFilter(), zone)

    def equity(
        self,
        *,
        account: str = "",
        scope: Scope | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> list[EquityRow]:
        """Return what accounts were worth, oldest first; ``until`` is exclusive (EX-1705)."""
        where = Where().add("account = ?", account, when=account).add("scope = ?", scope, when=scope)
        where.add("at >= ?", since, when=since).add("at < ?", until, when=until)
        return self._rows(EquityRow, f"equity_snapshots{where} ORDER BY position", where.values)

    def other_fees(self, wanted: PnlFilter | None = None) -> list[OtherFee]:
        """Return fees in third currencies: they are in no result."""
        return other_fees(self._fetch, wanted or PnlFilter())

    def events(
        self, wanted: EventFilter | None = None, *, limit: int = MOST_ROWS, before: int | None = None
    ) -> list[EventRow]:
        """Return lines of the event log."""
        wanted = wanted or EventFilter()
        symbols = self.symbols_like(wanted.pair) if wanted.pair else ()
        where = where_of(wanted, self._database.words_condition, symbols)
        where.add("position < ?", before, when=before)
        return self._rows(EventRow, f"events{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def all_events(self, wanted: EventFilter) -> Iterator[EventRow]:
        """Yield all lines of the event log that are wanted, newest first."""
        before: int | None = None
        while rows := self.events(wanted, limit=MOST_ROWS, before=before):
            yield from rows
            before = rows[-1].position

    def events_after(self, position: int, *, limit: int = MOST_ROWS) -> list[EventRow]:
        """Return lines of the event log after a position, oldest first."""
        return self._rows(EventRow, "events WHERE position > ? ORDER BY position LIMIT ?", [position, limit])

    def alerts(self, *, limit: int = MOST_ROWS) -> tuple[int, list[EventRow]]:
        """Return how many pinned lines nobody has acknowledged, and the newest of them (EX-1406)."""
        count = self._fetch("SELECT count(*) FROM events WHERE pinned AND acknowledged_at IS NULL", [])[0][0]
        return int(count), self.events(EventFilter(unseen=True), limit=limit)

    def symbols_like(self, pair: str) -> list[str]:
        """Return the symbols that were ever traded or signalled and that a spelling may mean."""
        sql = "SELECT symbol FROM groups UNION SELECT symbol FROM signals WHERE symbol IS NOT NULL"
        wanted = squashed(pair)
        found = [symbol for (symbol,) in self._fetch(sql, [])]
        return [each for each in found if wanted in (squashed(each), squashed(each).partition(":")[0])]

    def engine(self) -> EngineRow | None:
        """Return the engine's status, None before the first."""
        return self._one(EngineRow, "engine", [])

    def pools(self) -> list[PoolRow]:
        """Return how full each pool is, by name."""
        return self._rows(PoolRow, "pools ORDER BY pool", [])

    def queue_entries(
        self, *, waiting: bool = False, symbol: str = "", limit: int = MOST_ROWS, before: int | None = None
    ) -> list[QueueRow]:
        """Return entries of the waiting queues, newest first; ``waiting`` leaves out those that left."""
        where = Where().add("status = 'waiting'", when=waiting).add("symbol = ?", symbol, when=symbol)
        where.add("position < ?", before, when=before)
        return self._rows(QueueRow, f"queue_entries{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def risk_decisions(
        self,
        *,
        account: str = "",
        group_id: str = "",
        text: str = "",
        plans: bool = False,
        limit: int = MOST_ROWS,
        before: int | None = None,
    ) -> list[DecisionRow]:
        """Return decisions of the loss offset; of one group, with each of some words, or those that began a plan.

        Words are looked for in what a decision says and in pair, timeframe and side of the groups it names.
        """
        where = Where().add("account = ?", account, when=account).add("plan_id <> ''", when=plans)
        for word in filter(None, (group_id and f'"{group_id}"', *text.split())):
            where.add(self._database.contains_condition(_DECISION_WORDS), word)
        where.add("position < ?", before, when=before)
        return self._rows(DecisionRow, f"risk_decisions{where} ORDER BY position DESC LIMIT ?", [*where.values, limit])

    def positions_about(self, ident: str) -> list[int]:
        """Return the positions of every record about an id: of a signal, group, order, trade or plan.

        These are the records that name it, and those of the same causal chains, except what the chain did to other
        groups (one price tick may move many).
        """
        sql = """WITH named AS (SELECT position FROM mentions WHERE id = ?),
            chains AS (SELECT correlation_id FROM correlations WHERE correlation_id <> 0
                AND position IN (SELECT position FROM named)),
            ours AS (SELECT id FROM mentions WHERE kind = 'group' AND position IN (SELECT position FROM named))
        SELECT position FROM named UNION
        SELECT position FROM correlations c WHERE correlation_id IN (SELECT correlation_id FROM chains)
            AND NOT EXISTS (SELECT 1 FROM mentions m WHERE m.position = c.position AND m.kind = 'group'
                AND m.id NOT IN (SELECT id FROM ours))
        ORDER BY position"""
        return [position for (position,) in self._fetch(sql, [ident])]

    def close(self) -> None:
        """Release the connection."""
        self._database.close()

    def _rows(self, of: type[R], rest: str, values: list[Any]) -> list[R]:
        columns = ", ".join(_COLUMNS.get(name, name) for name in of.__struct_fields__)
        return [_row(of, row) for row in self._fetch(f"SELECT {columns} FROM {rest}", values)]  # noqa: S608 our own text

    def _one(self, of: type[R], rest: str, values: list[Any]) -> R | None:
        found = self._rows(of, rest, values)
        return found[0] if found else None


def _row(of: type[R], row: Row) -> R:
    """Make a typed row: decimals and enums from their text, lists from JSON, an empty state to None."""
    data = {name: _cell(name, value) for name, value in zip(of.__struct_fields__, row, strict=True)}
    if data.get("state") == "":
        data["state"] = None
    return msgspec.convert(data, of, strict=False)


def _cell(name: str, value: Any) -> Any:
    if name in _JSON:
        return msgspec.json.decode(value)
    return value.split() if name in _WORDS else value


def open_views(where: Location) -> Views:
    """Open the read models of a file or of a PostgreSQL address for reading, also while the daemon writes them.

    Raises ``JournalUnavailable`` when there are none and ``ViewsError`` when they have another schema (the daemon makes
    them anew at its next start).
    """
    return Views(read_tables(where))


def records_about(views: Views, journal: Journal | JournalReader, ident: str) -> Iterator[Record]:
    """Yield every record about an id, in the order of the journal."""
    positions = views.positions_about(ident)
    for _, run in groupby(enumerate(positions), key=lambda item: item[1] - item[0]):
        consecutive = [position for _, position in run]
        yield from journal.read_all(consecutive[0] - 1, limit=len(consecutive))
