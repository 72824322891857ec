"""Contracts of a signal and netting of perpetual positions."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protocol.errors import ValidationError
from protocol.values import OrderSide, Side
from rules.perps.contracts import (
    BELOW_MIN_CONTRACTS,
    CONTRACT_SPECS,
    NO_CONTRACT_SPEC,
    Contracts,
    ContractSpec,
    blocked_rate,
    contracts_for,
    contracts_of_signal,
)
from rules.perps.netting import Costs, FillKind, Netted, PerpAccount, mark, net, opened_account

FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "portfolio" / "crypto.json"
D = Decimal


def cases(function: str) -> list[Any]:
    if not FILE.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=f"golden vectors are not here: {FILE}"))]
    return [
        pytest.param(each, id=each["id"]) for each in json.loads(FILE.read_text())["cases"] if each["fn"] == function
    ]


def close_to(case: dict[str, Any], found: Decimal, wanted: str) -> bool:
    return abs(found - D(wanted)) <= D(case["tolerance"].get("decimal", "0"))


# --- sizing


@pytest.mark.parametrize("case", cases("contracts_for"))
def test_contracts_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Whole contracts that the notional pays for; below the fewest there is no trade (PF-195)."""
    told, wanted = case["input"], case["expected"]
    spec = ContractSpec(D(told["contract_size"]), told.get("min_contracts", 1))
    if "error" in wanted:
        with pytest.raises(ValidationError) as caught:
            contracts_for(D(told["notional"]), D(told["price"]), spec)
        assert caught.value.code == wanted["error"]
        return
    found = contracts_for(D(told["notional"]), D(told["price"]), spec)
    assert (found.contracts, found.blocked is not None) == (wanted["contracts"], wanted["blocked"])
    assert close_to(case, found.notional, wanted["notional"])


@pytest.mark.parametrize("case", cases("blocked_rate"))
def test_blocked_rates_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Blocked of all signals in percent, null without any (PF-196)."""
    wanted = case["expected"]
    found = blocked_rate(case["input"]["traded"], case["input"]["blocked"])
    assert found == (None if wanted is None else pytest.approx(wanted, abs=case["tolerance"]["abs"]))


@pytest.mark.parametrize(("traded", "blocked"), [(-1, 0), (0, -1), (5, -5)])
def test_counts_are_not_negative(traded: int, blocked: int) -> None:
    """A negative count is refused by name, also where the sum is 0 (PF-196)."""
    with pytest.raises(ValidationError) as caught:
        blocked_rate(traded, blocked)
    assert caught.value.code == "InvalidCount"


@pytest.mark.parametrize("bad", [D(0), D(-1), D("NaN"), D("Infinity"), D("1e999999")])
@pytest.mark.parametrize("field", ["notional", "price", "size"])
def test_sizing_needs_numbers_above_zero(field: str, bad: Decimal) -> None:
    """Notional, price and size are above 0 (PF-195)."""
    fields = {"notional": D(1000), "price": D(2600), "size": D("0.1")} | {field: bad}
    with pytest.raises(ValidationError) as caught:
        contracts_for(fields["notional"], fields["price"], ContractSpec(fields["size"]))
    assert caught.value.code == "InvalidSizingInput"


def test_what_blocks_a_trade_by_its_size() -> None:
    """Below the fewest contracts or without specification nothing is traded (PF-195, PF-292)."""
    assert contracts_for(D(1000), D(2600), ContractSpec(D("0.1"), 4)) == Contracts(0, D(0), BELOW_MIN_CONTRACTS)
    assert contracts_for(D(1000), D(2600), ContractSpec(D("0.1"), 3)) == Contracts(3, D(780))
    assert contracts_for(D(1000), D(150), CONTRACT_SPECS.get("SOL-USD")) == Contracts(0, D(0), NO_CONTRACT_SPEC)
    assert contracts_for(D(10), D(2600), ContractSpec(D("0.1"), 0)).blocked == BELOW_MIN_CONTRACTS


def test_a_signal_may_bring_its_own_count() -> None:
    """Its own count goes before the notional; without specification it is still blocked (PF-204)."""
    eth = CONTRACT_SPECS["ETH-USD"]
    assert contracts_of_signal(7, notional=D(1000), price=D(2600), spec=eth) == Contracts(7, D(1820))
    assert contracts_of_signal(None, notional=D(1000), price=D(2600), spec=eth) == Contracts(3, D(780))
    assert contracts_of_signal(7, notional=D(1000), price=D(2600), spec=None).blocked == NO_CONTRACT_SPEC
    with pytest.raises(ValidationError) as caught:
        contracts_of_signal(0, notional=D(1000), price=D(2600), spec=eth)
    assert caught.value.code == "InvalidContracts"


amounts = st.decimals("0.00000001", "1000000000", places=8)


@given(amounts, amounts, amounts)
def test_contracts_never_cost_more_than_the_notional(notional: Decimal, price: Decimal, size: Decimal) -> None:
    """One contract more would; exactly, however many digits (PF-195)."""
    found = contracts_for(notional, price, ContractSpec(size))
    assert found.contracts == Fraction(notional) // (Fraction(price) * Fraction(size))
    assert Fraction(found.notional) == found.contracts * Fraction(price) * Fraction(size) <= Fraction(notional)


def test_a_quotient_just_below_a_whole_number_is_not_rounded_up() -> None:
    """2.999... of more digits than usual arithmetic keeps are two contracts (PF-195)."""
    assert contracts_for(D("2.999999999999999999999999999999"), D(1), ContractSpec(D(1))).contracts == 2


# --- netting


def described(case: dict[str, Any], netted: Netted, wanted: dict[str, Any]) -> None:
    account, fills = netted
    assert [(each.kind, each.side, each.contracts) for each in fills] == [
        (each["kind"], each["side"], each["contracts"]) for each in wanted["fills"]
    ]
    for fill, told in zip(fills, wanted["fills"], strict=True):
        for name in ("price", "realised", "fee", "slippage"):
            assert close_to(case, getattr(fill, name), told[name]), name
    assert (account.side or "flat", abs(account.held)) == (wanted["side"], wanted["contracts"])
    assert close_to(case, account.average, wanted["avg"])
    assert close_to(case, account.balance, wanted["balance"])


@pytest.mark.parametrize("case", cases("perp_run"))
def test_runs_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Signals net into one position, each fill pays, marks leave a snapshot (PF-205 to PF-212)."""
    account = opened_account(D(case["input"]["contract_size"]))
    for step, wanted in zip(case["input"]["steps"], case["expected"]["steps"], strict=True):
        if "mark" in step:
            account, snapshot = mark(account, D(step["mark"]))
            for name in ("unrealised", "equity", "peak", "drawdown_pct"):
                assert close_to(case, getattr(snapshot, name), wanted[name]), name
        elif "error" in wanted:
            with pytest.raises(ValidationError) as caught:
                net(account, step["side"], step["contracts"], D(step["price"]))
            assert caught.value.code == wanted["error"]
        else:
            netted = net(account, step["side"], step["contracts"], D(step["price"]))
            described(case, netted, wanted)
            account = netted.account
    for name in ("realised", "fees", "slippage", "balance"):
        assert close_to(case, getattr(account, name), case["expected"][name]), name


def test_the_worked_example_of_netting() -> None:
    """Buy 4, buy 2, sell 3, sell 5, buy 2 of ETH: kinds, averages and balances of the table (PF-205 to PF-210)."""
    account = opened_account(D("0.1"))
    rows = []
    for side, count, price in (
        ("buy", 4, 2500),
        ("buy", 2, 2560),
        ("sell", 3, 2600),
        ("sell", 5, 2580),
        ("buy", 2, 2550),
    ):
        account, fills = net(account, side, count, D(price))
        kinds = " ".join(f"{each.kind} {each.contracts}" for each in fills)
        rows.append((kinds, account.held, account.average, sum(each.realised for each in fills), account.balance))
    assert rows == [
        ("open 4", 4, D(2500), D(0), D("9999")),
        ("add 2", 6, D(2520), D(0), D("9998.488")),
        ("reduce 3", 3, D(2520), D(24), D("10021.708")),
        ("reversal_close 3 reversal_open 2", -2, D(2580), D(18), D("10038.418")),
        ("close 2", 0, D(0), D(6), D("10043.908")),
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"contracts": 0}, "InvalidContracts"),
        ({"contracts": -2}, "InvalidContracts"),
        ({"contracts": D("1.5")}, "InvalidContracts"),
        ({"contracts": D("NaN")}, "InvalidContracts"),
        ({"contracts": 1.5}, "InvalidContracts"),
        ({"contracts": True}, "InvalidContracts"),
        ({"contracts": "1"}, "InvalidContracts"),
        ({"contracts": 10**18}, "InvalidContracts"),
        pytest.param({"contracts": 10**5000}, "InvalidContracts", id="more digits than Python prints"),
        ({"price": D(0)}, "InvalidPrice"),
        ({"price": D("NaN")}, "InvalidPrice"),
        ({"side": "long"}, "InvalidSide"),
        ({"side": "BUY"}, "InvalidSide"),
        ({"side": ""}, "InvalidSide"),
        ({"contracts": 0, "price": D(0), "side": ""}, "InvalidContracts"),
        ({"price": D(0), "side": ""}, "InvalidPrice"),
    ],
)
def test_signals_that_make_no_sense(changes: dict[str, Any], code: str) -> None:
    """Refused by name before anything is booked (PF-211)."""
    fields = {"side": "buy", "contracts": 1, "price": D(100)} | changes
    with pytest.raises(ValidationError) as caught:
        net(opened_account(D(1)), **fields)
    assert caught.value.code == code


def test_accounts_that_make_no_sense() -> None:
    """Contract size, starting balance and mark are above 0 (PF-211, PF-213)."""
    found = []
    for attempt in (
        lambda: opened_account(D(0)),
        lambda: opened_account(D(1), D(0)),
        lambda: mark(opened_account(D(1)), D(0)),
        lambda: net(replace(opened_account(D(1)), contract_size=D(-1)), "buy", 1, D(1)),
    ):
        with pytest.raises(ValidationError) as caught:
            attempt()
        found.append(caught.value.code)
    assert found == ["InvalidPrice", "InvalidEquity", "InvalidPrice", "InvalidPrice"]


def test_an_account_begins_flat_with_ten_thousand() -> None:
    """Balance 10,000, nothing held (PF-213)."""
    account = opened_account(D("0.1"))
    assert (account.balance, account.held, account.side) == (D(10_000), 0, None)
    assert net(account, "sell", D(2), D(100)).account.side is Side.SHORT


def test_amounts_are_rounded_when_booked() -> None:
    """Booked amounts half-even to 8 places, weighted averages to 12 (PF-2)."""
    account, fills = net(opened_account(D("0.00001")), "buy", 1, D("0.25"))
    assert (fills[0].fee, fills[0].slippage) == (D(0), D(0))  # 2e-9 and 5e-10
    account, fills = net(opened_account(D("0.001")), "buy", 1, D("0.00625"))
    assert fills[0].fee == D(0)  # 5.0e-9: a tie goes to the even neighbour
    account, fills = net(opened_account(D("0.001")), "buy", 1, D("0.01875"))
    assert fills[0].fee == D("2e-8")  # 1.5e-8: so does this one
    account, _ = net(opened_account(D(1)), "buy", 1, D(1))
    account, _ = net(account, "buy", 2, D(2))
    assert account.average == D("1.666666666667")


prices = st.decimals("0.01", "100000", places=2)
signals = st.lists(st.tuples(st.sampled_from(OrderSide), st.integers(1, 50), prices), min_size=1, max_size=30)
sizes = st.sampled_from([D("0.001"), D("0.1"), D(1)])


@given(signals, sizes, prices)
def test_netting_conserves_money(steps: list[tuple[OrderSide, int, Decimal]], size: Decimal, last: Decimal) -> None:
    """Realised and unrealised are what the cash flows and the position's value make, but for booked rounding (PF-2)."""
    account = opened_account(size)
    cash = costs = Fraction(0)
    for side, count, price in steps:
        account, fills = net(account, side, count, price)
        assert sum(each.contracts for each in fills) == count
        assert {each.side for each in fills} == {side}
        cash -= (1 if side is OrderSide.BUY else -1) * count * Fraction(price) * Fraction(size)
        costs += sum(Fraction(each.fee + each.slippage) for each in fills)
    snapshot = mark(account, last).snapshot
    worth = account.held * Fraction(last) * Fraction(size)
    gained = Fraction(account.realised + snapshot.unrealised)
    # Each booking is off by half of 1e-8 at most; what 1e-12 in an average makes of 1,500 contracts is below the other half.
    assert abs(gained - (cash + worth)) <= Fraction(len(steps) + 1, 10**8)
    assert account.balance == D(10_000) + account.realised - account.fees - account.slippage
    assert Fraction(account.fees + account.slippage) == costs
    assert snapshot.equity == account.balance + snapshot.unrealised


@given(st.sampled_from(OrderSide), st.integers(1, 50), st.integers(1, 50), prices, prices, sizes)
def test_a_reversal_is_a_close_and_an_open(
    side: OrderSide, held: int, more: int, first: Decimal, second: Decimal, size: Decimal
) -> None:
    """One signal over the position does what closing it and opening the rest would (PF-209, PF-210)."""
    other = OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY
    start = net(opened_account(size), side, held, first).account
    at_once = net(start, other, held + more, second)
    closed = net(start, other, held, second)
    opened = net(closed.account, other, more, second)
    assert at_once.account == opened.account
    assert [each.kind for each in at_once.fills] == [FillKind.REVERSAL_CLOSE, FillKind.REVERSAL_OPEN]
    twice = (*closed.fills, *opened.fills)
    assert [replace(each, kind=FillKind.OPEN) for each in at_once.fills] == [
        replace(each, kind=FillKind.OPEN) for each in twice
    ]


@given(signals, sizes)
def test_flat_means_no_average(steps: list[tuple[OrderSide, int, Decimal]], size: Decimal) -> None:
    """The average is 0 exactly when nothing is held, and lies between the prices paid else (PF-206, PF-208)."""
    account: PerpAccount = opened_account(size)
    for side, count, price in steps:
        account = net(account, side, count, price, Costs(D(0), D(0))).account
        assert (account.average == 0) == (account.held == 0)
        seen = [each for _, _, each in steps]
        assert account.held == 0 or min(seen) <= account.average <= max(seen)
    assert account.fees == account.slippage == 0
