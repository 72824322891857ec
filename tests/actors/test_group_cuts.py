"""A group whose process dies after any commit: told the same again, it comes to the same end (EX-1204, EX-1205)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from actors.group import PositionGroup, group_stream
from protocol.groups import (
    CloseGroup,
    CloseReason,
    FreezeGroup,
    GroupClosed,
    OrderWanted,
    RiskClose,
    RiskCloseEnded,
    RiskStepEnded,
    UnfreezeGroup,
)
from protocol.messages import Event
from protocol.orders import CancelOrder, FillReported, OrderRequest, OrderState, OrderUpdate, RetellOrders, SubmitOrder
from protocol.values import OrderType
from rules.group import replay
from runtime.actor import NO_ANSWER
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import FailingJournal, Stage, of, play
from tests.actors.cuts import cut_after
from tests.actors.groups import opening, signal
from tests.actors.orders import SYMBOL

D = Decimal
STREAM = group_stream("gs1")


class Desk:
    """A desk with its venue: limits rest until told to fill, market orders fill at 100; it repeats what it knows."""

    def __init__(self, stage: Stage, known: dict[str, tuple[OrderRequest, OrderState, Decimal]]) -> None:
        self.stage = stage
        self.book = known
        answers: dict[type, Any] = {SubmitOrder: self.submit, CancelOrder: self.cancel, RetellOrders: self.retell}
        stage.probe("desk", answers=answers)

    def submit(self, msg: SubmitOrder) -> Any:
        request = msg.request
        if request.client_order_id not in self.book:
            self.book[request.client_order_id] = (request, OrderState.OPEN, D(0))
            if request.type is OrderType.MARKET:
                self.book[request.client_order_id] = (request, OrderState.FILLED, request.qty)
        return self.say(request.client_order_id)

    def cancel(self, msg: CancelOrder) -> Any:
        request, state, filled = self.book[msg.client_order_id]
        if not state.final:
            self.book[msg.client_order_id] = (request, OrderState.CANCELLED, filled)
        return self.say(msg.client_order_id)

    def retell(self, _: RetellOrders) -> Any:
        for name in self.book:
            self.say(name)
        return NO_ANSWER

    def fill(self, request: OrderRequest) -> None:
        """Fill an order that rests."""
        found, state, _ = self.book[request.client_order_id]
        if not state.final:
            self.book[request.client_order_id] = (found, OrderState.FILLED, found.qty)
        self.say(request.client_order_id)

    def say(self, name: str) -> Any:
        """Tell the group the fill of an order, if any, and where it stands."""
        request, state, filled = self.book[name]
        if filled:
            fill = FillReported(
                client_order_id=name,
                trade_id=f"t{name}",
                symbol=SYMBOL,
                side=request.side,
                qty=filled,
                price=request.price or D(100),
                fee=D("0.01"),
                fee_currency="USDT",
                at=1,
            )
            self.stage.tell("group", fill)
        self.stage.tell("group", OrderUpdate(client_order_id=name, state=state, filled_qty=filled, at=1))
        return NO_ANSWER


def known(events: list[Event]) -> dict[str, tuple[OrderRequest, OrderState, Decimal]]:
    """Return the orders whose fate a group had heard of when it died; the others may never have left."""
    view = replay(events)
    orders = view.orders.values() if view is not None else ()
    return {
        each.request.client_order_id: (
            each.request,
            OrderState.FILLED if each.filled >= each.request.qty else each.state,
            each.filled,
        )
        for each in orders
        if each.filled or each.state is not OrderState.INTENDED
    }


def scene(journal: MemoryJournal) -> tuple[list[Event], list[RiskCloseEnded]]:
    """Play the whole life of a group, from wherever its journal ends; return its events and the answers it gave."""

    async def script(stage: Stage) -> tuple[list[Event], list[RiskCloseEnded]]:
        desk = Desk(stage, known([record.event for record in journal.read(STREAM)]))
        for name in ("pool", "gateway", "feed", "precision"):
            stage.probe(name)
        risk = stage.probe("risk")
        paths = {name: f"/house/{name}" for name in ("desk", "pool", "gateway", "feed", "precision")}
        stage.add("group", lambda: PositionGroup("gs1", opening(signal("s1")), **paths))
        await stage.settle()
        desk.fill(stage.events(STREAM, OrderWanted)[0].request)
        await stage.settle()
        now = stage.now
        for message in (
            RiskClose(group_id="gs1", plan_id="r1", reply_to="/house/risk", qty=D("0.25"), at=now),
            FreezeGroup(group_id="gs1", reason="short", at=now),
            CloseGroup(group_id="gs1", reason=CloseReason.EXIT_SIGNAL, signal_id="x1", at=now),
            UnfreezeGroup(group_id="gs1", at=now),
        ):
            if stage.system.lookup("/house/group") is not None:
                await stage.told("group", message)
        return stage.events(STREAM), of(risk, RiskCloseEnded)

    return play(script, journal=journal)


def outcome(events: list[Event]) -> tuple[Any, ...]:
    """Return what a life came to: how it closed, each order it wanted, and how its step ended."""
    (closed,) = (event for event in events if isinstance(event, GroupClosed))
    (step,) = (event for event in events if isinstance(event, RiskStepEnded))
    orders = [event.request for event in events if isinstance(event, OrderWanted)]
    return closed.reason, closed.realized_quote, closed.fees, orders, step.status, step.qty, step.booked_quote


def test_a_group_killed_after_any_commit_ends_the_same() -> None:
    """EX-1018, EX-1204, EX-1205: one slice, one exit held while frozen, one close: never twice, never lost."""
    whole = FailingJournal()
    events, answers = scene(whole)
    assert [answer.status for answer in answers] == ["closed"]
    # 0.25 sold at 100 for what had cost 100: its own fee and a quarter of the entry's are all it booked.
    assert answers[0].booked_quote == D("-0.0125")
    kept = 0
    for commit in [[], *whole.commits]:
        kept += len(commit)
        again, told = scene(cut_after(whole, kept))
        assert outcome(again) == outcome(events), f"killed after {kept} events"
        assert {answer.booked_quote for answer in told} <= {answers[0].booked_quote}
        assert told, "the risk engine asked again and heard nothing"
