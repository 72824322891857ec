"""The precision cache of one account: the trading rules of all its markets, fetched in bulk and kept (EX-501, EX-507).

It stands last under its account's supervisor: a session that crashes takes it along, which loses nothing (its memory is the
journal, and what it last published stays on the bus), and it takes nobody along itself.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from actors.precision_book import RulesBook
from actors.session import session_topic
from actors.topics import precision_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.instruments import Instrument
from protocol.messages import Event, Message, Value
from protocol.precision import (
    FetchInstruments,
    Instruments,
    NeedRules,
    RefreshRules,
    RulesFetched,
    RulesFetchFailed,
    RulesState,
)
from protocol.venue import SessionDown, SessionUp
from runtime.actor import NO_ANSWER, Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.envelope import Envelope
from runtime.errors import ActorError
from runtime.timers import Timer
from venues.errors import VenueError

__all__ = ["FETCH_WITHIN_S", "NEWS_WITHIN_S", "RETRY_AFTER_S", "PrecisionCache", "PrecisionSettings"]

RETRY_AFTER_S: Final = (5, 15, 60, 300)
"""Waits after the first, second, third and every further failed fetch (EX-507)."""

FETCH_WITHIN_S: Final = 60.0
"""A venue's whole list of markets can be megabytes."""

NEWS_WITHIN_S: Final = 60
"""A fetch this young answers whoever misses a symbol: an alert for a market that does not exist costs no call each time."""


class PrecisionSettings(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How long fetched rules count as fresh (``precision.refresh_seconds``)."""

    refresh_s: int = 172_800


class _Due(Message, frozen=True, tag=True):
    pass


class _Came(Message, frozen=True, tag=True):
    instruments: tuple[Instrument, ...] | None
    error: str = ""


class PrecisionCache(DurableActor):
    """Keeps the rules; one fetch at a time serves everybody who needs one."""

    SNAPSHOT_EVERY = 100

    def __init__(self, *, account: str, session: str, settings: PrecisionSettings) -> None:
        self._account = account
        self._session = session
        self._settings = settings
        self._book = RulesBook()
        self._fetching = False
        self._timer: Timer | None = None
        self._asking: list[Envelope] = []

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Say what is known from before, and fetch when that is old: at the latest when the session is up."""
        self._publish()
        self._plan()
        self.context.bus.subscribe(session_topic(self._account), self.ref)

    def apply(self, event: Event) -> None:
        """Take over what a fetch brought, or that it failed."""
        self._book.apply(event)

    def snapshot(self) -> bytes:
        """Return all rules."""
        return msgspec.msgpack.encode(self._book)

    def restore(self, state: bytes) -> None:
        """Take over rules."""
        self._book = msgspec.msgpack.decode(state, type=RulesBook)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        book = self._book
        if book.fetched_at is None:
            return f"no rules yet{', fetch failed: ' + book.error if book.error else ''}"
        age = max(0, self.now() - book.fetched_at) // NANOS
        failed = f", last fetch failed: {book.error}" if book.error else ""
        return f"{len(book.instruments)} symbols, fetched {age} s ago{failed}"

    @handles
    def settings(self, msg: ApplySettings) -> SettingsTaken:
        """Go on under another lifetime."""
        assert isinstance(msg.settings, PrecisionSettings), msg.settings
        self._settings = msg.settings
        self._plan()
        return SettingsTaken(msg.version)

    # --- needs ---------------------------------------------------------------------------------------------------------

    @handles
    def need(self, msg: NeedRules) -> None:
        """Fetch unless what is known must do: then say it again."""
        if self._fetching:
            return  # its end is heard by everybody
        book, now = self._book, self.now()
        age = None if book.fetched_at is None else now - book.fetched_at
        if msg.at_once:
            self._fetch()
        elif book.error and self._timer is not None:
            self._publish()  # the next try is due by itself
        elif age is None or age > self._enough_s(msg.symbol) * NANOS:
            self._fetch()
        else:
            self._publish()

    def _enough_s(self, symbol: str) -> int:
        return self._settings.refresh_s if self._book.knows(symbol) else NEWS_WITHIN_S

    @handles
    def refresh(self, msg: RefreshRules) -> Any:  # noqa: ARG002 - the type is the message
        """Fetch because an operator says so; answered when the fetch has ended (EX-513)."""
        if self.context.envelope is not None:
            self._asking.append(self.context.envelope)
        self._fetch()
        return NO_ANSWER

    @handles
    def due(self, msg: _Due) -> None:  # noqa: ARG002 - the type is the message
        """Fetch: the rules have become old, or the wait after a failed fetch is over."""
        self._timer = None
        self._fetch()

    # --- fetching ------------------------------------------------------------------------------------------------------

    def _fetch(self) -> None:
        if self._fetching:
            return
        self._fetching = True
        session = self.context.system.lookup(self._session)
        if session is None:
            self.ref.tell(_Came(None, "the venue session is not running"))
            return
        self._publish()
        self.context.pipe(
            session.ask(FetchInstruments(), timeout_s=FETCH_WITHIN_S),
            lambda found: _Came(found.instruments) if isinstance(found, Instruments) else _Came(None, "no answer"),
            _not_fetched,
        )

    @handles
    def came(self, msg: _Came) -> Do:
        """Record how a fetch ended and say it to everybody."""
        self._fetching = False
        if not msg.instruments:
            # An empty list is no news of delisted markets: whoever believed it would refuse every entry.
            return self._failed(msg.error or "the venue listed no markets")
        return self._worked(msg.instruments)

    @handles
    def session_up(self, msg: SessionUp) -> Do | None:
        """Take the rules that the session has just fetched to connect."""
        return self._worked(msg.instruments) if msg.instruments and self._is_news(msg) else None

    def _is_news(self, msg: SessionUp) -> bool:
        return self._book.fetched_at is None or msg.at > self._book.fetched_at

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep what is known: rules do not end with a connection."""

    def _worked(self, instruments: tuple[Instrument, ...]) -> Do:
        changed, gone = self._book.differences(instruments)
        event = RulesFetched(account=self._account, changed=changed, gone=gone, symbols=len(instruments), at=self.now())
        return Do([event], then=self._ended)

    def _failed(self, error: str) -> Do:
        wait = RETRY_AFTER_S[min(self._book.failures, len(RETRY_AFTER_S) - 1)]
        event = RulesFetchFailed(account=self._account, error=error, retry_after_s=wait, at=self.now())
        return Do([event], then=self._ended)

    def _ended(self) -> None:
        self._plan()
        state = self._publish()
        asking, self._asking = self._asking, []
        for envelope in asking:
            self.context.answer(envelope, state)

    # --- time and news -------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        """Set the one timer to the next instant at which a fetch is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self._book.due_at(self._settings.refresh_s)
        if at is not None:
            self._timer = self.timers.at(max(at, self.now()), _Due())

    def _publish(self) -> RulesState:
        book = self._book
        state = RulesState(
            account=self._account,
            instruments=book.all(),
            fetched_at=book.fetched_at,
            failed_at=book.failed_at,
            error=book.error,
            fetching=self._fetching,
            at=self.now(),
        )
        self.context.bus.publish(precision_topic(self._account), state, keep=True)
        return state


def _not_fetched(error: Exception) -> Message:
    if not isinstance(error, ActorError | VenueError | OSError | TimeoutError):
        raise error
    return _Came(None, str(error) or type(error).__name__)
