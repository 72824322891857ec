"""Trading rules of an account's markets: what is known, how old it is, and how it is asked for (EX-501, EX-507).

One *precision cache* an account fetches the rules of all markets at once through the session, journals what changed and
publishes ``RulesState`` on the bus topic ``precision:<account>`` (kept). Whoever needs rules that are absent or old tells it
``NeedRules`` and looks again at the next ``RulesState``: every fetch that ends, well or badly, publishes one.
"""

from __future__ import annotations

from typing import ClassVar

from protocol.instruments import Instrument
from protocol.messages import Event, Message, Request
from protocol.values import Instant, Name, Text

__all__ = [
    "FetchInstruments",
    "Instruments",
    "NeedRules",
    "RefreshRules",
    "RulesFetchFailed",
    "RulesFetched",
    "RulesState",
]


class RulesState(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """All that is known of an account's rules. ``fetched_at`` is that of the last fetch that worked, None before any.

    ``failed_at`` and ``error`` are those of the last fetch when it failed, else None and empty. ``fetching`` while one runs.
    """

    LANE: ClassVar[str] = "control"
    OVERFLOW: ClassVar[str] = "keep"

    account: Name
    instruments: tuple[Instrument, ...]
    fetched_at: Instant | None
    failed_at: Instant | None = None
    error: Text = ""
    fetching: bool = False
    at: Instant


class NeedRules(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Pool or group to the cache: the rules of this symbol are absent or old. Concurrent needs share one fetch."""

    OVERFLOW: ClassVar[str] = "keep"

    symbol: Name
    at_once: bool = False
    """Whatever their age: the venue has just refused what these rules allowed (EX-516)."""


class RefreshRules(Request[RulesState], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """An operator fetches the rules of all markets now (EX-513); answered when the fetch has ended."""

    LANE: ClassVar[str] = "control"


class Instruments(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A venue's markets, all of them, as the session has just fetched them."""

    account: Name
    instruments: tuple[Instrument, ...]
    at: Instant


class FetchInstruments(Request[Instruments], frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """Cache to session: fetch the rules of all markets."""


class RulesFetched(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A fetch worked: the markets whose rules are new or changed, those that are gone, and how many there are."""

    account: Name
    changed: tuple[Instrument, ...]
    gone: tuple[Name, ...] = ()
    symbols: int
    at: Instant


class RulesFetchFailed(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """A fetch failed; the next try is ``retry_after_s`` seconds later (EX-507)."""

    account: Name
    error: Text
    retry_after_s: int
    at: Instant
