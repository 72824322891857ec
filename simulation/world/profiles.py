"""How much goes wrong: for each profile, which faults how often a simulated day, and how busy operators and clocks are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from protocol.messages import Value
from simulation.scenario import FaultKind

__all__ = ["PROFILES", "SHAPES", "Profile", "Shape"]

_Bounds = tuple[float, float]


class Shape(NamedTuple):
    """What the parameters of a fault may be: bounds of seconds (each order of magnitude as likely), count and amount."""

    seconds: _Bounds = (0.0, 0.0)
    counts: tuple[int, int] = (1, 1)
    amount: _Bounds = (0.0, 0.0)
    aims: str = ""
    """What ``target`` names: an ``actor``, a ``durable`` one (which writes events), a ``code``, a ``call``, or nothing."""


SHAPES: Final[Mapping[FaultKind, Shape]] = {
    FaultKind.ANSWER_LOST: Shape(aims="call"),
    FaultKind.REQUEST_LOST: Shape(aims="call"),
    FaultKind.ANSWER_LATE: Shape(seconds=(0.5, 90), aims="call"),
    FaultKind.CANCEL_RACE: Shape(),
    FaultKind.PARTIAL_FILL: Shape(amount=(0.05, 0.95)),
    FaultKind.REJECT: Shape(aims="code"),
    FaultKind.DISCONNECT: Shape(seconds=(0.2, 1_800)),
    FaultKind.RATE_LIMIT: Shape(seconds=(1, 300)),
    FaultKind.SERVER_ERROR: Shape(seconds=(1, 300)),
    FaultKind.MAINTENANCE: Shape(seconds=(60, 7_200)),
    FaultKind.STREAM_DELAYED: Shape(seconds=(0.1, 120), counts=(1, 10)),
    FaultKind.STREAM_REORDERED: Shape(counts=(2, 8)),
    FaultKind.STREAM_DUPLICATED: Shape(counts=(1, 8)),
    FaultKind.STREAM_LOST: Shape(counts=(1, 8)),
    FaultKind.ZERO_PRICE: Shape(counts=(1, 5)),
    FaultKind.CROSSED_BOOK: Shape(counts=(1, 5)),
    FaultKind.STALE_PRICE: Shape(counts=(1, 20)),
    FaultKind.HANDLER_RAISES: Shape(aims="actor"),
    FaultKind.HANDLER_RAISES_LATE: Shape(aims="actor"),
    FaultKind.ACTOR_HANGS: Shape(seconds=(1, 300), aims="actor"),
    FaultKind.SLOW_CONSUMER: Shape(seconds=(0.05, 5), counts=(5, 100), aims="actor"),
    FaultKind.DISK_FULL: Shape(counts=(1, 5)),
    FaultKind.DISK_LOCKED: Shape(counts=(1, 3)),
    FaultKind.DISK_IO_ERROR: Shape(counts=(1, 3)),
    FaultKind.COMMIT_ANSWER_LOST: Shape(),
    FaultKind.SNAPSHOT_CORRUPTED: Shape(aims="durable"),
    FaultKind.CACHE_LOST: Shape(),
    FaultKind.KILL: Shape(seconds=(0.5, 3_600)),
    FaultKind.KILL_BEFORE_COMMIT: Shape(seconds=(0.5, 300)),
    FaultKind.KILL_AFTER_COMMIT: Shape(seconds=(0.5, 300)),
    FaultKind.KILL_AT_SEND: Shape(seconds=(0.5, 300)),
    FaultKind.TORN_TAIL: Shape(seconds=(0.5, 300)),
}
"""Every kind of fault and its parameters."""


class Profile(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Means a simulated day: of each fault, of what operators do, of what clock and calendar do."""

    name: str
    rates: dict[FaultKind, float]
    acts: float = 0.0
    turns: float = 0.0


_NETWORK: Final = (
    FaultKind.ANSWER_LOST,
    FaultKind.REQUEST_LOST,
    FaultKind.ANSWER_LATE,
    FaultKind.CANCEL_RACE,
    FaultKind.PARTIAL_FILL,
    FaultKind.REJECT,
    FaultKind.DISCONNECT,
    FaultKind.RATE_LIMIT,
    FaultKind.SERVER_ERROR,
    FaultKind.MAINTENANCE,
    FaultKind.STREAM_DELAYED,
    FaultKind.STREAM_REORDERED,
    FaultKind.STREAM_DUPLICATED,
    FaultKind.STREAM_LOST,
)
_PRICES: Final = (FaultKind.ZERO_PRICE, FaultKind.CROSSED_BOOK, FaultKind.STALE_PRICE)
_ACTORS: Final = (
    FaultKind.HANDLER_RAISES,
    FaultKind.HANDLER_RAISES_LATE,
    FaultKind.ACTOR_HANGS,
    FaultKind.SLOW_CONSUMER,
)
_DISK: Final = (
    FaultKind.DISK_FULL,
    FaultKind.DISK_LOCKED,
    FaultKind.DISK_IO_ERROR,
    FaultKind.COMMIT_ANSWER_LOST,
    FaultKind.SNAPSHOT_CORRUPTED,
    FaultKind.CACHE_LOST,
    FaultKind.TORN_TAIL,
)
_CRASH: Final = (
    FaultKind.KILL,
    FaultKind.KILL_BEFORE_COMMIT,
    FaultKind.KILL_AFTER_COMMIT,
    FaultKind.KILL_AT_SEND,
    FaultKind.TORN_TAIL,
    FaultKind.SNAPSHOT_CORRUPTED,
    FaultKind.CACHE_LOST,
)

_ALL: Final = {
    **dict.fromkeys(FaultKind, 0.5),
    # What aims at orders waits for one: more of it comes about where orders are.
    **dict.fromkeys(_NETWORK[:6], 0.9),
    **dict.fromkeys(_PRICES, 0.6),
    FaultKind.MAINTENANCE: 0.25,
    FaultKind.HANDLER_RAISES: 2.0,
    FaultKind.HANDLER_RAISES_LATE: 1.5,
    FaultKind.SNAPSHOT_CORRUPTED: 0.8,
    FaultKind.KILL: 0.4,
    FaultKind.KILL_BEFORE_COMMIT: 0.3,
    FaultKind.KILL_AFTER_COMMIT: 0.3,
    FaultKind.KILL_AT_SEND: 0.4,
    FaultKind.TORN_TAIL: 0.3,
}


def _profile(name: str, rates: Mapping[FaultKind, float], *, acts: float = 0.0, turns: float = 0.0) -> Profile:
    return Profile(name=name, rates=dict(rates), acts=acts, turns=turns)


PROFILES: Final[Mapping[str, Profile]] = {
    each.name: each
    for each in (
        _profile("none", {}),
        _profile("gentle", {kind: rate / 5 for kind, rate in _ALL.items()}, acts=0.5, turns=0.2),
        _profile("network", dict.fromkeys(_NETWORK, 3.0)),
        _profile("disk", dict.fromkeys(_DISK, 1.5)),
        _profile("crash", dict.fromkeys(_CRASH, 2.0)),
        _profile("actors", dict.fromkeys(_ACTORS, 6.0)),
        _profile("prices", dict.fromkeys(_PRICES, 8.0), turns=2.0),
        _profile("operators", {}, acts=12.0, turns=2.0),
        _profile("all", _ALL, acts=3.0, turns=1.0),
    )
}
"""Profile by name."""
