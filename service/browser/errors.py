"""Why somebody at a browser is not let in.

::

    BulkheadError
    ├─ DoorClosed      the daemon does not answer
    ├─ LoginNeeded     no session, or one that has ended
    └─ LoginRefused    the daemon's own refusal: ``status``, ``code``, message
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocol.errors import BulkheadError

__all__ = ["DoorClosed", "LoginNeeded", "LoginRefused"]


class DoorClosed(BulkheadError):
    """Nobody answers who could let them in."""


class LoginNeeded(BulkheadError):
    """There is no session, or it has ended."""


class LoginRefused(BulkheadError):
    """The daemon refuses."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("message", "refused")))
        self.status = status if status >= 400 else 502
        self.code = str(body.get("code", "Refused"))
