"""Secrets of the webhook: from the environment, else generated once into the vault (EX-201, EX-224, EX-1501).

Former installations kept them in plain files, one each: those are taken into the vault, and overwritten when it has them.
Where the vault does not open, alerts are refused: their secrets are then ones that nobody knows, made for this run alone.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from protocol.errors import FeatureUnavailable, ValidationError
from service.config.document import Config
from service.config.environment import variable_of
from service.config.errors import ConfigError
from service.config.keys import Secret
from service.config.plain_secrets import erase_taken, plain_secrets, unsafe
from service.config.vault import PLAIN_FOLDER, vault_of
from service.vault.errors import SecretsNotDecryptable, VaultUnwritable
from service.vault.names import SecretName
from service.vault.sealing import Kept
from service.vault.store import Values, Vault

__all__ = ["GENERATED_BYTES", "ROTATED", "Former", "WebhookSecrets", "forget_former", "open_webhook_secrets", "rotate"]

GENERATED_BYTES: Final = 32
"""Randomness of a generated secret: 256 bits, 43 characters."""

_TOKEN: Final = SecretName("webhook", "token")
_BODY: Final = SecretName("webhook", "secret")
_SIGNATURE: Final = SecretName("webhook", "hmac_key")

ROTATED: Final = {"webhook": _BODY, "hmac": _SIGNATURE}
"""What can be rotated."""

log = logging.getLogger("bulkhead")


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
    """Where they are kept; None for secrets that never change."""

    @property
    def shown_nowhere(self) -> tuple[str, ...]:
        """All of them, as text that must be taken out of whatever is stored."""
        current = (self.token, self.secret, self.hmac_key)
        return tuple(each.reveal() for each in (*current, *(former.secret for former in self.former)))


def open_webhook_secrets(config: Config) -> WebhookSecrets:
    """Return the webhook's secrets, making those that are missing; raise ``ConfigError`` for a plain file that is unsafe.

    Two daemons that start at once get the same secrets; a crash half-way leaves the old vault or the new one.
    """
    vault, given = vault_of(config), _given(config)
    try:
        values = _kept_or_made(config, vault, [name for name, value in given.items() if value is None])
    except (SecretsNotDecryptable, FeatureUnavailable):
        values = {name: Kept(_for_this_run(vault.path, name), "", 0) for name in given}
    token, secret, hmac_key = (value or Secret(values[name].value) for name, value in given.items())
    return WebhookSecrets(token, secret, hmac_key, tuple(_formers(values)), vault.place.folder)


def rotate(config: Config, which: str, *, now: int) -> Former:
    """Put a new secret in the place of ``webhook`` or ``hmac``; return the former one, which still counts for a while.

    Raises ``ConfigError`` when the environment sets it: then its place is there; ``SecretsNotDecryptable`` and
    ``VaultUnwritable`` as the vault does. Both secrets change places at once: a crash loses neither.
    """
    name = ROTATED[which]
    if _given(config)[name] is not None:
        path = _path_of(name)
        message = f"the environment sets it: change {variable_of(*path)} and start again"
        raise ConfigError([ValidationError(".".join(path), message, code="SetByEnvironment")], source="secrets")
    former = getattr(open_webhook_secrets(config), name.field)
    hours = config.security.secret_rotation_grace_hours
    until = now + hours * 3_600 * 10**9

    def edit(values: Values) -> None:
        user = config.webhook.user
        values[name] = Kept(_new(), user, now)
        if hours:
            values[name.former] = Kept(f"{former.reveal()}\n{until}", user, now)

    vault_of(config).change(edit)
    return Former(which, former, until)


def forget_former(config: Config, *, now: int) -> list[str]:
    """Erase former secrets whose time is over; return which. A vault that does not open or change is left for later."""
    vault = vault_of(config)
    try:
        gone = [former.which for former in _formers(vault.read()) if former.until <= now]
        if gone:
            vault.change(lambda values: _drop(values, gone))
    except (SecretsNotDecryptable, FeatureUnavailable, VaultUnwritable) as error:
        log.warning("former secrets of alerts are not erased yet: %s", error)
        return []
    return gone


def _given(config: Config) -> dict[SecretName, Secret | None]:
    """Return what the environment says of each."""
    security = config.security
    return {_TOKEN: config.webhook.token, _BODY: security.webhook_secret, _SIGNATURE: security.webhook_hmac_key}


def _path_of(name: SecretName) -> tuple[str, str]:
    return ("webhook", "token") if name == _TOKEN else ("security", f"webhook_{name.field}")


def _kept_or_made(config: Config, vault: Vault, wanted: list[SecretName]) -> Values:
    """Return what the vault keeps once it has taken plain files in and everything wanted is made.

    What cannot be taken in, or not be erased, is left where it is while the vault has all that is wanted: a file that
    somebody put there ends no house that has open groups.
    """
    folder = config.app.data_dir / PLAIN_FOLDER
    values, lacking = Values(), True
    try:
        values = vault.read()
        lacking = any(name not in values for name in wanted)
        plain = plain_secrets(folder)
        if plain or lacking:
            values = vault.change(lambda kept: _fill(kept, plain, wanted, config.webhook.user))
        erase_taken(folder, {name: kept.value for name, kept in values.items()})
    except (ConfigError, VaultUnwritable, OSError) as error:
        if not lacking:
            _warn_once(f"plain files of secrets are left where they are: {error}")
            return values
        if isinstance(error, ConfigError):
            raise
        variables = ", ".join(variable_of(*_path_of(name)) for name in wanted)
        raise unsafe(vault.path, f"{error}" + (f"; or set {variables}" if variables else "")) from error
    return values


@cache
def _warn_once(text: str) -> None:
    log.warning("%s", text)


def _fill(values: Values, plain: dict[SecretName, str], wanted: list[SecretName], user: str) -> None:
    for name, text in plain.items():
        values.setdefault(name, Kept(text, user, 0))
    for name in wanted:
        if name not in values:
            values[name] = Kept(_new(), user, 0)


def _drop(values: Values, gone: list[str]) -> None:
    for which in gone:
        values.pop(ROTATED[which].former, None)


def _formers(values: Values) -> Iterator[Former]:
    for which, name in ROTATED.items():
        kept = values.get(name.former)
        if kept is not None:
            text, _, until = kept.value.partition("\n")
            yield Former(which, Secret(text), int(until))


def _new() -> str:
    return secrets.token_urlsafe(GENERATED_BYTES)  # house: a secret must not come from a seed


@cache
def _for_this_run(vault: Path, name: SecretName) -> str:  # noqa: ARG001 - one for each name of each vault
    return _new()
