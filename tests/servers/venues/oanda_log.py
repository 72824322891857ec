"""The numbered transaction log of a v20 account, written from what happens in the hall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from protocol.orders import FillReport
from protocol.values import OrderSide
from tests.servers.venues.hall import NS, Hall

__all__ = ["ACCOUNT", "Log", "Record", "rfc3339", "text"]

ACCOUNT = "101-004-1435156-001"
USER = 1435156


def rfc3339(at: int) -> str:
    return f"{datetime.fromtimestamp(at // NS, UTC):%Y-%m-%dT%H:%M:%S}.{at % NS:09d}Z"


def text(number: Decimal) -> str:
    return f"{number:f}"


@dataclass
class Record:
    """One order: ``id`` is the number of the transaction that made it, ``key`` the hall's name of it."""

    key: str
    body: dict[str, Any]
    kind: str
    units: Decimal
    id: str = ""
    state: str = "PENDING"
    at: int = 0
    filled: Decimal = Decimal(0)
    cancel_reason: str = "CLIENT_REQUEST"
    silent: bool = False
    parent: str = ""
    """Of a stop or target: the number of the trade."""
    fill_id: str = ""
    best: Decimal | None = None
    old_ids: list[str] = field(default_factory=list)

    @property
    def client_id(self) -> str:
        return str((self.body.get("clientExtensions") or {}).get("id", ""))

    @property
    def instrument(self) -> str:
        return str(self.body.get("instrument", ""))


class Log:
    """``entries`` are the transactions, the first one is number 1; ``told`` hears each."""

    def __init__(self, hall: Hall, told: Callable[[dict[str, Any]], None]) -> None:
        self.hall = hall
        self.entries: list[dict[str, Any]] = []
        self.told = told
        self.add("CREATE", homeCurrency=self.currency)

    @property
    def currency(self) -> str:
        return self.hall.balances()[0].currency

    @property
    def last(self) -> str:
        return str(len(self.entries))

    def add(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write a transaction and tell it."""
        number = str(len(self.entries) + 1)
        entry = {"id": number, "type": kind, "time": rfc3339(self.hall.now()), "accountID": ACCOUNT, "userID": USER}
        entry |= {"batchID": number} | fields
        self.entries.append(entry)
        self.told(entry)
        return entry

    def created(self, record: Record, reason: str = "CLIENT_ORDER", **more: Any) -> dict[str, Any]:
        """Write that an order was made; it gets its number by this."""
        fields = {key: value for key, value in record.body.items() if key != "type"} | more
        if not record.parent:
            fields["units"] = text(record.units)
        if "price" in record.body:
            fields["price"] = str(record.body["price"])
        entry = self.add(f"{record.kind}_ORDER", reason=reason, **fields)
        if record.id:
            record.old_ids.append(record.id)
        record.id, record.at = entry["id"], self.hall.now()
        return entry

    def rejected(self, record: Record, reason: str) -> dict[str, Any]:
        """Write that an order was refused."""
        fields = {key: value for key, value in record.body.items() if key != "type"}
        return self.add(f"{record.kind}_ORDER_REJECT", reason="CLIENT_ORDER", rejectReason=reason, **fields)

    def cancelled(self, record: Record, reason: str, **more: Any) -> dict[str, Any]:
        """Write that an order was cancelled."""
        record.state = "CANCELLED"
        named = {"clientOrderID": record.client_id} if record.client_id else {}
        return self.add("ORDER_CANCEL", orderID=record.id, reason=reason, **named, **more)

    def filled(self, record: Record, fill: FillReport, instrument: str, opened: Decimal) -> dict[str, Any]:
        """Write a fill; ``opened`` is how much of it opens a trade or makes one larger."""
        units = fill.qty if fill.side is OrderSide.BUY else -fill.qty
        named = {"clientOrderID": record.client_id} if record.client_id else {}
        record.filled += fill.qty
        entry = self.add(
            "ORDER_FILL",
            orderID=record.id,
            instrument=instrument,
            units=text(units),
            price=text(fill.price),
            fullVWAP=text(fill.price),
            reason=f"{record.kind}_ORDER",
            pl="0.0000",
            financing="0.0000",
            commission=text(fill.fee),
            guaranteedExecutionFee="0.0000",
            halfSpreadCost="0.0000",
            accountBalance=text(sum((each.free + each.locked for each in self.hall.balances()), Decimal(0))),
            **named,
        )
        entry["time"] = rfc3339(fill.at)
        if opened:
            signed = opened if units > 0 else -opened
            entry["tradeOpened"] = {"tradeID": entry["id"], "units": text(signed), "price": text(fill.price)}
        if fill.qty > opened:
            closed = fill.qty - opened
            entry["tradesClosed"] = [
                {"tradeID": "1", "units": text(-closed if units < 0 else closed), "realizedPL": "0"}
            ]
        record.fill_id = entry["id"]
        return entry
