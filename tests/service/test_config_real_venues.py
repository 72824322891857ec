"""Accounts at real venues: how each is reached, what is refused, and that real money never moves by accident."""

from __future__ import annotations

import json

import pytest

from protocol.errors import FeatureUnavailable
from protocol.values import MarketType, Scope
from rules.identity import canonical_venue
from service.account_paths import AccountPaths
from service.config import Config, ConfigError, Secret, parse
from service.config.environment import account_variable
from service.config.market import Account, VenueKind
from service.config.sources import Sources
from service.config.text import HIDDEN, document_of, encoded, from_toml
from service.config.validate import validate_config
from service.config.venue_access import access_of, missing_credentials, secrets_of
from service.intake import gateway_settings
from service.venue_settings import session_settings
from service.venues import AdapterMissing, adapter_of, outside_venues
from store.inputs.codec import pickled
from tests.service.test_config_reading import mistakes
from venues.errors import AuthFailed
from venues.known import KNOWN

KEY, SIGNING, THIRD = "key-of-nobody-1", "signing-of-nobody-2", "third-of-nobody-3"
LIVE = '[app]\nmode = "live"\n'
NEEDED = {"oanda": {"account_id": "0x1"}, "hyperliquid": {"account_id": "0x1"}, "ibkr_web": {"keys_dir": "keys"}}


def account(venue: str, **more: object) -> str:
    """Return a file with one account at a venue."""
    keys = NEEDED.get(venue, {}) | more
    lines = (f"{name} = {json.dumps(value)}" for name, value in keys.items() if value is not None)
    return "\n".join(['[[accounts]]\nname = "main-1"', f'venue = "{venue}"', *lines]) + "\n"


def env(**given: str) -> dict[str, str]:
    """Return an environment with credentials of the account."""
    return {account_variable("main-1", key): text for key, text in given.items()}


def test_every_known_venue_can_be_configured() -> None:
    """EX-1101: each venue that has an adapter is a kind of account, and no other."""
    assert {each.value for each in VenueKind} == {"paper", "practice", *KNOWN}


@pytest.mark.parametrize("venue", sorted(KNOWN))
def test_an_account_needs_its_venue_and_no_more(venue: str) -> None:
    """Where there is a test network that is where it trades; alerts of that venue are its own, and it is reached."""
    if not KNOWN[venue].testnet:
        assert mistakes(account(venue)) == [("accounts[0].scope", "RealMoney")]
        return
    config = parse(account(venue), {})
    (one,) = config.accounts
    found = access_of(config, one)
    assert (one.exchange, config.scope_of(one)) == (venue, Scope.PAPER)
    assert (found.venue, found.account, found.testnet, found.conservative) == (venue, "main-1", True, False)
    assert found.market in KNOWN[venue].markets
    assert found.port == 4002
    assert found.symbols == config.market.symbols


def test_the_account_beats_its_exchange() -> None:
    """EX-1302: exchange.<venue> says how a venue is reached; an account may say otherwise for itself."""
    shared = '[exchange.bybit]\nmarket_type = "futures"\nrate_limit_mode = "conservative"\n'
    variables = {"BULKHEAD_EXCHANGE__BYBIT__API_KEY": KEY, "BULKHEAD_EXCHANGE__BYBIT__API_SECRET": SIGNING}
    config = parse(shared + account("bybit"), variables)
    found = access_of(config, config.accounts[0])
    assert (found.market, found.conservative, found.key, found.secret) == (
        MarketType.PERP,
        True,
        Secret(KEY),
        Secret(SIGNING),
    )
    own = {"market_type": "spot", "rate_limit_mode": "off", "symbols": ["SOL/USDT"], "url": "https://proxy.example"}
    config = parse(shared + account("bybit", **own), variables | env(api_key="another"))
    found = access_of(config, config.accounts[0])
    assert (found.market, found.conservative, found.key, found.secret) == (
        MarketType.SPOT,
        None,
        Secret("another"),
        Secret(SIGNING),
    )
    assert (found.symbols, found.url) == (("SOL/USDT",), "https://proxy.example")
    assert session_settings(config, config.accounts[0]).rate_mode.value == "off"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (account("okx", testnet=True), [("accounts[0].testnet", "TestnetUnsupported")]),
        (account("bybit", exchange="okx"), [("accounts[0].exchange", "InvalidEnum")]),
        (account("alpaca", market_type="futures"), [("accounts[0].market_type", "InvalidEnum")]),
        ('[[accounts]]\nname = "a"\nvenue = "oanda"\n', [("accounts[0].account_id", "MissingValue")]),
        (account("bybit", url="http://api.example"), [("accounts[0].url", "InsecureAddress")]),
        (account("bybit", stream_url="ws://api.example"), [("accounts[0].stream_url", "InsecureAddress")]),
        (account("bybit", url="https://me:word@api.example"), [("accounts[0].url", "OutOfRange")]),
        (account("bybit", url="http://127.0.0.1:1", stream_url="ws://localhost:1"), []),
        (account("ibkr", port=4001), [("accounts[0].port", "RealMoney")]),
        (LIVE + account("ibkr", port=7497, testnet=False, scope="live"), [("accounts[0].port", "RealMoney")]),
        (account("bybit", maintenance=["sat 22-23"]), [("accounts[0].maintenance", "OutOfRange")]),
    ],
)
def test_what_a_venue_cannot_have_is_refused(text: str, expected: list[tuple[str, str]]) -> None:
    """Each mistake is named at its key: test networks, markets, accounts, addresses in the open, ports of real money."""
    assert mistakes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (account("binance", testnet=False), [("accounts[0].scope", "RealMoney")]),
        (account("binance", testnet=False, scope="paper"), [("accounts[0].scope", "RealMoney")]),
        (account("binance", testnet=False, scope="live"), [("app.mode", "RealMoney")]),
        (LIVE + account("binance", testnet=False), [("accounts[0].scope", "RealMoney")]),
        (LIVE + account("binance", testnet=False, scope="live"), []),
        (LIVE + account("okx", scope="live"), []),
        (LIVE + account("binance", scope="live"), [("accounts[0].scope", "LiveVenueMissing")]),
        (LIVE + account("binance"), [("app.mode", "LiveVenueMissing")]),
        ('[app]\nmode = "dry_run"\n' + account("binance"), [("accounts[0].venue", "RealMoney")]),
    ],
)
def test_real_money_takes_three_words_that_agree(text: str, expected: list[tuple[str, str]]) -> None:
    """Orders become real only where testnet is off, the account says live and the mode says live; nothing else does it."""
    assert mistakes(text) == expected


def test_two_accounts_do_not_share_a_login() -> None:
    """Two accounts with one key hold one position between them: refused, whether the key is shared or repeated."""
    two = account("bybit") + account("bybit", scope="simulation").replace("main-1", "other")
    variables = {"BULKHEAD_EXCHANGE__BYBIT__API_KEY": KEY}
    with pytest.raises(ConfigError, match="positions would mix"):
        parse(two, variables)
    assert len(parse(two, variables | env(api_key="another")).accounts) == 2


def test_a_key_of_an_exchange_does_not_leave_its_test_network() -> None:
    """EX-1302: testnet is true for binance and bybit until somebody says false; setting another key is not that."""
    for given in (account("bybit") + "[exchange.bybit]\nenabled = false\n", account("bybit")):
        config = parse(given, {"BULKHEAD_EXCHANGE__BYBIT__API_KEY": KEY})
        assert config.exchange.bybit.testnet
        assert access_of(config, config.accounts[0]).testnet


def test_an_adapter_that_is_not_installed_stops_its_account_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """AdapterMissing says what to install; the session stops, nothing else does."""

    def absent(*_: object) -> None:
        raise FeatureUnavailable("ibkr", "Interactive Brokers")

    monkeypatch.setattr("service.venues.make_venue", absent)
    config = parse(account("ibkr"), {})
    with pytest.raises(AdapterMissing, match=r"bulkhead\[ibkr\]") as caught:
        adapter_of(config, config.accounts[0], lambda: 0)
    assert caught.value.stops


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("venue", "needed"),
    [
        ("binance", ["api_key", "api_secret"]),
        ("hyperliquid", ["api_secret"]),
        ("oanda", ["api_secret"]),
        ("ibkr", []),
        ("ibkr_web", ["api_key", "api_secret", "passphrase"]),
        ("alpaca", ["api_key", "api_secret"]),
    ],
)
def test_missing_credentials_name_their_variable(venue: str, needed: list[str]) -> None:
    """EX-1304: what a venue asks for and nobody gave is MissingCredential, with the variable to set."""
    found = missing_credentials(parse(account(venue), {}))
    assert [(each.path, each.code) for each in found] == [(f"accounts[0].{key}", "MissingCredential") for key in needed]
    assert all(account_variable("main-1", key) in each.message for key, each in zip(needed, found, strict=True))


def test_the_web_api_by_keys_or_by_a_gateway() -> None:
    """PF-236: with OAuth an account names the folder of its keys; a gateway has logged in by itself and asks for nothing."""
    config = parse(account("ibkr_web", keys_dir="keys/ibkr"), {})
    assert access_of(config, config.accounts[0]).keys_folder == str(config.app.data_dir / "keys/ibkr")
    assert mistakes(account("ibkr_web", keys_dir=None)) == [("accounts[0].keys_dir", "MissingValue")]
    gateway = parse(account("ibkr_web", keys_dir=None, url="https://localhost:5000/v1/api"), {})
    assert missing_credentials(gateway) == ()
    twice = account("ibkr_web", keys_dir=None, url="https://localhost:5000/v1/api")
    assert ("accounts[1].venue", "Duplicate") in mistakes(twice + twice.replace("main-1", "main-2"))


@pytest.mark.parametrize("venue", ["okx", "kucoin"])
def test_a_passphrase_where_the_venue_has_one(venue: str) -> None:
    """EX-1302: okx and kucoin are not entered without their third credential."""
    text = LIVE + account(venue, scope="live")
    given = env(api_key=KEY, api_secret=SIGNING)
    assert [each.path for each in missing_credentials(parse(text, given))] == ["accounts[0].passphrase"]
    assert missing_credentials(parse(text, given | env(passphrase=THIRD))) == ()


def test_an_account_without_credentials_stops_alone() -> None:
    """Its adapter cannot be made, which its session says; the daemon and the other accounts go on."""
    config = parse(account("bybit"), {})
    make = outside_venues(config, lambda: 0)["main-1"]
    with pytest.raises(AuthFailed, match="BULKHEAD_ACCOUNTS__MAIN_1__API_KEY"):
        make()
    with pytest.raises(AuthFailed):
        adapter_of(config, config.accounts[0], lambda: 0)


def secretive() -> Config:
    """Return a configuration whose account has all three credentials."""
    return parse(account("bybit"), env(api_key=KEY, api_secret=SIGNING, passphrase=THIRD))


def test_secrets_of_accounts_are_shown_nowhere() -> None:
    """EX-1503, EX-1508: not in a repr, a document, an export, a backup's text or a pickle of the record of inputs."""
    config = secretive()
    assert config.accounts[0].api_key == Secret(KEY)
    shown = (repr(config), encoded(document_of(config)), encoded(document_of(config, everything=True)))
    for text in (*shown, repr(access_of(config, config.accounts[0])), repr(pickled((1, config, "")))):
        assert not any(each in text for each in (KEY, SIGNING, THIRD))
    assert set(secrets_of(config)) == {KEY, SIGNING, THIRD}


def test_a_ready_configuration_keeps_its_secrets() -> None:
    """A document of a configuration holds no secret; with its sources beside it nothing is lost."""
    config = secretive()
    sources = Sources.of_config(config)
    found, errors = sources.effective(sources.read() or {})
    assert (found.accounts, errors) == (config.accounts, ())


def test_a_secret_in_the_file_is_refused_and_not_kept() -> None:
    """SecretInFile, also where the environment sets it as well; the draft that an edit becomes does not hold its text."""
    text = account("bybit", api_secret=SIGNING)
    with pytest.raises(ConfigError) as caught:
        parse(text, env(api_secret=SIGNING))
    assert [(each.path, each.code) for each in caught.value.problems] == [("accounts[0].api_secret", "SecretInFile")]
    assert SIGNING not in str(caught.value)
    document = from_toml(text)
    assert document["accounts"][0]["api_secret"] == HIDDEN
    assert [each.code for each in Sources.of_config(Config()).effective(document)[1]] == ["SecretInFile"]
    assert [each.code for each in validate_config({"accounts": [{"name": "a", "api_key": 1}]})[0]] == ["WrongType"]


def test_a_mistake_inside_an_account_is_kept() -> None:
    """An edit of the file with a misspelt key of an account stays wrong: it is not taken without that key."""
    document = from_toml(account("bybit", tesnet=True))
    assert [each.code for each in Sources.of_config(Config()).effective(document)[1]] == ["UnknownKey"]


@pytest.mark.parametrize("variable", ["BULKHEAD_ACCOUNTS__MIAN_1__API_KEY", "BULKHEAD_ACCOUNTS__MAIN_1__TESTNET"])
def test_a_variable_of_nobody_is_refused(variable: str) -> None:
    """A misspelt account would be left without its key in silence; other keys of an account stand in the file."""
    with pytest.raises(ConfigError) as caught:
        parse(account("bybit"), {variable: "x"})
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == (variable, "UnknownKey")
    assert "BULKHEAD_ACCOUNTS__MAIN_1__API_KEY" in problem.message


def test_the_default_account_is_unchanged() -> None:
    """Whoever configures nothing trades on paper, with alerts of binance."""
    (one,) = Config().accounts
    assert (one, one.exchange, one.venue) == (Account(name="paper"), "binance", VenueKind.PAPER)
    assert outside_venues(Config(), lambda: 0) == {}


def test_alerts_may_call_a_venue_by_other_names() -> None:
    """TradingView names where a share is listed: NASDAQ:AAPL finds the account at the broker that trades it."""
    config = parse(account("alpaca", alert_names=["NASDAQ", "NYSE"]), {})
    venues = gateway_settings(config, None, AccountPaths).venues
    assert [canonical_venue(name, venues) for name in ("NASDAQ", "nyse", "ALPACA", "alpaca")] == ["alpaca"] * 4
    assert [canonical_venue(name, venues) for name in ("BYBIT", "OKEX")] == ["bybit", "okx"]
    other = account("ibkr", alert_names=["NASDAQ"]).replace("main-1", "other")
    twice = account("alpaca", alert_names=["nasdaq"]) + other
    assert mistakes(twice) == [("accounts[1].alert_names", "Duplicate")]
    assert mistakes(account("alpaca", alert_names=["BINANCE"])) == [("accounts[0].alert_names", "Duplicate")]


def test_spot_and_futures_of_one_venue_are_two_accounts() -> None:
    """EX-113: an alert has one place to go in each scope; spot and futures are different places, twice spot is not."""
    spot = account("bybit", market_type="spot")
    futures = account("bybit", market_type="futures").replace("main-1", "futures")
    config = parse(spot + futures, {})
    routes = gateway_settings(config, None, AccountPaths).routes["bybit"]
    assert [(each.account, each.family) for each in routes] == [
        ("main-1", MarketType.SPOT),
        ("futures", MarketType.PERP),
    ]
    assert mistakes(spot + spot.replace("main-1", "other")) == [("accounts[1].exchange", "Duplicate")]
    paper = '[[accounts]]\nname = "paper"\nexchange = "bybit"\n'
    assert mistakes(futures + paper) == [("accounts[1].exchange", "Duplicate")]
    assert mistakes(futures + paper + 'scope = "simulation"\n') == []
