"""The compartment of the bridge to Telegram: wire and bridge, each with a restart budget of its own."""

from __future__ import annotations

from functools import partial
from typing import Final

from actors.telegram.seat import Seat
from actors.telegram.telling import TelegramBridge
from actors.telegram.wire import TelegramWire
from protocol.telegram import BRIDGE
from service.api.host import Host
from service.telegram.replayed import WIRE
from service.telegram.seat import HouseSeat
from service.telegram.settings import phone_settings, telegram_token
from supervision.backoff import Backoff
from supervision.budget import Intensity
from supervision.child import ChildSpec
from supervision.tree import SupervisorSpec, supervisor

__all__ = ["telegram_tree"]

_SLOWLY: Final = Backoff(1.0, limit_s=60.0)


def telegram_tree(host: Host) -> SupervisorSpec:
    """Return the tree; raise ``ConfigError`` when the bot has no token. A part that keeps crashing stays down alone."""
    token = telegram_token(host.config)
    seat = HouseSeat(host)
    chats = tuple(dict.fromkeys(each.chat for each in host.config.telegram.members))
    return supervisor(
        "telegram",
        ChildSpec(
            "wire",
            lambda: TelegramWire(token, BRIDGE, seat.views.draw, chats=chats, url=host.config.telegram.url),
            edge=True,
            backoff=_SLOWLY,
            on_exhausted="quarantine",
        ),
        ChildSpec("bridge", partial(_bridge, host, seat), backoff=_SLOWLY, on_exhausted="quarantine"),
        intensity=Intensity(5, 60.0),
    )


def _bridge(host: Host, seat: Seat) -> TelegramBridge:
    return TelegramBridge(phone_settings(host.config), seat, WIRE)
