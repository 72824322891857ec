"""Secrets of the webhook: from the environment, else generated once into files that only you can read.

They live in ``<data_dir>/secrets/``, one file each, mode 0600. A file that others can read is refused rather than
used: who could read it could trade.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from protocol.errors import ValidationError
from service.config.document import Config
from service.config.environment import variable_of
from service.config.errors import ConfigError
from service.config.keys import Secret

__all__ = ["GENERATED_BYTES", "ROTATED", "Former", "WebhookSecrets", "forget_former", "open_webhook_secrets", "rotate"]

GENERATED_BYTES: Final = 32
"""Randomness of a generated secret: 256 bits, 43 characters."""


ROTATED: Final = {
    "webhook": ("webhook_secret", ("security", "webhook_secret")),
    "hmac": ("webhook_hmac_key", ("security", "webhook_hmac_key")),
}
"""What can be rotated: its file and its key."""


class Former(NamedTuple):
    """A secret that another took the place of; it counts until ``until`` (nanoseconds UTC), then it is erased (EX-224)."""

    which: str
    secret: Secret
    until: int


class WebhookSecrets(NamedTuple):
    """What an alert needs: the last part of the address, the body secret, the key of the signature."""

    token: Secret
    secret: Secret
    hmac_key: Secret
    former: tuple[Former, ...] = ()
    folder: Path | None = None
    """Where they were read; None for secrets that never change."""

    @property
    def shown_nowhere(self) -> tuple[str, ...]:
        """All of them, as text that must be taken out of whatever is stored."""
        current = (self.token, self.secret, self.hmac_key)
        return tuple(each.reveal() for each in (*current, *(former.secret for former in self.former)))


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
        former=tuple(_formers(folder)),
        folder=folder,
    )


def rotate(config: Config, which: str, *, now: int) -> Former:
    """Put a new secret in the place of ``webhook`` or ``hmac``; return the former one, which still counts for a while.

    Raises ``ConfigError`` when the environment sets it: then its place is there. A crash half-way loses neither secret:
    the former is written down before the new one takes its place.
    """
    name, keys = ROTATED[which]
    if getattr(config.security, keys[1]) is not None:
        message = f"the environment sets it: change {variable_of(*keys)} and start again"
        raise ConfigError([ValidationError(".".join(keys), message, code="SetByEnvironment")], source="secrets")
    path = config.app.data_dir / "secrets" / name
    try:
        former = _from_file(path.parent, name, keys)
        hours = config.security.secret_rotation_grace_hours
        until = now + hours * 3_600 * 10**9
        if hours:
            _write(path.with_name(f"{name}.former"), f"{former.reveal()}\n{until}")
        _write(path, secrets.token_urlsafe(GENERATED_BYTES))  # house: a secret must not come from a seed
    except OSError as error:
        raise _refused(path, str(error.strerror or error)) from error
    return Former(which, former, until)


def forget_former(config: Config, *, now: int) -> list[str]:
    """Erase former secrets whose time is over; return which."""
    folder = config.app.data_dir / "secrets"
    gone = [former.which for former in _formers(folder) if former.until <= now]
    for which in gone:
        (folder / f"{ROTATED[which][0]}.former").unlink(missing_ok=True)
    return gone


def _formers(folder: Path) -> Iterator[Former]:
    for which, (name, keys) in ROTATED.items():
        path = folder / f"{name}.former"
        if not path.exists():
            continue
        text, _, until = _read_private(path).partition("\n")
        if not until.isdigit():
            raise _refused(path, f"is damaged; remove it, and rotate {'.'.join(keys)} again")
        yield Former(which, Secret(text), int(until))


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


def _write(path: Path, text: str) -> None:
    """Put a text into a file that only we can read; whoever reads it finds the old one or the new one, whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _read_private(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise _refused(path, f"others can read it (mode {mode:o}); make a new secret, or run: chmod 600 {path}")
    return path.read_text(encoding="utf-8").strip()


def _read(path: Path, keys: tuple[str, str]) -> Secret:
    value = _read_private(path)
    if len(value) < GENERATED_BYTES:
        raise _refused(path, f"holds fewer than {GENERATED_BYTES} characters; remove it, or set {variable_of(*keys)}")
    return Secret(value)


def _refused(path: Path, message: str) -> ConfigError:
    return ConfigError([ValidationError(str(path), message, code="UnsafeSecret")], source="secrets")
