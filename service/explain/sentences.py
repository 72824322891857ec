"""Say what happened in plain English, each decision with its inputs. One small function an event type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from protocol.messages import Event, Value
from protocol.signals import SignalReceived, SignalRouted
from runtime.journal import Record
from service.explain.chain import positions_in, trace
from service.explain.said_of_groups import OF_GROUPS
from service.explain.said_of_lives import OF_LIVES
from service.explain.said_of_log import OF_LOG
from service.explain.said_of_offset import OF_OFFSET
from service.explain.said_of_orders import OF_ORDERS
from service.explain.said_of_pool import OF_POOL
from service.explain.said_of_settings import OF_SETTINGS
from service.explain.said_of_steering import OF_STEERING
from service.explain.said_of_venues import OF_VENUES
from service.explain.story import Story
from service.explain.words import ago, number, words
from store.views.lines import line_of

__all__ = ["SAID", "Sentence", "explain", "sentence_of"]


class Sentence(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What one record of the journal means, in words."""

    position: int
    at: int
    type: str
    text: str


_SentenceOf: TypeAlias = Callable[[Any, Story], str]
_WORTH_TELLING_NS: Final = 1_000_000


def explain(story: Story) -> list[Sentence]:
    """Return the story in sentences, in the order of the journal; what only machines read is left out."""
    kept = set(positions_in(trace(story)))
    said = []
    for record in story.records:
        text = sentence_of(record, story) if record.position in kept else ""
        if text:
            said.append(Sentence(record.position, record.at, type(record.event).__name__, text))
    return said


def sentence_of(record: Record, story: Story) -> str:
    """Return the sentence for one record, empty where another record says the same."""
    say = SAID.get(type(record.event).__name__)
    return say(record.event, story) if say is not None else _generic(record.event)


def _generic(event: Event) -> str:
    """Say what an event without a sentence of its own is, with every plain field it has."""
    line = line_of(event)
    if line is not None:
        return line.text[:1].upper() + line.text[1:] + "."
    name = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(event).__name__).strip()
    fields = {each: getattr(event, each) for each in event.__struct_fields__ if each not in ("at", "group_id")}
    plain = [
        f"{field.replace('_', ' ')} {words(value)}" for field, value in fields.items() if isinstance(value, str | int)
    ]
    return f"{name[:1].upper()}{name[1:]}{': ' + ', '.join(plain) if plain else ''}."


# --- signals ----------------------------------------------------------------------------------------------------------


def _received(e: SignalReceived, _: Story) -> str:
    known = {"operator": "An operator sent a signal", "replay": "A recorded alert was replayed"}
    came = known.get(e.source_address, f"A webhook came from {e.source_address}")
    signal = e.signal
    if e.outcome.startswith("rejected"):
        problems = "; ".join(
            f"{each.path + ' ' if each.path else ''}{each.message} ({each.code})" for each in e.problems
        )
        return f"{came} and was refused: {problems or words(e.outcome)}."
    if signal is None:
        return f"{came}: {words(e.outcome)}."
    price = f" at {number(signal.entry_price)}" if signal.entry_price is not None else " without a price"
    size = f", size {number(signal.order_size)} {signal.size_type.value}" if signal.order_size is not None else ""
    part = (
        f", {number(signal.fraction * 100)} % of the position"
        if signal.kind.value == "reduce" and signal.fraction
        else ""
    )
    late = e.received_at - signal.fired_at
    aged = f" It was {ago(late)} old." if late >= _WORTH_TELLING_NS and e.source_address not in known else ""
    what = f"{signal.kind.value} {signal.side.value} {signal.symbol} {signal.timeframe} on {signal.venue}"
    asked = f"{what}{price}{size}{part}"
    again = f" It only sends {e.resend_of} again." if e.resend_of else ""
    how = f" The mapping {e.mapping} read it." if e.mapping else ""
    who = f" {e.operator} sent {signal.replay_of} again." if e.operator and signal.replay_of else ""
    to = f" It went to {' and '.join(e.accounts)}." if len(e.accounts) > 1 else ""
    verdict = {
        "accepted": "It was accepted: well-formed, fresh enough, and like no signal of the recent past.",
        "duplicate_ignored": "It repeats a signal that was seen before, so nothing followed from it.",
        "replacement": "It corrects a signal of a moment before and takes its place.",
    }.get(e.outcome, f"Outcome: {words(e.outcome)}.")
    return f"{came} asking for {asked}.{aged}{how}{who} {verdict}{again}{to}"


_ROUTED: Final = {
    "opened": "It opened a new position group.",
    "pyramid_added": "It added a pyramid to the group that was already open.",
    "closing": "It began to close the group.",
    "already_closing": "The group was already closing, so the signal changed nothing.",
    "reduced": "It closed a part of the group.",
    "nothing_to_exit": "No group of that symbol, timeframe and side was open, so there was nothing to close.",
    "queue_removed": "What waited under this identity left the queue.",
}


def _routed(e: SignalRouted, story: Story) -> str:
    received = story.signal(e.signal_id)
    at = f" at {e.account}" if received is not None and len(received.accounts) > 1 else ""
    reasons = f" ({'; '.join(e.reasons)})" if e.reasons else ""
    if e.outcome.startswith("rejected"):
        code = e.outcome.partition(":")[2]
        why = "; ".join(e.reasons) or words(code)
        return f"The pool refused it{at}: {why} ({code})."
    if e.outcome.startswith("dry_run:"):
        would = words(e.outcome.partition(":")[2])
        return f"app.mode is dry_run, so nothing was done{at}; it would have come to: {would}{reasons}."
    if e.outcome.startswith(("queued:", "replaced:")):
        return ""  # the entry that waits tells it itself, with its reason
    known = _ROUTED.get(e.outcome) or _ROUTED.get(e.outcome.partition(":")[0])
    return (known or f"What became of it: {words(e.outcome)}.") + reasons


SAID: Final[dict[str, _SentenceOf]] = {
    "SignalReceived": _received,
    "SignalRouted": _routed,
    **OF_ORDERS,
    **OF_SETTINGS,
    **OF_GROUPS,
    **OF_LIVES,
    **OF_LOG,
    **OF_OFFSET,
    **OF_POOL,
    **OF_STEERING,
    **OF_VENUES,
}
"""Event type -> its sentence; empty sentences are told by another event."""
