"""The kept versions of the configuration, which one is in force, and the draft: the sum of the config store's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from protocol.configuration import ConfigApplied, ConfigRolledBack, ConfigSettled, DraftChanged, VersionRow
from protocol.messages import Event
from service.config.text import decoded

__all__ = ["VERSIONS_KEPT", "History"]

VERSIONS_KEPT: Final = 50
"""Newest versions that can be compared and applied again (EX-1311)."""


class History:
    """What the config store has journalled.

    ``unsettled`` is the other version that actors or file may still be at, None once everything agrees.
    """

    def __init__(self) -> None:
        self.versions: dict[int, ConfigApplied] = {}
        self.in_force = 0
        self.newest = 0
        self.unsettled: int | None = None
        self.draft: DraftChanged | None = None

    def fold(self, event: Event) -> None:
        """Take one event in."""
        match event:
            case ConfigApplied():
                self.unsettled = self.in_force
                self.versions[event.version] = event
                self.in_force = self.newest = event.version
                self.draft = None
                self._forget_oldest()
            case ConfigSettled():
                self.unsettled = None
            case ConfigRolledBack():
                self.unsettled, self.in_force = event.version, event.back_to
            case DraftChanged():
                self.draft = event if event.document else None

    def document(self, version: int | None = None) -> dict[str, Any]:
        """Return the document of a kept version, by default of the one in force; version 0 is the defaults."""
        kept = self.versions.get(self.in_force if version is None else version)
        return decoded(kept.document) if kept is not None else {}

    @property
    def author(self) -> str:
        """Who put the version in force there."""
        kept = self.versions.get(self.in_force)
        return kept.author if kept is not None else "defaults"

    def may_be_in_file(self, document: Mapping[str, Any]) -> bool:
        """Whether config.toml holds this document because we wrote it, rather than because somebody edited it."""
        known = {self.in_force} | ({self.unsettled} if self.unsettled is not None else set())
        return any(self.document(version) == document for version in known)

    def rows(self) -> tuple[VersionRow, ...]:
        """Return the kept versions, newest first."""
        return tuple(
            VersionRow(
                version=each.version,
                author=each.author,
                at=each.at,
                in_force=each.version == self.in_force,
                changes=each.changes,
            )
            for each in reversed(self.versions.values())
        )

    def _forget_oldest(self) -> None:
        needed = {self.in_force, self.unsettled}
        for version in list(self.versions)[: max(0, len(self.versions) - VERSIONS_KEPT)]:
            if version not in needed:
                del self.versions[version]
