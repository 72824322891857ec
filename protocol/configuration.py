"""The configuration in force: how a change reaches the actors it concerns.

The config store validates a document, journals it as a version and asks every actor concerned to take its part
(``ApplySettings``). An actor's factory always reads the version in force, so that a restart begins under it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from protocol.messages import Message, Request

__all__ = ["ApplySettings", "SettingsTaken"]


class SettingsTaken(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An actor goes on under this version."""

    version: int


class ApplySettings(Request[SettingsTaken], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Go on under these settings: an immutable value of the type the actor was built with (EX-1307)."""

    LANE: ClassVar[str] = "control"

    version: int
    settings: Any
