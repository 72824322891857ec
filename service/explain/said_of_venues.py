"""Sentences for connections to venues, trading rules and the steps of a recovery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from protocol.precision import RulesFetched, RulesFetchFailed
from protocol.venue import EntriesAllowed, EntriesStopped, RecoveryStep, VenueStatus, VenueStatusChanged
from service.explain.story import Story

__all__ = ["OF_VENUES"]

_SentenceOf: TypeAlias = Callable[[Any, Story], str]

_STANDS: Final = {
    VenueStatus.CONNECTING: "is being connected",
    VenueStatus.UP: "is connected",
    VenueStatus.DOWN: "is down; it is tried again by itself",
    VenueStatus.STOPPED: "is stopped until an operator restarts its session",
}


def _status(e: VenueStatusChanged, _: Story) -> str:
    why = f" ({e.code}: {e.reason})" if e.code else ""
    return f"The venue of {e.account} {_STANDS[e.status]}{why}."


def _step(e: RecoveryStep, _: Story) -> str:
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in e.counts.items())
    return f"Recovery of {e.account}, step {e.number}, {e.step.replace('_', ' ')}: {counts or 'nothing to do'}."


def _stopped(e: EntriesStopped, _: Story) -> str:
    return f"Entries of {e.account} were stopped ({e.code}): {e.reason}."


def _allowed(e: EntriesAllowed, _: Story) -> str:
    return f"An operator allowed entries of {e.account} again."


def _fetched(e: RulesFetched, _: Story) -> str:
    gone = f", {len(e.gone)} are gone" if e.gone else ""
    return f"The trading rules of {e.symbols} markets of {e.account} were fetched: {len(e.changed)} changed{gone}."


def _not_fetched(e: RulesFetchFailed, _: Story) -> str:
    return (
        f"The trading rules of {e.account} could not be fetched: {e.error}. The next try is {e.retry_after_s} s later."
    )


OF_VENUES: Final[dict[str, _SentenceOf]] = {
    "EntriesAllowed": _allowed,
    "EntriesStopped": _stopped,
    "RecoveryStep": _step,
    "RulesFetchFailed": _not_fetched,
    "RulesFetched": _fetched,
    "VenueStatusChanged": _status,
}
"""Event type -> its sentence."""
