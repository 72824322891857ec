"""Read MEXC's stream frames: protocol buffers, as many of their messages as we subscribe to.

ccxt reads them with the ``protobuf`` package, a compiled library for what is a page of code here; the result is the same: a
message's fields by name, 64-bit numbers as text (as ccxt's parsers expect them). Field numbers are those of the descriptors
that ccxt ships (``ccxt/protobuf/mexc``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["read_frame"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MORE: Final = 0x80
_LONGEST_VARINT: Final = 10


@dataclass(frozen=True, slots=True)
class _Message:
    """Names of a message's fields by number: text, whole numbers (as text when ``wide``), truths, messages within.

    ``many`` are messages of which there may be several: a list.
    """

    text: dict[int, str]
    whole: dict[int, str] = field(default_factory=dict)
    wide: dict[int, str] = field(default_factory=dict)
    truth: dict[int, str] = field(default_factory=dict)
    within: dict[int, tuple[str, Any]] = field(default_factory=dict)
    many: dict[int, tuple[str, Any]] = field(default_factory=dict)


_ORDERS: Final = _Message(
    text={
        1: "id",
        2: "clientId",
        3: "price",
        4: "quantity",
        5: "amount",
        6: "avgPrice",
        10: "remainAmount",
        11: "remainQuantity",
        12: "lastDealQuantity",
        13: "cumulativeQuantity",
        14: "cumulativeAmount",
        17: "market",
        19: "triggerPrice",
        21: "ocoId",
    },
    whole={7: "orderType", 8: "tradeType", 15: "status", 18: "triggerType", 20: "state"},
    wide={16: "createTime"},
    truth={9: "isMaker"},
)
_DEALS: Final = _Message(
    text={
        1: "price",
        2: "quantity",
        3: "amount",
        7: "tradeId",
        8: "clientOrderId",
        9: "orderId",
        10: "feeAmount",
        11: "feeCurrency",
    },
    whole={4: "tradeType"},
    wide={12: "time"},
    truth={5: "isMaker", 6: "isSelfTrade"},
)
_ACCOUNT: Final = _Message(
    text={
        1: "vcoinName",
        2: "coinId",
        3: "balanceAmount",
        4: "balanceAmountChange",
        5: "frozenAmount",
        6: "frozenAmountChange",
        7: "type",
    },
    wide={8: "time"},
)
_BOOK_TICKER: Final = _Message(text={1: "bidPrice", 2: "bidQuantity", 3: "askPrice", 4: "askQuantity"})
_DEAL: Final = _Message(text={1: "price", 2: "quantity"}, whole={3: "tradeType"}, wide={4: "time"})
_FRAME: Final = _Message(
    text={1: "channel", 3: "symbol", 4: "symbolId"},
    wide={5: "createTime", 6: "sendTime"},
    within={
        304: ("privateOrders", _ORDERS),
        306: ("privateDeals", _DEALS),
        307: ("privateAccount", _ACCOUNT),
        314: ("publicAggreDeals", _Message(text={2: "eventType"}, many={1: ("deals", _DEAL)})),
        315: ("publicAggreBookTicker", _BOOK_TICKER),
    },
)


def read_frame(data: bytes) -> dict[str, Any]:
    """Return a frame's fields by name; unknown ones are skipped. Raises ``ValueError`` when it is broken off or no frame."""
    return _read(data, _FRAME)


def _read(data: bytes, message: _Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            _keep_number(found, message, number, value)
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"no frame: field {number} is of kind {kind}")
        if at + size > len(data):
            raise ValueError("the frame is broken off")
        if kind == _BYTES:
            _keep_bytes(found, message, number, data[at : at + size])
        at += size
    return found


def _keep_bytes(found: dict[str, Any], message: _Message, number: int, data: bytes) -> None:
    if number in message.text:
        found[message.text[number]] = data.decode()
    elif number in message.within:
        name, inner = message.within[number]
        found[name] = _read(data, inner)
    elif number in message.many:
        name, inner = message.many[number]
        found.setdefault(name, []).append(_read(data, inner))


def _keep_number(found: dict[str, Any], message: _Message, number: int, value: int) -> None:
    if number in message.whole:
        found[message.whole[number]] = value
    elif number in message.wide:
        found[message.wide[number]] = str(value)
    elif number in message.truth:
        found[message.truth[number]] = bool(value)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(_LONGEST_VARINT):
        if at + count >= len(data):
            raise ValueError("the frame is broken off")
        byte = data[at + count]
        value |= (byte & ~_MORE) << (7 * count)
        if not byte & _MORE:
            return value, at + count + 1
    raise ValueError("no frame: a number without end")
