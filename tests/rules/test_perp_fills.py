"""Reading a venue's fills page by page, and reconciling orders with them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ValidationError
from rules.perps.fills import (
    MAX_PAGES,
    OVERLAP_NS,
    Fill,
    Page,
    Reading,
    ReadMode,
    StoredFills,
    cursor_unknown,
    read_page,
    start_reading,
)
from rules.perps.reconcile import OrderAction, OrderStanding, Reconciled, SubmittedOrder, match_fills, reconcile

FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "portfolio" / "crypto.json"
D = Decimal
S = 1_000_000_000


def cases(function: str) -> list[Any]:
    if not FILE.exists():
        return [pytest.param({}, id="absent", marks=pytest.mark.skip(reason=f"golden vectors are not here: {FILE}"))]
    return [
        pytest.param(each, id=each["id"]) for each in json.loads(FILE.read_text())["cases"] if each["fn"] == function
    ]


def close_to(case: dict[str, Any], found: Decimal, wanted: str) -> bool:
    return abs(found - D(wanted)) <= D(case["tolerance"].get("decimal", "0"))


def told(each: dict[str, Any]) -> Page:
    return Page(tuple(Fill(fill["entry_id"], fill["ts"] * S) for fill in each["fills"]), each["next"])


def read_all(stored: StoredFills, seen: set[str], pages: dict[str, Page]) -> Reading:
    reading = start_reading(stored)
    while reading.ask is not None:
        page = pages.get(reading.ask)
        reading = cursor_unknown(reading) if page is None else read_page(reading, page, seen)
    return reading


@pytest.mark.parametrize("case", cases("poll_fills"))
def test_readings_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Each fill once, from the cursor or from a little before the newest (PF-216, PF-217)."""
    state, wanted = case["input"]["state"], case["expected"]
    newest = None if state["last_fill_ts"] is None else state["last_fill_ts"] * S
    pages = {cursor: told(each) for cursor, each in case["input"]["pages"].items()}
    found = read_all(StoredFills(state["cursor"], newest), set(state["seen"]), pages)
    assert {
        "mode": found.mode,
        "since": None if found.since is None else found.since // S,
        "new": [each.entry_id for each in found.new],
        "duplicates": found.duplicates,
        "pages": found.pages,
        "cursor": found.cursor,
        "last_fill_ts": None if found.newest_at is None else found.newest_at // S,
        "warning": found.warning or None,
    } == wanted


def one(entry: str, at_s: int, following: str = "") -> Page:
    return Page((Fill(entry, at_s * S),), following)


def test_the_next_cycle_reads_on_at_the_last_cursor() -> None:
    """The last page is read again and its known fills are counted; what came since is new (PF-216)."""
    first = read_all(StoredFills(), set(), {"": one("e1", 1, "c1"), "c1": one("e2", 2)})
    assert (first.cursor, first.newest_at) == ("c1", 2 * S)
    grown = {"c1": Page((Fill("e2", 2 * S), Fill("e3", 3 * S)))}
    second = read_all(StoredFills(first.cursor, first.newest_at), {"e1", "e2"}, grown)
    assert (second.mode, second.since, second.cursor) == (ReadMode.CURSOR, None, "c1")
    assert ([each.entry_id for each in second.new], second.duplicates) == (["e3"], 1)


def test_an_empty_cursor_is_none() -> None:
    """A cycle whose first page had no successor leaves no cursor: the next one goes by time (PF-216)."""
    reading = start_reading(StoredFills("", 1000 * S))
    assert (reading.mode, reading.ask, reading.since) == (ReadMode.TIMESTAMP, "", 400 * S)
    assert start_reading(StoredFills(None, OVERLAP_NS - 1)).since == 0


def test_fills_before_the_start_are_skipped_and_counted() -> None:
    """Older than the start is skipped, exactly at it is read; nothing is dropped silently (PF-216, PF-5)."""
    page = Page((Fill("old", 400 * S - 1), Fill("edge", 400 * S)))
    found = read_all(StoredFills(None, 1000 * S), set(), {"": page})
    assert ([each.entry_id for each in found.new], found.skipped, found.duplicates) == (["edge"], 1, 0)
    assert found.newest_at == 1000 * S


def test_at_most_twenty_pages_a_cycle() -> None:
    """The twenty-first waits for the next cycle, which goes on there (PF-216)."""
    pages = {"": one("e0", 0, "c1")} | {f"c{n}": one(f"e{n}", n, f"c{n + 1}") for n in range(1, 30)} | {"c30": Page(())}
    first = read_all(StoredFills(), set(), pages)
    assert (first.pages, first.cursor, first.warning) == (MAX_PAGES, "c20", "")
    seen = {each.entry_id for each in first.new}
    second = read_all(StoredFills(first.cursor, first.newest_at), seen, pages)
    assert [each.entry_id for each in second.new] == [f"e{n}" for n in range(20, 30)]
    assert second.cursor == "c30"


@pytest.mark.parametrize(
    ("pages", "warning", "new"),
    [
        ({"": one("e1", 1, "c1"), "c1": one("e2", 2, "c1")}, "CursorLoop", ["e1", "e2"]),
        (
            {"": one("e1", 1, "c1"), "c1": one("e2", 2, "c2"), "c2": one("e3", 3, "c1")},
            "CursorLoop",
            ["e1", "e2", "e3"],
        ),
        ({"": one("e1", 1, "c1")}, "CursorMissing", ["e1"]),
        ({}, "CursorMissing", []),
    ],
)
def test_cursors_that_lead_nowhere(pages: dict[str, Page], warning: str, new: list[str]) -> None:
    """A loop or an unknown next cursor ends the cycle by name; what was read is kept (PF-216)."""
    found = read_all(StoredFills(), set(), pages)
    assert (found.warning, [each.entry_id for each in found.new], found.ask) == (warning, new, None)


def test_an_unknown_next_cursor_of_a_known_one_is_no_fallback() -> None:
    """Only the stored cursor falls back to time (PF-216)."""
    found = read_all(StoredFills("c7", 5 * S), set(), {"c7": one("e1", 6, "c8"), "": one("e0", 1)})
    assert (found.mode, found.warning, found.cursor) == (ReadMode.CURSOR, "CursorMissing", "c8")


def test_an_ended_cycle_takes_no_page() -> None:
    """A page nobody asked for is our own mistake, not the venue's (PF-216)."""
    with pytest.raises(ValueError, match="ended"):
        read_page(read_all(StoredFills(), set(), {"": Page(())}), Page(()), set())


@given(st.lists(st.lists(st.integers(0, 12), max_size=5), min_size=1, max_size=8), st.sets(st.integers(0, 12)))
def test_each_fill_is_taken_once(pages: list[list[int]], seen: set[int]) -> None:
    """However often a venue repeats a fill, it is new once, and all are counted (PF-217)."""
    book = {
        f"c{n}" if n else "": Page(
            tuple(Fill(f"e{each}", each * S) for each in page), f"c{n + 1}" if n + 1 < len(pages) else ""
        )
        for n, page in enumerate(pages)
    }
    known = {f"e{each}" for each in seen}
    found = read_all(StoredFills(), known, book)
    new = [each.entry_id for each in found.new]
    assert set(new) == {f"e{each}" for page in pages for each in page} - known
    assert len(new) == len(set(new))
    assert len(new) + found.duplicates + found.skipped == sum(map(len, pages))


# --- reconciling


@pytest.mark.parametrize("case", cases("reconcile_order"))
def test_reconciled_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Fills decide, and after 900 s of silence the venue is asked (PF-218, PF-219)."""
    told_of, order = case["input"], case["input"]["order"]
    size = order.get("base_size")
    submitted = SubmittedOrder(
        OrderStanding(order["status"]), None if size is None else D(size), order["submitted_ts"] * S
    )
    found = reconcile(
        submitted, [D(each) for each in told_of["fills"]], venue_status=told_of["venue_status"], now=told_of["now"] * S
    )
    wanted = case["expected"]
    assert (found.standing, found.action) == (wanted["status"], wanted["action"])
    assert close_to(case, found.filled, wanted["filled"])


@pytest.mark.parametrize(
    ("standing", "size", "fills", "status", "age_s", "wanted"),
    [
        ("submitted", "0.5", ["0.2", "0.4"], None, 1000, ("overfilled", "0.6", "alert")),
        ("partially_filled", "0.5", ["0.5"], "CANCELLED", 0, ("filled", "0.5", "none")),
        ("partially_filled", "0.5", ["0.2"], "CANCELLED", 0, ("partially_filled_closed", "0.2", "none")),
        ("submitted", "0.5", [], "CANCELLED", 0, ("cancelled", "0", "none")),
        ("submitted", "0.5", [], "EXPIRED", 0, ("expired", "0", "none")),
        ("submitted", "0.5", [], "FAILED", 0, ("failed", "0", "none")),
        ("submitted", "0.5", ["0.2"], "FILLED", 0, ("partially_filled", "0.2", "none")),  # fills are still to come
        ("submitted", None, ["0.2"], "FILLED", 0, ("filled", "0.2", "none")),
        ("submitted", None, [], "FILLED", 0, ("submitted", "0", "none")),
        ("submitted", None, ["0.2"], "OPEN", 0, ("partially_filled", "0.2", "none")),
        ("submitted", "0.5", [], None, 899, ("submitted", "0", "none")),
        ("submitted", "0.5", [], None, 900, ("submitted", "0", "query_venue")),
        ("partially_filled", "0.5", ["0.2"], None, 900, ("partially_filled", "0.2", "query_venue")),
        ("submitted", "0.5", [], "OPEN", 5000, ("submitted", "0", "none")),
        ("submitted", "0.5", ["0.5"], None, 5000, ("filled", "0.5", "none")),
        ("cancelled", "0.5", ["0.5"], "FILLED", 5000, ("cancelled", "0.5", "none")),
    ],
)
def test_what_became_of_an_order(
    standing: str,
    size: str | None,
    fills: list[str],
    status: str | None,
    age_s: int,
    wanted: tuple[str, str, str],
) -> None:
    """What has traded counts before what the venue calls it; final orders are not touched (PF-218, PF-219)."""
    order = SubmittedOrder(OrderStanding(standing), None if size is None else D(size), 7 * S)
    found = reconcile(order, [D(each) for each in fills], venue_status=status, now=(7 + age_s) * S)
    assert found == Reconciled(OrderStanding(wanted[0]), D(wanted[1]), OrderAction(wanted[2]))


@pytest.mark.parametrize(("size", "fill"), [("0", "1"), ("-1", "1"), ("1", "0"), ("1", "-0.1"), ("NaN", "1")])
def test_sizes_and_fills_are_above_zero(size: str, fill: str) -> None:
    """An order or a fill of nothing is refused by name (PF-218)."""
    with pytest.raises(ValidationError) as caught:
        reconcile(SubmittedOrder(OrderStanding.SUBMITTED, D(size), 0), [D(fill)], venue_status=None, now=0)
    assert caught.value.code == "InvalidQuantity"


def test_fills_without_order_are_orphans() -> None:
    """They are kept apart and none is lost (PF-220)."""
    fills = [Fill("e1", 1, "a"), Fill("e2", 2, "x"), Fill("e3", 3, "a"), Fill("e4", 4)]
    found = match_fills(fills, {"a", "b"})
    assert found.by_order == {"a": (fills[0], fills[2])}
    assert found.orphans == (fills[1], fills[3])
