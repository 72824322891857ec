"""What the gateway is told by the configuration: one immutable value, replaced as a whole when it changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from protocol.values import MarketType
from rules.signals import AuthMode, DuplicateWindows
from rules.signals.mappings import BUILTIN
from rules.signals.mappings import Mapping as BodyMapping

__all__ = ["MOST_ALERTS", "MOST_ALERTS_IN_S", "RESEND_WITHIN_S", "GatewaySettings", "HeldEntries", "Rhythm", "Route"]

MOST_ALERTS: Final = 14
"""Alerts of one source within ``MOST_ALERTS_IN_S`` that are a warning: TradingView stops an alert at 15."""

MOST_ALERTS_IN_S: Final = 180

RESEND_WITHIN_S: Final = 20
"""TradingView sends again after 5 s, three times at most: the same text within this time is one alert."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where signals of one venue go: the pool of an account, and the actor that knows its prices.

    ``labels`` are the strategies whose signals the account takes, all when empty; ``paper`` that no real money moves;
    ``family`` the markets it trades where an account at a venue trades only one of them, None: both.
    """

    account: str
    pool: str
    prices: str
    paper: bool = True
    labels: tuple[str, ...] = ()
    family: MarketType | None = None

    def takes(self, label: str) -> bool:
        """Whether the account trades signals of this strategy."""
        return not self.labels or label in self.labels

    def trades(self, symbol: str) -> bool:
        """Whether the account trades markets of this symbol's family: a perpetual's names what it is settled in."""
        return self.family is None or (self.family is MarketType.PERP) == (":" in symbol)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a source is expected to speak; empty parts of its name fit any.

    After ``silence_s`` without a word an incident stands. With ``block_entries`` its entries are refused from then on,
    until an operator says that all is well; otherwise its next word ends the incident.
    """

    silence_s: int
    alert_name: str = ""
    symbol: str = ""
    timeframe: str = ""
    block_entries: bool = False

    def fits(self, alert_name: str, symbol: str, timeframe: str) -> bool:
        """Whether this is the rhythm of a source."""
        wanted = ((self.alert_name, alert_name), (self.symbol, symbol), (self.timeframe, timeframe))
        return all(mine in ("", theirs) for mine, theirs in wanted)


@dataclass(frozen=True, slots=True)
class HeldEntries:
    """Which entries wait for an operator's word: of these accounts and strategies, of all where none is named."""

    accounts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def wants(self, account: str, label: str) -> bool:
        """Whether an entry waits."""
        return account in (self.accounts or (account,)) and label in (self.labels or (label,))


def _many(_: str, __: str, ___: str) -> int:
    return 2


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the gateway needs of the configuration; limits in seconds and requests a minute.

    ``routes`` names by venue all accounts that trade it, ``aliases`` what else alerts may call a venue. ``pyramids`` says
    of venue, symbol and timeframe how many entries a group may have. ``require_proof`` is off in mode dry_run only
    (EX-225). ``former`` are secrets and keys that were rotated: what they are (``webhook``, ``hmac``), their value, until
    when they count (EX-224).
    """

    user: str
    routes: Mapping[str, tuple[Route, ...]]
    aliases: Mapping[str, str] = field(default_factory=dict)
    auth_mode: AuthMode = AuthMode.EITHER
    secrets: tuple[str, ...] = field(default=(), repr=False)
    hmac_keys: tuple[str, ...] = field(default=(), repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)
    former: tuple[tuple[str, str, int], ...] = field(default=(), repr=False)
    tolerance_s: int = 300
    max_age_s: int = 60
    max_future_skew_s: int = 10
    windows: DuplicateWindows = field(default_factory=DuplicateWindows)
    infer_exit_from_flat: bool = True
    sizing_source: str = "signal"
    rate_per_minute: int = 60
    allowlist: tuple[str, ...] = ()
    mappings: Mapping[str, BodyMapping] = field(default_factory=lambda: dict(BUILTIN))
    rhythms: tuple[Rhythm, ...] = ()
    pyramids: Callable[[str, str, str], int] = _many
    read_only: bool = False
    held: HeldEntries | None = None
    require_proof: bool = True

    @property
    def venues(self) -> dict[str, str]:
        """What alerts may call a venue -> its name in ``routes``."""
        return {**self.aliases, **{venue: venue for venue in self.routes}}

    def proofs(self, now: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the secrets and the keys that count at this instant."""
        still = [(which, value) for which, value, until in self.former if now < until]
        secrets = (*self.secrets, *(value for which, value in still if which == "webhook"))
        return secrets, (*self.hmac_keys, *(value for which, value in still if which == "hmac"))

    @property
    def only_venue(self) -> str:
        """The venue that stands where a mapped body names none: only where there is no other."""
        return next(iter(self.routes)) if len(self.routes) == 1 else ""
