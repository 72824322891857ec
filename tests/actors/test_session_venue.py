"""The session and a venue that misbehaves: keys, limits, clocks, breakers, balances (EX-1103 to EX-1106)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.session import SessionSettings, VenueSession, balances_topic, health_topic, session_topic
from actors.session_limit import Limiter, RateMode, Urgency
from actors.session_topics import DataFeed
from protocol.configuration import ApplySettings
from protocol.orders import Balance, CancelAtVenue, OrderReport, OrderState, PlaceAtVenue
from protocol.precision import FetchInstruments
from protocol.venue import BalancesChanged, FetchVenueState, QueryAtVenue, VenueHealth, VenueStatus
from tests.actors.cast import D, S, Stage, kinds, of, play
from tests.actors.orders import SYMBOL, client_id, market, report, request
from tests.actors.stub_venue import Later, StubVenue
from venues.contract import REQUIRED_CAPABILITIES, CallLimit, Capability
from venues.errors import (
    AuthFailed,
    InsufficientFunds,
    NetworkTimeout,
    OrderNotFound,
    OrderRejected,
    PermissionDenied,
    RateLimited,
    VenueDown,
)

KEY = client_id(1)
OPEN = report(KEY, "open")


class Rig:
    """A session over stub venues; ``limit`` is what they publish, ``mode`` how much of it is used."""

    def __init__(
        self,
        stage: Stage,
        *,
        limit: CallLimit | None = None,
        mode: RateMode = RateMode.VENUE,
        missing: Capability | None = None,
        settings: SessionSettings | None = None,
        kind: type[StubVenue] = StubVenue,
        data: DataFeed | None = None,
        **answers: list[Any],
    ) -> None:
        self.stage = stage
        self.answers = answers
        self.limit = limit
        self.calls: list[str] = []
        self.venues: list[StubVenue] = []
        self.missing = missing
        self.desk = stage.probe("desk")
        self.health: list[VenueHealth] = stage.probe("health", topics=(health_topic("acc"),))
        self.balances: list[BalancesChanged] = stage.probe("balances", topics=(balances_topic("acc"),))
        self.news = stage.probe("news", topics=(session_topic("acc"),))
        self.kind = kind
        settings = settings or SessionSettings(mode)
        stage.add(
            "session",
            lambda: VenueSession(account="acc", venue=self._make, desk="/house/desk", settings=settings, data=data),
            edge=True,
        )

    def _make(self) -> StubVenue:
        venue = self.kind(self.answers, self.calls, lambda: self.stage.now)
        venue.limit = self.limit
        venue.capabilities = REQUIRED_CAPABILITIES - {self.missing}  # type: ignore[misc]
        self.venues.append(venue)
        return venue

    def place(self, number: int = 1, *, entry: bool = False) -> PlaceAtVenue:
        return PlaceAtVenue(request(number), self.stage.now + 10 * S, adds_risk=entry)

    def standing(self) -> list[str]:
        """Return what was said of the connection: status and code."""
        return [f"{each.status.value} {each.code}".strip() for each in self.health]

    def placed(self) -> list[str]:
        return [call.split()[1] for call in self.calls if call.startswith("place")]


@pytest.mark.parametrize("error", [AuthFailed("stub", "bad key"), PermissionDenied("stub", "no trading")])
@pytest.mark.parametrize("when", ["connect", "order"])
def test_a_venue_that_refuses_the_account_is_not_tried_again(error: Any, when: str) -> None:
    """EX-1104: AuthFailed and PermissionDenied stop the connection, with no retry until an operator restarts the session."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, **{"connect" if when == "connect" else "place": [error]})
        await stage.settle()
        if when == "order":
            await stage.told("session", rig.place())
            (said,) = of(rig.desk, OrderReport)
            assert (said.state, said.absent_proven, said.code) == (OrderState.REJECTED, True, error.code)
        tries = len(rig.venues)
        await stage.passes(3_600)
        assert rig.standing()[-1] == f"stopped {error.code}"
        assert "bulkhead restart /house/session" in rig.health[-1].reason
        assert len(rig.venues) == tries
        rig.answers.clear()
        await stage.crash("session")  # what an operator's restart does for a session: its next life
        assert rig.standing()[-1] == "up"
        assert [venue.open for venue in rig.venues][-1]

    play(script)


def test_a_missing_capability_stops_the_connection() -> None:
    """EX-1103: an adapter that lacks something required stops as VenueCapabilityMissing, which names it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, missing=Capability.FILLS_SINCE)
        await stage.settle()
        assert rig.standing()[-1] == "stopped VenueCapabilityMissing"
        assert "fills_since" in rig.health[-1].reason
        assert "connect" not in rig.calls

    play(script)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OrderRejected("stub", "price not on tick", precision=True), "PrecisionRejected"),
        (OrderRejected("stub", "post only"), "OrderRejected"),
        (InsufficientFunds("stub", "0.1 free"), "InsufficientFunds"),
        (NetworkTimeout("stub", "no answer"), "NetworkTimeout"),
        (OrderNotFound("stub", "none"), "OrderNotFound"),
        (VenueDown("stub", "502"), "VenueDown"),
    ],
)
def test_a_venues_errors_keep_their_names(error: Any, code: str) -> None:
    """EX-1104, EX-516: the desk hears the typed code of what a venue answered instead."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, place=[error])
        await stage.told("session", rig.place())
        assert [each.code for each in of(rig.desk, OrderReport)] == [code]

    play(script)


# --- limits ------------------------------------------------------------------------------------------------------------


def test_too_many_requests_are_waited_for_as_told() -> None:
    """EX-1104: after RateLimited the call goes out again when the venue's wait is over; nobody's order is lost."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, place=[RateLimited("stub", "slow", retry_after_s=3), OPEN])
        await stage.told("session", rig.place())
        assert rig.standing()[-1] == "up RateLimited"
        await stage.passes(2.9)
        assert len(rig.placed()) == 1
        assert of(rig.desk, OrderReport) == []
        await stage.passes(0.2)
        assert len(rig.placed()) == 2
        assert of(rig.desk, OrderReport) == [OPEN]
        assert rig.standing()[-1] == "up"

    play(script)


def test_too_many_requests_without_a_word_wait_longer_each_time() -> None:
    """EX-1104: a venue that does not say how long is asked again after 1, 2, 4, 8, 8 seconds."""

    async def script(stage: Stage) -> None:
        times: list[int] = []
        rig = Rig(stage, place=[RateLimited("stub", "slow")] * 5 + [OPEN])
        began = stage.now
        await stage.told("session", rig.place())
        for _ in range(24):
            times.append(len(rig.placed()))
            await stage.passes(1)
        times.append(len(rig.placed()))
        assert began > 0
        assert times[:16] == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]
        assert times[-1] == 6
        assert of(rig.desk, OrderReport) == [OPEN]

    play(script)


def test_closes_go_before_entries() -> None:
    """EX-1104: when calls have to wait, what closes or cancels leaves first, then questions, then entries."""

    async def script(stage: Stage) -> None:
        answers = {name: [OPEN] for name in ("cancel", "query")}
        rig = Rig(stage, place=[RateLimited("stub", "slow", retry_after_s=2), OPEN], **answers)
        await stage.told("session", rig.place(1, entry=True))
        entry, close = rig.place(2, entry=True), rig.place(3)
        await stage.told(
            "session", entry, QueryAtVenue(client_id(4), SYMBOL), close, CancelAtVenue(client_id(5), SYMBOL)
        )
        sent = len(rig.calls)
        await stage.passes(2.1)
        left = [call.split() for call in rig.calls[sent:]]
        numbers = {client_id(n): n for n in range(1, 6)}
        assert [numbers[key] for _, key in left] == [3, 5, 4, 1, 2]

    play(script)


def test_an_order_that_waits_can_be_cancelled_unsent() -> None:
    """EX-1104: an entry that waits for the venue's limits and is cancelled meanwhile never leaves; that is proven."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, place=[RateLimited("stub", "slow", retry_after_s=5), OPEN])
        await stage.told("session", rig.place(1, entry=True))
        await stage.told("session", CancelAtVenue(KEY, SYMBOL))
        await stage.passes(6)
        said = of(rig.desk, OrderReport)
        assert {(each.state, each.absent_proven, each.code) for each in said} == {
            (OrderState.REJECTED, True, "CancelledUnsent")
        }
        assert len(rig.placed()) == 1
        assert not any(call.startswith("cancel") for call in rig.calls)
        assert stage.actor("session")._calls.lines == {}

    play(script)


@pytest.mark.parametrize(("mode", "at_once"), [(RateMode.VENUE, 4), (RateMode.CONSERVATIVE, 2), (RateMode.OFF, 10)])
def test_published_limits_are_kept(mode: RateMode, at_once: int) -> None:
    """EX-1105: all of the published limit, half of it, or none; the rest follows as the window refills; use is shown."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, limit=CallLimit(4, 2.0), mode=mode, place=[OPEN])
        await stage.settle()
        await stage.told("session", *(rig.place(number) for number in range(1, 11)))
        assert len(rig.placed()) == at_once
        shown = stage.actor("session").detail
        if mode is not RateMode.OFF:
            assert f"{at_once}/{at_once} calls used" in shown
            assert f"{10 - at_once} waiting" in shown
        await stage.passes(2.0)
        assert len(rig.placed()) == min(10, 2 * at_once)
        await stage.ask("session", ApplySettings(2, SessionSettings(RateMode.OFF)))
        await stage.passes(2.0)
        assert len(rig.placed()) == 10

    play(script)


def test_the_line_is_fair_among_equals() -> None:
    """EX-1105: equals leave in the order of their coming, whatever came between."""

    async def script(stage: Stage) -> None:
        woken: list[int] = []
        limiter = Limiter(CallLimit(1, 1.0), RateMode.VENUE, wake_at=woken.append)
        now = stage.now
        assert limiter.free(now)
        turns = [limiter.turn(urgency, now) for urgency in (Urgency.ENTRY, Urgency.CLOSE, Urgency.ENTRY, Urgency.CLOSE)]
        done: list[int] = []
        for second in range(1, 5):
            limiter.pump(now + second * S)
            done += [index for index, turn in enumerate(turns) if turn.done() and index not in done]
        assert done == [1, 3, 0, 2]
        assert woken

    play(script)


# --- clock, breaker, balances, rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead_s", "offset", "warned"), [(0.9, 0, False), (1.5, 1.5, False), (-4.9, -4.9, False), (6.2, 6.2, True)]
)
def test_a_clock_that_differs(ahead_s: float, offset: float, warned: bool) -> None:
    """EX-1106: above one second the venue's clock is followed in signatures, above five ``ClockSkew`` is said."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, server_time=[stage.now + round(ahead_s * S)])
        await stage.settle()
        assert rig.venues[0].clock_offset == round(offset * S)
        skews = [each for each in rig.health if each.code == "ClockSkew"]
        assert len(skews) == warned
        assert rig.health[-1].status is VenueStatus.UP
        if warned:
            assert "NTP" in skews[0].reason
            rig.answers["server_time"] = [stage.now]
            await stage.ask("session", FetchVenueState(0))
            assert rig.venues[0].clock_offset == 0

    play(script)


def test_an_open_breaker_is_a_venue_that_is_down_and_comes_back_by_itself() -> None:
    """EX-106: when too many calls fail the venue counts as down; a probe finds out when it answers again."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, query=[NetworkTimeout("stub", "no answer")])
        await stage.settle()
        rig.answers["server_time"] = [VenueDown("stub", "502")]
        for _ in range(5):
            await stage.told("session", QueryAtVenue(KEY, SYMBOL))
        assert rig.standing()[-1] == "down VenueDown"
        await stage.passes(30)
        assert rig.standing()[-1] == "down VenueDown"
        rig.answers.clear()
        await stage.passes(60)
        assert rig.standing()[-1] == "up"
        assert kinds(rig.news) == ["SessionUp"]
        assert len(rig.venues) == 1

    play(script)


def test_a_venue_that_answers_somebody_else_first_is_up_again() -> None:
    """EX-106: another call was the breaker's probe; found by the simulator (all, seed 640): it stayed down for hours."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, query=[NetworkTimeout("stub", "no answer")])
        await stage.settle()
        for _ in range(5):
            await stage.told("session", QueryAtVenue(KEY, SYMBOL))
        assert rig.standing()[-1] == "down VenueDown"
        cell = stage.system.cell_of("/house/session")
        assert cell is not None
        assert isinstance(cell.actor, VenueSession)
        calls = cell.actor._calls
        at = calls.next_probe()
        while calls.open:
            assert calls.breaker.allow(at)
            calls.breaker.success(at)
        await stage.passes(60)
        assert rig.standing()[-1] == "up"
        assert kinds(rig.news) == ["SessionUp"]

    play(script)


def test_balances_are_told_after_connecting_and_with_each_comparison() -> None:
    """EX-1103: the account's balances are kept on the bus: after a connect, and whenever the venue's truth is fetched."""

    async def script(stage: Stage) -> None:
        first, second = (Balance("USDT", D(10)),), (Balance("USDT", D(9)),)
        rig = Rig(stage, balances=[first, second])
        await stage.settle()
        assert stage.system.bus.kept(balances_topic("acc")).balances == first
        await stage.ask("session", FetchVenueState(0))
        assert [each.balances for each in rig.balances] == [first, second]

    play(script)


def test_rules_can_be_fetched_any_time() -> None:
    """EX-507: the session fetches the rules of all markets in one call when it is asked, and says why it could not."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, instruments=[(market(),), (market("ETH/USDT"),), VenueDown("stub", "503")])
        found = await stage.ask("session", FetchInstruments())
        assert found.instruments == (market("ETH/USDT"),)
        with pytest.raises(VenueDown):
            await stage.ask("session", FetchInstruments())
        assert rig.standing()[-1] == "up"

    play(script)


def test_a_venue_that_hangs_does_not_hold_up_the_house() -> None:
    """EX-1207: a start waits a few seconds for its venue at most; then it counts as down and is tried again beside."""

    async def script(stage: Stage) -> None:
        never = Later(None)
        rig = Rig(stage, connect=[never, None])
        await stage.passes(5.1)
        assert rig.standing() == ["connecting", "down VenueDown"]
        await stage.passes(1.0)
        assert rig.standing()[-1] == "up"

    play(script)
