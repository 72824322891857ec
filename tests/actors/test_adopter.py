"""The adopter: what it asks the venue and the pool, and what an operator is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import anyio
import msgspec
import pytest

from actors.adopter import Adopter
from actors.group import GROUPS
from actors.session_topics import session_topic
from protocol.groups import GroupChanged
from protocol.groups.adoption import AdoptAnswer, AdoptPosition
from protocol.orders import Balance
from protocol.pool import AdmitAdopted, QueueAnswer, SlotTaken, StartGroup
from protocol.values import Side
from protocol.venue import FetchVenueState, SessionUp, VenueSnapshot
from runtime.actor import Actor, handles
from tests.actors.cast import D, Stage, of, play
from tests.actors.groups import opening
from tests.actors.offset_rig import Holding
from tests.actors.orders import SYMBOL, market
from tests.actors.pool_rig import PATH, PERP, PoolRig, entry


class Bank(Actor):
    """A session whose account holds some bitcoin."""

    def __init__(self, held: str) -> None:
        self.held = held

    @handles
    def fetch(self, msg: FetchVenueState) -> VenueSnapshot:
        balances = (Balance("BTC", D(self.held)),)
        return VenueSnapshot(
            account="acc", open_orders=(), fills=(), balances=balances, positions=(), since=msg.since, at=1
        )


class Admitting(Actor):
    """A pool that answers what a test wants."""

    def __init__(self, log: list[AdmitAdopted], code: str) -> None:
        self.log = log
        self.code = code

    @handles
    def adopt(self, msg: AdmitAdopted) -> QueueAnswer:
        self.log.append(msg)
        if self.code == "crash":
            raise RuntimeError("the pool fell over it")
        return QueueAnswer(queue_id=msg.opening.group_id, outcome="x", code=self.code, message="because")


class Rig:
    """An adopter between a session and a pool."""

    def __init__(self, stage: Stage, held: str = "2", *, code: str = "", up: bool = True) -> None:
        self.stage = stage
        self.admitted: list[AdmitAdopted] = []
        if up:
            stage.add("session", lambda: Bank(held))
        stage.add("pool", lambda: Admitting(self.admitted, code))
        stage.add("adopter", self.make)
        stage.system.bus.publish(session_topic("acc"), SessionUp("acc", (market(),), 1), keep=True)

    def make(self) -> Adopter:
        return Adopter(
            account="acc",
            venue="paper",
            user="u",
            make=lambda signal, market, at: opening(signal, market, at),
            session="/house/session",
            pool="/house/pool",
        )

    async def asked(self, **more: Any) -> AdoptAnswer:
        """Ask it to adopt one bitcoin."""
        await self.stage.settle()
        fields: dict[str, Any] = {
            "account": "acc",
            "symbol": SYMBOL,
            "timeframe": "1h",
            "side": Side.LONG,
            "qty": Decimal(1),
            "avg_price": Decimal(100),
            "request_id": "r1",
            **more,
        }
        answer: AdoptAnswer = await self.stage.ask("adopter", AdoptPosition(**fields), 100.0)
        return answer


def codes(answer: AdoptAnswer) -> list[str]:
    """Return what stood against it."""
    return [problem.code for problem in answer.problems]


def test_what_the_venue_holds_is_adopted() -> None:
    """The pool is asked to admit a group that begins with the position; the answer names it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        answer = await rig.asked(force=True)
        (asked,) = rig.admitted
        assert (answer.adopted, answer.at_venue, answer.in_groups) == (True, 2, 0)
        assert asked.opening.adopted is not None
        assert (asked.opening.adopted.qty, asked.force, answer.group_id) == (1, True, asked.opening.group_id)
        assert "place" in [effect.step for effect in answer.effects]

    play(script)


def test_a_preview_asks_no_pool() -> None:
    """Looking changes nothing."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        answer = await rig.asked(preview=True)
        assert (answer.adopted, codes(answer), rig.admitted) == (False, [], [])

    play(script)


@pytest.mark.parametrize(
    ("held", "more", "code"),
    [("0.5", {}, "PositionNotThere"), ("2", {"symbol": "DOGE/USDT"}, "PrecisionMissing")],
)
def test_what_is_not_there_is_refused(held: str, more: dict[str, Any], code: str) -> None:
    """Nothing reaches the pool of what the account does not hold, or of a market nobody knows (EX-506)."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, held)
        assert codes(await rig.asked(**more)) == [code]
        assert rig.admitted == []

    play(script)


def test_without_a_connection_nothing_is_adopted() -> None:
    """What the venue holds must be known: ``VenueDown``."""

    async def script(stage: Stage) -> None:
        assert codes(await Rig(stage, up=False).asked()) == ["VenueDown"]

    play(script)


def test_the_pools_word_is_the_answer() -> None:
    """A pool that has no slot says so, and nothing was adopted (EX-901)."""

    async def script(stage: Stage) -> None:
        answer = await Rig(stage, code="NoFreeSlot").asked()
        assert (answer.adopted, codes(answer)) == (False, ["NoFreeSlot"])

    play(script)


def position(request_id: str, **more: Any) -> AdoptPosition:
    """Return the wish to adopt one bitcoin."""
    fields: dict[str, Any] = {"timeframe": "1h", "side": Side.LONG, "qty": D(1), "avg_price": D(100), **more}
    return AdoptPosition(account="acc", symbol=SYMBOL, request_id=request_id, **fields)


def test_one_position_is_adopted_once() -> None:
    """EX-1204: of two wishes for the same coins at once, the second is told that they are counted on already."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, "1")
        await stage.settle()
        adopter = stage.system.lookup("/house/adopter")
        assert adopter is not None
        answers: list[AdoptAnswer] = []

        async def ask(request_id: str, timeframe: str) -> None:
            answers.append(await adopter.ask(position(request_id, timeframe=timeframe), 100.0))

        async with anyio.create_task_group() as asking:
            asking.start_soon(ask, "r1", "1h")
            asking.start_soon(ask, "r2", "4h")
        first, second = sorted(answers, key=lambda answer: answer.in_groups)
        assert (first.adopted, first.in_groups, second.adopted, second.in_groups) == (True, 0, False, 1)
        assert codes(second) == ["PositionNotThere"]
        again = await rig.asked()
        assert (again.adopted, again.group_id) == (True, first.group_id)
        assert {asked.opening.group_id for asked in rig.admitted} == {first.group_id}

    play(script)


def test_what_the_pool_refused_is_free_again() -> None:
    """EX-1204: coins that the pool gave no slot to are nobody's, and may be adopted by the next wish."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, "1", code="NoFreeSlot")
        assert codes(await rig.asked()) == ["NoFreeSlot"]
        assert (await rig.asked(request_id="r2", timeframe="4h", preview=True)).in_groups == 0

    play(script)


def test_what_a_group_says_of_itself_counts_then() -> None:
    """EX-1204: once the group of an adopted position has said what it holds, that and no promise is counted."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, "3")
        answer = await rig.asked()
        assert (await rig.asked(request_id="r2", timeframe="4h", preview=True)).in_groups == 1
        stage.system.bus.publish(GROUPS, standing(answer.group_id, "0.4"))
        await stage.settle()
        assert (await rig.asked(request_id="r2", timeframe="4h", preview=True)).in_groups == D("0.4")
        stage.system.bus.publish(GROUPS, standing(answer.group_id, "0"))
        await stage.settle()
        assert (await rig.asked(request_id="r2", timeframe="4h", preview=True)).in_groups == 0

    play(script)


def test_all_that_groups_hold_of_the_asset_counts() -> None:
    """EX-1204: bitcoin held against euros is the same bitcoin; a perpetual's position is another balance."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, "3")
        await rig.asked(preview=True)
        stage.system.bus.publish(GROUPS, standing("g7", "0.4", "BTC/EUR"))
        stage.system.bus.publish(GROUPS, standing("g8", "0.5", "BTC/USDT:USDT"))
        stage.system.bus.publish(GROUPS, standing("g9", "0.6", "ETH/USDT"))
        await stage.settle()
        assert (await rig.asked(preview=True)).in_groups == D("0.4")

    play(script)


def standing(group_id: str, qty: str, symbol: str = SYMBOL) -> GroupChanged:
    """Return how a group stands that holds so much."""
    held = Holding(group_id, symbol, Side.LONG, D(qty), D(100))
    return held.standing(1)


def test_a_pool_that_falls_is_no_answer() -> None:
    """Whether the pool took the position is not known then, and is said so: Unanswered."""

    async def script(stage: Stage) -> None:
        answer = await Rig(stage, code="crash").asked()
        assert (answer.adopted, codes(answer)) == (False, ["Unanswered"])

    play(script)


# --- the pool's side --------------------------------------------------------------------------------------------------


def wanted(
    symbol: str = SYMBOL, side: str = "long", force: bool = False, number: str = "a1", timeframe: str = "1h"
) -> AdmitAdopted:
    """Return the adopter's wish."""
    from protocol.groups.adoption import Adopted
    from tests.actors.groups import signal

    adopted = Adopted(qty=D(1), avg_price=D(100), tp_percent=D(1))
    first = opening(signal(number, symbol=symbol, side=side, timeframe=timeframe), market(symbol))
    return AdmitAdopted(msgspec.structs.replace(first, adopted=adopted), force)


def test_the_pool_gives_a_slot_and_starts_the_group() -> None:
    """The slot is journalled with the opening, so that the group begins after any crash; asked twice it has one slot."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await stage.settle()
        for _ in range(2):
            said = await _asked(stage, wanted())
            assert said.code == ""
        (taken,) = stage.events(PATH, SlotTaken)
        assert taken.opening.adopted is not None
        assert of(rig.groups, StartGroup) == [StartGroup(taken.opening)]

    play(script)


def test_a_full_pool_adopts_only_by_force() -> None:
    """Without a free slot the answer is ``NoFreeSlot``; with force the position gets one beyond the limit (EX-901)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1", symbol="ETH/USDT"), entry("s2", symbol="SOL/USDT"))
        assert (await _asked(stage, wanted())).code == "NoFreeSlot"
        assert (await _asked(stage, wanted(force=True))).code == ""
        assert [event.occupied for event in stage.events(PATH, SlotTaken)] == [1, 2, 3]

    play(script)


def test_one_identity_has_one_group() -> None:
    """A live group of the identity, or of the other side, keeps a position from being adopted (EX-301, EX-913)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1"))
        assert (await _asked(stage, wanted())).code == "GroupExists"
        assert (await _asked(stage, wanted(side="short"))).code == "OppositeSideLive"

    play(script)


def test_the_other_side_of_a_perpetual_is_not_adopted_under_another_timeframe() -> None:
    """A venue nets both sides of a perpetual: a slot for the second one is refused, with force too (EX-913)."""

    async def script(stage: Stage) -> None:
        rig = PoolRig(stage)
        await rig.told(entry("s1", symbol=PERP))
        for force in (False, True):
            other = wanted(symbol=PERP, side="short", timeframe="4h", force=force)
            assert (await _asked(stage, other)).code == "OppositeSideLive"

    play(script)


async def _asked(stage: Stage, message: AdmitAdopted) -> QueueAnswer:
    ref = stage.system.lookup(PATH)
    assert ref is not None
    answer: QueueAnswer = await ref.ask(message, 5.0)
    return answer
