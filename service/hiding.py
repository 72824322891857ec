"""What must stand in nothing that is written: the secrets of alerts, of the configuration, and of the vault, by value."""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

from protocol.errors import BulkheadError
from rules.signals.redaction import redact_known
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets, open_webhook_secrets
from service.config.vault import vault_of
from service.config.venue_access import secrets_of
from service.telegram.settings import phone_secrets

__all__ = ["Hiding"]


class Hiding:
    """Takes secrets out of texts. What was a secret once stays one: it may come late in a message that waited."""

    def __init__(self, active: ActiveConfig, secrets: WebhookSecrets | None) -> None:
        self._active = active
        self._folder = secrets.folder if secrets is not None else None
        self._known: tuple[str, ...] = secrets.shown_nowhere if secrets is not None else ()
        self._of: Config | None = None
        self._adding = Lock()  # event log, process log and incidents ask on threads of their own

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
                    self._add(read(config))
        return self.known()

    def __call__(self, text: str) -> str:
        """Return a text without them."""
        return redact_known(text, self.known())

    def _add(self, found: tuple[str, ...]) -> None:
        with self._adding:
            self._known = tuple(dict.fromkeys((*found, *self._known)))


def _of_alerts(config: Config) -> tuple[str, ...]:
    return open_webhook_secrets(config).shown_nowhere


def _of_vault(config: Config) -> tuple[str, ...]:
    """Return what is kept for accounts that there are not, or not yet, too."""
    return tuple(kept.value for kept in vault_of(config).read().values())
