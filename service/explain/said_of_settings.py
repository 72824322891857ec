"""Sentences about settings: what was put in force, by whom, and what was taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.configuration import ConfigApplied, ConfigRolledBack, ConfigSettled, DraftChanged
from service.explain.story import Story

__all__ = ["OF_SETTINGS"]


def _applied(e: ConfigApplied, _: Story) -> str:
    who = "An edited config.toml" if e.author == "file" else e.author
    changes = "; ".join(f"{c.key} from {c.before or 'its default'} to {c.after or 'its default'}" for c in e.changes)
    return f"{who} put version {e.version} of the settings in force: {changes or 'the defaults'}."


def _back(e: ConfigRolledBack, _: Story) -> str:
    return f"Version {e.version} of the settings was taken back to {e.back_to}: {e.actor} did not take it ({e.cause})."


def _settled(e: ConfigSettled, _: Story) -> str:
    return f"Everybody goes on under version {e.version} of the settings."


def _draft(e: DraftChanged, _: Story) -> str:
    return f"{e.author} {'changed' if e.document else 'dropped'} the draft of the settings."


OF_SETTINGS: Final[dict[str, Callable[[Any, Story], str]]] = {
    "ConfigApplied": _applied,
    "ConfigRolledBack": _back,
    "ConfigSettled": _settled,
    "DraftChanged": _draft,
}
"""Event type -> its sentence."""
