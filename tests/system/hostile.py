"""Webhook bodies that no honest sender would post, and a few that one would: real payloads, mutated by a seeded hand."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from tests.system.running import SECRETS, alert_document

Document: TypeAlias = dict[str, Any]

SECRET: Final = SECRETS.secret.reveal()
BODY_LIMIT: Final = 65_536

VALUES: Final[tuple[Any, ...]] = (
    None, True, False, "", " ", "null", "NaN", "nan", "inf", "-Infinity", "Infinity", "1e4", "1e400", "-1e400", "1e-400",
    0, -0.0, -1, 1e308, 5e-324, 10**400, -(10**400), 2**63, "0x10", "1_000", "\uff11\uff12\uff13", "٣", "1,5", "1.5.2",
    "--1", "+1",
    "{{close}}", "{{strategy.order.price}}", "buy", "SELL", "flat", "hold", "long ", "\x00", "a" * 2_000, "é" * 300,
    "\ud800", "\udfff\ud800", "💥", "\u202ebuy", "'; DROP TABLE events; --", "../../etc/passwd", [], {}, [[]], [1, 2],
    {"a": {"b": []}}, SECRET, {"secret": SECRET}, [SECRET], f"password={SECRET}", "9" * 5_000, "1970-01-01", "9999-12-31",
    "0000-00-00T00:00:00Z", "2026-02-30T12:00:00Z", 1772366400, 1772366400000, "1772366400", 10**18, "binance", "BTCUSDT",
    "BTC/USDT", "BTCUSDT.P", "\uff22\uff34\uff23USDT", "1", "15m", "99999999999999", "0", "3commas",
    "1" + "0" * 30, "0." + "0" * 30 + "1",
)  # fmt: skip
"""What is put in place of a field."""

RAW: Final[tuple[bytes, ...]] = (
    b"", b" ", b"null", b"true", b"0", b'""', b"[]", b"{}", b"[[[[", b"{", b"}", b'{"a"', b'{"a":', b"NaN", b"Infinity",
    b"-", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf{}", b"\xed\xa0\x80", b"[" * 20_000, b'{"a":' * 10_000, b"[" * BODY_LIMIT,
    b'"' * BODY_LIMIT, b"\\" * BODY_LIMIT, b" " * BODY_LIMIT, b'"' + b"\\" * (BODY_LIMIT - 2) + b'"', b"a" * BODY_LIMIT,
    b"secret=" * 9_000, b'"secret":' * 7_000, b"a=b&secret=" + SECRET.encode(), b"x" * (BODY_LIMIT + 1),
    b"x" * (2 * BODY_LIMIT), b'{"secret":"' + SECRET.encode(), b'{"n":' + b"9" * 60_000 + b"}",
    b'{"n":1e' + b"9" * 6_000 + b"}", b"<xml/>", b"bot_id=1&action=start", b"\r\n\r\nPOST / HTTP/1.1\r\n\r\n",
)  # fmt: skip
"""Bodies that are no payload at all."""


class Hand:
    """Makes hostile bodies; the same seed, the same bodies. ``at`` is when they are posted, nanoseconds."""

    def __init__(self, seed: int, at: int) -> None:
        self._random = random.Random(seed)  # house: seeded, so that a failure comes again
        self._at = at
        self._number = 0

    def body(self) -> bytes:
        """Return the next body."""
        chance = self._random.random()
        if chance < 0.08:
            return self._random.choice(RAW)
        document = self._document()
        for _ in range(self._random.choice((0, 1, 1, 1, 2, 4))):
            self._random.choice((self._replace, self._replace, self._remove, self._add, self._swap))(document)
        text = json.dumps(document, ensure_ascii=self._random.random() < 0.5)
        return self._spoil(text.encode("utf-8", "surrogatepass"))

    def _document(self) -> Document:
        self._number += 1
        make = self._random.choice((self._alert, self._alert, self._alert, self._bare, self._three_commas))
        document = make()
        if self._random.random() < 0.1:
            document["secret"] = self._random.choice(VALUES)
        return document

    def _alert(self) -> Document:
        symbol = self._random.choice(("BTC/USDT", "ETH/USDT", "SOL/USDT"))
        price = {"BTC/USDT": 60_000, "ETH/USDT": 3_000, "SOL/USDT": 150}[symbol]
        enter = self._random.random() < 0.6
        document = alert_document(symbol, Decimal(price), f"f{self._number}", self._at, "5", enter=enter)
        document["execution_intent"]["type"] = self._random.choice(("signal", "signal", "exit", "reduce", "reverse"))
        return document

    def _bare(self) -> Document:
        return {"secret": SECRET, "ticker": "BTCUSDT", "price": "{{close}}", "time": "{{timenow}}", "side": "buy"}

    def _three_commas(self) -> Document:
        return {
            "secret": SECRET,
            "message_type": "bot",
            "bot_id": 1234567,
            "email_token": SECRET,
            "delay_seconds": 0,
            "pair": "USDT_BTC",
            "action": "close_at_market_price",
        }

    # --- mutations -----------------------------------------------------------------------------------------------------

    def _inside(self, document: Document) -> Document:
        """Return the document or one of its objects."""
        inner = [value for value in document.values() if isinstance(value, dict)]
        return self._random.choice([document, *inner, *inner])

    def _replace(self, document: Document) -> None:
        place = self._inside(document)
        names = [name for name in place if name != "secret"]
        if names:
            place[self._random.choice(names)] = self._random.choice(VALUES)

    def _remove(self, document: Document) -> None:
        place = self._inside(document)
        names = [name for name in place if name != "secret"]
        if names:
            del place[self._random.choice(names)]

    def _add(self, document: Document) -> None:
        name = self._random.choice(("extra", "tv", "risk", "SECRET", "api_key", "\x00", "é", "", "a" * 300, SECRET))
        self._inside(document)[name] = self._random.choice(VALUES)

    def _swap(self, document: Document) -> None:
        first, second = self._inside(document), self._inside(document)
        one = self._random.choice([name for name in first if name != "secret"] or ["x"])
        two = self._random.choice([name for name in second if name != "secret"] or ["y"])
        first[one], second[two] = second.get(two), first.get(one)

    def _spoil(self, body: bytes) -> bytes:
        chance = self._random.random()
        steps: tuple[Callable[[bytes], bytes], ...] = (self._cut, self._flip, self._twice, self._bare_number, self._pad)
        return self._random.choice(steps)(body) if chance < 0.25 else body

    def _cut(self, body: bytes) -> bytes:
        return body[: self._random.randrange(len(body))]

    def _flip(self, body: bytes) -> bytes:
        at = self._random.randrange(len(body))
        return body[:at] + bytes([self._random.randrange(256)]) + body[at + 1 :]

    def _twice(self, body: bytes) -> bytes:
        return b'{"secret": "' + SECRET.encode() + b'", ' + body[1:]

    def _bare_number(self, body: bytes) -> bytes:
        number = self._random.choice(
            (b"NaN", b"-Infinity", b"1e999999", b"1E-999999999", b"1" + b"0" * 400, b"-0", b"01")
        )
        return body.replace(b'"500"', number, 1)

    def _pad(self, body: bytes) -> bytes:
        return body + b" " * (BODY_LIMIT - len(body)) if len(body) < BODY_LIMIT else body


def anything() -> st.SearchStrategy[bytes]:
    """Return bodies of hypothesis's making: any JSON under any names, any bytes, any values in a real alert's fields."""
    names = st.sampled_from(("secret", "tv", "timestamp", "symbol", "action", "risk")) | st.text(max_size=6)
    leaves = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(VALUES[:40])
    )
    values = st.recursive(leaves, lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=3))
    return st.binary(max_size=200) | values.map(_encoded) | st.dictionaries(names, values, max_size=6).map(_proven)


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _proven(document: Document) -> bytes:
    return _encoded({**document, "secret": SECRET})
