"""What must be true of a house that has come to rest: protected, equal to its journal, no order doubled."""

from __future__ import annotations

from typing import Any

import msgspec

from actors.desk_book import DeskBook
from actors.pool import Pool
from protocol.groups import GroupState
from protocol.pool import SignalActedOn
from rules.group import GroupView, replay
from rules.pool import PoolState, fold
from runtime.durable import DurableActor
from tests.system.accounts import check_no_order_twice
from tests.system.running import PATHS, House, eventually


async def check_whole(house: House) -> None:
    """Wait until nothing is under way; fail unless all is protected, as the journal says, and no order is doubled."""
    await eventually(lambda: all_up(house), "every actor is up")
    await eventually(lambda: not house.actor("/trading/gateway")._state.pending, "every signal has an outcome")
    await eventually(lambda: fills_agree(house), "the desk knows every fill of the exchange")
    await eventually(lambda: not unprotected(house), "every leg that holds something has its target at the exchange")
    await eventually(lambda: not misjudged(house), "the pool knows which groups close")
    check_against_journal(house)
    check_no_order_twice(house.journal.read_all())


def open_targets(house: House) -> dict[str, str]:
    """Return the target order of each leg that holds something and is not being closed, by group and leg."""
    found = {}
    for path, view in house.groups().items():
        if view.state in (GroupState.CLOSING, GroupState.CLOSED):
            continue
        for leg in view.legs.values():
            if leg.filled - leg.closed - leg.dust > 0:
                found[f"{path}:{leg.leg_id}"] = leg.target_order
    return found


def unprotected(house: House) -> list[str]:
    """Return the legs that hold something although no target of theirs works at the exchange."""
    engine = house.actor(PATHS.exchange)._engine
    working = {report.client_order_id for report in engine.open_orders(0)}
    return [leg for leg, order in open_targets(house).items() if order not in working]


def fills_agree(house: House) -> bool:
    """Whether the desk knows every fill that the exchange made."""
    made = {fill.trade_id for fill in house.actor(PATHS.exchange)._engine.fills_since(0)}
    known = {fill.trade_id for order in house.actor(PATHS.desk)._book.orders.values() for fill in order.fills}
    return made <= known


def all_up(house: House) -> bool:
    """Whether nobody is down."""
    return all(house.up(path) for path in house.system.paths())


def check_against_journal(house: House) -> None:
    """Fail unless what desk, groups and pool hold is what their events come to when they are read from the beginning."""
    house.system.durability.settle()
    book = DeskBook()
    for record in house.journal.read(PATHS.desk):
        book.apply(record.event)
    live = house.actor(PATHS.desk)._book
    assert live.orders == book.orders
    for view in house.groups().values():
        assert view == replayed(house, view)
    check_pool(house)
    for path in house.system.paths():
        check_fold(house, path)


def check_fold(house: House, path: str) -> None:
    """Fail unless an actor's events, and its snapshot, come to the state it has; where it takes no snapshots nothing."""
    cell = house.cell(path)
    actor = cell.actor
    if not isinstance(actor, DurableActor) or actor.snapshot() is None:
        return
    folded, restored = cell.spec.factory(), cell.spec.factory()
    assert isinstance(folded, DurableActor)
    assert isinstance(restored, DurableActor)
    for record in house.journal.read(actor.stream):
        folded.apply(record.event)
    restored.restore(actor.snapshot() or b"")
    assert held(restored) == held(actor), path
    assert held(folded) == held(actor), path


def held(actor: DurableActor) -> Any:
    """Return what an actor would keep in a snapshot, comparable; of a pool only what it has decided."""
    if isinstance(actor, Pool):
        return decided(actor._state)
    return msgspec.msgpack.decode(actor.snapshot() or b"", strict=False)


def check_pool(house: House) -> None:
    """Fail unless the pool has decided what its events say, and every living group holds a slot."""
    state = house.actor(PATHS.pool)._state
    events = [record.event for record in house.journal.read(PATHS.pool)]
    assert decided(state) == decided(fold(PoolState(), events))
    living = {view.group_id for view in house.groups().values() if view.state is not GroupState.CLOSED}
    assert living <= {group.group_id for group in state.live.values()}


def misjudged(house: House) -> list[str]:
    """Return the groups of which the pool does not know whether they close."""
    groups = house.actor(PATHS.pool)._state.live.values()
    known = {group.group_id: group.closing for group in groups}
    views = [view for view in house.groups().values() if view.state is not GroupState.CLOSED]
    return [view.group_id for view in views if known[view.group_id] is not (view.state is GroupState.CLOSING)]


def decided(state: PoolState) -> Any:
    """Return what a pool has decided, comparable: the groups and the queue, without what groups say of themselves."""
    groups = {key: (group.group_id, group.opening, group.closing_by) for key, group in state.live.items()}
    return groups, state.queue, state.next_queue, state.answered, state.committed


def replayed(house: House, view: GroupView) -> GroupView | None:
    """Return a group rebuilt from its events alone."""
    events = [record.event for record in house.journal.read(f"group:{view.group_id}")]
    return replay(event for event in events if not isinstance(event, SignalActedOn))
