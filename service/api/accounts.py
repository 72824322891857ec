"""The accounts of this user as requests name them, and how the venue of each stands (EX-112, EX-1207)."""

from __future__ import annotations

from typing import Any

from actors.session_topics import health_topic
from protocol.venue import VenueHealth, VenueStatus
from runtime.system import ActorSystem
from service.api.answers import not_found
from service.api.control import near
from service.api.host import Host

__all__ = ["account_names", "known_account", "venue_standing"]


def account_names(host: Host) -> list[str]:
    """Return the names of this user's accounts."""
    return [account.name for account in host.config.accounts]


def known_account(host: Host, name: str) -> str:
    """Return the name of an account; whatever is not this user's is ``NotFound``, never forbidden (EX-112)."""
    names = account_names(host)
    if name not in names:
        hint = near(name, names) or f"; there are {', '.join(names)}"
        raise not_found(f"there is no account {name}", value=name, hint=hint)
    return name


def venue_standing(system: ActorSystem, account: str) -> dict[str, Any]:
    """Return how an account's connection stands; ``text`` says it in the words of screens, empty while it is up."""
    health: VenueHealth | None = system.bus.kept(health_topic(account))
    if health is None:
        return {"status": VenueStatus.CONNECTING.value, "code": "", "reason": "", "text": ""}
    text = ("" if health.entries else "entries wait") if health.status is VenueStatus.UP else "venue down"
    return {"status": health.status.value, "code": health.code, "reason": health.reason, "text": text}
