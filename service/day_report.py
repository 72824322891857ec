"""What the check of a day came to, for people and programs; nothing in it holds a secret."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from protocol.codec import encode_json
from protocol.values import Instant
from runtime.differing import Divergence, Report

__all__ = ["DayOutcome", "Difference", "FieldDiffers", "outcome_of", "sentence_of"]

_LONGEST: Final = 4_000
"""Characters of a message or an event that are shown."""


class FieldDiffers(msgspec.Struct, frozen=True):
    """One field: as the journal has it, as it is decided now."""

    field: str
    journal: str
    now: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first divergence. ``journal`` and ``now`` are events as JSON text, empty where there is none.

    ``config`` is the version of the configuration in force, ``bulkhead`` the program that recorded.
    """

    why: str
    actor: str
    stream: str
    seq: int
    position: int
    at: Instant
    message: str
    message_id: int
    correlation_id: int
    causation_id: int
    sender: str
    said: str
    journal: str
    now: str
    fields: tuple[FieldDiffers, ...]
    config: int
    bulkhead: str


class DayOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The check of one day. ``lost`` events were decided and kept by no journal: their life ended before.

    ``unverified`` says of actors why they could not be followed, ``snapshots`` how many were compared with their events.
    """

    day: str
    equal: bool
    streams: int = 0
    lives: int = 0
    messages: int = 0
    events: int = 0
    lost: int = 0
    snapshots: int = 0
    gaps: tuple[str, ...] = ()
    unverified: dict[str, str] = {}
    seconds: float = 0.0
    divergence: Difference | None = None
    diverged: int = 0
    trouble: str = ""
    """Why the day could not be checked at all; empty when it was."""


def outcome_of(day: str, report: Report, *, seconds: float, hidden: Iterable[str] = ()) -> DayOutcome:
    """Return what a report says of a day, without the secrets ``hidden``."""
    secrets = [each for each in hidden if each]
    divergence = report.divergence
    nothing = report.messages == 0 and bool(report.gaps or report.unverified)
    return DayOutcome(
        day=day,
        equal=divergence is None and not nothing,
        trouble="nothing of its record can be followed" if nothing else "",
        streams=len(report.streams),
        lives=report.lives,
        messages=report.messages,
        events=report.events,
        lost=report.lost,
        snapshots=report.snapshots,
        gaps=tuple(report.gaps),
        unverified=dict(sorted(report.unverified.items())),
        seconds=round(seconds, 3),
        divergence=_difference(divergence, secrets) if divergence is not None else None,
        diverged=len(report.diverged),
    )


def _difference(found: Divergence, secrets: list[str]) -> Difference:
    def said(value: Any) -> str:
        return "" if value is None else _without(_text(value), secrets)[:_LONGEST]

    return Difference(
        why=_without(found.why, secrets),
        actor=found.path,
        stream=found.stream,
        seq=found.seq,
        position=found.position,
        at=found.at,
        message=found.cause.name,
        message_id=found.cause.message_id,
        correlation_id=found.cause.correlation_id,
        causation_id=found.cause.causation_id,
        sender=found.cause.sender,
        said=said(found.cause.message),
        journal=said(found.expected),
        now=said(found.got),
        fields=tuple(FieldDiffers(name, said(was), said(now)) for name, was, now in found.fields),
        config=found.config,
        bulkhead=found.version,
    )


def _text(value: Any) -> str:
    try:
        return encode_json(_legible(msgspec.to_builtins(value, builtin_types=(bytes,)))).decode()
    except (TypeError, ValueError):
        return repr(value)


def _legible(value: Any) -> Any:
    """Return bytes as text: encoded as they are, a secret in them could not be seen and taken out."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): _legible(each) for key, each in value.items()}
    return [_legible(each) for each in value] if isinstance(value, list | tuple) else value


def _without(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def sentence_of(outcome: DayOutcome) -> str:
    """Say in one sentence what came of it."""
    if outcome.trouble:
        return f"{outcome.day} could not be checked: {outcome.trouble}"
    counts = (
        f"{outcome.streams} streams, {outcome.messages} messages, {outcome.events} events, {len(outcome.gaps)} gaps"
        + (f", {len(outcome.unverified)} actors not followed" if outcome.unverified else "")
    )
    found = outcome.divergence
    if found is None:
        return f"{outcome.day} decides the same again: {counts}"
    names = ", ".join(each.field for each in found.fields)
    what = f"{found.why}{f' ({names})' if names else ''}"
    return (
        f"{outcome.day} decides otherwise: {found.stream} event {found.seq}, position {found.position}, "
        f"on {found.message} {found.message_id}: {what}; {counts}"
    )
