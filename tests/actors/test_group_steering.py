"""A position group's actor and those who steer it: the risk engine, an operator's freeze, new rules of its market."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from actors.topics import precision_topic
from protocol.groups import (
    CloseGroup,
    CloseReason,
    FreezeGroup,
    GroupChanged,
    GroupFrozen,
    GroupState,
    RiskClose,
    RiskCloseEnded,
    RulesTaken,
    UnfreezeGroup,
)
from protocol.instruments import PrecisionRules
from protocol.orders import Purpose, SubmitOrder
from protocol.precision import NeedRules, RulesState
from rules.group.new_rules import RULES_WAIT_S
from tests.actors.cast import Stage, of, play
from tests.actors.group_rig import GroupRig
from tests.actors.orders import SYMBOL, market

D = Decimal


class Rig(GroupRig):
    """A group whose first layer is filled, with the risk engine beside it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.offset = stage.probe("offset")

    async def filled(self) -> None:
        """Fill layer 0 and have its target rest."""
        await self.stage.settle()
        first, second = self.orders()
        await self.told(self.update(first, "open"), self.update(second, "open"), self.fill(first))
        (target,) = self.orders(Purpose.TP)
        await self.told(self.update(target, "open"))

    async def sold(self, price: str = "102") -> None:
        """Confirm the cancels of targets and fill the newest closing order."""
        for target in self.orders(Purpose.TP):
            await self.told(self.update(target, "cancelled"))
        await self.told(msgspec.structs.replace(self.fill(self.orders(Purpose.CLOSE)[-1]), price=D(price)))

    def step(self, plan: str = "r1") -> RiskClose:
        """Return the step of a plan that sells half."""
        return RiskClose(group_id="gs1", plan_id=plan, reply_to="/house/offset", qty=D("0.5"), at=self.stage.now)

    def answers(self) -> list[RiskCloseEnded]:
        """Return what the risk engine was told."""
        return of(self.offset, RiskCloseEnded)

    def news_rules(self, rules: PrecisionRules | None, *, error: str = "", fetching: bool = False) -> None:
        """Have the cache of the account say what it knows."""
        known = () if rules is None else (msgspec.structs.replace(market(), rules=rules),)
        at = self.stage.now
        state = RulesState(account="acc", instruments=known, fetched_at=at, error=error, fetching=fetching, at=at)
        self.stage.system.bus.publish(precision_topic("acc"), state, keep=True)

    def misfit(self, order: SubmitOrder) -> Any:
        """Return the venue's refusal of an order's format."""
        return self.update(order, "rejected", code="PrecisionRejected", reason="filter failure")


COARSE = PrecisionRules(D("0.5"), D("0.3"), D("0.3"), D(5))

# --- risk plans --------------------------------------------------------------------------------------------------------


def test_a_step_is_answered_when_it_has_ended() -> None:
    """EX-1018: the risk engine is told once, after the fill, what was sold and what that booked."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.filled()
        await rig.told(rig.step())
        assert rig.answers() == []
        await rig.sold()
        (answer,) = rig.answers()
        assert (answer.plan_id, answer.status, answer.qty, answer.booked_quote) == ("r1", "closed", D("0.5"), D(1))

    play(script)


def test_a_step_is_answered_again_when_it_is_asked_for_again() -> None:
    """EX-105, EX-1205: after a crash of the group the answer is told again to whoever asks; nothing is sold twice."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.filled()
        await rig.told(rig.step())
        await stage.crash("group")
        await rig.told(rig.step())
        await rig.sold()
        assert len(rig.answers()) == 1
        await stage.crash("group")
        await rig.told(rig.step())
        assert rig.answers()[0] == rig.answers()[1]
        assert len(rig.orders(Purpose.CLOSE)) == 1

    play(script)


def test_triggers_that_come_together_are_handled_one_after_the_other() -> None:
    """EX-104, EX-701: exit, operator and risk engine in the mailbox at once: the first owns the group, one close leaves."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.filled()
        operator = CloseGroup(group_id="gs1", reason=CloseReason.OPERATOR, at=stage.now)
        await rig.told(rig.close(), operator, rig.step(), rig.close("x2"))
        for order in (rig.orders()[1], rig.orders(Purpose.TP)[0]):
            await rig.told(rig.update(order, "cancelled"))
        assert len(rig.orders(Purpose.CLOSE)) == 1
        assert of(rig.news, GroupChanged)[-1].reason is CloseReason.EXIT_SIGNAL
        assert [answer.status for answer in rig.answers()] == ["superseded"]
        assert rig.outcomes() == [("x1", "closing"), ("x2", "already_closing")]

    play(script)


# --- freezing ----------------------------------------------------------------------------------------------------------


def test_a_frozen_group_says_so_and_stays_so() -> None:
    """EX-1204: shown to everybody and in the tree; a crash does not thaw it; an operator lets it go on."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.filled()
        await rig.told(FreezeGroup(group_id="gs1", reason="0.5 short", at=stage.now))
        assert of(rig.news, GroupChanged)[-1].frozen
        await stage.crash("group")
        assert stage.actor("group").detail == "partially_filled, 1 open, frozen: 0.5 short"
        await rig.told(FreezeGroup(group_id="gs1", reason="0.5 short", at=stage.now))
        assert len(rig.events(GroupFrozen)) == 1
        await rig.told(rig.close())
        assert rig.outcomes() == [("x1", "held:GroupFrozen")]
        await rig.told(UnfreezeGroup(group_id="gs1", at=stage.now))
        assert not of(rig.news, GroupChanged)[-1].frozen
        assert of(rig.news, GroupChanged)[-1].state is GroupState.CLOSING

    play(script)


# --- what everybody is told --------------------------------------------------------------------------------------------


def test_a_group_says_where_it_lives_and_what_it_binds() -> None:
    """EX-1002, EX-414: path, currency, rules, pyramids, opening and what unfilled layers bind are in each word on it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        opened = of(rig.news, GroupChanged)[-1]
        assert (opened.path, opened.quote, opened.max_pyramids) == ("/house/group", "USDT", 5)
        assert (opened.rules, opened.locked_quote, opened.strategy) == (market().rules, D(199), "unlabelled")
        assert 0 < opened.opened_at <= opened.at
        await rig.filled()
        assert of(rig.news, GroupChanged)[-1].locked_quote == 99

    play(script)


# --- rules of the market -----------------------------------------------------------------------------------------------


def test_new_rules_are_asked_for_and_the_order_is_sent_once_more() -> None:
    """EX-516: the cache is asked at once; what a running fetch says is not yet it; its end has the order rebuilt."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        first = rig.orders()[0]
        await rig.told(rig.misfit(first))
        assert of(rig.precision, NeedRules) == [NeedRules(SYMBOL, at_once=True)]
        rig.news_rules(COARSE, fetching=True)
        await stage.settle()
        assert len(rig.orders()) == 2
        rig.news_rules(COARSE)
        await stage.settle()
        assert rig.orders()[2].request.qty == D("0.9")
        await stage.passes(RULES_WAIT_S + 1)
        assert len(rig.orders()) == 3

    play(script)


def test_a_failed_fetch_does_not_hold_an_order_back() -> None:
    """EX-511: rules that cannot be fetched, or lack the symbol: the strictest known must do, at once."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await stage.settle()
        await rig.told(rig.misfit(rig.orders()[0]))
        rig.news_rules(None, error="no connection")
        await stage.settle()
        (taken,) = rig.events(RulesTaken)
        assert (taken.fetched, len(rig.orders())) == (False, 3)

    play(script)


def test_an_exit_waits_for_rules_only_so_long() -> None:
    """EX-511: with no word from the cache the close is rebuilt after five seconds, also by a life after a crash."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.filled()
        await rig.told(rig.close())
        for order in (rig.orders()[1], rig.orders(Purpose.TP)[0]):
            await rig.told(rig.update(order, "cancelled"))
        (first,) = rig.orders(Purpose.CLOSE)
        await rig.told(rig.misfit(first))
        await stage.crash("group")
        assert of(rig.precision, NeedRules) == [NeedRules(SYMBOL, at_once=True)] * 2
        await stage.passes(RULES_WAIT_S - 1)
        assert len(rig.orders(Purpose.CLOSE)) == 1
        await stage.passes(2)
        again = rig.orders(Purpose.CLOSE)[1]
        assert again.request.client_order_id != first.request.client_order_id
        assert again.request.qty == first.request.qty

    play(script)


def test_rules_that_change_while_a_group_lives_are_taken() -> None:
    """EX-511: the group follows the cache from the rules it opened with; the same again is no news."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        await rig.filled()
        rig.news_rules(market().rules)
        await stage.settle()
        rig.news_rules(PrecisionRules(D("0.001"), D("0.001"), D("0.001"), D(5)))
        await stage.settle()
        rig.news_rules(PrecisionRules(D("0.001"), D("0.001"), D("0.001"), D(5)))
        await stage.settle()
        assert len(rig.events(RulesTaken)) == 1
        assert of(rig.news, GroupChanged)[-1].rules == PrecisionRules(D("0.001"), D("0.001"), D("0.001"), D(5))

    play(script)
