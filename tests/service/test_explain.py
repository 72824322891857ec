"""Explanations: each decision in plain sentences with its inputs, for every event there is."""

from __future__ import annotations

import typing
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any

import msgspec
import pytest

from protocol.control import ActorRow, ReportContext, SupervisorReport
from protocol.groups import GroupOpened, LegFilled
from protocol.messages import Event, event_types
from protocol.orders import OrderRefused, OrderSent
from protocol.risk import PauseEngine
from protocol.signals import Problem, Signal, SignalReceived, SignalRouted
from runtime.dead_letters import DeadLetter
from runtime.envelope import Envelope
from runtime.journal import Record
from service.explain import ScanLookup, Story, collect, explain, explain_actor
from service.explain.sentences import SAID, sentence_of
from service.explain.words import ago, and_list, number
from store.event_types import current_type
from tests.actors.groups import signal as an_entry
from tests.service import recorded


def told(ident: str) -> str:
    """Return all sentences about an id."""
    story = collect(ScanLookup(recorded.records), ident)
    assert story is not None
    return " ".join(each.text for each in explain(story))


def test_why_a_group_was_admitted() -> None:
    """The pool's decision names the slots and the key it looked at."""
    text = told(recorded.GROUP_A)
    assert "0 of 10 slots were taken and no group of trader|binance|BTC/USDT|15m|long was open" in text


def test_which_price_rules_and_plan_made_an_order() -> None:
    """An order's explanation names its layer, the market's rules, the permit and the price it filled at."""
    filled = recorded.first(LegFilled).event
    text = told(filled.client_order_id)
    assert "Market rules: tick" in text
    assert "of the size, take profit" in text
    assert "of the risk coordinator allowed it" in text
    assert f"at {number(filled.price)}" in text


def test_what_came_of_it() -> None:
    """A group's explanation ends with its result and its fees."""
    text = told(recorded.first(GroupOpened).event.group_id)
    assert "The group is closed (take profit): realised" in text
    assert "USDT" in text


def test_why_nothing_followed() -> None:
    """A duplicate and an exit without a group say why nothing came of them."""
    twice = next(each.event for each in recorded.of(SignalReceived) if each.event.outcome == "duplicate_ignored")
    idle = next(each.event for each in recorded.of(SignalRouted) if each.event.outcome == "nothing_to_exit")
    assert "It repeats a signal" in told(twice.signal_id)
    assert "nothing to close" in told(idle.signal_id)


def alone(event: Event) -> str:
    """Return the sentence for an event without any story around it."""
    return sentence_of(Record(1, "s", 1, event, 1, 1, 1, 0), Story("x", "group", ()))


def test_why_a_signal_was_refused() -> None:
    """A refusal names every problem with its field and code."""
    event = SignalReceived(
        signal_id="s1",
        user="u",
        received_at=1,
        source_address="9.9.9.9",
        problems=(
            Problem("StaleSignal", "timestamp", "is 99 s old"),
            Problem("MissingField", "tv.symbol", "is required"),
        ),
        outcome="rejected:StaleSignal",
    )
    text = alone(event)
    assert "9.9.9.9" in text
    assert "timestamp is 99 s old (StaleSignal)" in text
    assert "tv.symbol is required (MissingField)" in text


def test_why_an_order_was_not_sent() -> None:
    """A refused order names the missing permit or the pause and the reason given."""
    sent = recorded.first(OrderSent).event
    fields = {name: getattr(sent, name) for name in ("request", "owner", "group_id", "leg_id", "purpose", "attempt")}
    refused = OrderRefused(**fields, code="EnginePaused", reason="news at two", correlation_id=1, at=1)
    assert alone(refused) == (
        f"The desk did not send {sent.request.client_order_id}: the engine takes no entries at present (news at two)."
    )


# --- every event ------------------------------------------------------------------------------------------------------


def made(hint: Any) -> Any:
    """Return some value of a type."""
    origin = typing.get_origin(hint)
    arms = typing.get_args(hint)
    if origin is typing.Annotated:
        return "abc123" if arms[0] is str else made(arms[0])
    if origin in (typing.Union, UnionType):
        return made(next(arm for arm in arms if arm is not type(None)))
    if origin is tuple:
        return (made(arms[0]),) if arms[-1] is Ellipsis else tuple(made(arm) for arm in arms)
    if origin is dict:
        return {made(arms[0]): made(arms[1])}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return filled(hint) if hint is not Signal else msgspec.structs.replace(an_entry(), trade_id="abc123")
    return {str: "abc123", int: 1, bool: True, Decimal: Decimal("1.50"), float: 1.0}[hint]


def filled(of: type[Any]) -> Any:
    """Return an instance with every required field given."""
    hints = typing.get_type_hints(of, include_extras=True)
    fields = [each for each in msgspec.structs.fields(of) if each.required]
    return of(**{field.name: made(hints[field.name]) for field in fields})


def all_events() -> list[str]:
    """Return the names of all journal events of the protocol."""
    current_type("learn them all")
    return sorted(name for name, of in event_types().items() if of.__module__.startswith("protocol."))


@pytest.mark.parametrize("name", all_events())
def test_every_event_can_be_said(name: str) -> None:
    """No event of the protocol breaks an explanation, with or without the records around it."""
    text = alone(filled(event_types()[name]))
    assert text == "" or text.endswith((".", ")"))
    assert "None" not in text
    assert "<" not in text


def test_most_events_have_a_sentence_of_their_own() -> None:
    """Only events that no trade is made of fall back to the generic sentence."""
    assert set(all_events()) - SAID.keys() == {"PaperAccountOpened", "RequestRefused"}


class OfTomorrow(Event, frozen=True, tag=True):
    """An event that no sentence knows yet."""

    group_id: str
    plan: str
    at: int


def test_an_unknown_event_gets_a_generic_sentence() -> None:
    """An event type without a sentence is still told, with its plain fields."""
    assert alone(OfTomorrow("g", "to the moon", 1)) == "Of tomorrow: plan to the moon."


# --- actors -----------------------------------------------------------------------------------------------------------


def row(**changes: Any) -> ActorRow:
    """Return the row of an actor."""
    plain: dict[str, Any] = {
        "path": "/a",
        "kind": "A",
        "state": "running",
        "restarts": 0,
        "mailbox": 0,
        "oldest_ms": 0.0,
        "handled": 3,
        "failed": 0,
        "parked": 0,
        "handle_p99_ms": 0.1,
    }
    return ActorRow(**{**plain, **changes})


def test_why_an_actor_was_restarted() -> None:
    """An actor's explanation tells the reasons its supervisor reported and the message that crashed it, in order."""
    report = SupervisorReport(
        supervisor="/", context=ReportContext.RESTART, reason="crash: ValueError('x')", offender="/a", restarts=2, at=20
    )
    envelope = Envelope(PauseEngine(), "/b", 5, 5, 0, 10)
    letter = DeadLetter(5, "/a", envelope, "it crashed its actor twice", "ValueError('x')", poison=True, at=10)
    said = [each.text for each in explain_actor(row(restarts=2), [report], [letter])]
    assert said[0].startswith("It did not handle PauseEngine from /b, because it crashed its actor twice")
    assert "dead letter 5" in said[0]
    assert said[1] == "Its supervisor started it again; restart 2: crash: ValueError('x')."
    assert "restarted 2 times" in said[2]


def test_a_quarantined_actor_names_the_way_out() -> None:
    """The explanation of a quarantined actor tells which command releases it."""
    assert "bulkhead release" in explain_actor(row(state="quarantined"), [], [])[-1].text


@pytest.mark.parametrize(
    ("span_ns", "text"),
    [(1_500_000, "1.5 ms"), (2_500_000_000, "2.5 s"), (600 * 10**9, "10 min"), (9_000 * 10**9, "2.5 h")],
)
def test_spans_are_told_in_the_unit_that_fits(span_ns: int, text: str) -> None:
    """Milliseconds, seconds, minutes and hours, whichever a person would say."""
    assert ago(span_ns) == text


def test_lists_and_numbers_read_as_prose() -> None:
    """Lists end with and; numbers have no trailing zeros and no exponent."""
    assert and_list(["a", "b", "c"]) == "a, b and c"
    assert and_list([]) == "nothing"
    assert number(Decimal("1E+3")) == "1000"
    assert number(Decimal("0.50000")) == "0.5"
