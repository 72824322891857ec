"""The gateway: the one door for signals, from the webhook and from operators.

It authenticates, validates, ages and recognises (EX-250's order), journals every authenticated request with its outcome,
answers once that is durable, and hands accepted signals to the pool of the account that trades their venue. What it
handed over and heard nothing of is handed over again after a restart.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from actors.session import session_topic
from protocol.codec import encode_json
from protocol.messages import Event
from protocol.signals import (
    EntryRequest,
    ExitRequest,
    InjectSignal,
    Problem,
    ReduceRequest,
    Signal,
    SignalAnswer,
    SignalKind,
    SignalOutcome,
    SignalReceived,
    SignalRouted,
)
from protocol.venue import SessionDown, SessionUp
from protocol.webhook import NewestPrice, RequestRefused, WebhookRequest
from rules.identity import IdentityError, canonical_symbol, canonical_venue, market_names, near_symbols
from rules.signals import (
    AuthFailure,
    AuthMode,
    Classification,
    DuplicateMemory,
    DuplicateWindows,
    Freshness,
    Interpretation,
    MalformedJson,
    Verdict,
    authenticate,
    build_signal,
    check_freshness,
    fingerprint,
    interpret_injected,
    interpret_payload,
    parse_body,
    redact_body,
    redact_headers,
    redact_known,
    redact_text,
    sighting_of,
    status_of,
)
from runtime.actor import Do, handles
from runtime.clock import NANOS
from runtime.durable import DurableActor
from runtime.errors import ActorError
from runtime.journal import JournalError

__all__ = ["Gateway", "GatewaySettings", "Route"]

_REFUSAL_NOTED_EVERY: Final = 60 * NANOS
_PRUNE_EVERY: Final = 256


@dataclass(frozen=True, slots=True)
class Route:
    """Where signals of one venue go: the pool of an account, and the actor that knows its prices."""

    account: str
    pool: str
    prices: str


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the gateway needs of the configuration; limits in seconds and requests a minute."""

    user: str
    routes: Mapping[str, Route]
    auth_mode: AuthMode = AuthMode.EITHER
    secrets: tuple[str, ...] = ()
    hmac_keys: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    tolerance_s: int = 300
    max_age_s: int = 60
    max_future_skew_s: int = 10
    windows: DuplicateWindows = field(default_factory=DuplicateWindows)
    infer_exit_from_flat: bool = True
    sizing_source: str = "signal"
    rate_per_minute: int = 60
    allowlist: tuple[str, ...] = ()


class _State(msgspec.Struct):
    memory: DuplicateMemory = msgspec.field(default_factory=DuplicateMemory)
    pending: dict[str, Signal] = {}
    received: int = 0


class Gateway(DurableActor):
    """Turns requests into signals, and remembers which it has seen and which are not routed yet."""

    SNAPSHOT_EVERY = 1_000

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._state = _State()
        self._markets: dict[str, dict[str, str]] = {}
        self._tokens = float(settings.rate_per_minute)
        self._tokens_at = 0
        self._refused: dict[str, tuple[int, int]] = {}
        self._networks = tuple(ipaddress.ip_network(each) for each in settings.allowlist)

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Learn the markets of every account as their sessions come up."""
        for account in sorted({route.account for route in self._settings.routes.values()}):
            self.context.bus.subscribe(session_topic(account), self.ref)

    def apply(self, event: Event) -> None:
        """Remember a signal, or that it was routed."""
        state = self._state
        match event:
            case SignalReceived():
                state.received += 1
                if event.signal is not None and event.outcome in ("accepted", "replacement"):
                    state.pending[event.signal_id] = event.signal
                if event.signal is not None and event.fingerprint:
                    state.memory.record(sighting_of(event.signal), self._settings.windows)
                if state.received % _PRUNE_EVERY == 0:
                    state.memory.prune(event.received_at, self._settings.windows)
            case SignalRouted():
                state.pending.pop(event.signal_id, None)

    def snapshot(self) -> bytes:
        """Return memory and pending signals."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Take over memory and pending signals."""
        self._state = msgspec.msgpack.decode(state, type=_State)

    def recovered(self) -> Do | None:
        """Hand over again, in the order received, what was accepted and has no outcome (EX-253)."""
        return Do(tells=[self._routed(signal) for signal in self._state.pending.values()])

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._state.received} signals, {len(self._state.pending)} under way"

    # --- webhook -------------------------------------------------------------------------------------------------------

    @handles
    def receive(self, msg: WebhookRequest) -> Do:
        """Take one request through the checks of EX-250; the first that fails answers."""
        settings, now = self._settings, self.now()
        if not self._address_allowed(msg.address):
            return self._refuse_unproven(msg, "SourceNotAllowed")
        if not self._within_rate(now):
            return Do(answer=SignalAnswer(status_of("RateLimited"), "RateLimited"))
        proof = authenticate(
            settings.auth_mode,
            settings.secrets,
            settings.hmac_keys,
            msg.headers,
            msg.body,
            now,
            tolerance_s=settings.tolerance_s,
        )
        if isinstance(proof, AuthFailure):
            return self._refuse_unproven(msg, proof.value)
        stored = self._stored(msg, now)
        try:
            payload = parse_body(msg.body)
        except MalformedJson as error:
            return self._reject(stored, (Problem("MalformedJson", "$", error.message),))
        found = interpret_payload(
            payload,
            settings.sizing_source,
            infer_exit_from_flat=settings.infer_exit_from_flat,
            venues=tuple(settings.routes),
            markets=self._markets,
        )
        return self._judge(stored, found, fresh=False)

    def _stored(self, msg: WebhookRequest, now: int) -> SignalReceived:
        hidden = self._settings.hidden
        return SignalReceived(
            signal_id=self._next_id(),
            user=msg.user,
            received_at=now,
            source_address=msg.address,
            headers=redact_headers(msg.headers, hidden),
            body=redact_body(msg.body, hidden),
            outcome="accepted",
        )

    def _next_id(self) -> str:
        # From our own sequence: the same signal gets the same id however often the house was restarted before it.
        return f"s{self.sequence + 1:08d}"

    def _judge(self, stored: SignalReceived, found: Interpretation, *, fresh: bool) -> Do:
        if found.classification is None:
            return self._reject(stored, found.problems)
        signal = self._build(stored, found.clean, found.classification)
        if (problem := self._unknown_market(signal)) is not None:
            return self._reject(stored, (problem,), signal)
        settings = self._settings
        if not fresh:
            age = check_freshness(
                signal.fired_at,
                stored.received_at,
                max_age_s=settings.max_age_s,
                max_future_skew_s=settings.max_future_skew_s,
            )
            if age is not Freshness.OK:
                behind = (stored.received_at - signal.fired_at) / NANOS
                return self._reject(stored, (Problem(age.value, "timestamp", f"is {behind:.3f} s old"),), signal)
        sighting = sighting_of(signal)
        verdict = self._state.memory.judge(sighting, windows=settings.windows)
        event = msgspec.structs.replace(stored, signal=signal, fingerprint=fingerprint(sighting), outcome=verdict.value)
        answer = SignalAnswer(status_of(verdict.value), verdict.value, stored.signal_id)
        if verdict is Verdict.DUPLICATE:
            return Do([event], answer=answer)
        return Do([event], [self._routed(signal)], answer)

    def _build(self, stored: SignalReceived, clean: Mapping[str, Any], found: Classification) -> Signal:
        signal = build_signal(
            clean, found, signal_id=stored.signal_id, user=stored.user, received_at=stored.received_at
        )
        texts = {name: getattr(signal, name) for name in ("alert_name", "alert_message")}
        hidden = self._settings.hidden
        shown = {name: redact_text(text, hidden) for name, text in texts.items() if text is not None}
        return msgspec.structs.replace(signal, trade_id=redact_known(signal.trade_id, hidden), **shown)

    def _reject(self, stored: SignalReceived, problems: tuple[Problem, ...], signal: Signal | None = None) -> Do:
        code = problems[0].code
        problems = tuple(self._without_secrets(each) for each in problems)
        event = msgspec.structs.replace(stored, problems=problems, outcome=f"rejected:{code}", signal=signal)
        return Do([event], answer=SignalAnswer(status_of(code), code, stored.signal_id, problems))

    def _without_secrets(self, problem: Problem) -> Problem:
        hidden = self._settings.hidden
        message, value = redact_text(problem.message, hidden), redact_text(problem.value, hidden)
        return msgspec.structs.replace(problem, message=message, value=value[:80])

    def _refuse_unproven(self, msg: WebhookRequest, code: str) -> Do:
        """Answer with the code alone; note it once a minute and address (EX-225)."""
        now = self.now()
        noted_at, count = self._refused.get(msg.address, (0, 0))
        answer = SignalAnswer(status_of(code), code)
        if count and now - noted_at < _REFUSAL_NOTED_EVERY:
            self._refused[msg.address] = (noted_at, count + 1)
            return Do(answer=answer)
        if len(self._refused) > 10_000:
            self._refused.clear()
        self._refused[msg.address] = (now, count + 1)
        noted = RequestRefused(
            user=msg.user, address=msg.address, size=len(msg.body), code=code, refused=count + 1, at=now
        )
        return Do([noted], answer=answer)

    def _address_allowed(self, address: str) -> bool:
        if not self._networks:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped  # how a socket for both families names an IPv4 sender
        return any(parsed in network for network in self._networks)

    def _within_rate(self, now: int) -> bool:
        rate = self._settings.rate_per_minute
        passed = max(0, now - self._tokens_at)  # a clock that was set back must not lock everybody out
        self._tokens = min(float(rate), self._tokens + passed * rate / (60 * NANOS))
        self._tokens_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    # --- operators -----------------------------------------------------------------------------------------------------

    @handles
    async def inject(self, msg: InjectSignal) -> Do:
        """Take an operator's signal; without a price an entry is made at the market's newest (EX-260)."""
        if msg.price is None and msg.kind.opens and (price := await self._newest_price(msg)) is not None:
            msg = msgspec.structs.replace(msg, price=price)
        now = self.now()
        stored = SignalReceived(
            signal_id=self._next_id(),
            user=self._settings.user,
            received_at=now,
            source_address="operator",
            body=redact_body(encode_json(msg), self._settings.hidden),
            outcome="accepted",
        )
        found = interpret_injected(
            msg,
            signal_id=stored.signal_id,
            at=now,
            sizing_source=self._settings.sizing_source,
            venues=tuple(self._settings.routes),
            markets=self._markets,
        )
        return self._judge(stored, found, fresh=True)

    async def _newest_price(self, msg: InjectSignal) -> Any:
        try:
            venue = canonical_venue(msg.venue, tuple(self._settings.routes))
            symbol = canonical_symbol(msg.symbol, self._markets.get(venue))
        except IdentityError:
            return None  # said by the checks that follow
        route = self._settings.routes.get(venue)
        prices = self.context.system.lookup(route.prices) if route is not None else None
        if prices is None:
            return None
        try:
            tick = (await prices.ask(NewestPrice(symbol), timeout_s=2.0)).tick
        except (ActorError, JournalError):
            return None
        if tick is None:
            return None
        return tick.ask if msg.side.sign > 0 else tick.bid

    # --- routing -------------------------------------------------------------------------------------------------------

    @handles
    def session_up(self, msg: SessionUp) -> None:
        """Learn which markets an account has and by which names they go, so that a wrong one is answered with near ones."""
        names = market_names(msg.instruments)
        for venue, route in self._settings.routes.items():
            if route.account == msg.account:
                self._markets[venue] = names

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep what is known of its markets: signals are accepted and stored while a venue is away."""

    def _unknown_market(self, signal: Signal) -> Problem | None:
        route = self._settings.routes.get(signal.venue)
        if route is None:
            known = ", ".join(sorted(self._settings.routes))
            return Problem("VenueDisabled", "tv.exchange", f"no account trades {signal.venue}; there is: {known}")
        symbols = set(self._markets.get(signal.venue, {}).values())
        if not symbols or signal.symbol in symbols:
            return None
        near = near_symbols(signal.symbol, symbols)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        return Problem("UnknownSymbol", "tv.symbol", f"{signal.venue} has no {signal.symbol}{hint}", signal.symbol)

    def _routed(self, signal: Signal) -> tuple[str, Any]:
        pool = self._settings.routes[signal.venue].pool
        match signal.kind:
            case SignalKind.EXIT:
                return pool, ExitRequest(signal, signal.group_key)
            case SignalKind.REDUCE:
                return pool, ReduceRequest(signal, signal.group_key, signal.fraction, signal.amount)
        return pool, EntryRequest(signal)

    @handles
    def outcome(self, msg: SignalOutcome) -> Do | None:
        """Journal what became of a signal."""
        if msg.signal_id not in self._state.pending:
            return None
        return Do([SignalRouted(signal_id=msg.signal_id, outcome=msg.outcome, reasons=msg.reasons, at=self.now())])
