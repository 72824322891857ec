"""Watches the link to the shared cache: pings it, says how it stands, and brings back what waited (DS-710, DS-711).

Nobody who trades waits for this actor or for the cache: while the link is lost every call to the cache is answered at
once by the process itself.
"""

from __future__ import annotations

from typing import Any, Final

from protocol.event_log import LogEvent
from protocol.messages import Message
from protocol.nodes import CacheFailed, CacheHealth, CacheState
from runtime.actor import Actor, handles
from runtime.clock import NANOS
from runtime.timers import Timer
from store.cache.health import LinkHealth, reconnect_delay_s
from store.cache.opening import Link, Shared

__all__ = ["AGAIN_S", "CACHE", "PING_EVERY_S", "STEADY_S", "CacheLink"]

CACHE: Final = "cache"
"""Bus topic on which the link says how it stands (kept)."""

PING_EVERY_S: Final = 30.0
AGAIN_S: Final = 1.0
"""So soon a ping is repeated that failed, and the first five of a connection: both decide how the link stands (DS-710)."""

STEADY_S: Final = 60.0
"""A link that held so long begins with the shortest wait again when it is lost (DS-706)."""


class _Ping(Message, frozen=True, tag=True):
    pass


class _Answered(Message, frozen=True, tag=True):
    took_ns: int


class _Unanswered(Message, frozen=True, tag=True):
    reason: str


class _Flushed(Message, frozen=True, tag=True):
    count: int


class CacheLink(Actor):
    """One a daemon. ``events`` is the path of the event log, in which a lost link and its return are lines."""

    def __init__(self, shared: Shared, *, events: str) -> None:
        self._shared = shared
        self._link: Link | None = shared.link
        self._events = events
        self._health = LinkHealth()
        self._timer: Timer | None = None
        self._pinging = False
        self._attempts = 0
        self._steady_since: int | None = None
        self._said: CacheHealth | None = None
        self._brought = 0

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Begin with a ping beside the actor: a house never waits for its cache."""
        if self._link is None:
            self._say(CacheState.IN_PROCESS)
            return
        self._link.on_failure = self.context.callback(self._call_failed)
        self._say(CacheState.RECONNECTING, "not yet connected")
        self._look()

    async def let_go(self) -> None:
        """Close every connection; whoever still asks gets new ones."""
        if self._link is not None:
            self._link.on_failure = _deaf
            await self._link.close()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        said = self._said
        if said is None or self._link is None:
            return "in process"
        ping = f", ping {said.ping_ns / 1e6:.1f} ms" if said.ping_ns is not None else ""
        why = f": {said.reason}" if said.reason else ""
        stats, posts = self._shared.cache.stats(), self._shared.channels.stats()
        waits, lost = stats.held + posts.waiting, stats.dropped + posts.overflowed
        return f"{said.state.value}{ping}, {waits} wait, {lost} lost{why}"

    @property
    def counts(self) -> dict[str, int]:
        """What the cache and the channels have counted since the start, by name."""
        return {
            **self._shared.cache.stats()._asdict(),
            **self._shared.channels.stats()._asdict(),
            "brought": self._brought,
        }

    # --- pings ---------------------------------------------------------------------------------------------------------

    def _call_failed(self, reason: str) -> None:
        self.ref.tell(CacheFailed(reason))

    @handles
    def failing(self, msg: CacheFailed) -> None:  # noqa: ARG002 - the type is the message
        """Look at once: whoever called the cache has just waited in vain."""
        if self._health.state is not CacheState.RECONNECTING:
            self._look()

    @handles
    def due(self, msg: _Ping) -> None:  # noqa: ARG002 - the type is the message
        """Send the next ping."""
        self._look()

    def _look(self) -> None:
        if self._pinging or self._link is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._pinging = True
        self.context.pipe(self._link.ping(), _Answered, lambda error: _Unanswered(str(error)), real=True)

    def _again_in(self, seconds: float) -> Timer:
        self._timer = self.timers.after(seconds, _Ping())
        return self._timer

    @handles
    def answered(self, msg: _Answered) -> None:
        """Go on, or come back: then what waited is written first of all."""
        assert self._link is not None
        self._pinging = False
        before = self._health.state
        state = self._health.answered(msg.took_ns)
        self._again_in(PING_EVERY_S if self._health.judged else AGAIN_S)
        self._link.away = False
        if before is CacheState.RECONNECTING:
            self._steady_since = self.now()
            if self._attempts:
                self._log("info", "CacheBack", f"the shared cache at {self._link.address} answers again")
        self._say(state)
        self.context.pipe(self._shared.flush(), _Flushed, real=True)

    @handles
    def unanswered(self, msg: _Unanswered) -> None:
        """Ask again soon; after the third time it is lost, and the waits between attempts grow."""
        assert self._link is not None
        self._pinging = False
        before = self._health.state
        state = self._health.failed()
        if state is not CacheState.RECONNECTING:
            self._again_in(AGAIN_S)
            self._say(state, msg.reason)
            return
        self._lost_now(before)
        self._attempts += 1
        timer = self._again_in(reconnect_delay_s(self._attempts, self.context.random.random()))
        if before is not state or self._attempts == 1:
            text = f"the shared cache at {self._link.address} is away: {msg.reason}; orders go on without it"
            self._log("warning", "CacheAway", text)
        self._say(state, msg.reason, timer.at)

    def _lost_now(self, before: CacheState) -> None:
        assert self._link is not None
        self._link.away = True
        since, self._steady_since = self._steady_since, None
        if before is not CacheState.RECONNECTING and since is not None and self.now() - since >= STEADY_S * NANOS:
            self._attempts = 0

    @handles
    def flushed(self, msg: _Flushed) -> None:
        """Count what was brought after the link came back."""
        self._brought += msg.count

    # --- saying it -----------------------------------------------------------------------------------------------------

    def _say(self, state: CacheState, reason: str = "", retry_at: int | None = None) -> None:
        said = CacheHealth(
            address=self._link.address if self._link is not None else "",
            state=state,
            at=self.now() if self._said is None or self._said.state is not state else self._said.at,
            ping_ns=self._health.ping_ns,
            attempts=self._attempts,
            reason=reason[:4_000],
            retry_at=retry_at,
        )
        self._said = said
        self.context.bus.publish(CACHE, said, keep=True)

    def _log(self, severity: str, code: str, text: str) -> None:
        events: Any = self.context.system.lookup(self._events)
        if events is not None:
            events.tell(LogEvent(severity=severity, code=code, text=text[:4_000], about=self.context.path))


def _deaf(reason: str) -> None:
    """Hear of failures between two lives."""
