"""The arithmetic of the benchmarks; no figure is asserted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.alerts import identities
from benchmarks.measure import Row, in_turns, percentile, row_of, spread_percent, table
from rules.identity import canonical_timeframe

FIGURES = st.lists(st.floats(0, 1e9), min_size=1, max_size=50)


@given(values=FIGURES, share=st.floats(0, 1))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values: list[float], share: float) -> None:
    """It is one of the values; at least that share of them is not above it, and fewer are not above any smaller one."""
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    smaller = [value for value in values if value < found]
    assert not smaller or len(smaller) < share * len(values)


def test_no_values_have_no_percentile() -> None:
    """An empty measurement is an error, not a zero."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_spread_is_half_the_middle_half_of_the_median() -> None:
    """In percent; one value spreads nowhere."""
    assert spread_percent([90.0, 95.0, 100.0, 105.0, 110.0]) == pytest.approx(5.0)
    assert spread_percent([7.0]) == 0.0


def test_a_row_divides_by_the_peers_median() -> None:
    """The ratio is of the medians."""
    row = row_of("ours", [1.0, 3.0, 2.0], "/s", against=("peer", [4.0, 8.0, 1.0]))
    assert (row.figure, row.ratio, row.against) == (2.0, 0.5, "peer")


def test_everybody_has_each_place_in_the_turn() -> None:
    """Rounds begin with another contestant each, so that nobody always comes first."""
    order: list[str] = []

    def runner(name: str) -> float:
        order.append(name)
        return 1.0

    figures = in_turns(3, {name: lambda name=name: runner(name) for name in "abc"})  # type: ignore[misc]
    assert "".join(order) == "abcbcacab"
    assert figures == {name: [1.0] * 3 for name in "abc"}


def test_the_table_says_what_a_ratio_is_of() -> None:
    """A row without a peer ends after its unit."""
    lines = table([Row("a", 1234.5, "/s", 3.0, 0.5, "peer"), Row("b", 0.125, "s")]).splitlines()
    assert lines[1].split() == ["a", "1,234", "/s", "3", "0.50", "x", "peer"]
    assert lines[2].split() == ["b", "0.12", "s"]


def test_identities_are_all_different() -> None:
    """No two intervals are the same one in another spelling."""
    found = {(each.symbol, canonical_timeframe(each.timeframe)) for each in identities(1_000)}
    assert len(found) == 1_000


def test_an_unknown_name_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing mistake runs nothing."""
    # Every benchmark and its peers: a second that no other test needs.
    from benchmarks.__main__ import BENCHMARKS, main

    with pytest.raises(SystemExit) as ended:
        main(["replya"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "replya" in said
    assert all(name in said for name in BENCHMARKS)
