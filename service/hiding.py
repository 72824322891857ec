"""What must stand in nothing that is written: the secrets of alerts, of the configuration, and of the vault, by value."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Lock

from protocol.errors import BulkheadError
from rules.signals.redaction import redact_known
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets, open_webhook_secrets
from service.config.vault import vault_of
from service.config.venue_access import secrets_of
from service.telegram.settings import phone_secrets
from service.vault.store import VAULT_FILE

__all__ = ["Hiding"]


class Hiding:
    """Takes secrets out of texts. What was a secret once stays one: it may come late in a message that waited."""

    def __init__(self, active: ActiveConfig, secrets: WebhookSecrets | None) -> None:
        self._active = active
        self._folder = secrets.folder if secrets is not None else None
        self._alerts: tuple[str, ...] = secrets.shown_nowhere if secrets is not None else ()
        self._known = self._alerts
        self._of: Config | None = None
        self._looked_at: tuple[Config, tuple[int, ...]] | None = None
        self._adding = Lock()  # process log and incidents ask on threads of their own

    @property
    def of_alerts(self) -> tuple[str, ...]:
        """The secrets of alerts that are known, also those that others took the place of."""
        return self._alerts

    def known(self) -> tuple[str, ...]:
        """Return them all; cheap as long as the configuration is the same."""
        config = self._active.config
        if config is not self._of:
            self._add(secrets_of(config))
            self._of = config
        return self._known

    def looked_up(self) -> tuple[str, ...]:
        """Return them all, and those that were made since; it reads the vault, so call it beside the loop."""
        if self._folder is not None:
            config = self._active.config
            # One that cannot be read keeps no other from being known; who keeps them says what is wrong with them.
            for read in (_of_alerts, phone_secrets, _of_vault):
                with suppress(BulkheadError, OSError):
                    found = read(config)
                    self._add(found, alerts=read is _of_alerts)
        return self.known()

    def newest(self) -> tuple[str, ...]:
        """Return them all, and those that were made since; it reads the vault only when that has changed, so on the loop."""
        if self._folder is None:
            return self.known()
        config, stamp = self._active.config, _stamp_of(self._folder / VAULT_FILE)
        if self._looked_at is None or self._looked_at[0] is not config or self._looked_at[1] != stamp:
            self._looked_at = config, stamp  # before it is read: what is changed meanwhile is read again
            return self.looked_up()
        return self.known()

    def __call__(self, text: str) -> str:
        """Return a text without them."""
        return redact_known(text, self.known())

    def _add(self, found: tuple[str, ...], *, alerts: bool = False) -> None:
        with self._adding:
            self._known = tuple(dict.fromkeys((*found, *self._known)))
            if alerts:
                self._alerts = tuple(dict.fromkeys((*found, *self._alerts)))


def _stamp_of(file: Path) -> tuple[int, ...]:
    """Return what is another one after each change of the vault, which puts a new file in the place of the old."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_mtime_ns


def _of_alerts(config: Config) -> tuple[str, ...]:
    return open_webhook_secrets(config).shown_nowhere


def _of_vault(config: Config) -> tuple[str, ...]:
    """Return what is kept for accounts that there are not, or not yet, too."""
    return tuple(kept.value for kept in vault_of(config).read().values())
