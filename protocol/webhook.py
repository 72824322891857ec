"""From the HTTP listener to the gateway: one request as it came over the wire."""

from __future__ import annotations

from typing import ClassVar

from protocol.market import PriceTick
from protocol.messages import Event, Message, Request
from protocol.signals import SignalAnswer
from protocol.values import Instant, Name

__all__ = [
    "NewestPrice",
    "PriceAnswer",
    "RequestRefused",
    "RotateSecret",
    "SecretRotated",
    "SecretsChanged",
    "SourcesDue",
    "WebhookRequest",
]


class WebhookRequest(Request[SignalAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """One POST to a user's webhook address; the body is at most ``signal.max_body_bytes`` long.

    ``mapping`` is the one asked for in the address, empty for the one that fits.
    """

    user: Name
    address: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    mapping: str = ""


class RequestRefused(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Somebody failed to prove who they are; at most one a minute and address, ``refused`` counts all (EX-225)."""

    user: Name
    address: str
    size: int
    code: Name
    refused: int
    at: Instant


class PriceAnswer(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The newest price of a symbol; None while there is none."""

    tick: PriceTick | None


class NewestPrice(Request[PriceAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Ask an account's market for the newest price of a symbol."""

    symbol: Name


class SourcesDue(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The gateway's own timer: a source may have been silent for too long, or is no longer near its limit."""


class SecretRotated(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A new secret counts from now on, the former one beside it until ``former_until`` (EX-224). Neither stands here."""

    which: Name
    file: str
    former_until: Instant


class SecretsChanged(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The vault keeps other secrets of alerts than before; none of them stands here."""

    LANE: ClassVar[str] = "control"


class RotateSecret(Request[SecretRotated], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Make a new secret of an alert: ``webhook``, the one in the body, or ``hmac``, the key of the signature."""

    LANE: ClassVar[str] = "control"

    which: Name
