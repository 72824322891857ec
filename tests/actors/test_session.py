"""The venue session: what each answer and each error of a venue becomes, and that nothing overtakes."""

from __future__ import annotations

from typing import Any

import pytest

from actors.session import CALL_TIMEOUT_S, VenueSession, balances_topic, health_topic, market_topic, session_topic
from protocol.market import PriceTick
from protocol.orders import CancelAtVenue, OrderReport, OrderState, PlaceAtVenue
from protocol.venue import FetchVenueState, QueryAtVenue, SessionDown, VenueSnapshot, VenueStatus
from tests.actors.cast import D, S, Stage, kinds, of, play
from tests.actors.orders import SYMBOL, client_id, fill, market, report, request
from tests.actors.stub_venue import Later, StubVenue
from venues.errors import (
    AuthFailed,
    InsufficientFunds,
    NetworkTimeout,
    OrderNotFound,
    OrderRejected,
    VenueDown,
)

KEY = client_id(1)
ERRORS = {
    "timeout": NetworkTimeout("stub", "no answer"),
    "down": VenueDown("stub", "502"),
    "missing": OrderNotFound("stub", "no such order"),
    "rejected": OrderRejected("stub", "tick size"),
    "funds": InsufficientFunds("stub", "not enough"),
    "auth": AuthFailed("stub", "key"),
    "silence": None,
    "bug": KeyError("price"),
}


class SessionRig:
    """The session ``/house/session`` over stub venues, one a life; ``answers`` hold for all of them."""

    def __init__(self, stage: Stage, **answers: list[Any]) -> None:
        self.stage = stage
        self.answers = answers
        self.calls: list[str] = []
        self.venues: list[StubVenue] = []
        self.desk = stage.probe("desk")
        self.health = stage.probe("health", topics=(health_topic("acc"),))
        self.balances = stage.probe("balances", topics=(balances_topic("acc"),))
        self.news = stage.probe("news", topics=(session_topic("acc"), market_topic("acc", SYMBOL)))
        stage.add("session", lambda: VenueSession(account="acc", venue=self._make, desk="/house/desk"), edge=True)

    def _make(self) -> StubVenue:
        self.venues.append(StubVenue(self.answers, self.calls, lambda: self.stage.now))
        return self.venues[-1]

    def place(self, *, in_s: float = 10.0) -> PlaceAtVenue:
        """Return the desk's word to send an order that is wanted for so long."""
        return PlaceAtVenue(request(1), self.stage.now + round(in_s * S))

    def orders(self) -> list[str]:
        """Return the calls about orders."""
        return [call.split()[0] for call in self.calls if KEY in call]

    def reports(self) -> list[OrderReport]:
        """Return what the desk heard."""
        return of(self.desk, OrderReport)


# --- answers and errors ------------------------------------------------------------------------------------------------


def test_answers_reach_the_desk() -> None:
    """What the venue makes of a place, a cancel and a query is told as it is."""

    async def script(stage: Stage) -> None:
        said = [report(KEY, "open"), report(KEY, "cancelled"), report(KEY, "unknown")]
        rig = SessionRig(stage, place=[said[0]], cancel=[said[1]], query=[said[2]])
        await stage.told("session", rig.place(), CancelAtVenue(KEY, SYMBOL), QueryAtVenue(KEY, SYMBOL))
        assert rig.reports() == said
        assert rig.orders() == ["place", "cancel", "query"]

    play(script)


@pytest.mark.parametrize(
    ("error", "state", "absent"),
    [
        ("timeout", "unknown", False),
        ("silence", "unknown", False),
        ("down", "rejected", True),
        ("rejected", "rejected", False),
        ("funds", "rejected", False),
        ("auth", "rejected", True),
        ("bug", "unknown", False),
    ],
)
def test_a_place_that_fails(error: str, state: str, absent: bool) -> None:
    """Unknown stays unknown; absence counts as proven only where the contract says that nothing was sent (EX-426)."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage, place=[ERRORS[error] or Later(None)])
        await stage.told("session", rig.place(in_s=60))
        await stage.passes(CALL_TIMEOUT_S)
        (said,) = rig.reports()
        assert (said.client_order_id, said.state, said.absent_proven) == (KEY, OrderState(state), absent)
        assert said.reason
        assert len(rig.venues) == (2 if error == "bug" else 1)

    play(script)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("kind", [CancelAtVenue, QueryAtVenue])
def test_a_cancel_or_query_that_fails(error: str, kind: Any) -> None:
    """Nothing that goes wrong with a cancel or a query proves anything about the order (EX-426)."""

    async def script(stage: Stage) -> None:
        answer = [ERRORS[error] or Later(None)]
        rig = SessionRig(stage, cancel=answer, query=answer)
        await stage.told("session", kind(KEY, SYMBOL))
        await stage.passes(CALL_TIMEOUT_S)
        (said,) = rig.reports()
        assert (said.state, said.absent_proven) == (OrderState.UNKNOWN, False)

    play(script)


def test_an_order_that_is_too_old_is_not_sent() -> None:
    """A place that was held up past its time never reaches the venue; its outcome is to be asked for."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage)
        late, due = rig.place(in_s=-0.001), rig.place(in_s=0)
        await stage.told("session", late)
        assert rig.orders() == []
        assert [said.state for said in rig.reports()] == [OrderState.UNKNOWN]
        rig.answers["place"] = [report(KEY, "open")]
        stage.tell("session", PlaceAtVenue(due.request, stage.now))
        await stage.settle()
        assert rig.orders() == ["place"]

    play(script)


# --- order -------------------------------------------------------------------------------------------------------------


def test_nothing_overtakes_the_order_it_is_about() -> None:
    """Calls about one order reach the venue one after the other, in the order told; other orders do not wait."""

    async def script(stage: Stage) -> None:
        first, second = Later(report(KEY, "open")), Later(report(KEY, "open"))
        rig = SessionRig(stage, place=[first, report(client_id(2), "open")], query=[second, report(KEY, "open")])
        other = PlaceAtVenue(request(2), stage.now + S)
        await stage.told("session", rig.place(), QueryAtVenue(KEY, SYMBOL), CancelAtVenue(KEY, SYMBOL), other)
        assert rig.orders() == ["place"]
        assert f"place {client_id(2)}" in rig.calls
        first.come()
        await stage.settle()
        await stage.told("session", QueryAtVenue(KEY, SYMBOL))
        assert rig.orders() == ["place", "query"]
        second.come()
        await stage.settle()
        assert rig.orders() == ["place", "query", "cancel", "query"]

    play(script)


@pytest.mark.parametrize("seed", range(8))
def test_nothing_overtakes_whatever_the_interleaving(seed: int) -> None:
    """The order of calls does not depend on which task happens to run first."""

    async def script(stage: Stage) -> None:
        answer = [report(KEY, "open")]
        rig = SessionRig(stage, place=answer, query=answer, cancel=answer)
        await stage.told("session", rig.place(), QueryAtVenue(KEY, SYMBOL), CancelAtVenue(KEY, SYMBOL))
        assert rig.orders() == ["place", "query", "cancel"]

    play(script, seed=seed)


def test_a_call_that_never_ends_does_not_stop_what_follows() -> None:
    """After its time is over the next call about the order goes out, and nothing is kept of the order after the last."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage, place=[Later(None)], query=[report(KEY, "open")])
        await stage.told("session", rig.place(), QueryAtVenue(KEY, SYMBOL))
        await stage.passes(CALL_TIMEOUT_S)
        assert [said.state.value for said in rig.reports()] == ["unknown", "open"]
        assert stage.actor("session")._calls.lines == {}

    play(script)


# --- life --------------------------------------------------------------------------------------------------------------


def test_a_connection_is_announced_and_facts_are_passed_on() -> None:
    """Markets are told with the connection; orders and fills go to the desk, prices to their topic."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage)
        await stage.settle()
        (up,) = rig.news
        assert (up.account, up.instruments) == ("acc", (market(),))
        sink = rig.venues[0].sink
        assert sink is not None
        tick = PriceTick(SYMBOL, 1, D(99), D(101), D(100))
        for fact in (report(KEY, "open"), fill(KEY), tick):
            sink(fact)
        await stage.settle()
        assert kinds(rig.desk) == ["OrderReport", "FillReport"]
        assert rig.news[1:] == [tick]

    play(script)


@pytest.mark.parametrize("step", ["connect", "instruments"])
def test_a_connection_that_fails(step: str) -> None:
    """A venue that cannot be reached is no crash: what was opened is closed, it is said, and tried again (EX-1207)."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage, **{step: [VenueDown("stub", "503"), None if step == "connect" else (market(),)]})
        await stage.settle()
        assert kinds(rig.news) == []
        said = dict.fromkeys((each.status.value, each.code) for each in rig.health)
        assert list(said) == [("connecting", ""), ("down", "VenueDown")]
        await stage.passes(1.0)
        assert kinds(rig.news) == ["SessionUp"]
        assert rig.health[-1].status is VenueStatus.UP
        assert [venue.open for venue in rig.venues] == [False, True]
        assert rig.calls.count("close") == 1
        assert stage.system.cell_of("/house/session").incarnation == 1  # type: ignore[union-attr]

    play(script)


@pytest.mark.parametrize("how", ["down", "bug", "crash"])
def test_a_life_that_ends_badly_closes_its_connection(how: str) -> None:
    """However a life ends, its adapter is closed before the next one connects, and late words of the old one are lost."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage, place=[KeyError("price")])
        await stage.settle()
        old = rig.venues[0].sink
        assert old is not None
        if how == "crash":
            await stage.crash("session")
        else:
            await stage.told("session", SessionDown("acc", "gone", stage.now) if how == "down" else rig.place())
        await stage.passes(1.0)
        assert [venue.open for venue in rig.venues] == [False, True]
        expected = ["SessionUp", "SessionDown", "SessionUp"] if how == "down" else ["SessionUp", "SessionUp"]
        assert kinds(rig.news) == expected
        old(fill(KEY))
        await stage.settle()
        assert kinds(rig.desk) == (["OrderReport"] if how == "bug" else [])

    play(script)


def test_the_end_of_the_house_closes_the_connection() -> None:
    """An orderly stop closes the adapter once and leaves orders where they are."""
    rigs: list[SessionRig] = []

    async def script(stage: Stage) -> None:
        rigs.append(SessionRig(stage))
        await stage.settle()

    play(script)
    assert rigs[0].calls[-1] == "close"
    assert rigs[0].calls.count("close") == 1


# --- reconciliation ----------------------------------------------------------------------------------------------------


def test_the_venues_whole_truth() -> None:
    """Orders, balances and positions are fetched before the fills, so that what left the orders is among the fills."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage, open_orders=[(report(KEY, "open"),)], fills_since=[(fill(KEY),)])
        answer = await stage.ask("session", FetchVenueState(5))
        assert isinstance(answer, VenueSnapshot)
        assert (answer.open_orders, answer.fills, answer.since) == ((report(KEY, "open"),), (fill(KEY),), 5)
        assert rig.calls[-4:] == ["open_orders", "balances", "positions", "fills_since 5"]

    play(script)


def test_a_fetch_that_fails_is_the_askers_to_know() -> None:
    """The asker hears the venue's error; the session lives on."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage, balances=[VenueDown("stub", "503")])
        with pytest.raises(VenueDown):
            await stage.ask("session", FetchVenueState(0))
        assert len(rig.venues) == 1

    play(script)


def test_an_open_breaker_sends_nothing() -> None:
    """After many failures calls fail at once: an order is then proven not to have been sent, a query proves nothing."""

    async def script(stage: Stage) -> None:
        rig = SessionRig(stage, query=[NetworkTimeout("stub", "no answer")], place=[report(KEY, "open")])
        for _ in range(5):
            await stage.told("session", QueryAtVenue(KEY, SYMBOL))
        sent = len(rig.orders())
        await stage.told("session", rig.place(), QueryAtVenue(KEY, SYMBOL))
        assert len(rig.orders()) == sent
        place, query = rig.reports()[-2:]
        assert (place.state, place.absent_proven) == (OrderState.REJECTED, True)
        assert (query.state, query.absent_proven) == (OrderState.UNKNOWN, False)

    play(script)
