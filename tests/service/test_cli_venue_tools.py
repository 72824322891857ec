"""Commands that reach a venue without a daemon: list, test, symbols, audit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.market import PriceTick
from service.cli import app
from service.cli.codes import ExitCode
from service.config import parse
from service.venue_audit import Audit, Latency, audit
from tests.actors.cast import D
from tests.actors.orders import market
from tests.actors.stub_venue import StubVenue
from tests.service.command_line import CliRunner, Result
from tests.service.venue_thread import practice_exchange
from venues.contract import REQUIRED_CAPABILITIES, Capability
from venues.errors import AuthFailed, NetworkTimeout, OrderNotFound, VenueDown, VenueError
from venues.known import KNOWN
from venues.practice.server import PracticeServer

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def exchange() -> Iterator[PracticeServer]:
    """Run one exchange for all commands of this module."""
    with practice_exchange() as server:
        yield server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Desk:
    """An operator with a configuration of his own."""

    def __init__(self, folder: Path, text: str) -> None:
        self.file = folder / "config.toml"
        self.file.write_text(text)

    def __call__(self, *words: str, env: dict[str, str] | None = None) -> Result:
        """Run a command."""
        return CliRunner().invoke(app, ["venue", *words, "--config", str(self.file)], env=env or {})

    def told(self, *words: str) -> Any:
        """Run a command and return the document it prints."""
        result = self(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def desk(tmp_path: Path, exchange: PracticeServer) -> Desk:
    """Return an operator with an account at the exchange, one at bybit without credentials, and one on paper."""
    text = f"""
[app]
data_dir = "{tmp_path}"
[market]
source = "synthetic"
[[accounts]]
name = "main"
venue = "practice"
exchange = "binance"
url = "{exchange.url}"
[[accounts]]
name = "other"
venue = "bybit"
[[accounts]]
name = "paper"
exchange = "okx"
"""
    return Desk(tmp_path, text)


def test_the_venues_that_there_are(desk: Desk) -> None:
    """Each known venue with what it has and needs, and the accounts configured there; the same for people and programs."""
    found = {each["venue"]: each for each in desk.told("list")}
    assert list(found) == list(KNOWN)
    assert found["bybit"]["accounts"] == ["other"]
    assert found["okx"]["needs"] == ["api_key", "api_secret", "passphrase"]
    assert {name: each["testnet"] for name, each in found.items()} == {
        name: each.testnet for name, each in KNOWN.items()
    }
    shown = desk("list").output
    assert all(each.title in shown for each in KNOWN.values())


def test_an_account_is_tried_step_by_step(desk: Desk) -> None:
    """Connect, clock, balances, markets, quote, disconnect: each with its time and what was found."""
    found = desk.told("test", "main")
    assert found["ok"]
    assert [each["name"] for each in found["steps"]] == [
        "connect",
        "rights",
        "clock",
        "balances",
        "markets",
        "quote",
        "disconnect",
    ]
    assert all(each["ms"] >= 0 and each["text"] and not each["code"] for each in found["steps"])
    shown = desk("test", "main", "--symbol", "BTCUSDT").output
    assert "100000" in shown
    assert "BTC/USDT 100 / 101" in shown


def test_the_step_that_fails_is_named(desk: Desk) -> None:
    """A venue that is not there, and credentials that are not: the step, the code, what to do; nothing further is tried."""
    result = desk("test", "other")
    assert result.exit_code == ExitCode.FAILED
    assert "BULKHEAD_ACCOUNTS__OTHER__API_KEY" in result.output
    assert "[AuthFailed]" in result.output
    desk.file.write_text(desk.file.read_text().replace('url = "http', 'url = "http://127.0.0.1:9" # "'))
    result = desk("test", "main", "--json")
    assert result.exit_code == ExitCode.FAILED
    steps = json.loads(result.stdout)["steps"]
    assert [(each["name"], each["code"]) for each in steps] == [("connect", "VenueDown"), ("disconnect", "")]


def test_markets_go_by_all_their_names(desk: Desk) -> None:
    """Ours, the venue's and the alert's; a pattern finds them with or without separator."""
    found = desk.told("symbols", "main")
    assert found == sorted(found, key=lambda each: each["symbol"])
    assert found == [
        {"symbol": "BTC/USDT", "venue_symbol": "BTCUSDT", "alert": "BINANCE:BTCUSDT"},
        {"symbol": "BTC/USDT:USDT", "venue_symbol": "BTCUSDT", "alert": "BINANCE:BTCUSDT.P"},
    ]
    assert desk.told("symbols", "main", "btc/usdt") == desk.told("symbols", "main", "btcusdt") == found
    assert desk.told("symbols", "main", "doge") == []
    for name in ("BTC/USDT:USDT", "BINANCE:BTCUSDT.P", "btcusdt.p"):
        assert desk.told("audit", "main", "--symbol", name)["markets"][0]["symbol"] == "BTC/USDT:USDT"


def test_an_audit_asks_and_trades_only_when_told(desk: Desk, exchange: PracticeServer) -> None:
    """Rules, fees and latencies of markets; with --order-test one order far below the market, which is gone afterwards."""
    found = desk.told("audit", "main", "--symbol", "BTC/USDT")
    assert [each["what"] for each in found["latencies"]] == ["ping", "quote"]
    (row,) = found["markets"]
    assert (row["symbol"], row["tick"], row["hours"]) == ("BTC/USDT", "0.01", "round the clock")
    assert found["failing"] == [] or all("ms" not in each for each in found["failing"])
    found = desk.told("audit", "main", "--symbol", "BTC/USDT", "--order-test")
    assert [each["what"] for each in found["latencies"]] == ["ping", "quote", "order", "cancel"]
    assert exchange.exchange.open_orders() == ()
    assert "fails our needs" in desk("audit", "main").output


@pytest.mark.parametrize("command", ["test", "symbols", "audit"])
def test_what_cannot_be_reached_is_said(desk: Desk, command: str) -> None:
    """No such account, an account on paper, no account named where there are several: each says what there is."""
    result = desk(command, "nope")
    assert (result.exit_code, "main, other" in result.output) == (ExitCode.NOT_FOUND, True)
    assert desk(command).exit_code == ExitCode.NOT_FOUND
    result = desk(command, "paper")
    assert (result.exit_code, "on paper inside the daemon" in result.output) == (ExitCode.USAGE, True)


def test_an_order_test_with_real_money_needs_a_second_word(tmp_path: Path) -> None:
    """Without --yes no order is placed where it would cost money, and nothing is connected."""
    desk = Desk(
        tmp_path,
        '[app]\nmode = "live"\n[[accounts]]\nname = "real"\nvenue = "okx"\nscope = "live"\n',
    )
    result = desk("audit", "real", "--order-test")
    assert (result.exit_code, "[RealMoney]" in result.output, "--yes" in result.output) == (ExitCode.USAGE, True, True)


def test_a_first_start_without_credentials_is_refused(tmp_path: Path) -> None:
    """`up` says which variable is missing before anything is begun; `config check` says it as well."""
    text = f'[app]\ndata_dir = "{tmp_path}/data"\n[[accounts]]\nname = "by"\nvenue = "bybit"\n'
    (tmp_path / "config.toml").write_text(text)
    result = CliRunner().invoke(app, ["up", "--no-view", "--config", str(tmp_path / "config.toml")])
    assert result.exit_code == ExitCode.USAGE
    assert "[MissingCredential]" in result.output
    assert "BULKHEAD_ACCOUNTS__BY__API_SECRET" in result.output
    assert not (tmp_path / "data").exists()
    result = CliRunner().invoke(app, ["config", "check", "--config", str(tmp_path / "config.toml")])
    assert (result.exit_code, "accounts[0].api_key is not set here" in result.output) == (0, True)


# --- audits of venues that misbehave ----------------------------------------------------------------------------------


class Quoting(StubVenue):
    """A stub that tells a price to whoever subscribes."""

    async def subscribe(self, symbols: Any) -> None:
        for each in symbols:
            assert self.sink is not None
            self.sink(PriceTick(each, 1, D(100), D(101), D(100)))


async def audited(venue: StubVenue, *, order_test: bool = False) -> Audit:
    """Audit a stub on a clock that passes a second with each look."""
    times = iter(range(0, 10**12, 2 * 10**9))
    return await audit(lambda: venue, lambda: next(times), (), order_test=order_test)


async def test_an_audit_names_what_fails_our_needs() -> None:
    """What the connection lacks, slow answers, a clock that is far away."""
    venue = Quoting({}, [], lambda: 0)
    venue.capabilities = REQUIRED_CAPABILITIES - {Capability.FILLS_SINCE}  # type: ignore[misc]
    found = await audited(venue)
    said = "; ".join(found.failing)
    assert "lacks fills_since" in said
    assert "no stop orders" in said
    assert "ping takes 2000 ms" in said
    assert "clocks differ by -" in said
    assert not venue.open


@pytest.mark.parametrize("error", [NetworkTimeout("stub", "no answer"), VenueDown("stub", "502")])
async def test_an_order_test_that_cannot_be_taken_back_says_so(error: VenueError) -> None:
    """An order that may rest at the venue is named with its id and market; nobody has to guess."""
    calls: list[str] = []
    venue = Quoting({"place": [NetworkTimeout("stub", "no answer")], "cancel": [error]}, calls)
    with pytest.raises(VenueError, match=rf"audit\w+ in {market().symbol} may still rest there"):
        await audited(venue, order_test=True)
    assert len([each for each in calls if each.startswith("place")]) == 1
    assert len([each for each in calls if each.startswith("cancel")]) == 3


async def test_an_order_whose_answer_was_lost_is_cancelled() -> None:
    """A test order that may have arrived is cancelled before the error is told; unknown there, it is done."""
    calls: list[str] = []
    venue = Quoting({"place": [NetworkTimeout("stub", "no answer")], "cancel": [OrderNotFound("stub", "none")]}, calls)
    with pytest.raises(NetworkTimeout):
        await audited(venue, order_test=True)
    assert [each.split()[0] for each in calls if each.startswith(("place", "cancel"))] == ["place", "cancel"]
    assert calls[-1] == "close"


async def test_a_login_that_is_refused_ends_the_audit() -> None:
    """The venue's refusal is told as it is, and nothing stays open."""
    venue = Quoting({"connect": [AuthFailed("stub", "bad key")]}, [])
    with pytest.raises(AuthFailed):
        await audited(venue)
    assert isinstance(Latency("ping", 1, 1.0, 1.0).median_ms, float)
    assert parse("", {}).accounts[0].name == "paper"
