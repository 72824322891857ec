"""Explanations: each decision in plain sentences with its inputs, for every event there is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from protocol.control import ActorRow, ReportContext, SupervisorReport
from protocol.groups import GroupOpened, LegFilled
from protocol.messages import Event
from protocol.orders import OrderRefused, OrderSent
from protocol.risk import PauseEngine
from protocol.signals import Problem, SignalReceived, SignalRouted
from runtime.dead_letters import DeadLetter
from runtime.envelope import Envelope
from runtime.journal import Record
from service.explain import ScanLookup, Story, collect, explain, explain_actor
from service.explain.sentences import SAID, sentence_of
from service.explain.words import ago, and_list, number
from tests.examples import event_names, examples
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


@pytest.mark.parametrize("name", event_names())
def test_every_event_can_be_said(name: str) -> None:
    """No event of the protocol breaks an explanation, with or without the records around it, whatever it leaves out."""
    for event in examples(name):
        text = alone(event)
        assert text == "" or text.endswith((".", ")"))
        assert "None" not in text
        assert "<" not in text


def test_most_events_have_a_sentence_of_their_own() -> None:
    """Only events that no trade is made of fall back to the generic sentence."""
    assert set(event_names()) - SAID.keys() == {"PaperAccountOpened", "RequestRefused"}


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
