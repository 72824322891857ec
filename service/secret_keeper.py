"""The keeper of the webhook's secrets: makes new ones, has the former ones count for a while, then erases them (EX-224).

It also says at a start that the vault does not open: alerts are then refused and accounts without their credentials stay
disabled, all else goes on (EX-1502).
"""

from __future__ import annotations

from collections.abc import Callable

from actors.gateway import GatewaySettings
from protocol.configuration import ApplySettings
from protocol.errors import BulkheadError
from protocol.event_log import EVENT_LOG, LogEvent
from protocol.messages import Message
from protocol.webhook import RotateSecret, SecretRotated, SecretsChanged
from runtime.actor import NO_ANSWER, Actor, Do, handles
from service.active import ActiveConfig
from service.config import open_webhook_secrets
from service.config.secret_files import forget_former, rotate
from service.config.vault import vault_of

__all__ = ["SecretKeeper"]


class _Over(Message, frozen=True, tag=True):
    """The time of a former secret is over."""


class SecretKeeper(Actor):
    """Changes secret files and has the gateway go on under them; no secret ever stands in a message but to the gateway."""

    def __init__(self, active: ActiveConfig, settings: Callable[[], GatewaySettings], gateway: str) -> None:
        self._active = active
        self._settings = settings
        self._gateway = gateway

    def started(self) -> Do | None:
        """Erase what is over; wait for what is not yet."""
        trouble = vault_of(self._active.config).standing().trouble
        events = self.context.system.lookup(EVENT_LOG)
        if trouble and events is not None:
            text = f"{trouble}: accounts without credentials stay disabled; enter them again: `bulkhead secrets set`"
            about = self.context.path
            events.tell(LogEvent(severity="error", code="SecretsNotDecryptable", text=text, about=about, pinned=True))
        return self._erase()

    @handles
    def rotate(self, msg: RotateSecret) -> Do:
        """Make a new secret; both count until the former one is over. Refused for one that the environment sets."""
        config = self._active.config
        try:
            former = rotate(config, msg.which, now=self.now())
        except BulkheadError as error:
            envelope = self.context.envelope
            assert envelope is not None, "a request comes in an envelope"
            self.context.answer(envelope, error=error)
            return Do(answer=NO_ANSWER)
        self._wait()
        return Do(tells=[self._told()], answer=SecretRotated(msg.which, str(vault_of(config).path), former.until))

    @handles
    def changed(self, msg: SecretsChanged) -> Do:  # noqa: ARG002 - the type is the message
        """Have the gateway go on under what the vault keeps now."""
        self._wait()
        return Do(tells=[self._told()])

    @handles
    def over(self, msg: _Over) -> Do | None:  # noqa: ARG002 - the type is the message
        """Erase what is over."""
        return self._erase()

    def _erase(self) -> Do | None:
        gone = forget_former(self._active.config, now=self.now())
        self._wait()
        return Do(tells=[self._told()]) if gone else None

    def _wait(self) -> None:
        for former in open_webhook_secrets(self._active.config).former:
            self.timers.at(former.until, _Over())

    def _told(self) -> tuple[str, ApplySettings]:
        return self._gateway, ApplySettings(self._active.version, self._settings())
