"""Sentences about the lives of the daemon: how each began, and that it ended in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.groups.recovery import DaemonStarted, DaemonStopped
from service.explain.story import Story

__all__ = ["OF_LIVES"]


def _started(e: DaemonStarted, _: Story) -> str:
    if e.clean:
        return f"The daemon began run {e.run}."
    return (
        f"The daemon began run {e.run} after an unclean end: nothing was journalled for {e.down_s} s. "
        "Groups go on or close themselves, as their recovery contracts say."
    )


def _stopped(e: DaemonStopped, _: Story) -> str:
    return f"The daemon ended run {e.run} in order."


OF_LIVES: Final[dict[str, Callable[[Any, Story], str]]] = {"DaemonStarted": _started, "DaemonStopped": _stopped}
"""Event type -> its sentence."""
