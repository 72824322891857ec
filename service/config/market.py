"""Sections that say what is traded and where the prices come from."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import msgspec

from protocol.values import Scope
from service.config import checks
from service.config.exchange import MarketType, RateLimitMode
from service.config.keys import Key, Secret, Section, Speed
from service.config.venue_kinds import VenueKind
from venues.known import KNOWN
from venues.paper.config import OhlcPath

__all__ = ["PRACTICE_URL", "Account", "Market", "MarketSource", "ReplayFile", "VenueKind"]

PRACTICE_URL: Final = "http://127.0.0.1:9911"
"""Where `bulkhead practice` listens unless it is told otherwise."""


class MarketSource(StrEnum):
    """Where prices come from."""

    AUTO = "auto"
    SYNTHETIC = "synthetic"
    BINANCE = "binance"
    REPLAY = "replay"


_PAPER: Final = ("paper",)
_REAL: Final = tuple(KNOWN)


def _asking(credential: str) -> tuple[str, ...]:
    """Return the venues that ask for a credential."""
    return tuple(name for name, facts in KNOWN.items() if credential in facts.credentials)


class Account(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A venue account."""

    name: Annotated[
        str,
        Key(
            doc="Name of the account in actor paths and on screens.",
            check=checks.shaped(r"[a-z][a-z0-9_\-]{0,31}", "a lower-case letter, then letters, digits, - or _"),
        ),
    ]
    venue: Annotated[
        VenueKind,
        Key(
            doc="Who executes: paper, the exchange simulated inside; practice, the one of `bulkhead practice` at url; or a "
            "venue of the world outside (`bulkhead venue list`).",
        ),
    ] = VenueKind.PAPER
    testnet: Annotated[
        bool | None,
        Key(
            only=("practice", *_REAL),
            doc="Trade on the venue's test network (EX-1102), practice or paper account. Unset: as exchange.VENUE.testnet, "
            'true at other venues. Without it real money moves: that needs scope = "live" and app.mode = "live" too.',
            unset_is_default=True,
            example=True,
        ),
    ] = None
    market_type: Annotated[
        MarketType | None,
        Key(
            only=_REAL,
            doc="Family of markets at a real venue; unset: as exchange.VENUE.market_type, else what the venue has.",
            unset_is_default=True,
            example=MarketType.SPOT,
        ),
    ] = None
    symbols: Annotated[
        tuple[str, ...],
        Key(
            only=_REAL,
            doc="Markets it trades at a real venue, unified symbols; empty: market.symbols. Some venues tell their history "
            "by market only: they are asked for these.",
            check=checks.symbol,
            example=("BTC/USDT",),
        ),
    ] = ()
    api_key: Annotated[
        Secret | None, Key(only=_asking("key"), doc="Key id; unset: exchange.VENUE.api_key.", check=checks.venue_key)
    ] = None
    api_secret: Annotated[
        Secret | None,
        Key(
            only=_asking("secret"),
            doc="Signing secret, access token or private key; unset: exchange.VENUE.api_secret.",
            check=checks.venue_secret,
        ),
    ] = None
    passphrase: Annotated[
        Secret | None,
        Key(
            only=_asking("passphrase"),
            doc="Third part of the access (okx, kucoin), access token (ibkr_web); unset: exchange.VENUE.passphrase.",
            check=checks.venue_key,
        ),
    ] = None
    signature_key: Annotated[
        Secret | None,
        Key(
            only=("ibkr_web",),
            doc="Private key of signatures, PEM (ibkr_web); unset: the file in keys_dir.",
            check=checks.private_key,
        ),
    ] = None
    encryption_key: Annotated[
        Secret | None,
        Key(
            only=("ibkr_web",),
            doc="Private key of encryption, PEM (ibkr_web); unset: the file in keys_dir.",
            check=checks.private_key,
        ),
    ] = None
    keys_dir: Annotated[
        Path | None,
        Key(
            only=("ibkr_web",),
            doc="Folder with dhparam.pem (ibkr_web with OAuth), and with private_signature.pem and private_encryption.pem "
            "where the vault does not keep them. A relative path starts at app.data_dir.",
            example=Path("keys/ibkr"),
        ),
    ] = None
    account_id: Annotated[
        str,
        Key(
            only=("oanda", "ibkr", "ibkr_web", "hyperliquid"),
            doc="The venue's own number of the account, where a login has several: OANDA, IBKR; at Hyperliquid the address.",
            check=checks.shaped(r"[A-Za-z0-9_\-]{0,64}", "at most 64 letters, digits, - or _"),
            example="101-004-1234567-001",
        ),
    ] = ""
    url: Annotated[
        str | None,
        Key(
            only=("practice", *_REAL),
            doc="Replaces the venue's address: a proxy, a regional host; where the practice exchange listens. Unset: the "
            f"venue's own, {PRACTICE_URL} for practice.",
            check=checks.web_address,
            unset_is_default=True,
            example=PRACTICE_URL,
        ),
    ] = None
    stream_url: Annotated[
        str | None,
        Key(
            only=_REAL,
            doc="Replaces the address of the venue's streams. Unset: the venue's own.",
            check=checks.stream_address,
            unset_is_default=True,
            example="wss://stream.example.com/ws",
        ),
    ] = None
    host: Annotated[
        str, Key(only=("ibkr",), doc="Where IBKR's Gateway or TWS runs.", check=checks.text_length(1, 253))
    ] = "127.0.0.1"
    port: Annotated[
        int | None,
        Key(
            only=("ibkr",),
            doc="Its port; paper and live differ by it. Unset: 4002, with testnet = false 4001.",
            at_least=1,
            at_most=65_535,
            unset_is_default=True,
            example=4002,
        ),
    ] = None
    client_id: Annotated[
        int,
        Key(
            only=("ibkr",),
            doc="Which client of IBKR's gateway this is; no two programs share one.",
            at_least=0,
            at_most=999,
        ),
    ] = 1
    rate_limit_mode: Annotated[
        RateLimitMode | None,
        Key(
            doc="All of the venue's published limits, half of them, or no limiter here (EX-1105); unset: as "
            "exchange.VENUE.rate_limit_mode.",
            unset_is_default=True,
            example=RateLimitMode.CONSERVATIVE,
        ),
    ] = None
    mute_after_s: Annotated[
        int,
        Key(
            only=_REAL,
            doc="A market of a real venue that is open and tells no price for so long is mute: entries stop until it "
            "speaks; 0: never.",
            unit="s",
            at_least=0,
            at_most=3_600,
        ),
    ] = 60
    data: Annotated[
        str,
        Key(
            doc="Another account whose prices count here, whoever executes: with no quote from it for 30 s in market hours "
            "entries wait (PF-231). Empty: the account's own venue's.",
            check=checks.shaped(r"([a-z][a-z0-9_\-]{0,31})?", "the name of another account"),
            example="oanda-main",
        ),
    ] = ""
    maintenance: Annotated[
        tuple[str, ...],
        Key(
            doc="Windows (UTC) in which the venue may be away: entries wait and errors are expected. Each a span of each "
            "day, or of the days named before it.",
            check=checks.window,
            example=("sat 22:00-23:30", "23:45-00:45"),
        ),
    ] = ()
    scope: Annotated[
        Scope | None,
        Key(
            doc="What its orders are worth; scopes never share slots, queue, offsets or statistics (EX-113), and an account "
            "keeps its own for life. Unset: that of app.mode. The simulated venue executes paper and simulation.",
            example=Scope.SIMULATION,
        ),
    ] = None
    exchange: Annotated[
        str,
        Key(
            only=("paper", "practice"),
            doc="Exchange whose alerts it trades (EX-302), with that exchange's symbols and order rules; an account at a "
            "real venue trades that venue's: leave it out.",
            check=checks.one_of(*KNOWN),
        ),
    ] = "binance"
    alert_names: Annotated[
        tuple[str, ...],
        Key(
            doc="What else alerts may call that exchange: TradingView names where a share is listed, not the broker.",
            check=checks.shaped(r"[A-Za-z0-9_.]{1,32}", "1 to 32 letters, digits, _ or ."),
            example=("NASDAQ", "NYSE", "AMEX"),
        ),
    ] = ()
    market: Annotated[
        MarketSource,
        Key(only=_PAPER, doc="Whose prices fill its orders; auto = those of market.source."),
    ] = MarketSource.AUTO
    balances: Annotated[
        dict[str, Decimal],
        Key(
            only=_PAPER, doc="Starting balances, currency to amount; read when the account is first opened.", at_least=0
        ),
    ] = msgspec.field(default_factory=lambda: {"USDT": Decimal(10_000)})
    maker_fee: Annotated[
        Decimal | None,
        Key(
            only=_PAPER,
            doc="Fee of an order that waited in the book, fraction of notional; below 0 is a rebate. "
            "Unset: what the exchange charges for the symbol.",
            at_least=Decimal("-0.01"),
            at_most=Decimal("0.1"),
            example=Decimal("0.001"),
        ),
    ] = None
    taker_fee: Annotated[
        Decimal | None,
        Key(
            only=_PAPER,
            doc="Fee of an order that traded at once, fraction of notional. Unset: what the exchange charges.",
            at_least=0,
            at_most=Decimal("0.1"),
            example=Decimal("0.001"),
        ),
    ] = None
    fee_in_base: Annotated[bool, Key(only=_PAPER, doc="Spot buys pay their fee in the bought currency (EX-428).")] = (
        False
    )
    half_spread_bps: Annotated[
        Decimal,
        Key(
            only=_PAPER,
            doc="Distance of bid and ask from a bar's price; quotes bring their own.",
            unit="bps",
            at_least=0,
            below=10_000,
        ),
    ] = Decimal("0.5")
    slippage_bps: Annotated[
        Decimal,
        Key(
            only=_PAPER,
            doc="How much worse than the quote market and stop orders fill.",
            unit="bps",
            at_least=0,
            below=10_000,
        ),
    ] = Decimal(1)
    latency_ms: Annotated[
        int,
        Key(
            only=_PAPER, doc="Time an order takes to reach the simulated venue.", unit="ms", at_least=0, at_most=60_000
        ),
    ] = 20
    jitter_ms: Annotated[
        int,
        Key(
            only=_PAPER, doc="Most that is added to it, fixed by seed and order.", unit="ms", at_least=0, at_most=60_000
        ),
    ] = 0
    participation: Annotated[
        Decimal | None,
        Key(
            only=_PAPER,
            doc="Largest part of a bar's volume that our orders may take. Unset: all of it.",
            above=0,
            at_most=1,
            example=Decimal("0.1"),
        ),
    ] = None
    smallest_share: Annotated[
        Decimal,
        Key(
            only=_PAPER,
            doc="Below 1, each fill takes only part of the rest of an order, at least this share: partial fills.",
            above=0,
            at_most=1,
        ),
    ] = Decimal(1)
    leverage: Annotated[Decimal, Key(doc="Divides the margin of perpetuals.", at_least=1, at_most=125)] = Decimal(1)
    ohlc_path: Annotated[
        OhlcPath,
        Key(only=_PAPER, doc="Which extreme of a bar comes first: by its colour, or the one that is worse for us."),
    ] = OhlcPath.UP_DOWN
    signals: Annotated[
        tuple[str, ...],
        Key(doc="Strategies (names of their alerts) whose signals it takes; empty = those of all."),
    ] = ()

    def __post_init__(self) -> None:
        # A real venue trades its own alerts: only a name other than the default could contradict it, and is then refused.
        if self.venue.is_known and self.exchange == "binance":
            msgspec.structs.force_setattr(self, "exchange", self.venue.value)


class ReplayFile(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recorded prices of one symbol."""

    path: Annotated[Path, Key(doc="Parquet or CSV file; a relative path starts at the folder of this file.")]
    timeframe: Annotated[str, Key(doc="Length of its bars, or tick.", check=checks.timeframe)] = "1m"


class Market(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices."""

    source: Annotated[
        MarketSource,
        Key(
            doc="synthetic: a seeded made-up market. binance: public data of Binance. replay: the files below. "
            "auto: replay when files are named, else binance when it can be reached, else synthetic.",
        ),
    ] = MarketSource.AUTO
    symbols: Annotated[tuple[str, ...], Key(doc="Symbols to follow.", check=checks.symbol)] = (
        "BTC/USDT",
        "ETH/USDT",
        "SOL/USDT",
    )
    seed: Annotated[
        int,
        Key(
            doc="Seed of the synthetic market and of demo signals: same seed, same market.",
            at_least=0,
            at_most=2**63 - 1,
        ),
    ] = 7
    liveliness: Annotated[
        Decimal,
        Key(doc="How lively the synthetic market moves; 1 is an ordinary crypto day.", above=0, at_most=100),
    ] = Decimal(1)
    speed: Annotated[
        Speed,
        Key(
            doc='Speed of a replay as a multiple of real time, or "max" for as fast as the machine allows.',
            above=0,
            at_most=1_000_000,
        ),
    ] = Decimal(1)
    replay: Annotated[
        dict[str, ReplayFile],
        Key(
            doc="Recorded data, symbol to file and timeframe; several symbols are merged in time order.",
            example={"BTC/USDT": ReplayFile(path=Path("recorded/btc.parquet"), timeframe="5m")},
        ),
    ] = msgspec.field(default_factory=dict)
