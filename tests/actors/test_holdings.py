"""Positions beside balances, and how the connection stood: what the reconciler finds and journals (EX-1204 (7), EX-1206)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actors.group import GROUPS
from actors.holdings import Holdings
from actors.reconciler import CONFIRM_S, Reconciler
from actors.session_topics import health_topic, session_topic
from protocol.groups import FreezeGroup, GroupChanged, GroupState
from protocol.instruments import PrecisionRules
from protocol.orders import Balance, Position
from protocol.values import Side
from protocol.venue import (
    DifferenceFound,
    FetchVenueState,
    FillsFrom,
    FillsKnown,
    RecoveryStep,
    SessionUp,
    VenueHealth,
    VenueSnapshot,
    VenueStatus,
    VenueStatusChanged,
)
from runtime.actor import Actor, Do, handles
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import Stage, of, play
from tests.actors.cuts import cuts
from tests.actors.groups import Standing, group_fact

PATH = "/house/reconciler"
RULES = PrecisionRules(Decimal("0.01"), Decimal("0.001"), Decimal("0.001"), Decimal(5))


def group(qty: str, *, name: str = "g1", frozen: bool = False, **more: Any) -> GroupChanged:
    """Return where a group stands that holds ``qty``."""
    return group_fact(name, open_qty=Decimal(qty), avg_entry=Decimal(100), rules=RULES, frozen=frozen, **more)


def both(long: str, short: str, refused: str = "") -> list[GroupChanged]:
    """Return both sides of a perpetual in two timeframes; the closes of ``refused`` had nothing to reduce."""
    sides = (("g1", long, Side.LONG), ("g2", short, Side.SHORT))
    return [
        group(qty, name=name, symbol="BTC/USDT:USDT", side=side, nothing_to_reduce=name in refused.split())
        for name, qty, side in sides
    ]


def venue(balances: dict[str, str], positions: dict[str, str] | None = None, at: int = 0) -> VenueSnapshot:
    """Return what an account has."""
    return VenueSnapshot(
        account="acc",
        open_orders=(),
        fills=(),
        balances=tuple(Balance(name, Decimal(free), Decimal(0)) for name, free in balances.items()),
        positions=tuple(Position(symbol, Decimal(qty)) for symbol, qty in (positions or {}).items()),
        since=0,
        at=at,
    )


@pytest.mark.parametrize(
    ("groups", "balances", "positions", "short"),
    [
        ([group("1")], {"BTC": "1"}, {}, {}),
        ([group("1")], {"BTC": "5"}, {}, {}),
        ([group("1")], {"BTC": "0.9991"}, {}, {}),
        ([group("1")], {"BTC": "0.999"}, {}, {"BTC": ("1", "0.999")}),
        ([group("1"), group("2", name="g2", symbol="BTC/EUR")], {"BTC": "2.5"}, {}, {"BTC": ("3", "2.5")}),
        ([group("1"), group("2", name="g2", symbol="ETH/USDT")], {"BTC": "1"}, {}, {"ETH": ("2", "0")}),
        ([group("1", account="other")], {}, {}, {}),
        ([group("1", state=GroupState.CLOSED)], {}, {}, {}),
        ([group("1", symbol="BTC/USDT:USDT")], {}, {"BTC/USDT:USDT": "1"}, {}),
        ([group("1", symbol="BTC/USDT:USDT", side=Side.SHORT)], {}, {"BTC/USDT:USDT": "-1"}, {}),
        (
            [group("1", symbol="BTC/USDT:USDT", side=Side.SHORT)],
            {},
            {"BTC/USDT:USDT": "-0.4"},
            {"BTC/USDT:USDT": ("-1", "-0.4")},
        ),
        (both("1", "0.4"), {}, {"BTC/USDT:USDT": "0.6"}, {}),
        (both("1", "0.4", refused="g2"), {}, {"BTC/USDT:USDT": "0.6"}, {"BTC/USDT:USDT short": ("-0.4", "0.6")}),
        (both("1", "0.4", refused="g1"), {}, {"BTC/USDT:USDT": "0.6"}, {}),
        (
            both("1", "1", refused="g1 g2"),
            {},
            {},
            {f"BTC/USDT:USDT {s}": (q, "0") for s, q in (("long", "1"), ("short", "-1"))},
        ),
    ],
)
def test_what_an_account_is_short_of(
    groups: list[GroupChanged], balances: dict[str, str], positions: dict[str, str], short: dict[str, tuple[str, str]]
) -> None:
    """EX-1204 (7): open quantities are summed per asset; a step or more too little is a shortage, too much is none.

    Both sides of a perpetual, of journals from before: what the venue refused to reduce and has nothing of is one too.
    """
    holdings = Holdings("acc")
    for each in groups:
        holdings.take(each)
    found = holdings.shortages(venue(balances, positions))
    assert {asset: (each.wanted, each.held) for asset, each in found.items()} == {
        asset: (Decimal(wanted), Decimal(held)) for asset, (wanted, held) in short.items()
    }


class Session(Actor):
    """Stands for the session: what the account has at present."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    @handles
    def fetch(self, msg: FetchVenueState) -> Any:
        del msg
        self.rig.fetches += 1
        return Do(answer=venue(self.rig.balances, self.rig.positions, at=self.now()))


class Rig:
    """A reconciler, an account and a group."""

    def __init__(self, stage: Stage, **balances: str) -> None:
        self.stage = stage
        self.balances = balances
        self.positions: dict[str, str] = {}
        self.fetches = 0
        stage.probe("desk", answers={FillsFrom: lambda _: FillsKnown(0)})
        self.group = stage.probe("g1")
        stage.add("session", lambda: Session(self))
        stage.add(
            "reconciler",
            lambda: Reconciler(account="acc", session="/house/session", desk="/house/desk", every_s=60.0),
        )

    async def say(self, fact: GroupChanged) -> None:
        self.stage.system.bus.publish(GROUPS, fact)
        await self.stage.settle()

    def connected(self) -> None:
        self.stage.system.bus.publish(session_topic("acc"), SessionUp("acc", (), self.stage.now), keep=True)

    def health(self, status: VenueStatus, code: str = "") -> None:
        self.stage.system.bus.publish(
            health_topic("acc"), VenueHealth(account="acc", status=status, code=code, at=self.stage.now), keep=True
        )

    @property
    def frozen(self) -> list[FreezeGroup]:
        return of(self.group, FreezeGroup)

    def mismatches(self) -> list[DifferenceFound]:
        return self.stage.events(PATH, DifferenceFound)


def test_a_shortage_freezes_the_groups_concerned() -> None:
    """EX-1204 (7): PositionMismatch is journalled once and its groups are frozen, after a second look showed the same."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, BTC="0.7")
        await rig.say(group("1"))
        await stage.passes(CONFIRM_S + 1)
        assert (rig.frozen, rig.mismatches()) == ([], [])
        await stage.passes(CONFIRM_S)
        (found,) = rig.mismatches()
        assert (found.code, found.correction) == ("PositionMismatch", "frozen: g1")
        assert "need 1, the account has 0.7" in found.detail
        (told,) = rig.frozen
        assert (told.group_id, told.reason.partition(":")[0]) == ("g1", "PositionMismatch")
        assert "short of BTC" in stage.actor("reconciler").detail
        await stage.passes(300)
        assert (len(rig.frozen), len(rig.mismatches())) == (1, 1)

    play(script)


def test_what_a_venue_netted_freezes_the_groups_it_refuses_to_reduce() -> None:
    """EX-1204 (7): of both sides of a perpetual each comes to an operator once, when its own close has nothing to reduce."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        other = stage.probe("g2")
        for fact in both("1", "1", refused="g1"):
            await rig.say(fact)
        await stage.passes(120)
        assert ([each.group_id for each in rig.frozen], of(other, FreezeGroup)) == (["g1"], [])
        assert "BTC/USDT:USDT long" in rig.frozen[0].reason
        for fact in both("1", "1", refused="g1 g2"):
            await rig.say(fact)
        await stage.passes(600)
        assert [len(rig.frozen), len(of(other, FreezeGroup)), len(rig.mismatches())] == [1, 1, 2]

    play(script)


def test_a_trade_under_way_is_no_shortage() -> None:
    """EX-1204 (7): what two looks show differently was a fill that one side knew before the other."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, BTC="0.7")
        await rig.say(group("1"))
        await stage.passes(CONFIRM_S + 1)
        rig.balances = {"BTC": "1"}
        await stage.passes(300)
        assert (rig.frozen, rig.mismatches()) == ([], [])
        await rig.say(group("1.5"))
        rig.balances = {"BTC": "1.5"}
        await stage.passes(300)
        assert (rig.frozen, rig.mismatches()) == ([], [])

    play(script)


def test_a_new_life_finds_it_again_and_journals_what_is_not_frozen_yet() -> None:
    """EX-1205: a restart asks groups and compares anew; one frozen already is told once more, which changes nothing."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, BTC="0.7")
        await rig.say(group("1"))
        await stage.passes(60)
        frozen = group("1", frozen=True)
        stage.add("standing", lambda: Standing(lambda: frozen))
        await stage.crash("reconciler")
        await stage.passes(60)
        assert len(rig.mismatches()) == 1
        assert len(rig.frozen) == 2
        assert rig.frozen[0].reason == rig.frozen[1].reason

    play(script)


def test_the_comparison_of_positions_is_a_step_of_the_recovery() -> None:
    """EX-1204: step 7 is logged with its counts once after each connect."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, BTC="1")
        await rig.say(group("1"))
        await stage.passes(100)
        (step,) = stage.events(PATH, RecoveryStep)
        assert (step.number, step.counts) == (7, {"assets": 1, "groups": 1, "short": 0})
        rig.connected()
        await stage.passes(100)
        assert len(stage.events(PATH, RecoveryStep)) == 2

    play(script)


def test_a_connections_ups_and_downs_are_journalled() -> None:
    """EX-1207, EX-1406: each change is journalled once, also over restarts; a venue that is back is compared at once."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        for status, code in (
            (VenueStatus.CONNECTING, ""),
            (VenueStatus.UP, ""),
            (VenueStatus.DOWN, "VenueDown"),
            (VenueStatus.DOWN, "VenueDown"),
            (VenueStatus.UP, ""),
            (VenueStatus.STOPPED, "AuthFailed"),
        ):
            rig.health(status, code)
            await stage.settle()
        assert rig.fetches == 1
        await stage.crash("reconciler")
        said = [(each.status.value, each.code) for each in stage.events(PATH, VenueStatusChanged)]
        assert said == [("up", ""), ("down", "VenueDown"), ("up", ""), ("stopped", "AuthFailed")]

    play(script)


def test_a_life_cut_after_any_event_ends_the_same() -> None:
    """EX-1205: whatever of its journal was written, the next life freezes what must be and says how the venue stands."""
    whole = MemoryJournal()

    async def life(stage: Stage) -> None:
        rig = Rig(stage, BTC="0.7")
        rig.health(VenueStatus.UP)
        await rig.say(group("1"))
        await stage.passes(60)
        assert len(rig.frozen) == 1
        assert stage.events(PATH, VenueStatusChanged)[-1].status is VenueStatus.UP
        assert stage.events(PATH, DifferenceFound)

    play(life, journal=whole)
    assert whole.head() >= 3
    for cut in cuts(whole):
        play(life, journal=cut)
