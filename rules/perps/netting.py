"""One perpetual position of a paper account, moved by signals and marked by prices (PF-204 to PF-212).

::

    flat      any side       open
    held      same side      add
    held      other, fewer   reduce
    held      other, equal   close
    held      other, more    reversal_close, then reversal_open

Funding is not modelled.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from msgspec.structs import replace

from protocol.errors import ValidationError
from protocol.messages import Value
from protocol.values import OrderSide, Side
from rules.perps.amounts import EXACT, booked, positive, whole_contracts
from rules.precision import quotient

__all__ = [
    "PAPER_COSTS",
    "STARTING_BALANCE",
    "Costs",
    "FillKind",
    "Marked",
    "Netted",
    "PerpAccount",
    "PerpFill",
    "Snapshot",
    "mark",
    "net",
    "opened_account",
]

STARTING_BALANCE: Final = Decimal(10_000)
_PER_BPS: Final = Decimal("0.0001")
_AVERAGE: Final = Decimal("1e-12")


class Costs(NamedTuple):
    """What a fill costs, in basis points of its notional."""

    fee_bps: Decimal = Decimal(8)
    slippage_bps: Decimal = Decimal(2)


PAPER_COSTS: Final = Costs()


class FillKind(StrEnum):
    """What a fill does to the position."""

    OPEN = "open"
    ADD = "add"
    REDUCE = "reduce"
    CLOSE = "close"
    REVERSAL_CLOSE = "reversal_close"
    REVERSAL_OPEN = "reversal_open"


class PerpFill(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One fill. ``realised`` is gross of ``fee`` and ``slippage``; all three in quote, as booked."""

    kind: FillKind
    side: OrderSide
    contracts: int
    price: Decimal
    realised: Decimal
    fee: Decimal
    slippage: Decimal


class PerpAccount(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A balance and at most one position: ``held`` contracts, negative when short, at ``average`` (0 when flat).

    ``contract_size`` in base units. ``balance`` = starting balance + ``realised`` - ``fees`` - ``slippage``, exactly.
    ``peak`` is the highest equity of any snapshot so far.
    """

    contract_size: Decimal
    balance: Decimal
    peak: Decimal
    held: int = 0
    average: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    slippage: Decimal = Decimal(0)

    @property
    def side(self) -> Side | None:
        """The direction held; None when flat."""
        if not self.held:
            return None
        return Side.LONG if self.held > 0 else Side.SHORT


class Netted(NamedTuple):
    """The account after a signal, and its fills in order."""

    account: PerpAccount
    fills: tuple[PerpFill, ...]


class Snapshot(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Equity of one cycle in quote; ``drawdown_pct`` below the peak, in percent points."""

    balance: Decimal
    unrealised: Decimal
    equity: Decimal
    peak: Decimal
    drawdown_pct: Decimal


class Marked(NamedTuple):
    """The account with its new peak, and the snapshot of the cycle."""

    account: PerpAccount
    snapshot: Snapshot


def opened_account(contract_size: Decimal, balance: Decimal = STARTING_BALANCE) -> PerpAccount:
    """Return a flat account. Raises ValidationError with code InvalidPrice (size) or InvalidEquity (balance)."""
    positive("$.contract_size", contract_size, "InvalidPrice")
    positive("$.balance", balance, "InvalidEquity")
    return PerpAccount(contract_size=contract_size, balance=balance, peak=balance)


def net(
    account: PerpAccount, side: str, contracts: int | Decimal, price: Decimal, costs: Costs = PAPER_COSTS
) -> Netted:
    """Return what a signal to buy or sell ``contracts`` at ``price`` makes of the account (PF-205 to PF-210).

    Raises ValidationError with code InvalidContracts, InvalidPrice or InvalidSide; nothing changes then (PF-211).
    """
    count = whole_contracts(contracts)
    positive("$.price", price, "InvalidPrice")
    positive("$.contract_size", account.contract_size, "InvalidPrice")
    fills = []
    for kind, part in _parts(account.held, count if _order_side(side) is OrderSide.BUY else -count):
        account, fill = _filled(account, kind, part, price, costs)
        fills.append(fill)
    return Netted(account, tuple(fills))


def mark(account: PerpAccount, price: Decimal) -> Marked:
    """Return the equity at ``price`` and the account with the peak it reached (PF-212); written flat or not.

    Raises ValidationError with code InvalidPrice.
    """
    positive("$.price", price, "InvalidPrice")
    unrealised = booked(_profit(account, price, account.held))
    equity = EXACT.add(account.balance, unrealised)
    peak = max(account.peak, equity)
    drawdown = quotient(EXACT.multiply(EXACT.subtract(peak, equity), Decimal(100)), peak)
    snapshot = Snapshot(balance=account.balance, unrealised=unrealised, equity=equity, peak=peak, drawdown_pct=drawdown)
    return Marked(replace(account, peak=peak), snapshot)


def _order_side(side: str) -> OrderSide:
    try:
        return OrderSide(side)
    except ValueError:
        raise ValidationError("$.side", "a side is buy or sell", code="InvalidSide", value=str(side)) from None


def _parts(held: int, change: int) -> tuple[tuple[FillKind, int], ...]:
    """Split a signed change of contracts into fills; the signed contracts of each."""
    if not held:
        return ((FillKind.OPEN, change),)
    if (held > 0) == (change > 0):
        return ((FillKind.ADD, change),)
    if abs(change) < abs(held):
        return ((FillKind.REDUCE, change),)
    if change == -held:
        return ((FillKind.CLOSE, change),)
    return ((FillKind.REVERSAL_CLOSE, -held), (FillKind.REVERSAL_OPEN, held + change))


def _filled(
    account: PerpAccount, kind: FillKind, change: int, price: Decimal, costs: Costs
) -> tuple[PerpAccount, PerpFill]:
    leaves = kind in (FillKind.REDUCE, FillKind.CLOSE, FillKind.REVERSAL_CLOSE)
    notional = EXACT.multiply(EXACT.multiply(price, Decimal(abs(change))), account.contract_size)
    fill = PerpFill(
        kind=kind,
        side=OrderSide.BUY if change > 0 else OrderSide.SELL,
        contracts=abs(change),
        price=price,
        realised=booked(_profit(account, price, -change) if leaves else Decimal(0)),
        fee=_cost(notional, costs.fee_bps),
        slippage=_cost(notional, costs.slippage_bps),
    )
    after = replace(
        account,
        held=account.held + change,
        average=_average(account, kind, change, price),
        balance=_sum(account.balance, fill.realised, -fill.fee, -fill.slippage),
        realised=_sum(account.realised, fill.realised),
        fees=_sum(account.fees, fill.fee),
        slippage=_sum(account.slippage, fill.slippage),
    )
    return after, fill


def _average(account: PerpAccount, kind: FillKind, change: int, price: Decimal) -> Decimal:
    """Return the average entry price after a fill; weighted ones are rounded half-even to 12 decimal places (PF-2)."""
    if kind is FillKind.ADD:
        paid = EXACT.add(EXACT.multiply(account.average, Decimal(account.held)), EXACT.multiply(price, Decimal(change)))
        return EXACT.divide(paid, Decimal(account.held + change)).quantize(_AVERAGE, context=EXACT)
    if kind is FillKind.REDUCE:
        return account.average
    return price if account.held + change else Decimal(0)


def _profit(account: PerpAccount, price: Decimal, contracts: int) -> Decimal:
    """Return what ``contracts`` of the position (negative when short) earn at ``price``, unrounded."""
    moved = EXACT.multiply(EXACT.subtract(price, account.average), Decimal(contracts))
    return EXACT.multiply(moved, account.contract_size)


def _cost(notional: Decimal, bps: Decimal) -> Decimal:
    return booked(EXACT.multiply(EXACT.multiply(notional, bps), _PER_BPS))


def _sum(*amounts: Decimal) -> Decimal:
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
