"""The chain keeper of one account: option chains that are good enough to choose strikes from (DK-60 to DK-68).

It decides when a session asks its venue: a chain is kept for 120 s, who wants the same at the same time shares one fetch,
the requests of a scan start 2 s apart, an invalid chain is fetched again after 60, 120 and 300 s and then given up with an
alert; meanwhile it holds nobody up. Three fetches run at a time: of twenty that shared the broker's pace each would be too
old when its last contract comes. A connection that is lost ends every fetch at once with ``VenueUnavailable``.

Nothing of this is durable. A chain is worth nothing after two minutes, and whoever decides on one journals its decision; a
request that a restart cuts off is answered ``VenueUnavailable`` and made again by its scan. Only what a person must see
outlives it: the alert of a chain that was given up is a line of the event log.

It stands last under its account's supervisor: a session that crashes takes it along, and it takes nobody along itself.
The pace of messages is the adapter's (DK-67). A contract is kept as the venue told it, raw quotes beside the broker's IV and
Greeks; what we compute ourselves (DK-66) goes beside it where chains are judged.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from actors.chains_answers import chain_reply, legs_reply, no_chain, no_quotes
from actors.chains_fetch import MOST_EXPIRIES, fetch, judged, trouble_of
from actors.chains_jobs import Asker, Job, Scans, Wanted
from actors.session_questions import CHAIN_TIMEOUT_S, QUOTES_TIMEOUT_S
from actors.session_topics import session_topic
from protocol.chains import AskChain, ChainReply, FetchQuotes, QuotesFetched, RequoteLegs
from protocol.errors import ValidationError
from protocol.event_log import EVENT_LOG, LogEvent
from protocol.messages import Message
from protocol.options import OptionChain
from protocol.venue import SessionDown, SessionUp
from rules.options.fresh import Cached, RequoteAction, cached
from rules.options.retries import SKIP_REASON, Outcome, after_fetch
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.clock import NANOS
from runtime.envelope import Envelope
from runtime.ref import ActorRef

__all__ = ["CHAIN_WITHIN_S", "LEGS_WITHIN_S", "LOOK_WITHIN_S", "MOST_AT_ONCE", "MOST_KEPT", "ChainKeeper"]

LOOK_WITHIN_S: Final = MOST_EXPIRIES * (CHAIN_TIMEOUT_S + 5.0) + 25.0
"""How long one fetch may take: a list and three expiries."""

CHAIN_WITHIN_S: Final = 480.0 + LOOK_WITHIN_S
"""How long an answer may take that waits for retries, beside the wait for a turn in its scan."""

MOST_AT_ONCE: Final = 3
"""Fetches under way at a time; one that a person waits for comes on top."""

LEGS_WITHIN_S: Final = QUOTES_TIMEOUT_S + 10.0

MOST_KEPT: Final = 256
"""Chains that are kept at most; the oldest goes first."""

_DOWN: Final = "VenueUnavailable"


class _Due(Message, frozen=True, tag=True):
    wanted: Wanted
    at: int


class _Came(Message, frozen=True, tag=True):
    wanted: Wanted
    number: int
    chain: OptionChain | None
    error: Exception | None = None


class _Quoted(Message, frozen=True, tag=True):
    number: int
    found: QuotesFetched | None
    error: Exception | None = None


class ChainKeeper(Actor):
    """Fetches, judges and keeps the chains of an account whose venue has them."""

    def __init__(self, *, account: str, session: str) -> None:
        self._account = account
        self._session = session
        self._jobs: dict[Wanted, Job] = {}
        self._ready: dict[Wanted, Job] = {}
        self._kept: dict[Wanted, OptionChain] = {}
        self._scans = Scans()
        self._legs: dict[int, tuple[Envelope, RequoteLegs]] = {}
        self._number = 0

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Hear when the connection is lost."""
        self.context.bus.subscribe(session_topic(self._account), self.ref)

    def let_go(self) -> None:
        """Answer whoever waits: the next life knows nothing of them."""
        self._end_all("the session or its chain keeper is restarting; ask again", all_jobs=True)

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        kept = sum(self._fresh(each) for each in self._kept.values())
        again = sum(each.timer is not None and each.fetches > 0 for each in self._jobs.values())
        waiting = f", {len(self._ready)} waiting" if self._ready else ""
        return f"{kept} chains kept, {self._fetching} under way{waiting}, {again} to be fetched again"

    @property
    def _fetching(self) -> int:
        return sum(each.under_way > 0 for each in self._jobs.values())

    # --- chains --------------------------------------------------------------------------------------------------------

    @handles
    def ask(self, msg: AskChain) -> Any:
        """Answer with the chain that is kept, else have it fetched and answer when it is good, or given up."""
        envelope, wanted = self.context.envelope, Wanted.of(msg)
        assert envelope is not None
        if msg.least_dte > msg.most_dte:
            error = ValidationError(
                "$.least_dte", f"must not be above most_dte, {msg.most_dte}", value=str(msg.least_dte)
            )
            self.context.answer(envelope, error=error)
            return NO_ANSWER
        if (hit := self._hit(wanted)) is not None:
            return hit
        job = self._jobs.get(wanted)
        if job is not None and msg.look and job.seen is not None and not job.under_way:
            return job.seen
        if job is None:
            job = self._jobs[wanted] = Job(wanted)
        job.asking.append(Asker(envelope, msg.look))
        if not job.fetches and wanted not in self._ready:
            start = self._scans.turn(msg.scan, self.now())
            if job.timer is None or start < job.due:
                self._plan(job, start)
        elif wanted in self._ready and msg.look:
            self._pump()
        return NO_ANSWER

    def _hit(self, wanted: Wanted) -> ChainReply | None:
        """Return the chain that is kept; the day may have changed since, so it is judged once more."""
        chain, now = self._kept.get(wanted), self.now()
        if chain is None or not self._fresh(chain):
            return None
        quality = judged(chain, wanted, now)
        if not quality.valid:
            return None
        return chain_reply(wanted.underlying, chain, quality, fetches=0, at=now, cached=True)

    def _fresh(self, chain: OptionChain) -> bool:
        return cached(chain.at, self.now()) is Cached.HIT

    # --- fetching ------------------------------------------------------------------------------------------------------

    def _plan(self, job: Job, at: int) -> None:
        if job.timer is not None:
            job.timer.cancel()
            job.timer = None
        job.due = at
        if at <= self.now():
            self._wants(job)
        else:
            job.timer = self.timers.at(at, _Due(job.wanted, at))

    @handles
    def due(self, msg: _Due) -> None:
        """Fetch: it is this chain's turn, or the wait after an invalid one is over."""
        job = self._jobs.get(msg.wanted)
        if job is not None and job.due == msg.at and job.timer is not None:
            job.timer = None
            self._wants(job)

    def _wants(self, job: Job) -> None:
        self._ready[job.wanted] = job
        self._pump()

    def _pump(self) -> None:
        """Fetch those whose time has come, as many at once as may be."""
        for job in tuple(self._ready.values()):
            if self._fetching < MOST_AT_ONCE + any(each.look for each in job.asking):
                del self._ready[job.wanted]
                self._fetch(job)

    def _fetch(self, job: Job) -> None:
        job.fetches += 1
        session = self._of_session()
        if session is None:
            self._end(job, _DOWN, "the venue session is not running")
            return
        job.under_way = number = self._next()
        self.context.pipe(
            fetch(session.ask, job.wanted, self.now),
            lambda chain: _Came(job.wanted, number, chain),
            lambda error: _Came(job.wanted, number, None, error),
        )

    def _of_session(self) -> ActorRef | None:
        return self.context.system.lookup(self._session)

    def _next(self) -> int:
        self._number += 1
        return self._number

    @handles
    def came(self, msg: _Came) -> None:
        """Judge what a fetch brought, and let the next begin."""
        job = self._jobs.get(msg.wanted)
        if job is None or job.under_way != msg.number:
            return
        job.under_way = 0
        self._judge(job, msg)
        self._pump()

    def _judge(self, job: Job, msg: _Came) -> None:
        if msg.chain is None:
            assert msg.error is not None
            trouble = trouble_of(msg.error)
            if not trouble.again:
                self._end(job, trouble.code, trouble.text)
                return
            seen = no_chain(job.wanted.underlying, trouble.code, trouble.text, fetches=job.fetches, at=self.now())
            self._invalid(job, seen)
            return
        quality = judged(msg.chain, job.wanted, self.now())
        seen = chain_reply(job.wanted.underlying, msg.chain, quality, fetches=job.fetches, at=self.now())
        if quality.valid:
            self._keep(job.wanted, msg.chain)
            self._answer(job, seen)
        else:
            self._invalid(job, seen)

    def _keep(self, wanted: Wanted, chain: OptionChain) -> None:
        self._kept = {key: each for key, each in self._kept.items() if self._fresh(each)}
        self._kept.pop(wanted, None)
        self._kept[wanted] = chain
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def _invalid(self, job: Job, seen: ChainReply) -> None:
        """Fetch again when it is time and somebody waits for it, else give the chain up (DK-63)."""
        verdict = after_fetch(job.fetches - 1, valid=False)
        patient = [each for each in job.asking if not each.look]
        if verdict.outcome is Outcome.WAITING and patient:
            assert verdict.wait_s is not None
            at = max(self.now(), job.due + verdict.wait_s * NANOS)
            job.seen = msgspec.structs.replace(seen, retry_at=at)
            for each in job.asking:
                if each.look:
                    self.context.answer(each.envelope, job.seen)
            job.asking = patient
            self._plan(job, at)
            return
        if verdict.alert and patient:
            self._alert(job, seen)
            seen = msgspec.structs.replace(seen, code=SKIP_REASON)
        self._answer(job, seen)

    def _alert(self, job: Job, seen: ChainReply) -> None:
        days, name = job.wanted.days, job.wanted.underlying
        text = (
            f"{name}, {days.least} to {days.most} days: the chain is not good enough after {job.fetches} fetches "
            f"({seen.code}: {seen.reason}); {name} is left out, see: bulkhead venue chain {self._account} {name}"
        )
        said = LogEvent(
            id=f"chain-{self._account}-{name}-{days.least}-{days.most}-{job.due}",
            severity="warning",
            code="ChainIncomplete",
            text=text[:4_000],
            about=self.context.path,
            pinned=True,
        )
        self.context.system.tell(EVENT_LOG, said)

    # --- chosen legs -----------------------------------------------------------------------------------------------------

    @handles
    def requote(self, msg: RequoteLegs) -> Any:
        """Ask for fresh quotes of the chosen legs alone, whatever is kept, and answer whether they hold (DK-64)."""
        envelope, session = self.context.envelope, self._of_session()
        assert envelope is not None
        if session is None:
            return no_quotes(msg, _DOWN, "the venue session is not running", self.now())
        number = self._next()
        self._legs[number] = (envelope, msg)
        symbols = tuple(dict.fromkeys(each.symbol for each in msg.legs))
        self.context.pipe(
            session.ask(FetchQuotes(symbols), QUOTES_TIMEOUT_S + 5.0),
            lambda found: _Quoted(number, found),
            lambda error: _Quoted(number, None, error),
        )
        return NO_ANSWER

    @handles
    def quoted(self, msg: _Quoted) -> None:
        """Compare the legs with what came; when they moved, a chain of their underlying is no longer to be chosen from."""
        envelope, asked = self._legs.pop(msg.number, (None, None))
        if envelope is None or asked is None:
            return
        contracts = msg.found.contracts if msg.found is not None else ()
        if msg.error is not None:
            trouble = trouble_of(msg.error)
            if not trouble.again:
                self.context.answer(envelope, no_quotes(asked, trouble.code, trouble.text, self.now()))
                return
        said = legs_reply(asked, {each.symbol: each for each in contracts}, self.now())
        if said.action != RequoteAction.ACCEPT:
            self._kept = {key: each for key, each in self._kept.items() if key.underlying != asked.underlying}
        self.context.answer(envelope, said)

    # --- the connection --------------------------------------------------------------------------------------------------

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """End what is under way; what waits for its turn or for a retry is fetched at its time, if the session is back."""
        self._end_all(msg.reason, all_jobs=False)
        self._pump()

    @handles
    def session_up(self, msg: SessionUp) -> None:
        """Do nothing: each chain has its time."""

    def _end_all(self, reason: str, *, all_jobs: bool) -> None:
        for job in [each for each in self._jobs.values() if all_jobs or each.under_way]:
            self._end(job, _DOWN, reason)
        legs, self._legs = self._legs, {}
        for envelope, asked in legs.values():
            self.context.answer(envelope, no_quotes(asked, _DOWN, reason, self.now()))

    def _end(self, job: Job, code: str, reason: str) -> None:
        self._answer(job, no_chain(job.wanted.underlying, code, reason, fetches=job.fetches, at=self.now()))

    def _answer(self, job: Job, said: ChainReply) -> None:
        """End a job: everybody who waits for it hears the same."""
        if job.timer is not None:
            job.timer.cancel()
        self._jobs.pop(job.wanted, None)
        self._ready.pop(job.wanted, None)
        for each in job.asking:
            self.context.answer(each.envelope, said)
