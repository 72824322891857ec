"""The precision cache: one fetch for everybody, kept through restarts, tried again by the book (EX-501, EX-507, EX-508)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from actors.precision import RETRY_AFTER_S, PrecisionCache, PrecisionSettings
from actors.session import session_topic
from actors.topics import precision_topic
from protocol.configuration import ApplySettings
from protocol.instruments import Instrument
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
from runtime.actor import NO_ANSWER, Actor, Do, handles
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import NO_DISK, FailingJournal, S, Stage, play
from tests.actors.cuts import cuts
from tests.actors.orders import market
from venues.errors import VenueDown

CACHE = "/house/precision"
BTC, ETH = market(), market("ETH/USDT")
NEW_BTC = msgspec.structs.replace(BTC, rules=msgspec.structs.replace(BTC.rules, tick_size=BTC.rules.tick_size * 5))
REFRESH_S = 172_800


class Session(Actor):
    """Stands for the session: answers each fetch by the next item of a script: markets, an error, or later."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    @handles
    def fetch(self, msg: FetchInstruments) -> Any:
        self.rig.fetches.append(self.now())
        said = self.rig.script.pop(0) if len(self.rig.script) > 1 else self.rig.script[0]
        envelope = self.context.envelope
        assert envelope is not None
        if said is None:
            self.rig.late.append(lambda found: self.context.answer(envelope, Instruments("acc", found, self.now())))
            return NO_ANSWER
        if isinstance(said, Exception):
            self.context.answer(envelope, error=said)
            return NO_ANSWER
        return Do(answer=Instruments("acc", said, self.now()))


class Rig:
    """The cache under test beside a session whose answers are scripted."""

    def __init__(self, stage: Stage, *script: Any, refresh_s: int = REFRESH_S) -> None:
        self.stage = stage
        self.script = list(script) or [(BTC,)]
        self.fetches: list[int] = []
        self.late: list[Callable[[tuple[Instrument, ...]], None]] = []
        self.news: list[RulesState] = stage.probe("news", topics=(precision_topic("acc"),))
        stage.add("session", lambda: Session(self))
        settings = PrecisionSettings(refresh_s)
        stage.add("precision", lambda: PrecisionCache(account="acc", session="/house/session", settings=settings))

    @property
    def state(self) -> RulesState:
        found = self.stage.system.bus.kept(precision_topic("acc"))
        assert isinstance(found, RulesState)
        return found

    def up(self, *markets: Instrument) -> None:
        self.stage.system.bus.publish(session_topic("acc"), SessionUp("acc", markets, self.stage.now), keep=True)


def test_many_needs_share_one_fetch() -> None:
    """EX-507: however many ask while a fetch runs, the venue is asked once, and all hear its end."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, None)
        await stage.told("precision", *(NeedRules("BTC/USDT") for _ in range(5)), NeedRules("ETH/USDT", at_once=True))
        assert len(rig.fetches) == 1
        assert rig.state.fetching
        rig.late[0]((BTC, ETH))
        await stage.settle()
        assert (rig.state.fetching, rig.state.instruments) == (False, (BTC, ETH))
        assert rig.state.fetched_at == stage.events(CACHE, RulesFetched)[0].at
        assert len(rig.fetches) == 1

    play(script)


def test_what_the_session_fetched_to_connect_counts() -> None:
    """EX-507: a connect brings the rules along; they are fresh without a second call, and a lost connection loses none."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage)
        rig.up(BTC)
        await stage.settle()
        await stage.told("precision", NeedRules("BTC/USDT"), NeedRules("BTCUSDT"))
        assert rig.fetches == []
        stage.system.bus.publish(session_topic("acc"), SessionDown("acc", "gone", stage.now), keep=True)
        await stage.settle()
        assert rig.state.instruments == (BTC,)

    play(script)


def test_rules_are_fetched_again_when_they_are_old() -> None:
    """EX-507: after ``precision.refresh_seconds`` the cache fetches by itself; a shorter life takes effect at once."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, (BTC, ETH))
        rig.up(BTC)
        await stage.passes(REFRESH_S - 1)
        assert rig.fetches == []
        await stage.passes(2)
        assert len(rig.fetches) == 1
        await stage.ask("precision", ApplySettings(2, PrecisionSettings(60)))
        await stage.passes(61)
        assert len(rig.fetches) == 2

    play(script)


def test_a_fetch_that_fails_is_tried_again_after_5_15_60_and_then_every_300_seconds() -> None:
    """EX-507: the waits after failed fetches; what is known stays known, with the error beside it."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, VenueDown("stub", "503"))
        rig.up(BTC)
        await stage.settle()
        first = stage.now
        await stage.told("precision", NeedRules("BTC/USDT", at_once=True))
        await stage.told("precision", NeedRules("NEW/USDT"))
        assert len(rig.fetches) == 1
        assert (rig.state.instruments, rig.state.error) == ((BTC,), "stub: 503")
        assert rig.state.failed_at is not None
        await stage.passes(700)
        waits = [round((at - first) / S) for at in rig.fetches]
        assert waits == [0, 5, 20, 80, 380, 680]
        assert [each.retry_after_s for each in stage.events(CACHE, RulesFetchFailed)][:4] == list(RETRY_AFTER_S)
        rig.script = [(BTC, ETH)]
        await stage.passes(300)
        assert (rig.state.error, rig.state.failed_at, len(rig.state.instruments)) == ("", None, 2)

    play(script)


def test_an_unknown_symbol_is_looked_for_once_a_minute_at_most() -> None:
    """EX-506, EX-507: a symbol that a fresh fetch did not bring costs no call each time, but a new listing is found."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, (BTC, ETH))
        rig.up(BTC)
        await stage.settle()
        heard = len(rig.news)
        await stage.told("precision", NeedRules("ETH/USDT"))
        assert (len(rig.fetches), len(rig.news)) == (0, heard + 1)
        await stage.passes(61)
        await stage.told("precision", NeedRules("ETH/USDT"))
        assert len(rig.fetches) == 1
        assert ETH in rig.state.instruments

    play(script)


def test_an_operator_fetches_and_is_answered_when_it_has_ended() -> None:
    """EX-513: RefreshRules is answered with what is known after the fetch, also when that failed."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, (ETH,), VenueDown("stub", "503"))
        rig.up(BTC)
        await stage.settle()
        found = await stage.ask("precision", RefreshRules())
        assert (found.instruments, found.error) == ((ETH,), "")
        failed = await stage.ask("precision", RefreshRules())
        assert (failed.instruments, failed.error) == ((ETH,), "stub: 503")
        assert "1 symbols" in stage.actor("precision").detail

    play(script)


def test_a_refusal_of_the_venue_fetches_at_once() -> None:
    """EX-516: rules that the venue has just contradicted are fetched whatever their age."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, (NEW_BTC,))
        rig.up(BTC)
        await stage.settle()
        await stage.told("precision", NeedRules("BTC/USDT", at_once=True))
        assert rig.state.instruments == (NEW_BTC,)

    play(script)


def test_a_list_of_nothing_is_a_failed_fetch() -> None:
    """EX-507: a venue that lists no markets at all is not believed: what is known stays known."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, ())
        rig.up(BTC)
        await stage.settle()
        await stage.told("precision", NeedRules("BTC/USDT", at_once=True))
        assert rig.state.instruments == (BTC,)
        assert "no markets" in rig.state.error

    play(script)


def test_without_a_session_a_fetch_fails_and_is_tried_again() -> None:
    """EX-507, EX-511: with the venue down the old rules stay at hand and the fetch is repeated until it works."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, (BTC, ETH))
        rig.up(BTC)
        await stage.settle()
        stage.remove("session")
        await stage.told("precision", NeedRules("BTC/USDT", at_once=True))
        assert rig.state.instruments == (BTC,)
        assert rig.state.error
        stage.add("session", lambda: Session(rig))
        await stage.passes(5.1)
        assert rig.state.instruments == (BTC, ETH)

    play(script)


def test_only_changes_are_journalled() -> None:
    """EX-507: a fetch journals the markets that are new, changed or gone, and how many there are in all."""

    async def script(stage: Stage) -> None:
        rig = Rig(stage, (NEW_BTC,))
        rig.up(BTC, ETH)
        await stage.settle()
        await stage.ask("precision", RefreshRules())
        first, second = stage.events(CACHE, RulesFetched)
        assert (first.changed, first.gone, first.symbols) == ((BTC, ETH), (), 2)
        assert (second.changed, second.gone, second.symbols) == ((NEW_BTC,), ("ETH/USDT",), 1)

    play(script)


@pytest.mark.parametrize("every", [0, 1])
def test_old_rules_are_known_at_once_after_a_restart(every: int) -> None:
    """EX-507: a new life says what it knew before any fetch, and fetches when that is old."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        stage.system.durability.snapshot_every = every
        rig = Rig(stage)
        rig.up(BTC, ETH)
        await stage.settle()

    async def later(stage: Stage) -> None:
        rig = Rig(stage, None)
        await stage.settle()
        assert rig.state.instruments == (BTC, ETH)
        assert len(rig.fetches) == 1

    play(first, journal=journal)
    play(later, journal=journal, start=1_700_000_000 * S + 2 * REFRESH_S * S)


def test_a_life_that_ends_after_any_event_goes_on_the_same() -> None:
    """EX-507, EX-1205: cut after every event, the journal rebuilds a cache that comes to the same rules."""
    whole = MemoryJournal()

    async def life(stage: Stage) -> None:
        rig = Rig(stage, (BTC,), VenueDown("stub", "503"), (NEW_BTC, ETH))
        await stage.told("precision", NeedRules("BTC/USDT"))
        await stage.told("precision", NeedRules("BTC/USDT", at_once=True))
        await stage.passes(6)
        assert rig.state.instruments == (NEW_BTC, ETH)

    play(life, journal=whole)
    assert whole.head() == 3
    for cut in cuts(whole):

        async def again(stage: Stage) -> None:
            rig = Rig(stage, (NEW_BTC, ETH))
            await stage.told("precision", NeedRules("BTC/USDT", at_once=True))
            await stage.passes(400)
            assert (rig.state.instruments, rig.state.error) == ((NEW_BTC, ETH), "")

        play(again, journal=cut)


def test_what_the_journal_did_not_keep_was_not_fetched() -> None:
    """EX-1201: rules whose event was lost are not published as known by the next life."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = Rig(stage, (BTC,))
        await stage.settle()
        journal.fail_next = 1
        await stage.told("precision", NeedRules("BTC/USDT"))
        assert rig.state.instruments == ()
        assert str(NO_DISK)
        await stage.told("precision", NeedRules("BTC/USDT"))
        assert rig.state.instruments == (BTC,)

    play(script, journal=journal)
