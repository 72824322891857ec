"""The words of the TWS socket protocol at server version 178: frames, contracts, and the long messages about orders."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

__all__ = [
    "VERSION",
    "Listed",
    "Ticket",
    "completed_order",
    "contract_details",
    "execution",
    "frame",
    "open_order",
    "stamp",
]

VERSION: Final = 178


class Listed(NamedTuple):
    """A contract: ``symbol`` is the broker's, ``market`` the hall's market behind it (empty: it has quotes only)."""

    con_id: int
    symbol: str
    kind: str
    exchange: str
    currency: str
    market: str = ""
    local: str = ""
    expiry: str = ""
    strike: str = "0"
    right: str = ""
    multiplier: str = ""
    tick: str = "0.01"
    min_size: str = "1"
    increment: str = "1"
    hours: str = ""

    def words(self, *, primary: bool = False) -> list[Any]:
        """Return how it is named in messages: from its id to its trading class."""
        named = [
            self.con_id,
            self.symbol,
            self.kind,
            self.expiry,
            self.strike,
            self.right,
            self.multiplier,
            self.exchange,
        ]
        return [*named, *([self.exchange] if primary else []), self.currency, self.local or self.symbol, self.symbol]


class Ticket(NamedTuple):
    """An order as it came over the wire."""

    order_id: int
    client_id: int
    con_id: int
    action: str
    qty: str
    kind: str
    limit: str
    stop: str
    tif: str
    account: str
    ref: str
    transmit: bool
    parent: int
    legs: tuple[tuple[int, int, str], ...]
    """Contract, ratio and action of each leg of a combination."""

    @classmethod
    def read(cls, fields: Sequence[str], client_id: int) -> Ticket:
        """Read message 3."""
        legs: tuple[tuple[int, int, str], ...] = ()
        if fields[4] == "BAG":
            each = [fields[36 + number * 8 :] for number in range(int(fields[35]))]
            legs = tuple((int(leg[0]), int(leg[1]), leg[2]) for leg in each)
        return cls(
            order_id=int(fields[1]),
            client_id=client_id,
            con_id=int(fields[2] or 0),
            action=fields[16],
            qty=fields[17],
            kind=fields[18],
            limit=fields[19],
            stop=fields[20],
            tif=fields[21],
            account=fields[23],
            ref=fields[26],
            transmit=fields[27] == "1",
            parent=int(fields[28]),
            legs=legs,
        )


def frame(fields: Iterable[Any]) -> bytes:
    """Return a message as bytes: its length, then its fields, each ended by NUL."""
    payload = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(payload)) + payload


def stamp(at: int) -> str:
    """Return an instant as the broker writes it: whole seconds with their zone."""
    return f"{datetime.fromtimestamp(at // 10**9, UTC):%Y%m%d %H:%M:%S} UTC"


def contract_details(request: int, each: Listed) -> list[Any]:
    """Return message 10."""
    head = [10, request, each.symbol, each.kind, each.expiry, each.strike, each.right, each.exchange, each.currency]
    head += [each.local or each.symbol, each.symbol, each.symbol, each.con_id, each.tick, each.multiplier]
    middle = ["ACTIVETIM,LMT,MKT,STP", f"SMART,{each.exchange}", 1, 0, each.symbol, each.exchange, each.expiry[:6]]
    middle += ["", "", "", "UTC", each.hours, each.hours, "", 0, 0]
    return [*head, *middle, 1, "", "", 26, each.expiry, "COMMON", each.min_size, each.increment, each.increment]


def open_order(ticket: Ticket, perm_id: int, contract: Sequence[Any], status: str) -> list[Any]:
    """Return message 5."""
    order = [ticket.action, ticket.qty, ticket.kind, ticket.limit, ticket.stop, ticket.tif, "", ticket.account]
    order += ["O", 0, ticket.ref, ticket.client_id, perm_id, 0, 0, 0, "", "", "", "", ""]
    order += ["", "", "", "", "", 0, "", -1, 0, "", "", "", "", "", 0, 0, 0, 0, "", 0, 0, 0, "", ticket.parent, 0]
    order += ["", 0, "None", ""]
    order += [0, "", "", "", "?", 0, 0, ""]  # of the hedge "None"
    order += [0, 0, "", "", "", "", ""]
    legs = [word for leg in ticket.legs for word in (*leg, "SMART", 0, 0, "", -1)]
    order += [len(ticket.legs), *legs, 0, 0, "", "", "", "", 0, "", "IB", 0, 0, ""]
    order += [0, 0, status, *[""] * 9, "", "", "", "", "", 0, 0, 0]
    order += ["None", "", "", "", "", "", "", 0, "", "", "", "", 0, 0, 0, 0, "", "", 0, "", "", "", "", ""]
    return [5, ticket.order_id, *contract, *order]


def completed_order(
    ticket: Ticket, perm_id: int, contract: Sequence[Any], status: str, filled: Decimal, reason: str
) -> list[Any]:
    """Return message 101: it tells neither order id nor client."""
    order = [ticket.action, ticket.qty, ticket.kind, ticket.limit, ticket.stop, ticket.tif, "", ticket.account]
    order += ["O", 0, ticket.ref, perm_id, 0, 0, 0, "", "", "", ""]
    order += ["", "", "", "", "", 0, "", -1, "", "", "", "", "", 0, 0, 0, "", 0, 0, "", 0, "", ""]
    order += [0, 0, "", "", ""]
    order += [0, 0, 0, "", "", "", "", "", "IB", 0, 0, ""]
    order += [0, status, 0, 0, 0, "", "", "", 0, 0, "", filled, 0, 0, "", 0, 0, 0, "20251121 10:00:00 UTC", reason]
    return [101, *contract, *order, "", "", "", "", ""]


def execution(
    request: int, number: str, ticket: Ticket, perm_id: int, contract: Sequence[Any], fill: dict[str, Any]
) -> list[Any]:
    """Return message 11; ``fill`` has at, side, qty, price, total, average and liquidity."""
    side = "BOT" if fill["side"] == "buy" else "SLD"
    told = [
        number,
        stamp(fill["at"]),
        ticket.account,
        "IBKR",
        side,
        fill["qty"],
        fill["price"],
        perm_id,
        ticket.client_id,
    ]
    told += [0, fill["total"], fill["average"], ticket.ref, "", "", "", fill["liquidity"], 0]
    return [11, request, ticket.order_id, *contract, *told]
