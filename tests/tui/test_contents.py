"""What cards, columns and lines say, without a screen: limits that are passed, timers, progress, reasons, plans."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rich.cells import cell_len
from textual.geometry import Size

from tests.tui.rig import Clock
from tui.alerts import alert_strip
from tui.cells import Cell
from tui.commands.finding import worth_of
from tui.commands.risk import plan_in_words
from tui.demo import DemoLink
from tui.frame import banner, header
from tui.link import LinkState
from tui.panels import cards
from tui.panels.leg_columns import progress
from tui.panels.position_columns import COLUMNS, percent_of, state_cell
from tui.panels.risk_columns import LOSERS
from tui.state import State

SIZE = Size(40, 6)


class Ask:
    """A state with the demo's answers, which a test may change."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.link = DemoLink(self.clock)
        self.state = State(self.link, self.clock)
        self.state.link_said(LinkState.CONNECTED, "")

    async def all(self, *topics: str) -> State:
        """Ask some topics."""
        self.state.want(topics)
        await self.state.round()
        return self.state


def styles(content: Any, text: str) -> set[str]:
    """Return the styles of a text in a line."""
    return {str(span.style) for span in content.spans if content.plain[span.start : span.end].strip() == text}


@pytest.mark.anyio
async def test_what_is_over_its_limit_is_red() -> None:
    """Slots over the limit and more capital committed than there is are shown as an alarm (EX-1610, EX-1717)."""
    ask = Ask()
    state = await ask.all("queue", "performance", "groups")
    assert styles(cards.pool(state, SIZE), "12/13") == {"bold"}
    state.get("queue")["queues"][0]["occupied"] = 12
    assert "bold $error" in styles(cards.pool(state, SIZE), "14/13")
    state.get("performance")["allocation"]["gauge_percent"] = 104.5
    assert "bold $error" in styles(cards.capital(state, SIZE), "104.5%")
    state.get("performance")["allocation"]["gauge_percent"] = None
    assert "\N{EN DASH}" in cards.capital(state, SIZE).plain


@pytest.mark.anyio
async def test_the_result_is_of_one_answer() -> None:
    """EX-1720: result, its parts, percent and equity are of one answer, also where rows have no price any more."""
    ask = Ask()
    state = await ask.all("performance", "groups")
    found = state.get("performance") | {"total_pnl": -96.0, "unrealized": -100.0, "total_pnl_percent": -0.48}
    state.get("performance").update(found)
    for row in state.rows("groups", "groups"):
        row["unrealized_quote"], row["venue_trouble"] = None, "venue down"
    shown = cards.pnl(state, Size(60, 6)).plain
    for each in ("last known prices", "-96.00 USD  -0.48%", "open -100.00"):
        assert each in shown
    state.get("performance")["unrealized_complete"] = False
    assert "prices missing" in cards.pnl(state, Size(60, 6)).plain


@pytest.mark.anyio
async def test_equity_is_drawn_without_what_came_from_outside() -> None:
    """EX-1705: an account that joins and a deposit are no profit: the curve ends with what there is and has no step."""
    ask = Ask()
    state = await ask.all("performance")
    total = [[1, 10_000.0], [2, 10_010.0], [3, 20_010.0], [4, 20_510.0], [5, 20_500.0]]
    state.get("performance")["curves"] = {"total": total, "flows": [[3, 10_000.0], [4, 500.0]]}
    shown = cards.equity(state, Size(60, 12)).plain
    assert "EQUITY  20,500.00" in shown
    assert "20,510" in shown
    assert "10,0" not in shown


@pytest.mark.anyio
async def test_the_engines_banner_says_why() -> None:
    """Running is green, paused amber, anything else an error, each with its cause (EX-1610)."""
    ask = Ask()
    state = await ask.all()
    status = state.get("status")
    for name, word, style in (("running", "● RUNNING", "$gain"), ("paused", "Ⅱ PAUSED", "$warning")):
        status["engine"] = {"status": name, "reason": "because", "held": []}
        assert style in styles(cards.engine(state, SIZE), word)
    status["engine"] = {"status": "blocked", "reason": "daily loss", "held": []}
    shown = cards.engine(state, SIZE)
    assert "bold $error" in styles(shown, "✖ BLOCKED")
    assert "daily loss" in shown.plain
    assert "✖ BLOCKED" in header(state, "here", 120, read_only=False).plain


@pytest.mark.anyio
async def test_the_queue_is_split_by_why_it_waits() -> None:
    """Waiting signals are counted by reason: pool full, opposite side, precision missing (EX-1610)."""
    state = await Ask().all("queue")
    assert "pool full 5  opposite side 1  precision missing 1" in cards.pool(state, Size(80, 6)).plain


@pytest.mark.anyio
async def test_alerts_are_pinned_and_counted() -> None:
    """The strip has the newest three and how many others, the card the number of the last hour (EX-1406, EX-1610)."""
    ask = Ask()
    state = await ask.all("troubles", "risk", "signals")
    newest = [str(each["text"]) for each in state.get("alerts")["alerts"]]
    for size, tall in ((Size(120, 36), 3), (Size(80, 24), 2)):
        shown = alert_strip(state, size)
        assert shown is not None
        rows = shown.plain.splitlines()
        assert len(rows) == tall
        assert max(map(cell_len, rows)) <= size.width
        assert [text[:20] in shown.plain for text in newest] == [True] * 3
        assert "+2" in rows[0]
    assert "4 in the last hour" in cards.side(state, Size(60, 30)).plain
    ask.clock.go(7_200)
    assert "0 in the last hour" in cards.side(state, Size(60, 30)).plain


@pytest.mark.anyio
async def test_old_answers_are_known_as_old() -> None:
    """A value is old after three seconds, and longer only where it is asked more rarely (EX-1602)."""
    ask = Ask()
    state = await ask.all("groups", "performance")
    assert not state.stale("groups")
    ask.clock.go(3.1)
    assert state.stale("groups")
    assert not state.stale("performance")
    state.link_said(LinkState.RECONNECTING, "gone")
    ask.clock.go(61)
    said = banner(state, "here")
    assert said is not None
    assert "for 1m" in said.plain
    assert await state.round() == set()


@pytest.mark.anyio
async def test_nothing_is_asked_before_it_is_due() -> None:
    """A round asks what is on screen and due; an event makes what it concerns due at once (EX-1602)."""
    ask = Ask()
    state = await ask.all("performance")
    ask.clock.go(0.5)
    assert "performance" not in await state.round()
    state.hear({"kind": "event", "type": "GroupClosed", "position": 1})
    assert "performance" in await state.round()
    state.hear({"kind": "lost", "count": 3})
    assert all(piece.dirty for piece in state.pieces.values())


@pytest.mark.parametrize(
    ("fill", "target", "mark", "side", "expected"),
    [
        (100, 102, "101.46", "long", 73),
        (100, 98, "98.5", "short", 75),
        (100, 102, 99, "long", 0),
        (100, 102, 103, "long", 100),
        (None, 102, 101, "long", None),
        (100, None, 101, "long", None),
        (100, 100, 101, "long", None),
    ],
)
def test_progress_from_fill_to_target(fill: Any, target: Any, mark: Any, side: str, expected: float | None) -> None:
    """Progress goes from the fill to the target, 0 to 100, and is unknown without one of them (EX-612, EX-1613)."""
    found = progress(fill, target, mark, side)
    assert found == (None if expected is None else pytest.approx(expected))


def test_a_group_says_first_what_keeps_it_from_acting() -> None:
    """A venue that is down and a freeze stand before the state; percent is of what was paid (EX-1207, EX-1612)."""
    row = {
        "venue_trouble": "",
        "frozen": None,
        "state": "partially_filled",
        "open_cost_quote": "200",
        "unrealized_quote": "-5",
    }
    assert state_cell(row) == Cell("part filled", "")
    assert state_cell({**row, "frozen": "mismatch"}).style == "alarm"
    assert state_cell({**row, "venue_trouble": "venue down"}).text == "✖ venue down"
    assert percent_of(row) == -2.5
    assert percent_of({**row, "open_cost_quote": "0"}) is None
    needed = {"pair", "tf", "side", "pyramids", "dca", "average", "percent", "pnl", "tp", "status"}
    optional = {"venue", "opened", "age", "realized", "timer", "strategy"}
    assert needed | optional <= {column.name for column in COLUMNS}


def test_a_loser_says_timer_age_and_first_reason() -> None:
    """Timers as mm:ss, not started, expired; age off or passed; the first reason that fails (EX-1615)."""
    column = {each.name: each for each in LOSERS}
    row: dict[str, Any] = {
        "timer": "running",
        "remaining_s": 299,
        "age_ok": None,
        "age_minutes": 3,
        "blocked": False,
        "skip_once": False,
        "left_out": "",
        "reasons": ["timer_running", "too_young"],
        "pyramids_ok": False,
        "received": 2,
        "required": 3,
        "plan": None,
    }
    assert column["timer"].cell(row).text == "04:59"
    assert column["timer"].cell({**row, "timer": "not_started"}).text == "not started"
    assert column["timer"].cell({**row, "timer": "expired"}).style == "warn"
    assert column["age"].cell(row).text == "off"
    assert column["age"].cell({**row, "age_ok": False}).text == "no  3m"
    assert column["pyramids"].cell(row).text == "no  2/3"
    assert column["reason"].cell(row).text == "timer running"
    assert column["reason"].cell({**row, "reasons": []}).text == "● ready"
    assert column["reason"].cell({**row, "blocked": True}).text == "B blocked"


def test_plans_and_worth_in_words() -> None:
    """A plan names winners with quantity and USD, the loser's quantity, the net (EX-1615); worth is an estimate in USD."""
    plan = {
        "status": "executable",
        "reason": "",
        "loser": "g1",
        "loser_full": False,
        "loser_close_qty": "0.5",
        "net_usd": "0.25",
        "winners": [{"group_id": "g2", "full": True, "qty": "1", "profit_usd": "9.5"}],
    }
    assert plan_in_words(plan, {"g2": "BTC/USDT 1h long"}) == (
        "close all of BTC/USDT 1h long +9.50; then 0.5 of g1; net +0.25 USD"
    )
    assert plan_in_words({**plan, "status": "not_executable", "reason": "no_winners"}, {}) == "nothing: no winners"
    group = {"mark": "200", "avg_entry": "180", "quote": "EUR", "quote_usd": "1.1"}
    assert worth_of("0.5", group) == "≈ 110.00 USD"
    assert worth_of("0.5", {**group, "quote_usd": None}) == "≈ 100.00 EUR"
    assert worth_of("0.5", {**group, "mark": None}) == "≈ 99.00 USD at its entry: there is no newest price"
    assert worth_of("0.5", {**group, "mark": None, "avg_entry": None}) == "unknown: no price"


@pytest.mark.anyio
async def test_a_question_that_is_broken_off_is_asked_again() -> None:
    """Opening another panel ends a round in the middle; what it asked is due in the next, however rare it is."""
    ask = Ask()
    begun, answers, get = asyncio.Event(), asyncio.Event(), ask.link.get

    async def slow(path: str, **query: Any) -> Any:
        begun.set()
        await answers.wait()
        return await get(path, **query)

    ask.link.get = slow  # type: ignore[method-assign]
    ask.state.want(("decisions",))
    asking = asyncio.create_task(ask.state.round())
    await begun.wait()
    asking.cancel()
    await asyncio.wait([asking])
    answers.set()
    assert "decisions" in await ask.state.round()
