"""Who may come in: addresses, the rate of one user, and what is noted of those who prove nothing (EX-225, EX-250)."""

from __future__ import annotations

import ipaddress
from typing import Final

from actors.gateway_settings import GatewaySettings
from protocol.signals import SignalAnswer
from protocol.webhook import RequestRefused, WebhookRequest
from rules.signals import status_of
from runtime.actor import Do
from runtime.clock import NANOS

__all__ = ["Door"]

_NOTED_EVERY: Final = 60 * NANOS
_MOST_ADDRESSES: Final = 10_000


class Door:
    """The checks before anything of a body is believed. What it counts stands in memory only."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._tokens = float(settings.rate_per_minute)
        self._tokens_at = 0
        self._refused: dict[str, tuple[int, int]] = {}
        self.take(settings)

    def take(self, settings: GatewaySettings) -> None:
        """Go on under other settings."""
        self._rate = settings.rate_per_minute
        self._networks = tuple(ipaddress.ip_network(each) for each in settings.allowlist)

    def refusal(self, msg: WebhookRequest, now: int) -> Do | None:
        """Return the answer to a request that may not come in, None for one that may."""
        if not self._address_allowed(msg.address):
            return self.unproven(msg, "SourceNotAllowed", now)
        if not self._within_rate(now):
            return self.unproven(
                msg, "RateLimited", now
            )  # noted once a minute (EX-1406): a flood must not fill the disk
        return None

    def unproven(self, msg: WebhookRequest, code: str, now: int) -> Do:
        """Answer with the code alone; note it once a minute and address (EX-225)."""
        noted_at, count = self._refused.get(msg.address, (0, 0))
        answer = SignalAnswer(status_of(code), code)
        if count and now - noted_at < _NOTED_EVERY:
            self._refused[msg.address] = (noted_at, count + 1)
            return Do(answer=answer)
        if len(self._refused) > _MOST_ADDRESSES:
            self._refused.clear()
        self._refused[msg.address] = (now, count + 1)
        size = len(msg.body)
        noted = RequestRefused(user=msg.user, address=msg.address, size=size, code=code, refused=count + 1, at=now)
        return Do([noted], answer=answer)

    def _address_allowed(self, address: str) -> bool:
        if not self._networks:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped  # how a socket for both families names an IPv4 sender
        return any(parsed in network for network in self._networks)

    def _within_rate(self, now: int) -> bool:
        passed = max(0, now - self._tokens_at)  # a clock that was set back must not lock everybody out
        self._tokens = min(float(self._rate), self._tokens + passed * self._rate / (60 * NANOS))
        self._tokens_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
