"""Made-up groups with ladders, and how they stand at the price of an instant, in the shapes of the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from tui.demo.prices import MARKETS, Market, price_at, text_of

__all__ = ["BEGINNINGS", "GAPS", "MINUTE", "TARGETS", "WEIGHTS", "Group", "Leg", "begun"]

MINUTE: Final = 60_000_000_000
GAPS: Final = (0.0, -0.6, -1.2, -2.0, -3.0)
WEIGHTS: Final = (15.0, 20.0, 20.0, 20.0, 25.0)
TARGETS: Final = (1.0, 0.8, 1.2, 1.5, 2.0)

BEGINNINGS: Final = (
    # symbol, timeframe, side, account, pyramids, legs filled, size, minutes, entry off home %, mode, strategy
    ("BTC/USDT", "15m", "long", "main", 3, 9, 4_000, 212, 0.9, "per_leg", "momentum breakout"),
    ("ETH/USDT", "15m", "long", "main", 2, 7, 2_500, 148, 1.4, "aggregate", "momentum breakout"),
    ("SOL/USDT", "1h", "long", "main", 2, 4, 1_800, 96, -1.8, "per_leg", "mean reversion"),
    ("AVAX/USDT", "1h", "long", "main", 4, 20, 1_500, 1_490, 4.6, "hybrid", "mean reversion"),
    ("LINK/USDT", "15m", "long", "main", 1, 2, 1_200, 34, -0.7, "per_leg", "supertrend"),
    ("BNB/USDT", "4h", "long", "main", 1, 5, 2_000, 61, -1.1, "per_leg", "supertrend"),
    ("XRP/USDT", "15m", "short", "perp", 2, 6, 1_200, 121, -1.6, "aggregate", "rsi fade"),
    ("DOGE/USDT", "5m", "long", "main", 3, 12, 900, 377, 3.1, "pyramid_aggregate", "momentum breakout"),
    ("NEAR/USDT", "1h", "long", "main", 1, 3, 800, 55, 0.4, "per_leg", "mean reversion"),
    ("INJ/USDT", "1h", "short", "perp", 1, 2, 1_000, 47, 1.9, "hybrid", "rsi fade"),
    ("ARB/USDT", "15m", "long", "main", 2, 8, 700, 260, 2.7, "per_leg", "supertrend"),
    ("LTC/USDT", "1h", "long", "main", 1, 0, 900, 3, 0.1, "per_leg", "mean reversion"),
)


@dataclass(slots=True)
class Leg:
    """One layer of a ladder: where it is planned, what of it is filled."""

    pyramid: int
    layer: int
    price: float
    qty: float
    filled: bool
    cancelled: bool = False
    hit: bool = False

    @property
    def leg_id(self) -> str:
        """Return the name that the API gives it."""
        return f"p{self.pyramid}.l{self.layer}"

    @property
    def state(self) -> str:
        """Return its state as the API says it."""
        if self.hit:
            return "hit_tp"
        return "filled" if self.filled else "cancelled" if self.cancelled else "open"

    @property
    def held(self) -> float:
        """Return what is still held of it."""
        return self.qty if self.filled and not self.hit else 0.0


@dataclass(slots=True)
class Group:
    """A group of the demo."""

    group_id: str
    market: Market
    timeframe: str
    side: str
    account: str
    mode: str
    strategy: str
    opened_at: int
    legs: list[Leg]
    pyramids: int
    realized: float = 0.0
    blocked: bool = False
    skip_once: bool = False
    closing_at: int = 0
    version: int = 1
    frozen: str = ""
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sign(self) -> int:
        """Return 1 for a long group, -1 for a short one."""
        return 1 if self.side == "long" else -1

    @property
    def held(self) -> float:
        """Return the open quantity."""
        return sum(leg.held for leg in self.legs)

    @property
    def cost(self) -> float:
        """Return what the open quantity has cost."""
        return sum(leg.held * leg.price for leg in self.legs)

    def result(self, at: int) -> float:
        """Return the unrealized result at an instant."""
        return (self.held * price_at(self.market, at) - self.cost) * self.sign

    @property
    def state(self) -> str:
        """Return its state as the API says it."""
        if self.closing_at:
            return "closing"
        filled = sum(leg.filled for leg in self.legs)
        return "live" if not filled else "active" if filled == len(self.legs) else "partially_filled"

    def row(self, at: int) -> dict[str, Any]:
        """Return it as ``/v1/groups`` does."""
        held, cost, places = self.held, self.cost, self.market.places
        percent = 100 * self.result(at) / cost if cost else None
        return {
            "group_id": self.group_id,
            "key": f"trader|binance|{self.market.symbol}|{self.timeframe}|{self.side}",
            "scope": "paper",
            "venue": "binance",
            "account": self.account,
            "symbol": self.market.symbol,
            "base": self.market.base,
            "quote": "USDT",
            "timeframe": self.timeframe,
            "side": self.side,
            "strategy": self.strategy,
            "tp_mode": self.mode,
            "base_entry_price": text_of(self.legs[0].price, places),
            "pyramids": self.pyramids,
            "max_pyramids": 5,
            "state": self.state,
            "reason": None,
            "stop_price": self._stop(),
            "target_price": self._target(),
            "open_qty": text_of(held, 6),
            "open_cost_quote": text_of(cost, 6),
            "realized_quote": text_of(self.realized, 4),
            "fees_quote": text_of(cost * 0.001, 4),
            "superseded": 0,
            "worst_percent": None if percent is None else text_of(min(percent, -0.4) - 0.6, 4),
            "best_percent": None if percent is None else text_of(max(percent, 0.2) + 0.5, 4),
            "risk_timer_expires": None,
            "blocked": self.blocked,
            "skip_once": self.skip_once,
            "frozen": self.frozen or None,
            "opened_at": self.opened_at,
            "closed_at": None,
            "avg_entry": text_of(cost / held, 10) if held else None,
            "legs": len(self.legs),
            "legs_filled": sum(leg.filled for leg in self.legs),
            "mark": text_of(price_at(self.market, at), places),
            "quote_usd": "1",
            "unrealized_quote": text_of(self.result(at), 6) if held else None,
            "venue_trouble": "",
        }

    def _stop(self) -> str | None:
        return (
            text_of(self.legs[0].price * (1 - 0.09 * self.sign), self.market.places) if self.mode == "hybrid" else None
        )

    def _target(self) -> str | None:
        if self.mode not in ("aggregate", "hybrid") or not self.held:
            return None
        return text_of(self.cost / self.held * (1 + 0.012 * self.sign), self.market.places)


def begun(now: int) -> list[Group]:
    """Return the groups that there are when the demo begins."""
    return [_group(number, row, now) for number, row in enumerate(BEGINNINGS)]


def _group(number: int, row: tuple[Any, ...], now: int) -> Group:
    symbol, timeframe, side, account, pyramids, filled, size, minutes, off, mode, strategy = row
    market, sign = MARKETS[symbol], 1 if side == "long" else -1
    here = price_at(market, now)
    legs: list[Leg] = []
    for pyramid in range(pyramids):
        entry = here * (1 + off / 100 * (1 - 0.35 * pyramid))
        for layer, (gap, weight) in enumerate(zip(GAPS, WEIGHTS, strict=True)):
            price = round(entry * (1 + sign * gap / 100), market.places)
            legs.append(Leg(pyramid, layer, price, round(size * weight / 100 / price, 4), filled=False))
    for leg in legs[:filled]:
        leg.filled = True
    hit = filled >= 7 and off < 1
    if hit:
        legs[0].hit = True
    realized = round(size * 0.0015, 4) if hit else 0.0
    ident = f"g{number:02d}{symbol[:3].lower()}{'qkxvzjwpbnmr'[number]}7aq"
    return Group(
        ident, market, timeframe, side, account, mode, strategy, now - minutes * MINUTE, legs, pyramids, realized
    )
