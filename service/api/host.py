"""What the API needs of the daemon it speaks for."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.config import Config
from service.config.sources import Sources

__all__ = ["ASK_S", "GATEWAY", "RISK", "Host", "exchange_of"]

GATEWAY: Final = "/trading/gateway"
RISK: Final = "/risk/coordinator"
ASK_S: Final = 10.0
"""Seconds an actor has to answer what an operator asked."""


class Host(Protocol):
    """A running daemon; ``service.daemon.Daemon`` is one."""

    @property
    def config(self) -> Config:
        """Its configuration."""
        ...

    @property
    def system(self) -> ActorSystem:
        """Its actors."""
        ...

    @property
    def source_label(self) -> str:
        """Where its prices come from, as screens say it (``SYNTHETIC``, ``replay``, ``binance``)."""
        ...

    @property
    def started_at(self) -> int:
        """When it started (nanoseconds UTC, wall clock)."""
        ...

    @property
    def socket_path(self) -> Path:
        """Where its control socket is."""
        ...

    @property
    def webhook_url(self) -> str:
        """Where alerts are to be posted; holds the token."""
        ...

    @property
    def sources(self) -> Sources:
        """Where its configuration comes from."""
        ...

    async def take_secrets(self, holder: str) -> tuple[str, ...]:
        """Go on under what the vault keeps now; return the accounts that log in anew."""
        ...

    def stop(self) -> None:
        """Ask it to stop in order."""
        ...


def exchange_of(system: ActorSystem, account: str) -> str:
    """Return the path of who knows an account's newest prices: its paper exchange, or the session of its venue."""
    paths = AccountPaths(account)
    return paths.exchange if system.lookup(paths.exchange) is not None else paths.session
