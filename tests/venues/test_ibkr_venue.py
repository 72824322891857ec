"""The connection to Interactive Brokers over real sockets: login, losses, notices, heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from protocol.market import FeedState, FeedStatus
from protocol.orders import FillReport, OrderRequest, OrderState
from protocol.values import OrderSide, OrderType
from protocol.venue import SessionDown
from tests.servers.venues.faults import Fault
from tests.venues.ibkr_rig import NOW, IbkrRig, connected, gateway, serving, shares
from tests.venues.manual_time import PATIENCE_S, ManualTime
from venues.access import Tools
from venues.errors import AuthFailed, NetworkTimeout, PermissionDenied, VenueDown
from venues.facets import HasAccountState, HasChains, HasMarketFacts, TakesBrackets, TakesCombos
from venues.ibkr import IbkrVenue
from venues.ibkr.errors import ClientIdTaken
from venues.ibkr.line import Line, Phase

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
NS = 1_000_000_000
BUY = OrderSide.BUY


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[IbkrRig]:
    async with connected(str(tmp_path)) as rig:
        yield rig


# --- getting in and falling out --------------------------------------------------------------------------------------


async def test_what_it_can_do(rig: IbkrRig) -> None:
    """Chains, combinations, brackets, account figures: found by asking."""
    assert rig.venue.phase is Phase.OPEN
    for facet in (HasChains, TakesCombos, TakesBrackets, HasAccountState, HasMarketFacts):
        assert isinstance(rig.venue, facet)


async def test_nobody_there() -> None:
    """A gateway that is not running is named by its address, with what to look at."""
    async with gateway() as server:
        rig = IbkrRig(server)
    with pytest.raises(VenueDown, match=rf"127\.0\.0\.1:{server.port}.*is the gateway running"):
        await rig.venue.connect(rig.heard)
    with pytest.raises(VenueDown):
        await rig.venue.open_orders()


async def test_client_id_in_use(rig: IbkrRig) -> None:
    """A second connection with our client id is refused by the gateway, and says what to do."""
    second = rig.another()
    with pytest.raises(ClientIdTaken, match="give each account its own"):
        await second.connect(rig.heard)
    await rig.venue.server_time()


async def test_an_account_that_the_login_does_not_have() -> None:
    """Trading the wrong account is worse than not trading: it is not tried again."""
    async with serving(account_id="U999") as rig:
        with pytest.raises(AuthFailed, match="DU1234567"):
            await rig.venue.connect(rig.heard)


async def test_a_gateway_that_only_lets_us_look() -> None:
    """Read-Only API is a setting of the gateway: no use in trying again, and the operator reads which one."""
    async with serving() as rig:
        rig.server.answers.read_only = True
        with pytest.raises(PermissionDenied, match="Read-Only API in the gateway's settings"):
            await rig.venue.connect(rig.heard)


async def test_the_gateway_goes_away(rig: IbkrRig) -> None:
    """The session hears it at once, calls fail at once, and the next life finds everything."""
    await rig.venue.place(shares(1))
    rig.server.drop()
    down = await rig.heard.one(SessionDown)
    assert down.account == "acc"
    with pytest.raises(VenueDown):
        await rig.venue.place(shares(2))
    await rig.venue.close()
    rig.venue = rig.another()
    await rig.venue.connect(rig.heard)
    assert [each.client_order_id for each in await rig.venue.open_orders()] == ["bhibkr0001"]


@pytest.mark.parametrize("broken", [[11, "x"], [5, "x"], [101], [3, "x", "y"]])
async def test_a_message_about_orders_that_cannot_be_read(rig: IbkrRig, broken: list[object]) -> None:
    """It might have been a fill: the connection is ended, and the next one asks for all of it again."""
    rig.server.connections[0].reply(broken)
    down = await rig.heard.one(SessionDown)
    assert "cannot be read" in down.reason


async def test_a_message_that_does_not_matter_is_not_read(rig: IbkrRig) -> None:
    """Nonsense about anything else is left alone."""
    rig.server.connections[0].reply([85, "nonsense"])
    rig.server.connections[0].reply([999, "nonsense"])
    await rig.settled()
    assert rig.heard.of(SessionDown) == []


async def test_cut_off_in_the_middle_of_a_message(rig: IbkrRig) -> None:
    """Half a message and no more connection: what it said is found by the next life."""
    rig.server.faults.arm(Fault.DISCONNECT)
    with pytest.raises((NetworkTimeout, VenueDown)):
        await rig.venue.place(shares(1, price=None))
    await rig.heard.one(SessionDown)
    await rig.venue.close()
    rig.venue = rig.another()
    await rig.venue.connect(rig.heard)
    assert (await rig.venue.place(shares(1, price=None))).state is OrderState.FILLED
    assert len(rig.server.orders.live) == 1


async def test_a_list_that_does_not_come_ends_the_connection(rig: IbkrRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a late list would be taken for the next one's: half a list must never prove that an order is absent."""
    monkeypatch.setattr(Line, "answer_s", 0.05)
    rig.server.connections[0].deaf = True
    with pytest.raises(NetworkTimeout):
        await rig.venue.open_orders()
    await rig.heard.one(SessionDown)


# --- notices ---------------------------------------------------------------------------------------------------------


async def test_nightly_reset(rig: IbkrRig) -> None:
    """1100: orders are not sent and entries stop; 1102: what traded meanwhile is asked for, and it goes on."""
    await rig.venue.place(shares(1))
    rig.server.notify(1100, "Connectivity between IBKR and Trader Workstation has been lost.")
    status = await rig.heard.state(FeedState.DEGRADED)
    assert "logged in elsewhere" in status.detail
    with pytest.raises(VenueDown, match="no connection to the broker"):
        await rig.venue.place(shares(2))
    assert len(rig.server.orders.live) == 1
    rig.server.faults.arm(Fault.MUTE)
    rig.server.hall.price("AAPL/USD", D("149.00"), D("149.01"))
    rig.server.faults.clear()
    rig.server.notify(1102, "Connectivity restored - data maintained.")
    assert (await rig.heard.one(FillReport)).client_order_id == "bhibkr0001"
    await rig.heard.state(FeedState.LIVE)
    assert (await rig.venue.place(shares(2, price="100"))).state is OrderState.OPEN


async def test_link_back_without_data(rig: IbkrRig) -> None:
    """1101: every subscription is made anew."""
    await rig.venue.subscribe(["AAPL/USD"])
    before = rig.server.requests.count(1)
    rig.server.notify(1101, "Connectivity restored - data lost.")
    async with asyncio.timeout(PATIENCE_S):
        while rig.server.requests.count(1) == before:
            await rig.settled()


async def test_another_login_took_the_session(rig: IbkrRig) -> None:
    """10197: entries stop, and the operator reads what to do."""
    rig.server.notify(10197, "No market data during competing live session")
    status = await rig.heard.state(FeedState.DEGRADED)
    assert "log out there" in status.detail


async def test_farms(rig: IbkrRig) -> None:
    """2103 is a broken data farm, 2104 a whole one; 2106 and 2158 are no news."""
    for code in (2106, 2158):
        rig.server.notify(code, "farm")
    rig.server.notify(2103, "Market data farm connection is broken:usfarm")
    await rig.heard.state(FeedState.DEGRADED)
    rig.server.notify(2104, "Market data farm connection is OK:usfarm")
    await rig.heard.state(FeedState.LIVE)
    assert len(rig.heard.of(FeedStatus)) == 2


async def test_a_link_that_comes_back_without_a_word(rig: IbkrRig) -> None:
    """2110 is followed by nothing but the data farms: orders may go again then."""
    rig.server.notify(2110, "Connectivity between TWS and server is broken. It will be restored automatically.")
    await rig.settled()
    with pytest.raises(VenueDown):
        await rig.venue.place(shares(1))
    rig.server.notify(2106, "HMDS data farm connection is OK:ushmds")
    await rig.heard.state(FeedState.LIVE)
    assert (await rig.venue.place(shares(1))).state is OrderState.OPEN


async def test_a_gateway_without_the_broker(tmp_path: Path) -> None:
    """Connected to a gateway that has lost the broker: it says so, and no order is sent."""
    async with serving(str(tmp_path)) as rig:
        rig.server.linked = False
        await rig.venue.connect(rig.heard)
        await rig.heard.state(FeedState.DEGRADED)
        with pytest.raises(VenueDown):
            await rig.venue.place(shares(1))


# --- heartbeats ------------------------------------------------------------------------------------------------------


async def test_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every 55 s; 5 s after a failed one; late after 60 s, expired after 300 s (PF-237, PF-238)."""
    time = ManualTime(NOW() // NS)
    async with serving() as rig:
        rig.venue = IbkrVenue(rig.access, Tools(time.now_ns, time.sleep, lambda: 0.5))
        await rig.venue.connect(rig.heard)
        before = rig.server.requests.count(49)
        await time.passes(55)
        async with asyncio.timeout(PATIENCE_S):
            while rig.server.requests.count(49) == before:
                await rig.settled()
        await rig.settled()
        assert rig.heard.of(FeedStatus) == []
        monkeypatch.setattr(Line, "answer_s", 0.01)
        rig.server.connections[0].deaf = True
        await time.passes(55)
        await time.passes(5)
        assert rig.heard.of(FeedStatus) == []
        await time.passes(5)
        late = await rig.heard.state(FeedState.DEGRADED)
        assert "no new entries" in late.detail
        rig.server.connections[0].deaf = False
        monkeypatch.setattr(Line, "answer_s", 5)
        assert (await rig.venue.place(shares(1))).code == "SessionLate"
        exit_order = OrderRequest(
            client_order_id="bhexit01", symbol="AAPL/USD", side=OrderSide.SELL, type=OrderType.MARKET, qty=D(10)
        )
        assert "code 201" in (await rig.venue.place(exit_order)).reason  # the broker's own word: it got there
        monkeypatch.setattr(Line, "answer_s", 0.01)
        rig.server.connections[0].deaf = True
        time.jump(235)
        down = await rig.heard.one(SessionDown)
        assert "heartbeat" in down.reason
