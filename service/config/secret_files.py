"""Secrets of the webhook: from the environment, else generated once into files that only you can read.

They live in ``<data_dir>/secrets/``, one file each, mode 0600. A file that others can read is refused rather than
used: who could read it could trade.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final, NamedTuple

from protocol.errors import ValidationError
from service.config.document import Config
from service.config.environment import variable_of
from service.config.errors import ConfigError
from service.config.keys import Secret

__all__ = ["GENERATED_BYTES", "WebhookSecrets", "open_webhook_secrets"]

GENERATED_BYTES: Final = 32
"""Randomness of a generated secret: 256 bits, 43 characters."""


class WebhookSecrets(NamedTuple):
    """What an alert needs: the last part of the address, the body secret, the key of the signature."""

    token: Secret
    secret: Secret
    hmac_key: Secret


def open_webhook_secrets(config: Config) -> WebhookSecrets:
    """Return the webhook's secrets, making the files that are missing; raise ``ConfigError`` for one that is unsafe.

    Two daemons that start at once get the same secrets; a crash half-way leaves no half-written file behind.
    """
    folder = config.app.data_dir / "secrets"
    return WebhookSecrets(
        token=config.webhook.token or _from_file(folder, "webhook_token", ("webhook", "token")),
        secret=config.security.webhook_secret or _from_file(folder, "webhook_secret", ("security", "webhook_secret")),
        hmac_key=config.security.webhook_hmac_key
        or _from_file(folder, "webhook_hmac_key", ("security", "webhook_hmac_key")),
    )


def _from_file(folder: Path, name: str, keys: tuple[str, str]) -> Secret:
    path = folder / name
    try:
        if not path.exists():
            _make(path)
        return _read(path, keys)
    except OSError as error:
        raise _refused(path, f"{error.strerror or error}; or set {variable_of(*keys)}") from error


def _make(path: Path) -> None:
    """Write a new secret; whoever comes first wins, and the file is never seen half-written."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(GENERATED_BYTES))  # house: a secret must not come from a seed
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _read(path: Path, keys: tuple[str, str]) -> Secret:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise _refused(path, f"others can read it (mode {mode:o}); make a new secret, or run: chmod 600 {path}")
    value = path.read_text(encoding="utf-8").strip()
    if len(value) < GENERATED_BYTES:
        raise _refused(path, f"holds fewer than {GENERATED_BYTES} characters; remove it, or set {variable_of(*keys)}")
    return Secret(value)


def _refused(path: Path, message: str) -> ConfigError:
    return ConfigError([ValidationError(str(path), message, code="UnsafeSecret")], source="secrets")
