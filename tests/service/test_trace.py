"""The causal chain of any id, on the journal of a real run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from protocol.groups import GroupClosed, GroupOpened, LegFilled, TargetFilled
from protocol.orders import FillRecorded, OrderSent, Purpose
from protocol.signals import SignalReceived, SignalRouted
from runtime.journal import Entry
from service.explain import Node, ScanLookup, Story, ViewsLookup, collect, trace
from service.explain.chain import positions_in
from store.projector import Projector
from store.sqlite_journal import open_journal
from tests.service import recorded


def story(ident: str) -> Story:
    """Return the story of an id in the recorded run."""
    found = collect(ScanLookup(recorded.records), ident)
    assert found is not None
    return found


def walk(nodes: Sequence[Node]) -> Iterator[Node]:
    """Yield every node."""
    for node in nodes:
        yield node
        yield from walk(node.children)


def kinds_down_to(nodes: Sequence[Node], ident: str) -> list[str]:
    """Return the kinds on the way to the node with an id that is deepest."""
    for node in nodes:
        below = kinds_down_to(node.children, ident)
        if below or node.id == ident:
            return [node.kind, *below]
    return []


def test_an_order_is_traced_from_webhook_to_its_take_profit() -> None:
    """The chain of an entry order begins at the webhook and goes on to its fill, its target and the target's fill."""
    filled = recorded.first(LegFilled).event
    nodes = trace(story(filled.client_order_id))
    assert len(nodes) == 1
    down = kinds_down_to(nodes, filled.client_order_id)
    assert down == ["webhook", "signal", "slot", "group", "pyramid", "order"]
    order = next(node for node in walk(nodes) if node.id == filled.client_order_id)
    fill = next(node for node in order.children if node.kind == "fill")
    target = next(node for node in fill.children if node.kind == "order")
    assert target.title.startswith("take profit")
    assert [child.kind for child in target.children].count("fill") == 1


def test_other_orders_of_the_group_are_left_out() -> None:
    """Asked for one order, the chain shows its causes and consequences, not its siblings."""
    filled = recorded.first(LegFilled).event
    shown = {node.id for node in walk(trace(story(filled.client_order_id))) if node.kind == "order"}
    entries = {
        record.event.request.client_order_id
        for record in recorded.of(OrderSent)
        if record.event.purpose is Purpose.ENTRY and record.event.group_id == filled.group_id
    }
    assert shown & entries == {filled.client_order_id}


def test_a_fill_is_traced_by_its_trade_id() -> None:
    """A trade id leads to the fill, below its order."""
    trade = recorded.first(TargetFilled).event.trade_id
    down = kinds_down_to(trace(story(trade)), trade)
    assert down[-2:] == ["order", "fill"]
    assert down[0] == "webhook"


def test_a_group_is_traced_to_its_close_and_its_slot() -> None:
    """The chain of a group ends in its close and the freed slot, and holds every record that names the group."""
    group = recorded.first(GroupOpened).event.group_id
    nodes = trace(story(group))
    titles = [node.title for node in walk(nodes)]
    assert any(title.startswith("group closed: take profit") for title in titles)
    assert any(title.startswith("slot freed") for title in titles)
    shown = set(positions_in(nodes))
    named = {record.position for record in recorded.records() if getattr(record.event, "group_id", "") == group}
    assert named <= shown


def test_an_exit_signal_is_traced_to_the_close_it_caused() -> None:
    """A close hangs below the signal that asked for it, and its fill below its order."""
    closing = next(record.event for record in recorded.of(SignalRouted) if record.event.outcome == "closing")
    nodes = trace(story(closing.signal_id))
    assert kinds_down_to(nodes, closing.signal_id)[:2] == ["webhook", "signal"]
    kinds = {node.kind for node in walk(nodes)}
    assert {"close", "order", "fill", "closed"} <= kinds


def test_a_refused_or_idle_signal_has_a_chain_of_its_own() -> None:
    """A duplicate, and an exit with nothing to close, are chains of arrival and signal only."""
    idle = next(each.event for each in recorded.of(SignalRouted) if each.event.outcome == "nothing_to_exit")
    twice = next(each.event for each in recorded.of(SignalReceived) if each.event.outcome == "duplicate_ignored")
    for ident in (idle.signal_id, twice.signal_id):
        assert [node.kind for node in walk(trace(story(ident)))] == ["webhook", "signal"]


def test_a_causal_chain_is_found_by_its_number() -> None:
    """A correlation id that is no other id leads to all records of that chain."""
    record = recorded.first(GroupOpened)
    found = story(str(record.correlation_id))
    assert found.kind == "chain"
    assert record.position in {each.position for each in found.records}


@pytest.mark.parametrize("ident", ["", "nothing", "0", "99999999999999999999", "g", "\u0663"])
def test_an_unknown_id_has_no_story(ident: str) -> None:
    """What the journal does not know is None, never an error."""
    assert collect(ScanLookup(recorded.records), ident) is None


def test_times_never_run_backwards_along_a_chain() -> None:
    """No link is earlier than its cause, and latencies are the differences of their instants."""
    for record in recorded.of(GroupOpened):
        for node in walk(trace(story(record.event.group_id))):
            assert all(child.latency_ns == child.at - node.at >= 0 for child in node.children)
            assert all(step.latency_ns >= 0 for step in node.steps)


def test_every_fill_of_the_run_can_be_traced_to_a_webhook() -> None:
    """No fill is an orphan: each one's chain begins outside the house."""
    for record in recorded.of(FillRecorded):
        assert kinds_down_to(trace(story(record.event.client_order_id)), record.event.trade_id)[0] == "webhook"


def test_views_and_scan_tell_the_same_story(tmp_path: Path) -> None:
    """A daemon (by its read models) and a file (by reading it) give the same chain for every kind of id."""
    journal = open_journal(tmp_path / "journal.db", durability="off")
    projector = Projector(":memory:")
    try:
        journal.append([Entry(*record[1:]) for record in recorded.records()])
        projector.catch_up(journal)
        lookup = ViewsLookup(projector.views(), journal)
        filled = recorded.first(LegFilled).event
        closed = recorded.first(GroupClosed).event
        for ident in (filled.client_order_id, closed.group_id, recorded.GROUP_A, filled.trade_id):
            by_views = collect(lookup, ident)
            assert by_views is not None
            assert trace(by_views) == trace(story(ident))
    finally:
        projector.close()
        journal.close()
