"""How to reach one account at a venue, and what an adapter is given to do it with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.secret import Secret
from protocol.values import MarketType

__all__ = ["Access", "Tools"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One account: ``venue`` names the adapter (see ``venues.known``), ``account`` is our name of it.

    ``url`` and ``stream_url`` replace the venue's own addresses (a proxy, a regional host, a test server). ``host``,
    ``port`` and ``client_id`` are for IBKR's gateway; ``account_id`` is the venue's own number of the account where a login
    has several. ``conservative``: use half of the venue's published limits, None: no limit of our own (EX-1105).
    """

    account: str
    venue: str
    market: MarketType = MarketType.SPOT
    testnet: bool = False
    url: str = ""
    stream_url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    client_id: int = 1
    account_id: str = ""
    conservative: bool | None = False
    symbols: tuple[str, ...] = ()
    """The markets that are traded; venues whose history can only be asked by market are asked for these."""
    folder: str = ""
    """Where an adapter may keep what it learnt (contract ids); empty: nowhere."""
    keys_folder: str = ""
    """Where the PEM files of an account are that signs with keys of its own (IBKR's Web API); empty: nowhere."""
    key: Secret = field(default_factory=lambda: Secret(""))
    secret: Secret = field(default_factory=lambda: Secret(""))
    passphrase: Secret = field(default_factory=lambda: Secret(""))
    signature_key: Secret = field(default_factory=lambda: Secret(""))
    encryption_key: Secret = field(default_factory=lambda: Secret(""))
    """Private keys (PEM) where the vault keeps them: they go before the files of ``keys_folder``."""


class Tools(NamedTuple):
    """The only clock, wait (seconds) and chance (0 to 1) an adapter uses."""

    now: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]
    random: Callable[[], float]
