"""Recognise a signal that was already seen (EX-240 to EX-242).

``judge`` only looks, ``record`` remembers: an actor judges, persists the outcome, then records it, and rebuilds the
memory after a restart by recording its events again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from protocol.messages import Value
from protocol.signals import Signal, SignalKind
from protocol.values import Instant
from rules.notation import iso_ms
from rules.signals.numbers import plain

__all__ = [
    "DuplicateMemory",
    "DuplicateWindows",
    "Sighting",
    "Target",
    "Verdict",
    "dedupe",
    "fingerprint",
    "sighting_of",
]

_NS: Final = 1_000_000_000


class Verdict(StrEnum):
    """What the memory makes of a signal."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate_ignored"
    REPLACEMENT = "replacement"


class Target(StrEnum):
    """What is known of the identity a signal means: none (or not known), a live group, a queued entry."""

    NONE = "none"
    LIVE = "live"
    QUEUED = "queued"


class DuplicateWindows(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How long duplicates are remembered, in seconds; ``near_s`` 0 switches the near rule off."""

    exact_s: int = 86_400
    near_s: int = 5


class Sighting(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What of a signal counts for duplicates. ``key`` is its group key, instants are nanoseconds."""

    key: str
    kind: SignalKind
    trade_id: str
    fired_at: Instant
    received_at: Instant
    entry_price: Decimal | None = None


def sighting_of(signal: Signal) -> Sighting:
    """Return what of a signal counts for duplicates."""
    return Sighting(
        key=signal.group_key,
        kind=signal.kind,
        trade_id=signal.trade_id,
        fired_at=signal.fired_at,
        received_at=signal.received_at,
        entry_price=signal.entry_price,
    )


def fingerprint(sighting: Sighting) -> str:
    """Return SHA-256 of ``user|venue|symbol|timeframe|side|kind|trade_id|timestamp`` as hex (EX-240)."""
    text = f"{sighting.key}|{sighting.kind.value}|{sighting.trade_id}|{iso_ms(sighting.fired_at)}"
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _near_key(sighting: Sighting) -> str:
    """Return what two alerts of one strategy have in common (EX-241); empty where the near rule does not apply.

    A reversal opens a position as an entry does, so two of them would as well open one position twice.
    """
    if not sighting.kind.opens or sighting.entry_price is None:
        return ""
    return f"{sighting.key}|{sighting.trade_id}|{plain(sighting.entry_price)}"


class DuplicateMemory(msgspec.Struct, forbid_unknown_fields=True):
    """Which signals were seen, oldest first. Plain data: encode it as a snapshot, decode it after a restart (EX-242).

    ``first_seen`` maps fingerprints to the instant of the first sighting, never moved by a duplicate. ``last_seen``
    maps near keys to the newest sighting, moved by near duplicates too (the window slides). Its size is bounded by the
    rate limit times the window, provided ``prune`` is called now and then.
    """

    first_seen: dict[str, Instant] = msgspec.field(default_factory=dict)
    last_seen: dict[str, Instant] = msgspec.field(default_factory=dict)

    def judge(
        self,
        sighting: Sighting,
        target: Target = Target.NONE,
        windows: DuplicateWindows | None = None,
        *,
        replacement_enabled: bool = True,
    ) -> Verdict:
        """Return what to do with a signal; changes nothing. Windows include their end."""
        windows = windows or DuplicateWindows()
        first = self.first_seen.get(fingerprint(sighting))
        if first is not None and sighting.received_at - first <= windows.exact_s * _NS:
            return Verdict.DUPLICATE
        last = self.last_seen.get(_near_key(sighting))
        # A clock that was set back must not make a near duplicate of everything it already saw: hence the magnitude.
        if windows.near_s == 0 or last is None or abs(sighting.received_at - last) > windows.near_s * _NS:
            return Verdict.ACCEPTED
        if target is Target.QUEUED and replacement_enabled:
            return Verdict.REPLACEMENT
        return Verdict.DUPLICATE

    def record(self, sighting: Sighting, windows: DuplicateWindows | None = None) -> None:
        """Remember a judged signal. An exact duplicate leaves no trace."""
        windows = windows or DuplicateWindows()
        mark = fingerprint(sighting)
        first = self.first_seen.get(mark)
        if first is None or sighting.received_at - first > windows.exact_s * _NS:
            self.note(sighting)

    def note(self, sighting: Sighting) -> None:
        """Remember a signal that is known to be no exact duplicate."""
        _move_to_end(self.first_seen, fingerprint(sighting), sighting.received_at)
        if near := _near_key(sighting):
            _move_to_end(self.last_seen, near, sighting.received_at)

    def prune(self, now: int, windows: DuplicateWindows | None = None) -> int:
        """Forget what is older than its window; return how many entries went. Costs only what it forgets."""
        windows = windows or DuplicateWindows()
        gone = _drop_before(self.first_seen, now - windows.exact_s * _NS)
        return gone + _drop_before(self.last_seen, now - windows.near_s * _NS)


def _move_to_end(entries: dict[str, int], name: str, at: int) -> None:
    entries.pop(name, None)
    entries[name] = at


def _drop_before(entries: dict[str, int], limit: int) -> int:
    gone = 0
    while entries:
        oldest = next(iter(entries))
        if entries[oldest] >= limit:
            break
        del entries[oldest]
        gone += 1
    return gone


def dedupe(
    arrivals: Iterable[tuple[Sighting, Target]],
    windows: DuplicateWindows | None = None,
    *,
    replacement_enabled: bool = True,
) -> list[tuple[Verdict, str]]:
    """Return verdict and fingerprint of each signal, in order of arrival, starting without any memory."""
    memory = DuplicateMemory()
    found = []
    for sighting, target in arrivals:
        verdict = memory.judge(sighting, target, windows, replacement_enabled=replacement_enabled)
        memory.record(sighting, windows)
        found.append((verdict, fingerprint(sighting)))
    return found
