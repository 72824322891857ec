"""The link to the shared cache: pings, states, waits that grow, and what it brings back."""

from __future__ import annotations

from typing import Any

from actors.cache_link import CACHE, CacheLink
from protocol.event_log import LogEvent
from protocol.nodes import CacheHealth
from runtime.actor import Actor, handles
from store.cache.errors import CacheAway
from store.cache.memory import MemoryCache
from store.cache.memory_channels import MemoryChannels, MemoryHub
from store.cache.memory_locks import MemoryLocks
from store.cache.opening import Shared
from tests.actors.cast import S, Stage, play

MS = 1_000_000


class Wire:
    """A link that answers pings as a test says."""

    def __init__(self) -> None:
        self.address = "box:6379"
        self.away = False
        self.on_failure: Any = None
        self.answers: list[int | None] = []
        """What the next pings take; None: no answer. Afterwards each takes a millisecond."""
        self.pings = 0
        self.closed = 0

    async def ping(self) -> int:
        self.pings += 1
        took = self.answers.pop(0) if self.answers else MS
        if took is None:
            raise CacheAway("box:6379: no answer within 2 s")
        return took

    async def close(self) -> None:
        self.closed += 1


class Ear(Actor):
    """Remembers what the link says and logs."""

    def __init__(self, said: list[Any]) -> None:
        self.said = said

    def started(self) -> None:
        self.context.bus.subscribe(CACHE, self.ref)

    @handles
    def health(self, msg: CacheHealth) -> None:
        self.said.append(msg)

    @handles
    def line(self, msg: LogEvent) -> None:
        self.said.append(msg)


class Rig:
    """The link ``/house/link`` on a wire, and who hears it."""

    def __init__(self, stage: Stage, wire: Wire | None) -> None:
        self.stage = stage
        self.said: list[Any] = []
        self.flushed = 0

        async def flush() -> int:
            self.flushed += 1
            return 0

        now = stage.system.clock.now
        shared = Shared(MemoryCache(now), MemoryLocks(now), MemoryChannels(MemoryHub(), node="a", epoch=1), wire, flush)
        stage.add("events", lambda: Ear(self.said))
        stage.add("link", lambda: CacheLink(shared, events="/house/events"))

    def states(self) -> list[str]:
        """Return the states in order, one that is said again once."""
        found = [each.state.value for each in self.said if isinstance(each, CacheHealth)]
        return [state for index, state in enumerate(found) if index == 0 or found[index - 1] != state]

    @property
    def newest(self) -> CacheHealth:
        """What it said last."""
        return [each for each in self.said if isinstance(each, CacheHealth)][-1]

    def lines(self) -> list[tuple[str, str]]:
        """Return severity and code of its lines in the log."""
        return [(each.severity, each.code) for each in self.said if isinstance(each, LogEvent)]


def test_without_a_server_it_says_so_and_does_nothing() -> None:
    """DK-251: where none is configured the cache is in the process; there is nothing to ping."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, None)
        await stage.passes(600)
        assert rig.states() == ["in_process"]
        assert stage.actor("link").detail == "in process"
        cell = stage.system.cell_of("/house/link")
        assert cell is not None
        assert cell.handled == 0

    play(script)


def test_it_pings_every_half_minute() -> None:
    """DS-710: five pings to know the link, then one each 30 s; what waited is brought after each that is answered."""

    async def script(stage: Stage) -> None:
        wire = Wire()
        rig = Rig(stage, wire)
        await stage.settle()
        assert rig.states() == ["reconnecting", "healthy"]
        await stage.passes(5)
        assert wire.pings == 5
        await stage.passes(300)
        assert wire.pings == 15
        assert rig.flushed == 15
        assert rig.newest.ping_ns == MS
        assert rig.newest.at == stage.now - 305 * S - 1_000, "since when it is healthy, not since the last ping"
        assert rig.lines() == [], "a first connection is no news"
        assert stage.actor("link").counts["gaps"] == 0

    play(script)


def test_a_slow_server_is_degraded_and_comes_back() -> None:
    """DS-710: a median above 250 ms is DEGRADED, and healthy again when it is not."""

    async def script(stage: Stage) -> None:
        wire = Wire()
        wire.answers = [300 * MS] * 5
        rig = Rig(stage, wire)
        await stage.passes(200)
        assert rig.states() == ["reconnecting", "healthy", "degraded", "healthy"]
        assert not wire.away, "slow is not away"

    play(script)


def test_three_pings_and_it_is_lost() -> None:
    """DS-710: two failed pings are no loss; the third shuts the link, says why and until when, once in the log."""

    async def script(stage: Stage) -> None:
        wire = Wire()
        rig = Rig(stage, wire)
        await stage.passes(100)
        wire.answers = [None, None]
        await stage.passes(40)
        assert rig.states() == ["reconnecting", "healthy"]
        assert not wire.away
        wire.answers = [None] * 12
        await stage.passes(33)
        assert rig.states()[-1] == "reconnecting"
        assert wire.away
        assert rig.newest.reason == "box:6379: no answer within 2 s"
        assert rig.newest.retry_at is not None
        assert rig.lines() == [("warning", "CacheAway")]
        assert "reconnecting" in stage.actor("link").detail
        await stage.passes(200)
        assert rig.states()[-1] == "healthy"
        assert not wire.away
        assert rig.lines() == [("warning", "CacheAway"), ("info", "CacheBack")]

    play(script)


def test_waits_grow_while_it_is_lost() -> None:
    """DS-706: attempts come at random below limits that double to 30 s; after a steady minute they begin small again."""

    async def script(stage: Stage) -> None:
        wire = Wire()
        rig = Rig(stage, wire)
        await stage.passes(100)
        wire.answers = [None] * 40
        await stage.passes(900)
        said = [each for each in rig.said if isinstance(each, CacheHealth) and each.retry_at is not None]
        assert len(said) >= 35
        assert max(each.attempts for each in said) >= 35
        assert rig.newest.attempts > 3
        assert rig.states()[-1] == "healthy"
        await stage.passes(61)
        wire.answers = [None] * 4
        await stage.passes(40)
        lost = [each.attempts for each in rig.said if isinstance(each, CacheHealth) and each.retry_at is not None]
        assert lost[-2:] == [1, 2]

    play(script)


def test_a_failed_call_is_looked_into_at_once() -> None:
    """Whoever called in vain is the first to know: the link is pinged now and lost within seconds, not minutes."""

    async def script(stage: Stage) -> None:
        wire = Wire()
        rig = Rig(stage, wire)
        await stage.passes(100)
        wire.answers = [None] * 3
        for _ in range(5):
            wire.on_failure("refused")
        await stage.settle()
        assert wire.answers == [None, None], "five who fail at once are one ping"
        await stage.passes(2.1)
        assert wire.away
        assert rig.states()[-1] == "reconnecting"
        pings = wire.pings
        wire.on_failure("refused")
        await stage.settle()
        assert wire.pings == pings, "it is known to be away: the waits decide"

    play(script)


def test_a_crashed_link_leaves_nothing_open() -> None:
    """Its connections end with its life, late words of the old life change nothing, and the next life connects anew."""

    async def script(stage: Stage) -> None:
        wire = Wire()
        rig = Rig(stage, wire)
        await stage.passes(100)
        old = wire.on_failure
        await stage.crash("link")
        await stage.settle()
        assert wire.closed == 1
        assert rig.states() == ["reconnecting", "healthy", "reconnecting", "healthy"]
        pings = wire.pings
        old("too late")
        await stage.settle()
        assert wire.pings == pings

    play(script)
