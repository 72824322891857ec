"""The recipe of the webhook listener and the address at which it answers, for the daemon and for replays alike."""

from __future__ import annotations

from functools import partial

from actors.webhook import WebhookListener
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.house import GATEWAY
from supervision.child import ChildSpec

__all__ = ["listener", "listening_url"]

_NAME = "webhook"


def listener(active: ActiveConfig, token: str, *, host: str | None = None) -> ChildSpec:
    """Return the recipe of the listener; it belongs to the operators' branch. ``host`` beats the configured one."""
    return ChildSpec(_NAME, partial(_listener, active, token, host))


def _listener(active: ActiveConfig, token: str, host: str | None) -> WebhookListener:
    config = active.config
    return WebhookListener(
        host=config.webhook.host if host is None else host,
        port=config.webhook.port,
        token=token,
        user=config.webhook.user,
        gateway=GATEWAY,
        max_body_bytes=config.signal.max_body_bytes,
        trusted_proxies=config.webhook.trusted_proxies,
    )


def listening_url(system: ActorSystem, token: str, *, host: str) -> str:
    """Return where alerts are to be posted; port 0 while nobody listens."""
    cell = system.cell_of(f"/operators/{_NAME}")
    port = getattr(cell.actor, "port", 0) if cell is not None else 0
    return f"http://{host}:{port}/webhook/{token}"
