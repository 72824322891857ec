"""What happens in one simulated run, as plain data: equal scenarios give equal runs, and one item less is a scenario too.

A seed is turned into a scenario by ``simulation.world``; a shrunk scenario is written into a regression test as it stands.
Instants are nanoseconds UTC on the outside's clock, prices quote currency.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from protocol.messages import Value

__all__ = [
    "Act",
    "Fault",
    "FaultKind",
    "Item",
    "OperatorAction",
    "PathKind",
    "Post",
    "PricePath",
    "Rest",
    "Scenario",
    "Turn",
    "TurnKind",
]


class PathKind(StrEnum):
    """How a price moves."""

    TREND = "trend"
    RANGE = "range"
    GAP = "gap"
    """Jumps between two bars, now and then."""
    CRASH = "crash"
    """Falls by a third within minutes and comes back in part."""
    THIN = "thin"
    """A wide spread and little to be had at each price."""
    HALTED = "halted"
    """Stops for hours: no price at all."""
    RECORDED = "recorded"
    """Candles that were recorded at an exchange."""


class PricePath(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The price of one symbol: bars of ``step_s`` seconds over the whole run, drawn from ``seed``.

    ``file`` (of a recorded path) is relative to the folder of the recorded data; ``skip`` bars of it are left out before
    the first.
    """

    symbol: str
    kind: PathKind
    seed: int
    start_price: Decimal
    step_s: int = 300
    file: str = ""
    skip: int = 0


class Post(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A sender posts an alert: ``body`` as it stands in the request."""

    at: int
    body: str


class OperatorAction(StrEnum):
    """What an operator does."""

    PAUSE = "pause"
    RESUME = "resume"
    CLOSE_ALL = "close_all"
    CLOSE_GROUP = "close_group"
    """``target`` is a symbol: its oldest live group."""
    CONFIGURE = "configure"
    """``target`` is a key of the configuration, ``value`` its new value as JSON."""
    FORCE_ADD = "force_add"
    PROMOTE = "promote"
    REMOVE = "remove"
    """These three take the best entry that waits."""
    BLOCK_GROUP = "block_group"
    UNBLOCK_GROUP = "unblock_group"
    RUN_OFFSET = "run_offset"
    RESTART_ACTOR = "restart_actor"
    """``target`` is a path."""
    RECONCILE = "reconcile"


class Act(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator does something; whether it is possible at that moment is part of what is tried."""

    at: int
    action: OperatorAction
    target: str = ""
    value: str = ""


class TurnKind(StrEnum):
    """What the calendar and the machine's clock do."""

    CLOCK_STEP = "clock_step"
    """The machine's clock jumps by ``amount`` seconds (NTP, an operator); the exchange's does not."""
    LEAP_SECOND = "leap_second"
    """The machine's clock repeats a second."""
    HALT = "halt"
    """The exchange stops all trading for ``amount`` seconds (a week end, a maintenance): orders are refused."""


class Turn(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """The calendar or the clock does something. Midnights and daylight saving lie in ``start_at`` and need no item."""

    at: int
    kind: TurnKind
    amount: float = 0.0


class FaultKind(StrEnum):
    """What goes wrong. Each waits from its instant for the next occasion it fits."""

    # The exchange and the way to it.
    ANSWER_LOST = "answer_lost"
    """The exchange takes the next request; its answer never comes. ``target``, here and in the two that follow: a call
    (place, cancel, query, fetch) that it waits for; empty: any."""
    REQUEST_LOST = "request_lost"
    """The next request never reaches the exchange."""
    ANSWER_LATE = "answer_late"
    """The answer comes after ``seconds``, mostly after nobody waits any more."""
    CANCEL_RACE = "cancel_race"
    """The order fills at the exchange just before the next cancel arrives."""
    PARTIAL_FILL = "partial_fill"
    """The next order that trades at once trades by the share ``amount``."""
    REJECT = "reject"
    """The exchange refuses the next order (``target``: its code)."""
    DISCONNECT = "disconnect"
    """The connection breaks and cannot be had for ``seconds``."""
    RATE_LIMIT = "rate_limit"
    """Every call is answered with "too many requests" for ``seconds``."""
    SERVER_ERROR = "server_error"
    """Calls are answered with a server error for ``seconds``: some were carried out all the same."""
    MAINTENANCE = "maintenance"
    """Calls are refused, in an orderly way, for ``seconds``."""
    STREAM_DELAYED = "stream_delayed"
    """What the exchange tells on its own comes ``seconds`` later, the next ``count`` times."""
    STREAM_REORDERED = "stream_reordered"
    STREAM_DUPLICATED = "stream_duplicated"
    STREAM_LOST = "stream_lost"
    """The next ``count`` words never come; the connection stands."""
    ZERO_PRICE = "zero_price"
    CROSSED_BOOK = "crossed_book"
    STALE_PRICE = "stale_price"
    """The next ``count`` prices are wrong in this way."""

    # The house.
    HANDLER_RAISES = "handler_raises"
    """The handler of the next message raises; ``target`` is the path of the actor, or its beginning followed by ``*``."""
    HANDLER_RAISES_LATE = "handler_raises_late"
    """The same, after the handler has done its work: what it returned is lost."""
    ACTOR_HANGS = "actor_hangs"
    """The handler of the next message does not end for ``seconds``."""
    SLOW_CONSUMER = "slow_consumer"
    """The next ``count`` messages take ``seconds`` each."""

    # The disk.
    DISK_FULL = "disk_full"
    DISK_LOCKED = "disk_locked"
    DISK_IO_ERROR = "disk_io_error"
    """The next ``count`` commits fail in this way; nothing of them is kept."""
    COMMIT_ANSWER_LOST = "commit_answer_lost"
    """The next commit is kept and reported as failed."""
    SNAPSHOT_CORRUPTED = "snapshot_corrupted"
    """The newest snapshot of an actor is damaged before the next start."""
    CACHE_LOST = "cache_lost"
    """The read models and everything else that can be made anew are gone."""

    # The process.
    KILL = "kill"
    """The process dies at this instant; it is started again after ``seconds``."""
    KILL_BEFORE_COMMIT = "kill_before_commit"
    KILL_AFTER_COMMIT = "kill_after_commit"
    """It dies just before or after its next commit."""
    KILL_AT_SEND = "kill_at_send"
    """It dies while its next order is on its way."""
    TORN_TAIL = "torn_tail"
    """It dies within its next commit, part of which is on the disk."""


class Fault(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Something goes wrong from ``at`` on."""

    at: int
    kind: FaultKind
    target: str = ""
    count: int = 1
    seconds: float = 0.0
    amount: float = 0.0


class Rest(Value, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Nothing has happened for a while: what must hold of a house at rest is checked here."""

    at: int


Item: TypeAlias = Post | Act | Turn | Fault | Rest


class Scenario(Value, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One run: prices, settings and everything that happens, in order of time.

    ``seed`` draws the interleaving of actors and the latencies. ``settings`` are keys of the configuration and their
    values. ``defect`` names a bug that is planted to see whether it is found (``simulation.defects``).
    """

    seed: int
    start_at: int
    hours: float
    settings: dict[str, Any] = msgspec.field(default_factory=dict)
    paths: tuple[PricePath, ...] = ()
    items: tuple[Item, ...] = ()
    defect: str = ""

    @property
    def end_at(self) -> int:
        """The instant at which the run ends."""
        return self.start_at + round(self.hours * 3_600_000_000_000)
