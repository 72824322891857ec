"""The bridge to Telegram as the nightly check makes it: it decides again, and nobody is asked."""

from __future__ import annotations

from collections.abc import Sequence

from actors.telegram.seat import Answer, Named
from actors.telegram.telling import TelegramBridge
from service.config import Config
from service.telegram.settings import phone_settings

__all__ = ["WIRE", "EmptySeat", "replayed_bridge"]

WIRE = "/operators/telegram/wire"
"""Where the wire lives."""


class EmptySeat:
    """Stands where a house was: what it answered then stands in the record."""

    def close(self) -> None:
        """Release nothing."""

    async def show(self, command: str, args: Sequence[str], account: str) -> Answer:  # noqa: ARG002 - the seat's shape
        """Show nothing."""
        return Answer("")

    async def name(self, command: str, args: Sequence[str], account: str) -> Named:  # noqa: ARG002
        """Name nothing."""
        return Named("")

    async def act(self, command: str, args: Sequence[str], account: str, *, request_id: str, by: str) -> str:  # noqa: ARG002
        """Do nothing."""
        return ""


def replayed_bridge(config: Config) -> TelegramBridge:
    """Return the bridge of a configuration without a house."""
    return TelegramBridge(phone_settings(config), EmptySeat(), WIRE)
