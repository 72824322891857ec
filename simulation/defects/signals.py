"""Bugs in what becomes of a signal: the gateway, the pool, what the desk hears of the risk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Any

import actors.group
from actors.desk import OrderDesk
from protocol.groups import SlotReleased
from protocol.messages import Message
from protocol.risk import Permit
from rules.signals import DuplicateMemory, Verdict
from runtime.durable import Durability
from simulation.defects.defect import patched

__all__ = ["answer_before_persist", "breaker_read_stale", "dedupe_off", "pool_limit_off_by_one", "slot_leaked"]


def dedupe_off() -> AbstractContextManager[None]:
    """Take a signal that was seen before for a new one."""

    def change(judge: Callable[..., Verdict]) -> Callable[..., Verdict]:
        def wrong(*given: Any, **named: Any) -> Verdict:
            found = judge(*given, **named)
            return Verdict.ACCEPTED if found is Verdict.DUPLICATE else found

        return wrong

    return patched(DuplicateMemory, "judge", change)


def slot_leaked() -> AbstractContextManager[None]:
    """Give the slot of a group back only when it ever held something: one whose entries were all refused keeps it."""

    def change(effects: Callable[..., tuple[Message, ...]]) -> Callable[..., tuple[Message, ...]]:
        def wrong(events: Any, owner: str) -> tuple[Message, ...]:
            held = any(getattr(event, "realized_quote", 0) or getattr(event, "fees", None) for event in events)
            return tuple(told for told in effects(events, owner) if held or not isinstance(told, SlotReleased))

        return wrong

    return patched(actors.group, "effects", change)


def pool_limit_off_by_one() -> AbstractContextManager[None]:
    """Compare the open groups with the limit by "more than" instead of "as many as": one too many gets in."""
    import rules.pool.turn as turn

    return patched(turn, "free_slots", lambda free: lambda *given: free(*given) + 1)


@contextmanager
def breaker_read_stale() -> Iterator[None]:
    """Keep the first permit for ever: whoever asks whether entries may leave is told what was so at the start."""

    def keeps_first(permit: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(permit)
        def wrong(self: Any, msg: Permit) -> Any:
            return permit(self, msg) if self._permit is None or not self._permit.entries_allowed else None

        return wrong

    with (
        patched(OrderDesk, "permit", keeps_first),
        patched(OrderDesk, "_permit_is_fresh", lambda _: lambda self: self._permit is not None),
    ):
        yield


def answer_before_persist() -> AbstractContextManager[None]:
    """Answer the sender of a signal before its event is durable."""
    return patched(Durability, "answer", lambda _: lambda _self, reply, answer: reply(answer, None))
