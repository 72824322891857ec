"""Recorded alerts prove who sent them anew: a file on the operator's own disk is replayed whatever secret it once held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from actors.sender import Alert
from protocol.codec import decode_json, encode_json
from rules.signals import AuthMode
from service.config import Config, Secret, WebhookSecrets

__all__ = ["any_proof", "with_proof"]

_SECRET: Final = "of-this-replay-only"  # noqa: S105 - it opens nothing: the replay ends with its process
_SECRETS: Final = WebhookSecrets(Secret("replay"), Secret(_SECRET), Secret(_SECRET))


def any_proof(config: Config) -> Config:
    """Return the configuration with either proof accepted."""
    security = msgspec.structs.replace(config.security, webhook_auth_mode=AuthMode.EITHER)
    return msgspec.structs.replace(config, security=security)


def with_proof(alerts: Sequence[Alert]) -> tuple[list[Alert], WebhookSecrets]:
    """Return the alerts with this replay's secret in place of theirs, and the secrets that accept it."""
    return [Alert(alert.at, _with_secret(alert.body)) for alert in alerts], _SECRETS


def _with_secret(body: bytes) -> bytes:
    # The fields stay as they were written: a number must not lose digits on its way through a float.
    fields = decode_json(body, dict[str, msgspec.Raw])
    return encode_json({**fields, "secret": _SECRET})
