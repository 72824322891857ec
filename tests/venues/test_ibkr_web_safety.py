"""Orders, sessions and accidents at Interactive Brokers' Web API, over its own protocol."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.market import Bar, FeedState, PriceTick
from protocol.orders import FillReport, OrderReport, OrderRequest, OrderState
from protocol.secret import Secret
from protocol.values import MarketType, OrderSide, OrderType
from protocol.venue import SessionDown
from rules.broker.heartbeat import SessionAge
from tests.servers.venues.faults import Fault
from tests.servers.venues.ibkr_web_words import CONSUMER, TOKEN, dh_pem, encrypted_secret, order_row, write_keys
from tests.venues.ibkr_web_rig import EURO, NOW, IbkrWebRig, broker, connected, serving
from tests.venues.manual_time import PATIENCE_S, ManualTime
from venues.access import Access, Tools
from venues.errors import AuthFailed, NetworkTimeout, OrderRejected, PermissionDenied, RateLimited, VenueDown
from venues.facets import Amends, HasAccountState
from venues.ibkr.errors import CompetingSession, NoData
from venues.ibkr_web import IbkrWebVenue
from venues.ibkr_web.absence import UNDER_WAY_S, Asked, verdict
from venues.ibkr_web.dhparam import read_group
from venues.ibkr_web.oauth import DH_FILE, ENCRYPTION_FILE, SIGNATURE_FILE, Keys, Signer
from venues.ibkr_web.replies import confirmed
from venues.ibkr_web.wire import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

D = Decimal
NS = 1_000_000_000
DAY_NS = 86_400 * NS


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[IbkrWebRig]:
    async with connected(str(tmp_path / "notes"), symbols=("BTC/USD", "AAPL/USD")) as rig:
        yield rig


def shares(number: int, price: str | None = "150", **changes: Any) -> OrderRequest:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    fields: dict[str, Any] = {"side": OrderSide.BUY, "type": kind, "qty": D(10)}
    limit = None if price is None else D(price)
    return OrderRequest(client_order_id=f"bhweb{number:04d}", symbol="AAPL/USD", price=limit, **(fields | changes))


def posts(rig: IbkrWebRig, what: str) -> int:
    """Count the requests that carried something to the broker."""
    return sum(bool(re.match(rf"(POST|DELETE) .*{what}", each)) for each in rig.server.requests)


# --- keys and signatures -----------------------------------------------------------------------------------------------


def reach(folder: Path, **changes: Any) -> Access:
    fields: dict[str, Any] = {
        "key": Secret(CONSUMER),
        "secret": Secret(encrypted_secret()),
        "passphrase": Secret(TOKEN),
    }
    return Access(account="acc", venue="ibkr_web", keys_folder=str(folder), **(fields | changes))


def test_keys_are_read_and_shown_nowhere(tmp_path: Path) -> None:
    """PF-236: three PEM files and three secrets; neither they nor what is made of them is in a representation."""
    write_keys(tmp_path)
    keys = Keys.load(reach(tmp_path))
    assert keys.prepend not in repr(keys)
    signer = Signer(keys, lambda: 7)
    challenge = signer.challenge()
    assert str(challenge.number) not in repr(challenge)
    assert pow(keys.generator, challenge.number, keys.prime) == int(challenge.sent, 16)
    assert not signer.take(challenge, challenge.sent, "0" * 40), "a token whose proof is wrong is no token"
    assert signer.token == b""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": Secret("")}, "consumer key"),
        ({"passphrase": Secret("")}, "access token"),
        ({"keys_folder": ""}, "keys_dir"),
        ({"secret": Secret("bm90IGVuY3J5cHRlZA==")}, "was not encrypted for"),
        ({"keys_folder": "/nowhere/at/all"}, SIGNATURE_FILE),
    ],
)
def test_keys_that_are_not_there(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    """What is missing or does not fit is named, and no use is in trying again."""
    write_keys(tmp_path)
    fields = {"secret": Secret(encrypted_secret()), "key": Secret(CONSUMER), "passphrase": Secret(TOKEN)}
    access = Access(account="acc", venue="ibkr_web", **({"keys_folder": str(tmp_path)} | fields | change))
    with pytest.raises(AuthFailed, match=words):
        Keys.load(access)


@pytest.mark.parametrize("name", [SIGNATURE_FILE, ENCRYPTION_FILE, DH_FILE])
def test_a_file_that_is_something_else(tmp_path: Path, name: str) -> None:
    """A file of another kind is refused by the folder it lies in, without its content."""
    write_keys(tmp_path)
    (tmp_path / name).write_text("something else")
    with pytest.raises(AuthFailed, match="no PEM"):
        Keys.load(reach(tmp_path))


@pytest.mark.parametrize("bits", [1024, 1031, 2048])
def test_groups_are_read_as_they_were_written(bits: int) -> None:
    """Prime and generator of whatever length come back; cut off anywhere they are refused."""
    prime = (1 << (bits - 1)) + 12345
    text = dh_pem(prime, 5)
    assert read_group("a comment\n" + text) == (prime, 5)
    body = text.splitlines()
    for broken in ("", "\n".join([body[0], *body[3:]]), "\n".join(body[:-1]), dh_pem(prime, 1), dh_pem(77, 5)):
        with pytest.raises(ValueError, match="Diffie-Hellman"):
            read_group(broken)


# --- getting in ------------------------------------------------------------------------------------------------------


async def test_what_it_can_do(rig: IbkrWebRig) -> None:
    """Account figures and changes of resting orders: found by asking."""
    assert isinstance(rig.venue, HasAccountState)
    assert isinstance(rig.venue, Amends)
    assert rig.server.oauth is not None
    assert rig.server.oauth.refused == "", "every signature was good"
    state = await rig.venue.account_state()
    assert (state.net_liquidation, state.currency) == (D(100_000), "USD")


async def test_nobody_there(tmp_path: Path) -> None:
    """A gateway that does not run is named by its address."""
    async with serving(server_of=broker(gateway=True)) as rig:
        port = rig.server.port
    with pytest.raises(VenueDown, match=f"127.0.0.1:{port}"):
        await rig.venue.connect(rig.heard)
    with pytest.raises(VenueDown):
        await rig.venue.open_orders()


async def test_a_wrong_token() -> None:
    """Whoever cannot sign stays outside, and the error tells no secret."""
    async with serving() as rig:
        rig.server.token = "another"
        with pytest.raises(AuthFailed) as refused:
            await rig.venue.connect(rig.heard)
        for secret in (rig.access.key, rig.access.secret, rig.access.passphrase):
            assert secret.reveal() not in str(refused.value)


async def test_an_account_for_real_money() -> None:
    """An account that is to trade on paper is not let in where money is."""
    async with serving() as rig:
        rig.server.account = "U1234567"
        with pytest.raises(PermissionDenied, match="real money"):
            await rig.venue.connect(rig.heard)
    async with serving(account_id="DU999") as rig:
        with pytest.raises(AuthFailed, match="DU999"):
            await rig.venue.connect(rig.heard)


async def test_another_login_of_the_same_user() -> None:
    """A brokerage session that somebody else has is no error of the keys: it is tried again."""
    async with serving() as rig:
        rig.server.competing = True
        with pytest.raises(CompetingSession, match="log out there"):
            await rig.venue.connect(rig.heard)
        rig.server.competing = False
        await rig.venue.connect(rig.heard)


async def at_manual_time(rig: IbkrWebRig, time: ManualTime) -> IbkrWebVenue:
    """Connect an adapter that lives by a clock of ours; the first list of orders is never whole."""
    venue = rig.venue = IbkrWebVenue(rig.access, Tools(time.now_ns, time.sleep, lambda: 0.5))
    connecting = asyncio.ensure_future(venue.connect(rig.heard))
    await time.passes(0.2)
    await connecting
    return venue


async def test_a_token_that_ends() -> None:
    """A day later the token ends: the connection ends before it does, and the next one asks for another."""
    time = ManualTime(NOW() // NS)
    async with serving() as rig:
        rig.server.expires_ms = time.now_ms() + 630_000
        await at_manual_time(rig, time)
        await time.passes(55)
        assert "token ends" in (await rig.heard.one(SessionDown)).reason
        await rig.venue.close()


async def test_a_session_that_the_broker_forgot(rig: IbkrWebRig) -> None:
    """401 in the middle: the order did not get there, the connection is over, the next one trades."""
    assert rig.server.oauth is not None
    rig.server.oauth._token = b"another"
    with pytest.raises(VenueDown):
        await rig.venue.place(shares(1))
    await rig.heard.one(SessionDown, account="acc")
    assert rig.hall.open_orders() == []
    await rig.restart()
    assert (await rig.venue.place(shares(1))).state is OrderState.OPEN


async def test_heartbeats() -> None:
    """Every 55 s a tickle; late after 60 s: exits only; after 300 s the session is over (PF-236 to PF-238)."""
    time = ManualTime(NOW() // NS)
    async with serving() as rig:
        rig.hall.price("BTC/USD", D(60000), D("60000.1"))
        venue = await at_manual_time(rig, time)
        before = venue._heart.last_ok
        await time.passes(55)
        async with asyncio.timeout(PATIENCE_S):
            while venue._heart.last_ok == before:
                await venue.server_time()
        rig.server.competing = True
        for seconds in (55, 5):
            await time.passes(seconds)
        await time.passes(5)
        await rig.heard.state(FeedState.DEGRADED)
        assert venue._heart.age is SessionAge.LATE
        assert (await venue.place(shares(1))).code == "SessionLate"
        time.jump(300)
        down = await rig.heard.one(SessionDown)
        assert "heartbeat" in down.reason
        await venue.close()


# --- orders ----------------------------------------------------------------------------------------------------------


async def test_notices_are_confirmed(rig: IbkrWebRig) -> None:
    """Questions that say how the broker will handle an order are answered, one after the other; there is one order."""
    rig.server.ask = ["o354", "o10151"]
    report = await rig.venue.place(shares(1, price=None))
    assert report.state is OrderState.FILLED
    assert (posts(rig, "/orders$"), posts(rig, "/reply/")) == (1, 2)
    assert len(rig.hall.orders) == 1


@pytest.mark.parametrize("question", ["o163", "o383", "o451", "never heard of"])
async def test_precautions_are_the_operators_own(rig: IbkrWebRig, question: str) -> None:
    """A limit that somebody has set at the broker is not overridden: the order is given up, and says which limit it met."""
    rig.server.ask = ["o354", question]
    report = await rig.venue.place(shares(1))
    assert report.state is OrderState.REJECTED
    assert question in report.reason
    assert rig.server.declined == ["bhweb0001"]
    assert rig.hall.orders == {}
    assert (await rig.venue.query("bhweb0001", "AAPL/USD")).state is OrderState.REJECTED


async def test_nothing_comes_between_a_question_and_its_answer(rig: IbkrWebRig) -> None:
    """Any other request voids a question: while an order is being placed the others wait."""
    rig.server.ask = ["o354", "o10151", "o403"]
    asked = [rig.venue.server_time(), rig.venue.balances(), rig.venue.place(shares(2)), rig.venue.server_time()]
    report, *_ = await asyncio.gather(rig.venue.place(shares(1)), *asked)
    assert report.state is OrderState.OPEN
    assert len(rig.hall.open_orders()) == 2


def test_which_questions_are_notices() -> None:
    """Every part of a question must be one; a question of no known kind is none."""
    assert confirmed(["o354"])
    assert not confirmed([])
    assert not confirmed(["o354", "o163"])


async def test_an_order_that_got_lost(rig: IbkrWebRig) -> None:
    """Nobody can tell at first: proven absent only when it can no longer arrive, in the session it was sent in."""
    rig.hall.faults.arm(Fault.REQUEST_LOST, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    early = await rig.venue.query("bhweb0001", "AAPL/USD")
    assert (early.state, early.absent_proven) == (OrderState.UNKNOWN, False)
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    rig.ahead_s += UNDER_WAY_S + 1
    late = await rig.venue.query("bhweb0001", "AAPL/USD")
    assert (late.state, late.absent_proven) == (OrderState.REJECTED, True)
    assert (await rig.venue.place(shares(1))).absent_proven
    assert posts(rig, "/orders$") == 1, "an id is sent once, whatever is known of it"


async def test_an_order_that_got_lost_in_another_session(rig: IbkrWebRig) -> None:
    """Lists of a new session say nothing of an old one: the order is over and has not traded, and no more is claimed."""
    rig.hall.faults.arm(Fault.REQUEST_LOST, on="orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    rig.ahead_s += UNDER_WAY_S + 1
    await rig.restart()
    found = await rig.venue.query("bhweb0001", "AAPL/USD")
    assert (found.state, found.filled_qty, found.absent_proven) == (OrderState.CANCELLED, 0, False)


def test_what_missing_from_the_lists_means() -> None:
    """Absence needs notes, two minutes and the session of the order; older than the trades nothing is said."""
    began, sent = 1000 * NS, 2000 * NS
    late = sent + round(UNDER_WAY_S * NS)
    for asked, state in (
        (Asked(None, True, began, late), OrderState.REJECTED),
        (Asked(None, False, began, late), OrderState.UNKNOWN),
        (Asked(sent, True, began, late - 1), OrderState.UNKNOWN),
        (Asked(sent, True, began, late), OrderState.REJECTED),
        (Asked(sent, True, sent + 1, late), OrderState.CANCELLED),
        (Asked(sent, True, sent + 1, sent + 6 * DAY_NS), OrderState.UNKNOWN),
    ):
        assert verdict(asked).state is state, asked


async def test_a_lost_answer_to_a_question(rig: IbkrWebRig) -> None:
    """The order may have been taken by an answer that nobody heard of: unknown, found by asking, not sent again."""
    rig.server.ask = ["o354"]
    rig.hall.faults.arm(Fault.ANSWER_LOST, 1, "orders")
    with pytest.raises(NetworkTimeout):
        await rig.venue.place(shares(1))
    rig.server.ask = []
    assert (await rig.venue.query("bhweb0001", "AAPL/USD")).state is OrderState.UNKNOWN
    assert rig.hall.orders == {}, "a question that was not answered is no order"


async def test_the_same_id_in_another_life(rig: IbkrWebRig) -> None:
    """Noted as sent, an id is not sent by a later life, although the broker takes it again after a day."""
    first = await rig.venue.place(shares(1))
    await rig.restart()
    again = await rig.venue.place(shares(1))
    assert (again.state, again.venue_order_id) == (OrderState.OPEN, first.venue_order_id)
    assert posts(rig, "/orders$") == 1


async def test_the_same_id_without_notes() -> None:
    """Without notes the broker refuses the id of today: the known order is the answer."""
    async with connected("", symbols=("AAPL/USD",)) as rig:
        first = await rig.venue.place(shares(1))
        await rig.venue.close()
        await rig.another().connect(lambda _: None)
        rig.venue._book.orders.clear()
        rig.venue._book._by_number.clear()
        again = await rig.venue.place(shares(1))
        assert (again.state, again.venue_order_id) == (OrderState.OPEN, first.venue_order_id)
        assert len(rig.hall.open_orders()) == 1
        assert not (await rig.venue.query("bhnever0001", "AAPL/USD")).absent_proven, "nothing is noted"


async def test_after_its_time_nothing_is_sent(rig: IbkrWebRig) -> None:
    """A process whose lease has run out sends neither orders nor cancels, and its ids are free."""
    await rig.venue.place(shares(1))
    before = posts(rig, "/order")
    rig.venue.send_by = lambda: rig.now() - 1
    with pytest.raises(VenueDown):
        await rig.venue.place(shares(2))
    with pytest.raises(VenueDown):
        await rig.venue.cancel("bhweb0001", "AAPL/USD")
    assert posts(rig, "/order") == before
    rig.venue.send_by = lambda: None
    assert (await rig.venue.place(shares(2))).state is OrderState.OPEN


async def test_a_refusal_for_lack_of_money(rig: IbkrWebRig) -> None:
    """The broker's own words, by the name that the desk knows."""
    rig.hall.faults.arm(Fault.MARGIN_REJECT)
    report = await rig.venue.place(shares(1))
    assert (report.state, report.code) == (OrderState.REJECTED, "InsufficientFunds")


async def test_changing_a_resting_order(rig: IbkrWebRig) -> None:
    """Same order, other price and quantity; after a restart it is not changed, but can be cancelled."""
    first = await rig.venue.place(shares(1))
    changed = await rig.venue.amend("bhweb0001", "AAPL/USD", price=D(140), qty=D(20))
    assert (changed.state, changed.venue_order_id) == (OrderState.OPEN, first.venue_order_id)
    (only,) = rig.hall.open_orders()
    assert (only.request.price, only.request.qty) == (D(140), D(20))
    await rig.restart()
    with pytest.raises(OrderRejected, match="earlier connection"):
        await rig.venue.amend("bhweb0001", "AAPL/USD", price=D(130))
    assert (await rig.venue.cancel("bhweb0001", "AAPL/USD")).state is OrderState.CANCELLED


async def test_facts_of_an_earlier_life(rig: IbkrWebRig) -> None:
    """Orders and fills come back under our ids, and an order that only its trades tell of is filled."""
    await rig.venue.place(shares(1))
    await rig.venue.place(shares(2, price=None))
    await rig.restart()
    assert [each.client_order_id for each in await rig.venue.open_orders()] == ["bhweb0001"]
    assert {each.client_order_id for each in await rig.venue.fills_since(0)} == {"bhweb0002"}
    rig.hall.orders["bhweb0002"].number = 0  # a session later it is in the list of orders no more
    await rig.restart()
    found = await rig.venue.query("bhweb0002", "AAPL/USD")
    assert (found.state, found.filled_qty) == (OrderState.FILLED, D(10))


async def test_too_many_requests(rig: IbkrWebRig) -> None:
    """Told to stay away twice, nothing at all is sent until it is over: who goes on is shut out for good."""
    rig.hall.faults.arm(Fault.TOO_MANY, 2)
    for _ in range(2):
        with pytest.raises(RateLimited):
            await rig.venue.balances()
    before = len(rig.server.requests)
    with pytest.raises(RateLimited) as refused:
        await rig.venue.place(shares(1))
    assert refused.value.retry_after_s is not None
    assert len(rig.server.requests) == before
    rig.ahead_s += 1
    assert (await rig.venue.place(shares(1))).state is OrderState.OPEN


async def test_lists_are_asked_for_every_five_seconds() -> None:
    """The broker's own pace: orders and trades once in five seconds each, whoever asks; ten requests a second."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    access = Access(account="acc", venue="ibkr_web", url="http://127.0.0.1:1/v1/api")
    wire = Wire(access, Tools(lambda: 10 * NS, sleep, lambda: 0.5), None, lambda _: None)
    for _ in range(3):
        with pytest.raises(VenueDown):
            await wire.ask("iserver/account/orders")
    await wire.close()
    assert waits == [5.0, 10.0]


# --- the stream ------------------------------------------------------------------------------------------------------


async def test_what_happens_while_the_stream_is_away(rig: IbkrWebRig) -> None:
    """Fills in the gap are told once, by their ids, and the order's end after them."""
    await rig.venue.place(shares(1))
    rig.server.drop()
    rig.hall.price("AAPL/USD", D("149.00"), D("149.01"))
    await rig.heard.one(OrderReport, client_order_id="bhweb0001", state=OrderState.FILLED)
    await rig.heard.state(FeedState.LIVE)
    told = [each for each in rig.heard.messages if isinstance(each, FillReport | OrderReport)]
    fills = [each.trade_id for each in told if isinstance(each, FillReport)]
    assert len(fills) == len(set(fills)) == len(rig.hall.fills)
    assert isinstance(told[-1], OrderReport)
    assert not rig.heard.of(SessionDown)


async def test_a_change_of_an_order_that_was_never_told(rig: IbkrWebRig) -> None:
    """The stream tells changes: one of an unknown order, or without its parts, has the lists asked for."""
    await rig.venue.place(shares(1))
    order = rig.hall.orders["bhweb0001"]
    row = order_row(order, rig.server.listed("AAPL/USD"))
    rig.venue._book.orders.clear()
    rig.venue._book._by_number.clear()
    rig.heard.forget()
    rig.server._tell("sor", {"topic": "sor", "args": [{key: row[key] for key in ("acct", "orderId", "status")}]})
    await rig.heard.one(OrderReport, client_order_id="bhweb0001", state=OrderState.OPEN)


async def test_quotes(rig: IbkrWebRig) -> None:
    """Changes are put together; delayed prices are none, nor is yesterday's close; the stream's end has them asked for."""
    await rig.venue.subscribe(["AAPL/USD"])
    await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("199.99"), ask=D("200.01"))
    con_id = rig.server.listed("AAPL/USD").con_id
    topic = f"smd+{con_id}"
    rig.server._tell(topic, {"topic": topic, "conid": con_id, "84": "200.00", "31": "C188.00", "_updated": 5})
    tick = await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("200.00"), ask=D("200.01"))
    assert tick.last == D("200.005")
    count = len(rig.heard.of(PriceTick))
    rig.server._tell(topic, {"topic": topic, "conid": con_id, "84": "1", "6509": "DPB"})
    rig.server.drop()
    rig.hall.price("AAPL/USD", D("201.00"), D("201.01"))
    await rig.heard.one(PriceTick, symbol="AAPL/USD", bid=D("201.00"))
    assert not [each for each in rig.heard.of(PriceTick)[count:] if each.bid == 1]


async def test_candles(rig: IbkrWebRig) -> None:
    """Finished bars from an instant on; what one answer does not reach back to is said, not left out."""
    step = 60 * NS
    since = NOW() // step * step - 10 * step
    bars = await rig.venue.candles("AAPL/USD", "1m", since, 5)
    assert [bar.at for bar in bars] == [since + number * step for number in range(5)]
    assert bars == tuple(Bar(each.symbol, *each_of(each)) for each in rig.hall.candles("AAPL/USD", 60, since, 5))
    with pytest.raises(NoData):
        await rig.venue.candles("AAPL/USD", "1m", since - 3 * 1440 * step, 5)


def each_of(bar: Bar) -> tuple[Any, ...]:
    return (bar.at, bar.duration_s, bar.open, bar.high, bar.low, bar.close, bar.volume)


# --- contracts -------------------------------------------------------------------------------------------------------


async def test_contract_ids_are_kept(tmp_path: Path) -> None:
    """What was looked up once is not asked for again, by no later life: EUR/USD is 12087792 (PF-235)."""
    options: dict[str, Any] = {"market": MarketType.PERP, "symbols": ("EUR_USD",)}
    async with serving(str(tmp_path), **options) as rig:
        await rig.venue.connect(rig.heard)
        assert [each.symbol for each in await rig.venue.instruments()] == ["EUR/USD:USD"]
        assert EURO.con_id == 12087792
    async with serving(str(tmp_path), **options) as rig:
        await rig.venue.connect(rig.heard)
        await rig.venue.subscribe(["EUR.USD", "EUR/USD:USD"])
        assert not [each for each in rig.server.requests if each.endswith(f"/contract/{EURO.con_id}/info-and-rules")]


@pytest.mark.parametrize(
    ("market", "symbol", "found"),
    [
        (MarketType.SPOT, "AAPL/USD", "AAPL/USD"),
        (MarketType.SPOT, "BTC/USD", "BTC/USD"),
        (MarketType.SPOT, "AAPL/USD:USD-251219-200-C", "AAPL/USD:USD-251219-200-C"),
        (MarketType.PERP, "ES/USD:USD-251219", "ES/USD:USD-251219"),
    ],
)
async def test_every_kind_of_contract_is_found(market: MarketType, symbol: str, found: str) -> None:
    """Shares, coins, options and futures, each where the broker keeps it."""
    async with serving(market=market, symbols=(symbol,)) as rig:
        await rig.venue.connect(rig.heard)
        assert found in [each.symbol for each in await rig.venue.instruments()]
