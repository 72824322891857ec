"""Prices that are followed, put together from changes, and finished bars of the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from protocol.market import Bar, PriceTick
from protocol.messages import Message
from runtime.clock import NANOS
from venues.ibkr.contracts import Found
from venues.ibkr.errors import NoData
from venues.ibkr_web.book import exact
from venues.ibkr_web.wire import Wire

__all__ = ["DEADLINE_S", "FIELDS", "Quotes", "candles"]

DEADLINE_S: Final = 60.0
"""Connected, something is followed, and not one price for so long: the market is closed or the data is gone."""

_LAST, _BID, _ASK, _AVAILABLE = "31", "84", "86", "6509"
FIELDS: Final = (_LAST, _BID, _ASK, _AVAILABLE)

_FRESH_S: Final = 5.0
_REAL_TIME: Final = "R"
_MS: Final = 1_000_000
_BARS: Final = {"1m": (60, "1min"), "5m": (300, "5min"), "15m": (900, "15min"), "1h": (3600, "1h"), "4h": (14_400, "4h"),
                "1d": (86_400, "1d")}  # fmt: skip
_MOST_BARS: Final = 1000
_MIDPOINT: Final = frozenset({"CASH"})


class Quotes:
    """The quotes of one connection. ``tell`` takes every tick; ``tick_at`` is when the last one came (ns)."""

    def __init__(self, wire: Wire, now: Callable[[], int], tell: Callable[[Message], None]) -> None:
        self._wire = wire
        self._now = now
        self._tell = tell
        self.followed: dict[int, Found] = {}
        self._values: dict[int, dict[str, Any]] = {}
        self._newest: dict[int, PriceTick] = {}
        self.tick_at = now()

    @property
    def mute(self) -> bool:
        """Whether something is followed and nothing has come for too long."""
        return bool(self.followed) and self._now() - self.tick_at > DEADLINE_S * NANOS

    def follow(self, found: Found) -> bool:
        """Have a contract's prices told, the newest first; return whether the broker has to be asked for them."""
        self.followed[found.con_id] = found
        tick = self._newest.get(found.con_id)
        if tick is not None and self._now() - tick.at < _FRESH_S * NANOS:
            self._tell(tick)
            return False
        self.tick_at = self._now()
        self._values.pop(found.con_id, None)
        return True

    def take(self, row: Mapping[str, Any]) -> None:
        """Take what has changed of a contract's quote."""
        con_id = int(row.get("conid") or 0)
        if (found := self.followed.get(con_id)) is None:
            return
        values = self._values.setdefault(con_id, {})
        values |= {key: row[key] for key in FIELDS if key in row}
        tick = _tick(found, values, int(row.get("_updated") or 0) * _MS or self._now())
        if tick is not None:
            self.tick_at = self._now()
            self._newest[con_id] = tick
            self._tell(tick)

    async def poll(self) -> None:
        """Ask for the quotes that are followed: nobody tells them."""
        if self.followed:
            names = ",".join(str(each) for each in self.followed)
            told = await self._wire.ask("iserver/marketdata/snapshot", {"conids": names, "fields": ",".join(FIELDS)})
            for row in told if isinstance(told, list) else ():
                self.take(row)


def _tick(found: Found, values: Mapping[str, Any], at: int) -> PriceTick | None:
    if not str(values.get(_AVAILABLE, _REAL_TIME)).startswith(_REAL_TIME):
        return None  # delayed or frozen: the broker says nothing of how old it is
    bid, ask, last = (_price(values.get(key)) for key in (_BID, _ASK, _LAST))
    if bid is None or ask is None or not 0 < bid <= ask:
        return None
    return PriceTick(found.name, at, bid, ask, last if last is not None and last > 0 else (bid + ask) / Decimal(2))


def _price(value: Any) -> Decimal | None:
    """Return a price; one that the broker marks as yesterday's close or of a halt is none."""
    text = str(value or "")
    return None if text[:1].isalpha() else exact(text)


async def candles(wire: Wire, found: Found, timeframe: str, since: int, limit: int, now: int) -> tuple[Bar, ...]:
    """Return finished bars; raises NoData for a time that one answer does not reach back to.

    The broker tells bars up to now: how it reads a start is not written down well enough to rely on it.
    """
    seconds, size = _BARS[timeframe]
    asked = {
        "conid": str(found.con_id), "period": _period(-(-(now - since) // NANOS), seconds), "bar": size,
        "outsideRth": "true", "source": "Midpoint" if found.kind in _MIDPOINT else "Trades",
    }  # fmt: skip
    told = await wire.history(asked)
    rows = told.get("data") or [] if isinstance(told, dict) else []
    if rows and int(told.get("barLength") or 0) != seconds:
        raise NoData(wire.venue, f"the broker told bars of {told.get('barLength')} s for {timeframe}")
    bars = sorted((_bar(found.name, row, seconds) for row in rows), key=lambda bar: bar.at)
    if len(bars) >= _MOST_BARS and bars[0].at > since:
        raise NoData(wire.venue, f"{timeframe} bars since then are more than the {_MOST_BARS} that are told at once")
    return tuple(each for each in bars if each.at >= since and each.at + seconds * NANOS <= now)[:limit]


def _period(span_s: int, seconds: int) -> str:
    """Return the shortest period in the broker's words that covers a span and one bar more."""
    span_s += seconds
    for unit_s, unit, most in ((60, "min", 30), (3600, "h", 8), (86_400, "d", 1000)):
        if (count := max(1, -(-span_s // unit_s))) <= most:
            return f"{count}{unit}"
    return f"{-(-span_s // (365 * 86_400))}y"


def _bar(symbol: str, row: Mapping[str, Any], seconds: int) -> Bar:
    opened, high, low, closed, volume = (exact(row.get(key)) or Decimal(0) for key in ("o", "h", "l", "c", "v"))
    return Bar(symbol, int(row["t"]) * _MS, seconds, opened, high, low, closed, volume)
