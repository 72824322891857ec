"""The gateway: the one door for signals, from the webhook and from operators.

It authenticates, validates, ages and recognises (EX-250's order), journals every authenticated request with its outcome,
answers once that is durable, and hands accepted signals to the pools of the accounts that trade their venue. What it
handed over and heard nothing of is handed over again after a restart, its own or the pool's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from actors.desk import desk_topic
from actors.gateway_door import Door
from actors.gateway_handing import handed_to
from actors.gateway_judge import Arrival, Judge, Judgement
from actors.gateway_memory import GatewayState, Pending, delivered_id, fold, incident_key
from actors.gateway_prices import newest_price
from actors.gateway_replay import Original, checked, found_original, line_named, reread
from actors.gateway_settings import GatewaySettings, Rhythm, Route
from actors.gateway_watch import SourceWatch, in_step, missed_signal
from actors.group import GROUPS
from actors.session import session_topic
from actors.topics import pool_topic
from protocol.codec import encode_json
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.groups import GroupChanged, GroupState
from protocol.incidents import ClearIncident, IncidentCleared, IncidentList, ListIncidents
from protocol.instruments import Instrument
from protocol.messages import Event
from protocol.offset import TellStanding
from protocol.pool import PoolIdentities
from protocol.signals import (
    CheckSignal,
    InjectSignal,
    Problem,
    ReplayMode,
    ReplaySignal,
    RetellSignals,
    Signal,
    SignalAnswer,
    SignalOutcome,
    SignalReceived,
    SignalReport,
    SignalRouted,
)
from protocol.venue import SessionDown, SessionUp
from protocol.webhook import SourcesDue, WebhookRequest
from rules.identity import market_names
from rules.signals import AuthFailure, authenticate, redact_body, redact_headers, redact_text, status_of
from rules.signals.mappings import BULKHEAD, Reading, read_body
from runtime.actor import Do, handles
from runtime.durable import DurableActor
from runtime.timers import Timer

__all__ = ["Gateway", "GatewaySettings", "Rhythm", "Route"]


class Gateway(DurableActor):
    """Turns requests into signals, and remembers which it has seen and which are not routed yet."""

    SNAPSHOT_EVERY = 1_000
    SNAPSHOT_VERSION = 2

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._state = GatewayState()
        self._markets: dict[str, dict[str, str]] = {}
        self._listed: dict[str, tuple[Instrument, ...]] = {}
        self._groups: dict[str, GroupState] = {}
        self._door = Door(settings)
        self._watch = SourceWatch(settings.rhythms, 0)
        self._timer: Timer | None = None

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Learn the markets of every account as their sessions come up, and how groups stand."""
        self._watch = SourceWatch(self._settings.rhythms, self.now())
        self._listen()
        self._arm()

    def _listen(self) -> None:
        bus = self.context.bus
        bus.subscribe(GROUPS, self.ref)
        for account in sorted({route.account for routes in self._settings.routes.values() for route in routes}):
            bus.subscribe(session_topic(account), self.ref)
            bus.publish(desk_topic(account), TellStanding())

    def apply(self, event: Event) -> None:
        """Remember a signal, that it was routed, or an incident."""
        fold(self._state, event, self._settings.windows)

    def snapshot(self) -> bytes:
        """Return memory, pending signals and incidents."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Take over memory, pending signals and incidents."""
        self._state = msgspec.msgpack.decode(state, type=GatewayState)

    def recovered(self) -> Do | None:
        """Hand over again, in the order received, what was accepted and has no outcome (EX-253)."""
        return Do(tells=[told for pending in self._state.pending.values() for told in self._handed(pending)])

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        troubled = f", {len(self._state.incidents)} incidents" if self._state.incidents else ""
        return f"{self._state.received} signals, {len(self._state.pending)} under way{troubled}"

    @handles
    def settle(self, msg: ApplySettings) -> SettingsTaken:
        """Go on under other settings from the next message on; what is known and under way stays (EX-1307)."""
        self._settings = msg.settings
        self._door.take(self._settings)
        self._watch.rhythms = self._settings.rhythms
        self._listen()
        self._arm()
        return SettingsTaken(msg.version)

    # --- webhook -------------------------------------------------------------------------------------------------------

    @handles
    def receive(self, msg: WebhookRequest) -> Do:
        """Take one request through the checks of EX-250; the first that fails answers."""
        settings, now = self._settings, self.now()
        if (refusal := self._door.refusal(msg, now)) is not None:
            return refusal
        reading = read_body(msg.body, settings.mappings, name=msg.mapping, only_venue=settings.only_venue, at=now)
        failure = self._unproven(msg, reading, now)
        if failure is not None:
            return self._door.unproven(msg, failure, now)
        stored = self._stored(msg, reading, now)
        arrival = Arrival(stored.signal_id, msg.user, now)
        return self._record(stored, self._judge().payload(reading, arrival))

    def _unproven(self, msg: WebhookRequest, reading: Reading, now: int) -> str | None:
        """Return why a request is not authenticated, None for one that is (EX-220 to EX-225)."""
        settings = self._settings
        secrets, keys = settings.proofs(now)
        proof = authenticate(
            settings.auth_mode,
            secrets,
            keys,
            msg.headers,
            msg.body,
            now,
            tolerance_s=settings.tolerance_s,
            presented=reading.secret,
        )
        if not isinstance(proof, AuthFailure):
            return None
        absent = proof is AuthFailure.MISSING and not settings.require_proof
        return None if absent else proof.value

    def _stored(self, msg: WebhookRequest, reading: Reading, now: int) -> SignalReceived:
        hidden = self._settings.hidden
        return SignalReceived(
            signal_id=self._next_id(),
            user=msg.user,
            received_at=now,
            source_address=msg.address,
            headers=redact_headers(msg.headers, hidden),
            body=redact_body(msg.body, hidden),
            outcome="accepted",
            mapping="" if reading.mapping == BULKHEAD else reading.mapping,
        )

    def _next_id(self) -> str:
        # From our own sequence: the same signal gets the same id however often the house was restarted before it.
        return f"s{self.sequence + 1:08d}"

    def _judge(self) -> Judge:
        return Judge(self._settings, self._state, self._markets, self.context.bus.kept)

    # --- keeping and handing on ----------------------------------------------------------------------------------------

    def _record(self, stored: SignalReceived, judged: Judgement, *, watched: bool = True) -> Do:
        """Journal a request with what becomes of it, answer, and hand an accepted signal to its accounts."""
        event = msgspec.structs.replace(
            stored,
            signal=judged.signal,
            outcome=judged.outcome,
            problems=tuple(self._without_secrets(each, stored) for each in judged.problems),
            fingerprint=judged.mark,
            resend_of=judged.resend_of,
            undated=judged.undated,
            accounts=tuple(route.account for route in judged.routes),
        )
        answer = SignalAnswer(status_of(judged.code), judged.code, stored.signal_id, event.problems)
        signal = judged.signal
        if not judged.accepted or signal is None:
            return Do([event], answer=answer)
        now = stored.received_at
        refused = [
            SignalRouted(signal_id=stored.signal_id, outcome=f"rejected:{code}", account=account, at=now)
            for account, code in judged.refused
        ]
        noticed = self._noticed(signal, judged, now) if watched else []
        tells = []
        for place, route in enumerate(judged.routes):
            name = delivered_id(signal.signal_id, route.account, place)
            handed = msgspec.structs.replace(signal, signal_id=name) if place else signal
            tells += handed_to(self._settings, route.account, route.pool, handed)
        return Do([event, *refused, *noticed], tells, answer, then=self._arm if watched else None)

    def _noticed(self, signal: Signal, judged: Judgement, now: int) -> list[Event]:
        """Return what this alert says of its source, and of a signal that never came."""
        found = self._watch.heard(signal, now, self._state)
        last, holds = self._state.said.get(signal.source_key), self._holds(signal.group_key, judged.routes)
        missed = missed_signal(signal, holds, last, now)
        stands = incident_key("SignalMissed", signal.group_key) in self._state.incidents
        if missed is not None and not stands:
            found.append(missed)
        elif stands and missed is None and in_step(signal, holds):
            found.append(IncidentCleared(kind="SignalMissed", subject=signal.group_key, text="in step again", at=now))
        return found

    def _holds(self, key: str, routes: tuple[Route, ...]) -> bool | None:
        """Return whether a group of this identity is live; None when it is not known, or just ends."""
        if self._groups.get(key) is GroupState.CLOSING:
            return None
        known = [self.context.bus.kept(pool_topic(route.account)) for route in routes]
        pools = [each for each in known if isinstance(each, PoolIdentities)]
        if not pools:
            return None
        return any(key in each.live for each in pools)

    @handles
    def group_changed(self, msg: GroupChanged) -> None:
        """Remember how a group stands; a closed one is forgotten."""
        if msg.state is GroupState.CLOSED:
            self._groups.pop(msg.key, None)
        else:
            self._groups[msg.key] = msg.state

    def _without_secrets(self, problem: Problem, stored: SignalReceived) -> Problem:
        hidden = self._settings.hidden
        message, value = redact_text(problem.message, hidden), redact_text(problem.value, hidden)
        if problem.code == "MalformedJson" and not value:
            value = line_named(stored.body, problem.message)
        return msgspec.structs.replace(problem, message=message, value=value[:80])

    def _handed(self, pending: Pending) -> list[tuple[str, Any]]:
        return handed_to(self._settings, pending.account, self._pool_of(pending), pending.signal)

    def _pool_of(self, pending: Pending) -> str:
        routes = self._settings.routes.get(pending.signal.venue, ())
        route = next((each for each in routes if pending.account in ("", each.account)), None)
        return route.pool if route is not None else f"/risk/pool-{pending.account}"

    @handles
    def outcome(self, msg: SignalOutcome) -> Do | None:
        """Journal what became of a signal at one account."""
        pending = self._state.pending.get(msg.signal_id)
        if pending is None:
            return None
        account = pending.account
        routed = SignalRouted(
            signal_id=pending.origin, outcome=msg.outcome, reasons=msg.reasons, account=account, at=self.now()
        )
        return Do([routed])

    @handles
    def retell(self, msg: RetellSignals) -> Do:
        """Hand over again to a pool that begins a life what it has not answered for."""
        waits = [each for each in self._state.pending.values() if self._pool_of(each) == msg.pool]
        return Do(tells=[told for each in waits for told in self._handed(each)])

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    async def inject(self, msg: InjectSignal) -> Do:
        """Take an operator's signal; without a price an entry is made at the market's newest (EX-260)."""
        if self._settings.read_only and msg.kind.opens:
            return Do(answer=SignalAnswer(403, "ReadOnlyMode", "", (_READ_ONLY,)))
        msg = await self._priced(msg)
        now = self.now()
        stored = SignalReceived(
            signal_id=self._next_id(),
            user=self._settings.user,
            received_at=now,
            source_address="operator",
            body=redact_body(encode_json(msg), self._settings.hidden),
            outcome="accepted",
        )
        arrival = Arrival(stored.signal_id, stored.user, now, aged=False)
        return self._record(stored, self._judge().injected(msg, arrival), watched=False)

    @handles
    async def check(self, msg: CheckSignal) -> SignalReport:
        """Say what would become of an operator's signal; nothing is journalled or routed (EX-260)."""
        arrival = Arrival(self._next_id(), self._settings.user, self.now(), aged=False)
        judged = self._judge().injected(await self._priced(msg.signal), arrival)
        return await checked(self.context.system, judged)

    @handles
    async def replay(self, msg: ReplaySignal) -> Do:
        """Send a stored request again, as a rehearsal or in earnest (EX-261 to EX-263)."""
        original = found_original(self.context.system, self.stream, msg.signal_id)
        if original is None:
            problem = Problem("NotFound", "signal_id", "no signal of this id is stored", msg.signal_id[:80])
            return Do(answer=SignalReport(status=404, outcome="NotFound", problems=(problem,)))
        live = msg.mode is ReplayMode.LIVE
        if live and self._settings.read_only:
            return Do(answer=SignalReport(status=403, outcome="ReadOnlyMode", problems=(_READ_ONLY,)))
        judged = await self._rejudged(msg, original)
        if not live:
            seen = self._judge().seen(judged.signal, judged.routes) if judged.signal is not None else ""
            return Do(answer=await checked(self.context.system, judged, seen=seen))
        if judged.signal is not None and msg.confirm.strip().upper() != judged.signal.symbol:
            message = f"type the symbol that will be traded to confirm: --confirm {judged.signal.symbol}"
            problem = Problem("ConfirmationMissing", "confirm", message, msg.confirm[:80])
            return Do(answer=SignalReport(status=422, outcome=problem.code, problems=(problem,)))
        # Named anew: while the price was looked up nothing else came in, but the rule holds in any case.
        stored = msgspec.structs.replace(
            original.event,
            signal_id=self._next_id(),
            received_at=self.now(),
            source_address="replay",
            operator=msg.operator,
        )
        done = self._record(stored, judged, watched=False)
        return Do(done.events, done.tells, await checked(self.context.system, judged, rehearse=False))

    async def _rejudged(self, msg: ReplaySignal, original: Original) -> Judgement:
        arrival = Arrival(self._next_id(), original.event.user, self.now(), True, msg.signal_id, aged=False)
        again = reread(original, self._settings)
        if isinstance(again, InjectSignal):
            judged = self._judge().injected(again, arrival)
        else:
            judged = self._judge().payload(again, arrival)
        signal = judged.signal
        if not msg.reprice or signal is None or not signal.kind.opens:
            return judged
        price = await self._newest_price(signal.venue, signal.symbol, signal.side.sign)
        if price is None:
            problem = Problem("NoPrice", "tv.entry_price", f"there is no price of {signal.symbol} yet: try again later")
            return Judgement("rejected:NoPrice", signal, (problem,))
        return judged._replace(signal=msgspec.structs.replace(signal, entry_price=price))

    async def _priced(self, msg: InjectSignal) -> InjectSignal:
        if msg.price is not None or not msg.kind.opens:
            return msg
        price = await self._newest_price(msg.venue, msg.symbol, msg.side.sign)
        return msg if price is None else msgspec.structs.replace(msg, price=price)

    async def _newest_price(self, venue: str, symbol: str, sign: int) -> Decimal | None:
        return await newest_price(self.context.system, self._settings, self._markets, venue, symbol, sign)

    # --- markets and incidents -----------------------------------------------------------------------------------------

    @handles
    def session_up(self, msg: SessionUp) -> None:
        """Learn which markets an account has and by which names they go, so that a wrong one is answered with near ones."""
        self._listed[msg.account] = msg.instruments
        for venue, routes in self._settings.routes.items():
            if any(route.account == msg.account for route in routes):
                # Accounts of one venue may see different markets: spot and futures, its test network.
                listed = (each for route in routes for each in self._listed.get(route.account, ()))
                self._markets[venue] = market_names({each.symbol: each for each in listed}.values())

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep what is known of its markets: signals are accepted and stored while a venue is away."""

    @handles
    def sources_due(self, msg: SourcesDue) -> Do:  # noqa: ARG002 - the instant says all
        """Raise or end what time alone has brought."""
        return Do(self._watch.due(self.now(), self._state), then=self._arm)

    @handles
    def list_incidents(self, msg: ListIncidents) -> IncidentList:
        """Say what stands."""
        return IncidentList(tuple(each for each in self._state.incidents.values() if msg.kind in ("", each.kind)))

    @handles
    def clear_incident(self, msg: ClearIncident) -> Do:
        """End an incident on an operator's word; a source that was silent is heard as of now."""
        events = []
        if incident_key(msg.kind, msg.subject) in self._state.incidents:
            said = f"by {msg.operator or 'an operator'}"
            events.append(IncidentCleared(kind=msg.kind, subject=msg.subject, text=said, at=self.now()))
        left = [each for key, each in self._state.incidents.items() if key != incident_key(msg.kind, msg.subject)]
        return Do(events, answer=IncidentList(tuple(left)))

    def _arm(self) -> None:
        """Wake up at the next instant at which time alone changes something."""
        if self._timer is not None:
            self._timer.cancel()
        due = self._watch.next_due(self._state)
        self._timer = self.timers.at(due, SourcesDue()) if due is not None else None


_READ_ONLY = Problem("ReadOnlyMode", "app.read_only", "bulkhead is in read-only mode: set app.read_only = false first")
