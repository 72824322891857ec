"""The adopter of one venue account: makes groups of positions that were opened by hand.

It looks what the venue holds and what our groups count on already, and has the pool admit what is over. It remembers
nothing: the pool's journal and the group's own keep what was adopted, and the same request makes the same group.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import msgspec

from actors.group import GROUPS
from actors.pool_world import GroupMaker, PoolWorld
from actors.session_topics import market_topic, session_topic
from actors.topics import precision_topic
from protocol.groups import GroupChanged, OpenGroup
from protocol.groups.adoption import AdoptAnswer, AdoptPosition
from protocol.groups.editing import EditProblem
from protocol.instruments import Instrument
from protocol.messages import Message
from protocol.offset import TellStanding
from protocol.pool import AdmitAdopted, QueueAnswer
from protocol.precision import RulesState
from protocol.signals import Signal, SignalKind, SignalSource, SizeType
from protocol.venue import FetchVenueState, SessionDown, SessionUp, VenueSnapshot
from rules.group.adoption import opening_of
from rules.group.adoption_checks import adoption_effects, adoption_problems, held_at_venue, signed
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.errors import ActorError
from venues.errors import VenueError

__all__ = ["ANSWER_WITHIN_S", "Adopter"]

ANSWER_WITHIN_S: Final = 60.0
"""How long the venue has to say what the account holds."""


class _Seen(Message, frozen=True, tag=True):
    envelope: Any
    wanted: AdoptPosition
    snapshot: VenueSnapshot | None
    failure: str = ""


class _Admitted(Message, frozen=True, tag=True):
    envelope: Any
    answer: AdoptAnswer
    pool: QueueAnswer | None


class Adopter(Actor):
    """Checks what an operator wants adopted, and asks the pool. Paths name the account's session, pool and groups."""

    def __init__(self, *, account: str, venue: str, user: str, make: GroupMaker, session: str, pool: str) -> None:
        self._account = account
        self._venue = venue
        self._user = user
        self._make = make
        self._session = session
        self._pool = pool
        self._groups: dict[str, GroupChanged] = {}
        self._promised: dict[str, OpenGroup] = {}
        """What the pool was asked to admit, until its group says for itself what it holds: two wishes never share coins."""

    def started(self) -> None:
        """Learn the account's markets and how its groups stand."""
        bus = self.context.bus
        self._world = PoolWorld(self._account, bus, self._make)
        for topic in (session_topic(self._account), precision_topic(self._account), GROUPS):
            bus.subscribe(topic, self.ref)

    @handles
    def session_up(self, msg: SessionUp) -> None:
        """Take the account's markets."""
        self._world.session_up(msg)

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep the rules that are known."""

    @handles
    def rules(self, msg: RulesState) -> None:
        """Take fetched rules."""
        self._world.rules_state(msg)

    @handles
    def stands(self, msg: GroupChanged) -> None:
        """Note what a group of this account holds."""
        if msg.account != self._account:
            return
        self._promised.pop(msg.group_id, None)
        if msg.open_qty > 0:
            self._groups[msg.group_id] = msg
        else:
            self._groups.pop(msg.group_id, None)

    # --- adopting ------------------------------------------------------------------------------------------------------

    @handles
    def adopt(self, msg: AdoptPosition) -> Any:
        """Ask the venue what it holds, then decide; groups that were not heard of yet say meanwhile how they stand."""
        session = self.context.system.lookup(self._session)
        if session is None:
            return self._refused(
                msg, EditProblem("VenueDown", "account", f"{self._account} has no connection; try again")
            )
        for path in self.context.system.paths():
            if "~" in path.rpartition("/")[2] and f"/{self._account}/" in path:
                self.context.system.tell(path, TellStanding())
        envelope = self.context.envelope
        self.context.pipe(
            session.ask(FetchVenueState(self.now()), timeout_s=ANSWER_WITHIN_S),
            lambda snapshot: _Seen(envelope, msg, snapshot),
            lambda error: _Seen(envelope, msg, None, _said(error)),
        )
        return NO_ANSWER

    @handles
    def seen(self, msg: _Seen) -> None:
        """Say what stands against it or what would follow; have the pool admit it when it is to be done."""
        wanted = msg.wanted
        market = self._world.markets.instruments.get(wanted.symbol)
        if market is None or msg.snapshot is None:
            self.context.answer(msg.envelope, self._refused(wanted, self._unknown(wanted, msg.failure)))
            return
        opening = self._opening(wanted, market)
        answer = self._answer(wanted, opening, msg.snapshot)
        pool = self.context.system.lookup(self._pool)
        if wanted.preview or answer.problems or pool is None:
            self.context.answer(msg.envelope, answer)
            return
        if opening.group_id not in self._groups:
            self._promised[opening.group_id] = opening
        self.context.pipe(
            pool.ask(AdmitAdopted(opening, wanted.force), timeout_s=ANSWER_WITHIN_S),
            lambda said: _Admitted(msg.envelope, answer, said),
            lambda error: _Admitted(msg.envelope, _with(answer, "Unanswered", _said(error)), None),
        )

    @handles
    def admitted(self, msg: _Admitted) -> None:
        """Answer with the pool's word."""
        answer, said = msg.answer, msg.pool
        if said is not None and said.code:
            self._promised.pop(answer.group_id, None)
            answer = _with(answer, said.code, said.message)
        elif said is not None:
            answer = msgspec.structs.replace(answer, adopted=True)
        self.context.answer(msg.envelope, answer)

    def _answer(self, wanted: AdoptPosition, opening: OpenGroup, venue: VenueSnapshot) -> AdoptAnswer:
        at_venue = held_at_venue(opening.instrument, venue.balances, venue.positions)
        # Told again it is itself among the groups; it does not stand in its own way.
        in_groups = self._counted(opening.instrument, besides=opening.group_id)
        tick = self.context.bus.kept(market_topic(self._account, wanted.symbol))
        return AdoptAnswer(
            group_id=opening.group_id,
            group_key=opening.key,
            adopted=False,
            at_venue=at_venue,
            in_groups=in_groups,
            effects=adoption_effects(opening, self.now(), tick),
            problems=adoption_problems(opening, at_venue, in_groups, tick),
        )

    def _counted(self, market: Instrument, *, besides: str) -> Decimal:
        """Return what groups hold of a market's asset and what was promised to groups to be, signed base units."""
        held = [
            signed(each) for each in self._groups.values() if each.group_id != besides and _same(each.symbol, market)
        ]
        promised = [
            each.side.sign * each.size
            for each in self._promised.values()
            if each.group_id != besides and _same(each.symbol, market)
        ]
        return sum((*held, *promised), Decimal(0))

    def _opening(self, wanted: AdoptPosition, market: Instrument) -> OpenGroup:
        now = self.now()
        signal = Signal(
            signal_id=f"adopt-{wanted.request_id}",
            user=self._user,
            source=SignalSource.MANUAL,
            received_at=now,
            fired_at=now,
            venue=self._venue,
            symbol=wanted.symbol,
            timeframe=wanted.timeframe,
            kind=SignalKind.ENTRY,
            side=wanted.side,
            entry_price=wanted.avg_price,
            order_size=wanted.qty,
            size_type=SizeType.BASE,
            trade_id=f"adopt-{wanted.request_id}",
            alert_name=wanted.strategy,
        )
        return opening_of(self._make(signal, market, now), wanted)

    def _unknown(self, wanted: AdoptPosition, failure: str) -> EditProblem:
        if failure:
            return EditProblem(
                "VenueDown", "account", f"{self._account} did not say what it holds: {failure}; try again"
            )
        text = f"no trading rules of {wanted.symbol} are known; check the symbol, or fetch the rules"
        return EditProblem("PrecisionMissing", "symbol", text, wanted.symbol)

    def _refused(self, wanted: AdoptPosition, problem: EditProblem) -> AdoptAnswer:
        zero = Decimal(0)
        return AdoptAnswer(
            group_id="", group_key=wanted.symbol, adopted=False, at_venue=zero, in_groups=zero, problems=(problem,)
        )


def _same(symbol: str, market: Instrument) -> bool:
    """Whether a position in a symbol is counted in the same balance: one asset on spot, one symbol of a perpetual."""
    if ":" in market.symbol:
        return symbol == market.symbol
    return ":" not in symbol and symbol.partition("/")[0] == market.base


def _with(answer: AdoptAnswer, code: str, message: str) -> AdoptAnswer:
    return msgspec.structs.replace(answer, problems=(EditProblem(code, "", message, answer.group_key),))


def _said(error: Exception) -> str:
    if not isinstance(error, ActorError | VenueError | OSError | TimeoutError):
        raise error
    return str(error) or type(error).__name__
