"""Quality of option chains, and all rules of chains against the golden vectors."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ValidationError
from protocol.options import OptionChain, OptionContract, Right
from rules.options.expiry import DteRange, days_to_expiry, in_order, session_date
from rules.options.fresh import cached, requote, start_offsets_s
from rules.options.pick import DeltaRange, by_delta, by_dte, nearest_delta
from rules.options.quality import ChainQuality, clean_contracts, is_clean, judge_chain, judge_expiry
from rules.options.retries import retry_plan
from rules.options.spread import flagged_legs, spread_quality, structure_spread_quality
from tests.rules.option_values import NAN, NOW, SECOND, TODAY, D, chain, expiry, option, options

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "desk"
RANGE = DteRange(30, 50)


def cases(function: str, file: str = "chain_quality") -> list[Any]:
    path = VECTORS / f"{file}.json"
    if not path.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=f"golden vectors are not here: {path}"))]
    told = json.loads(path.read_text())["cases"]
    return [pytest.param(each, id=each["id"]) for each in told if each["fn"] == function]


def judged(told: OptionChain, *, now: int = NOW) -> ChainQuality:
    return judge_chain(told, RANGE, today=TODAY, now=now)


def option_told(told: dict[str, Any]) -> OptionContract:
    fields = {name: told[name] for name in ("bid", "ask", "delta", "symbol") if name in told}
    return option(told["strike"], Right[told["right"].upper()], dte=told.get("dte", 40), **fields)


def instant(seconds: float) -> int:
    return int(D(str(seconds)) * SECOND)


@pytest.mark.parametrize("case", cases("validate_chain"))
def test_chains_are_judged_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Faults in their order, the target expiry, and counts per expiry (DK-60, DK-61, DK-62)."""
    told, wanted = case["input"]["chain"], case["expected"]
    price = None if told["underlying_price"] is None else D(str(told["underlying_price"]))
    value = chain([option_told(each) for each in told["contracts"]], price=price, at=instant(told["ts"]))
    now = instant(case["input"]["now"])
    found = judge_chain(value, DteRange(*case["input"]["dte_range"]), today=TODAY, now=now)
    assert (found.valid, found.fault) == (wanted["valid"], wanted["reason"])
    assert [each.expiration for each in found.expiries] == [expiry(each) for each in wanted.get("expiries", [])]
    assert found.usable == tuple(map(expiry, wanted.get("usable_expiries", [])))
    assert found.target == (expiry(wanted["target_dte"]) if "target_dte" in wanted else None)
    for each, expected in zip(found.expiries, wanted.get("per_expiry", {}).values(), strict=True):
        assert (each.fault, each.contracts, each.crossed, each.clean) == (
            expected["reason"],
            expected["contracts"],
            expected["crossed"],
            expected["clean"],
        )
        assert each.missing_greeks / each.contracts == pytest.approx(expected["missing_greeks_frac"], abs=1e-9)
        assert each.missing_quotes / each.contracts == pytest.approx(expected["missing_quotes_frac"], abs=1e-9)


@pytest.mark.parametrize("case", cases("filter_dte") + cases("filter_delta"))
def test_filters_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Days and signed deltas from least to most, both ends included (DK-53)."""
    told = case["input"]
    contracts = [option_told(each) for each in told["contracts"]]
    if case["fn"] == "filter_dte":
        found = by_dte(contracts, DteRange(told["min"], told["max"]), TODAY)
    else:
        found = by_delta(contracts, Right[told["right"].upper()], DeltaRange(told["min"], told["max"]))
    assert [each.symbol for each in found] == case["expected"]


@pytest.mark.parametrize("case", cases("nearest_delta"))
def test_nearest_delta_as_the_vectors_say(case: dict[str, Any]) -> None:
    """The contract of one right and expiry whose delta is nearest, or none (DK-53)."""
    told = case["input"]
    contracts = [option_told(each) for each in told["contracts"]]
    found = nearest_delta(contracts, told["target"], Right[told["right"].upper()], expiry(told["dte"]))
    assert (found and found.symbol) == case["expected"]


@pytest.mark.parametrize("case", cases("spread_quality"))
def test_spread_quality_as_the_vectors_say(case: dict[str, Any]) -> None:
    """The spread over the mid, none without a mid (DK-65)."""
    found = spread_quality(option(**case["input"]))
    assert (None if found is None else float(found)) == pytest.approx(case["expected"], abs=1e-9)


@pytest.mark.parametrize("case", cases("structure_metrics", "strike_selection"))
def test_structures_spread_quality_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Spreads over mids of all legs, and the names of wide legs (DK-65)."""
    legs = {each["role"]: option_told(each) for each in case["input"]["legs"]}
    wanted = case["expected"]
    whole = structure_spread_quality(list(legs.values()))
    assert whole is not None
    assert float(whole) == pytest.approx(wanted["spread_quality"], abs=1e-9)
    found = {name: float(spread_quality(each) or 0) for name, each in legs.items()}
    assert found == pytest.approx(wanted["leg_spread_quality"], abs=1e-9)
    assert list(flagged_legs(legs)) == wanted["flagged_legs"]


@pytest.mark.parametrize("case", cases("retry_plan"))
def test_retries_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Fetches at 0, 60, 180 and 480 s, then an alert and no scan (DK-63)."""
    wanted = case["expected"]
    attempts, verdict = retry_plan(case["input"]["results"])
    assert [{"at": at, "attempt": number, "valid": valid} for at, number, valid in attempts] == wanted["timeline"]
    assert (verdict.outcome, verdict.alert, verdict.wait_s) == tuple(
        wanted[name] for name in ("outcome", "alert", "next_wait")
    )


@pytest.mark.parametrize("case", cases("requote"))
def test_requotes_as_the_vectors_say(case: dict[str, Any]) -> None:
    """A leg whose delta moved sends the resolver back, in the third round for good (DK-64)."""
    told, wanted = case["input"], case["expected"]
    chosen = [option(delta=delta, symbol=name) for name, delta in told["selected"].items()]
    fresh = {name: option(delta=delta, symbol=name) for name, delta in told["fresh"].items()}
    found = requote(chosen, fresh, told["round"])
    assert (found.action, list(found.diverged)) == (wanted["action"], wanted["diverged"])
    assert (found.next_round, found.reason) == (wanted.get("next_round"), wanted.get("reason"))


@pytest.mark.parametrize("case", cases("cache_lookup"))
def test_cache_as_the_vectors_say(case: dict[str, Any]) -> None:
    """A chain is used while it is younger than 120 s (DK-68)."""
    at = case["input"]["entry_ts"]
    assert cached(None if at is None else instant(at), instant(case["input"]["now"])) == case["expected"]


@pytest.mark.parametrize("case", cases("stagger"))
def test_scans_start_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Chain requests start 2 s apart in the order of the universe (DK-68)."""
    assert start_offsets_s(case["input"]["underlyings"]) == case["expected"]


@pytest.mark.parametrize(
    ("missing", "fault"),
    [(4, None), (5, "greeks_incomplete")],
)
@pytest.mark.parametrize("bad", [None, NAN, math.inf, -math.inf, 1.01, -1.01])
def test_a_tenth_may_be_without_greeks(missing: int, fault: str | None, bad: float | None) -> None:
    """4 of 40 without a delta, or with one that cannot be, pass; 5 do not (DK-61, DK-69)."""
    contracts = [option(delta=bad)] * missing + [option()] * (40 - missing)
    assert judged(chain(contracts)).fault == fault


@pytest.mark.parametrize("delta", [1.0, -1.0, 0.0])
def test_a_delta_of_one_is_a_delta(delta: float) -> None:
    """Only beyond 1 is a delta no delta (DK-61)."""
    assert is_clean(option(delta=delta))


@pytest.mark.parametrize(
    ("dtes", "order"), [((30, 50, 45, 35), (35, 45, 30, 50)), ((29, 51), ()), ((40, 41), (40, 41))]
)
def test_expiries_by_distance_from_the_middle(dtes: tuple[int, ...], order: tuple[int, ...]) -> None:
    """Nearest to the middle of the range first, ties to the nearer date, ends included (DK-60)."""
    assert in_order(map(expiry, dtes), RANGE, TODAY) == tuple(map(expiry, order))


def test_the_middle_may_lie_between_two_days() -> None:
    """Of 30 to 45 the middle is 37.5: 37 and 38 are equally near and the nearer date wins (DK-60)."""
    assert in_order(map(expiry, (38, 37)), DteRange(30, 45), TODAY) == (expiry(37), expiry(38))


def test_a_listed_expiry_without_contracts_is_a_named_fault() -> None:
    """The target expiry that stayed out makes the chain invalid instead of the next best the target (DK-60, DK-61)."""
    found = judged(chain([option(dte=45)], listed=(expiry(40), expiry(45), expiry(60))))
    assert (found.target, found.fault, found.usable) == (expiry(40), "no_clean_contracts", (expiry(45),))


def test_faults_of_the_whole_chain_come_in_order() -> None:
    """Each fault hides those after it (DK-60)."""
    late = NOW + 121 * SECOND
    assert judged(chain([], price=None), now=late).fault == "chain_empty"
    for price in (None, D(0), D(-1), D("NaN"), D("Infinity")):
        assert judged(chain([option(dte=9)], price=price), now=late).fault == "underlying_price_missing"
    assert judged(chain([option(dte=9)]), now=late).fault == "chain_stale"
    assert judged(chain([option(dte=9)])).fault == "no_expiry_in_range"


@pytest.mark.parametrize(("age_ns", "fault"), [(0, None), (120 * SECOND, None), (120 * SECOND + 1, "chain_stale")])
def test_age_at_use(age_ns: int, fault: str | None) -> None:
    """A chain of exactly 120 s may be used; one as far in the future as that may not either (DK-60)."""
    assert judged(chain([option()]), now=NOW + age_ns).fault == fault
    assert judged(chain([option()]), now=NOW - age_ns).fault == fault


def test_greeks_are_complained_of_before_quotes() -> None:
    """More than a tenth without Greeks is said first, then quotes, then that nothing is clean (DK-61)."""
    dark, mute = option(bid="0", ask="0"), option(delta=None)
    assert judge_expiry("", [dark, mute]).fault == "greeks_incomplete"
    assert judge_expiry("", [dark, option()]).fault == "quotes_incomplete"
    assert judge_expiry("", [option(bid="0")]).fault == "no_clean_contracts"
    assert judge_expiry("", []).fault == "no_clean_contracts"


@pytest.mark.parametrize(
    ("bid", "ask", "crossed", "clean"),
    [
        ("1", "1", 0, 1),
        ("1.01", "1", 1, 0),
        ("0", "1", 0, 0),
        ("1", "0", 1, 0),
        ("-1", "-1", 0, 0),
        ("NaN", "1", 0, 0),
        ("1", "Infinity", 1, 0),
    ],
)
def test_clean_quotes(bid: str, ask: str, crossed: int, clean: int) -> None:
    """A bid above 0 and an ask that is not below it; what is no number is no quote (DK-62, DK-5)."""
    contract = option(bid=bid, ask=ask)
    found = judge_expiry("", [contract])
    assert (found.crossed, found.clean, len(clean_contracts([contract]))) == (crossed, clean, clean)


@pytest.mark.parametrize("text", ["20260301", "2026-3-1", "2026-02-30", "soon", "2026-W10-1"])
def test_expirations_are_dates(text: str) -> None:
    """Two spellings of a day would be two expiries: only YYYY-MM-DD is one (DK-6)."""
    with pytest.raises(ValidationError) as caught:
        days_to_expiry(text, TODAY)
    assert caught.value.code == "InvalidExpiration"


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-01-15T04:59:59", "2026-01-14"),
        ("2026-01-15T05:00:00", "2026-01-15"),
        ("2026-07-15T03:59:59", "2026-07-14"),
        ("2026-07-15T04:00:00", "2026-07-15"),
    ],
)
def test_days_are_those_of_new_york(at: str, day: str) -> None:
    """DK-6: days to expiry are counted from the date in New York, in summer and in winter time."""
    instant = int(datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()) * SECOND
    assert session_date(instant).isoformat() == day


def test_days_to_expiry_are_calendar_days() -> None:
    """The expiration minus the session date, over the end of February and back (DK-6)."""
    found = [days_to_expiry("2028-03-01", day) for day in (date(2028, 2, 28), date(2028, 3, 1), date(2028, 3, 2))]
    assert found == [2, 0, -1]


@given(st.lists(options, max_size=30))
def test_a_valid_chain_has_a_target_to_trade(contracts: list[OptionContract]) -> None:
    """Valid: the target is usable, at most a tenth of it is missing, something of it is clean (DK-60, DK-61)."""
    found = judged(chain(contracts))
    assert found.valid is (found.target is not None and found.target in found.usable)
    assert len({each.expiration for each in found.expiries}) == len(found.expiries)
    for each in found.expiries:
        here = [one for one in contracts if one.expiration == each.expiration]
        assert (each.contracts, each.clean) == (len(here), len(clean_contracts(here)))
        sound = max(each.missing_greeks, each.missing_quotes) * 10 <= each.contracts and each.clean > 0
        assert (each.fault is None) is sound
    assert judged(chain(contracts[::-1])) == found
