"""Keys, logins, heartbeats and contracts at Interactive Brokers' Web API, over its own protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.market import FeedState
from protocol.orders import OrderRequest, OrderState
from protocol.secret import Secret
from protocol.values import MarketType, OrderSide, OrderType
from protocol.venue import SessionDown
from rules.broker.heartbeat import SessionAge
from tests.servers.venues.ibkr_web_words import CONSUMER, TOKEN, dh_pem, encrypted_secret, write_keys
from tests.venues.ibkr_web_rig import EURO, NOW, IbkrWebRig, broker, connected, serving
from tests.venues.manual_time import PATIENCE_S, ManualTime
from venues.access import Access, Tools
from venues.errors import AuthFailed, PermissionDenied, VenueDown
from venues.facets import Amends, HasAccountState
from venues.ibkr.errors import CompetingSession
from venues.ibkr_web import IbkrWebVenue
from venues.ibkr_web.dhparam import read_group
from venues.ibkr_web.oauth import DH_FILE, ENCRYPTION_FILE, SIGNATURE_FILE, Keys, Signer

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


def test_private_keys_of_the_vault_go_before_files(tmp_path: Path) -> None:
    """EX-1501: with both private keys given, the folder holds no secret; a key that is none is refused without its text."""
    write_keys(tmp_path)
    signature, encryption = ((tmp_path / name).read_text() for name in (SIGNATURE_FILE, ENCRYPTION_FILE))
    wanted = Keys.load(reach(tmp_path))
    for name in (SIGNATURE_FILE, ENCRYPTION_FILE):
        (tmp_path / name).unlink()
    given = {"signature_key": Secret(signature.strip()), "encryption_key": Secret(encryption.strip())}
    assert Keys.load(reach(tmp_path, **given)).prepend == wanted.prepend
    with pytest.raises(AuthFailed, match="no PEM") as caught:
        Keys.load(reach(tmp_path, **given | {"signature_key": Secret("not a key at all")}))
    assert "not a key" not in str(caught.value)


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
