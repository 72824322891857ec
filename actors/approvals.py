"""The approval desk: entries that wait for an operator's word, asked on every channel, the first answer wins.

What waits is journalled, so a prompt outlives every restart, and its time goes on meanwhile. An approved entry is told to
its pool at once; a refused one, or one that nobody answered in time, ends at the gateway with a reason. Exits never come
here.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import msgspec

from protocol.approvals import (
    APPROVALS,
    AnswerApproval,
    ApprovalAnswer,
    ApprovalAsked,
    ApprovalEnd,
    ApprovalEnded,
    ApprovalList,
    ApprovalPrompt,
    HoldEntry,
    ListApprovals,
    WithdrawHeld,
)
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.messages import Event, Message
from protocol.signals import EntryRequest, Signal, SignalKind, SignalOutcome, SizeType
from rules.notation import plain, words
from rules.notices.sentence import one_line
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor

__all__ = ["ENDED_KEPT", "ApprovalDesk", "ApprovalSettings"]

ENDED_KEPT: Final = 1_000
"""Newest ended prompts whose signal is remembered, for a gateway or pool that asks again."""

_OUTCOMES: Final = {
    ApprovalEnd.REJECTED: "rejected:ApprovalRefused",
    ApprovalEnd.TIMEOUT: "rejected:ApprovalTimeout",
    ApprovalEnd.SUPERSEDED: "rejected:ApprovalSuperseded",
    ApprovalEnd.WITHDRAWN: "rejected:ApprovalWithdrawn",
}


class ApprovalSettings(msgspec.Struct, frozen=True):
    """How long a prompt waits for its answer."""

    timeout_s: float = 300.0


class _Due(Message, frozen=True, tag=True):
    prompt_id: str


class _State(msgspec.Struct):
    """What waits by prompt id, and how what waited before ended, by signal id."""

    open: dict[str, ApprovalAsked] = msgspec.field(default_factory=dict)
    ended: OrderedDict[str, ApprovalEnd] = msgspec.field(default_factory=OrderedDict)
    last: int = 0


class ApprovalDesk(DurableActor):
    """Holds entries; one a daemon."""

    SNAPSHOT_EVERY = 200

    def __init__(self, settings: ApprovalSettings, gateway: str) -> None:
        self._settings = settings
        self._gateway = gateway
        self._state = _State()

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Go on waiting."""
        for asked in self._state.open.values():
            self.timers.at(asked.prompt.until, _Due(asked.prompt.prompt_id))

    def apply(self, event: Event) -> None:
        """Remember what waits and how it ended."""
        state = self._state
        if isinstance(event, ApprovalAsked):
            state.open[event.prompt.prompt_id] = event
            state.last += 1
        elif isinstance(event, ApprovalEnded):
            state.open.pop(event.prompt_id, None)
            state.ended[event.signal_id] = event.how
            while len(state.ended) > ENDED_KEPT:
                state.ended.popitem(last=False)

    def snapshot(self) -> bytes:
        """Return everything."""
        state = self._state
        return msgspec.msgpack.encode((list(state.open.values()), list(state.ended.items()), state.last))

    def restore(self, state: bytes) -> None:
        """Take everything over."""
        kind = tuple[list[ApprovalAsked], list[tuple[str, ApprovalEnd]], int]
        waiting, ended, last = msgspec.msgpack.decode(state, type=kind)
        self._state = _State({each.prompt.prompt_id: each for each in waiting}, OrderedDict(ended), last)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{len(self._state.open)} waiting" if self._state.open else ""

    @handles
    def settle(self, msg: ApplySettings) -> SettingsTaken:
        """Ask the next ones under other settings."""
        self._settings = msg.settings
        return SettingsTaken(msg.version)

    # --- entries -------------------------------------------------------------------------------------------------------

    @handles
    def hold(self, msg: HoldEntry) -> Do | None:
        """Ask for a word; an older entry of the same identity gives way (EX-911). What was decided is only told again."""
        signal, state = msg.signal, self._state
        if any(each.signal.signal_id == signal.signal_id for each in state.open.values()):
            return None
        how = state.ended.get(signal.signal_id)
        if how is not None:
            return Do(tells=[self._told(signal, how, msg.pool)])
        older = [each for each in state.open.values() if each.signal.group_key == signal.group_key]
        ended = [self._end(each, ApprovalEnd.SUPERSEDED, "") for each in older]
        prompt_id = f"a{state.last + 1}"
        asked = ApprovalAsked(prompt=self._prompt(prompt_id, msg), signal=signal, pool=msg.pool, at=self.now())
        tells = [self._told(each.signal, ApprovalEnd.SUPERSEDED, each.pool) for each in older]
        return Do([*ended, asked], tells, then=lambda: self._say(*ended, asked))

    def _prompt(self, prompt_id: str, msg: HoldEntry) -> ApprovalPrompt:
        signal, now = msg.signal, self.now()
        price = "at the market" if signal.entry_price is None else f"at {plain(signal.entry_price)}"
        return ApprovalPrompt(
            prompt_id=prompt_id,
            version=1,
            token=f"{self.context.random.randrange(1 << 48):012x}",
            title=f"{_asked(signal)} {signal.side.value} {signal.symbol} {signal.timeframe} {price}{_size(signal)}",
            body=f"{one_line(signal.label)} on {msg.account}; refused after {round(self._settings.timeout_s)} s in silence",
            account=msg.account,
            link=f"signal:{signal.signal_id}",
            asked_at=now,
            until=now + round(self._settings.timeout_s * NANOS),
        )

    @handles
    def withdraw(self, msg: WithdrawHeld) -> Do | None:
        """Drop what waits for an identity that is to be closed."""
        found = [each for each in self._state.open.values() if each.signal.group_key == msg.group_key]
        return self._ends(found, ApprovalEnd.WITHDRAWN, "") if found else None

    @handles
    def due(self, msg: _Due) -> Do | None:
        """Refuse what nobody answered in time."""
        asked = self._state.open.get(msg.prompt_id)
        return None if asked is None else self._ends([asked], ApprovalEnd.TIMEOUT, "")

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    def listed(self, msg: ListApprovals) -> ApprovalList:  # noqa: ARG002 - the type is the message
        """Say what waits."""
        return ApprovalList(tuple(each.prompt for each in self._state.open.values()))

    @handles
    def answer(self, msg: AnswerApproval) -> Do:
        """Take an operator's word; a stale or repeated one changes nothing (DK-154, DK-155)."""
        asked = self._state.open.get(msg.prompt_id)
        if asked is None:
            return self._refused(msg, "NotFound", f"{msg.prompt_id} does not wait: it was dealt with already")
        prompt = asked.prompt
        if msg.token and (msg.token, msg.version) != (prompt.token, prompt.version):
            return self._refused(msg, "StaleApproval", f"{msg.prompt_id} has changed since: look at it again")
        if self.now() >= prompt.until:
            return self._refused(msg, "StaleApproval", f"the time of {msg.prompt_id} is over")
        how = ApprovalEnd.APPROVED if msg.approve else ApprovalEnd.REJECTED
        ended = self._end(asked, how, msg.by)
        said = ApprovalAnswer(prompt_id=msg.prompt_id, how=how.value, message=f"{how.value}: {prompt.title}")
        return Do([ended], [self._told(asked.signal, how, asked.pool)], then=lambda: self._say_and_answer(ended, said))

    def _say_and_answer(self, ended: ApprovalEnded, said: ApprovalAnswer) -> Do:
        self._say(ended)
        return Do(answer=said)

    def _refused(self, msg: AnswerApproval, code: str, message: str) -> Do:
        return Do(answer=ApprovalAnswer(prompt_id=msg.prompt_id, code=code, message=message))

    # --- ends ----------------------------------------------------------------------------------------------------------

    def _ends(self, found: list[ApprovalAsked], how: ApprovalEnd, by: str) -> Do:
        ended = [self._end(each, how, by) for each in found]
        return Do(ended, [self._told(each.signal, how, each.pool) for each in found], then=lambda: self._say(*ended))

    def _end(self, asked: ApprovalAsked, how: ApprovalEnd, by: str) -> ApprovalEnded:
        prompt = asked.prompt
        return ApprovalEnded(
            prompt_id=prompt.prompt_id,
            signal_id=asked.signal.signal_id,
            how=how,
            by=by,
            title=prompt.title,
            at=self.now(),
        )

    def _told(self, signal: Signal, how: ApprovalEnd, pool: str) -> tuple[str, Message]:
        """Return who hears of an end: the pool of an approved entry, the gateway of any other."""
        if how is ApprovalEnd.APPROVED:
            return pool, EntryRequest(signal)
        reasons = (f"its approval ended: {how.value}",)
        return self._gateway, SignalOutcome(signal.signal_id, _OUTCOMES[how], reasons)

    def _say(self, *events: ApprovalAsked | ApprovalEnded) -> None:
        for event in events:
            self.context.bus.publish(APPROVALS, event)
            if isinstance(event, ApprovalAsked):
                self.timers.at(event.prompt.until, _Due(event.prompt.prompt_id))


def _asked(signal: Signal) -> str:
    return "Enter" if signal.kind is SignalKind.ENTRY else words(signal.kind.value).capitalize()


def _size(signal: Signal) -> str:
    """Say how much is asked for, in the unit it is asked in."""
    if signal.order_size is None:
        return ""
    base, _, rest = signal.symbol.partition("/")
    unit = {SizeType.BASE: base, SizeType.QUOTE: rest.partition(":")[0]}.get(signal.size_type, "")
    return f", {plain(signal.order_size)} {unit or words(signal.size_type.value)}"
