"""What can be set on a paper exchange; every default in one place."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from protocol.messages import Value
from protocol.orders import Balance
from protocol.values import Name, check_non_negative, check_positive

__all__ = ["OhlcPath", "PaperConfig"]


class OhlcPath(StrEnum):
    """Which extreme of a bar is visited first; the price always goes open, extreme, other extreme, close.

    ``up_down``: low first when close >= open, else high first. ``pessimistic``: the order that is worse for our
    resting orders: the extreme that triggers one of our stops first; without such a stop, the extreme that no fresh
    entry profits from (high first when we would be long, low first when we would be short), so that a position opened in
    a bar cannot take profit on the part of the range that may have come before it.
    """

    UP_DOWN = "up_down"
    PESSIMISTIC = "pessimistic"


class PaperConfig(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Settings of one paper account.

    Costs: ``half_spread_bps`` stands between a bar's price and each side of the book (ticks bring their own spread),
    ``slippage_bps`` is added for market and triggered stop orders; both round to a tick against us. Fees come from the
    instrument; ``fee_in_base`` takes the fee of spot buys from the bought currency (EX-428). Latency: an order
    reaches the book ``latency_ns`` plus a share of ``jitter_ns`` fixed by seed and client id after it was placed. Partial
    fills: ``participation`` is the largest part of a bar's volume that we may trade (None = all of it), ``smallest_share``
    below 1 lets each fill take only a seeded part of the rest, at least this share of it. Perpetuals: margin =
    notional / ``leverage`` on entry prices; no funding and no liquidation.
    """

    venue: Name = "paper"
    balances: tuple[Balance, ...] = (Balance("USDT", Decimal(10000)),)
    half_spread_bps: Decimal = Decimal(0)
    slippage_bps: Decimal = Decimal(0)
    fee_in_base: bool = False
    latency_ns: int = 0
    jitter_ns: int = 0
    participation: Decimal | None = None
    smallest_share: Decimal = Decimal(1)
    leverage: Decimal = Decimal(1)
    ohlc_path: OhlcPath = OhlcPath.UP_DOWN
    seed: int = 0

    def __post_init__(self) -> None:
        check_non_negative("half_spread_bps", self.half_spread_bps)
        check_non_negative("slippage_bps", self.slippage_bps)
        check_positive("participation", self.participation)
        check_positive("smallest_share", self.smallest_share)
        check_positive("leverage", self.leverage)
        if self.smallest_share > 1:
            raise ValueError("`smallest_share` must be at most 1")
        if self.half_spread_bps >= 10_000 or self.slippage_bps >= 10_000:
            raise ValueError("`half_spread_bps` and `slippage_bps` must be below 10000")
        if self.latency_ns < 0 or self.jitter_ns < 0:
            raise ValueError("`latency_ns` and `jitter_ns` must not be negative")
        for balance in self.balances:
            check_non_negative("balances", balance.free)
            if balance.locked:
                raise ValueError("`balances` must not start with locked amounts")
        if len({balance.currency for balance in self.balances}) < len(self.balances):
            raise ValueError("`balances` must name each currency once")
