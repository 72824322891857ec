"""Judge what a request says, in the order of EX-250, without changing anything.

The same judgement serves a webhook, an operator's signal, a check and a replay; the gateway journals it or shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from actors.gateway_memory import GatewayState, incident_key, undated_key
from actors.gateway_settings import RESEND_WITHIN_S, GatewaySettings, Route
from actors.topics import pool_topic
from protocol.pool import PoolIdentities
from protocol.signals import InjectSignal, Problem, Signal
from rules.identity import near_symbols
from rules.signals import (
    Classification,
    Extras,
    Freshness,
    Interpretation,
    Target,
    Verdict,
    build_signal,
    check_freshness,
    fingerprint,
    interpret_injected,
    interpret_payload,
    read_extras,
    redact_known,
    redact_text,
    sighting_of,
)
from rules.signals.mappings import Reading, explain_problem
from runtime.clock import NANOS

__all__ = ["Arrival", "Judge", "Judgement"]


class Arrival(NamedTuple):
    """What is known of a request besides its content."""

    signal_id: str
    user: str
    received_at: int
    fresh: bool = False
    """Whether age and duplicates are somebody else's business (a live replay)."""
    replay_of: str | None = None
    aged: bool = True
    """Whether its age counts; an operator's signal is stamped at injection."""


class Judgement(NamedTuple):
    """What becomes of a request: its outcome, and the signal where one could be understood.

    ``routes`` are the accounts that get it, ``refused`` those that do not, with the code.
    """

    outcome: str
    signal: Signal | None = None
    problems: tuple[Problem, ...] = ()
    mark: str = ""
    resend_of: str = ""
    undated: bool = False
    routes: tuple[Route, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the signal is handed on."""
        return self.outcome in ("accepted", "replacement")

    @property
    def code(self) -> str:
        """The code of the first problem, else the outcome."""
        return self.problems[0].code if self.problems else self.outcome


def _rejected(problems: tuple[Problem, ...], signal: Signal | None = None) -> Judgement:
    return Judgement(f"rejected:{problems[0].code}", signal, problems)


class Judge:
    """Applies the rules of intake under the present settings, markets and memory."""

    def __init__(
        self,
        settings: GatewaySettings,
        state: GatewayState,
        markets: Mapping[str, Mapping[str, str]],
        kept: Callable[[str], Any],
    ) -> None:
        self._settings = settings
        self._state = state
        self._markets = markets
        self._kept = kept

    # --- content -------------------------------------------------------------------------------------------------------

    def payload(self, reading: Reading, arrival: Arrival) -> Judgement:
        """Judge a body that a mapping has read."""
        if reading.problem is not None:
            return _rejected((reading.problem,))
        if reading.api_key is not None:
            message = (
                "an alert must not carry an exchange's keys: take the field out of the template, and make new keys"
            )
            return _rejected((Problem("ApiKeyInBody", reading.api_key, message),))
        settings = self._settings
        extras = read_extras(reading.payload)
        found = interpret_payload(
            extras.payload,
            settings.sizing_source,
            infer_exit_from_flat=settings.infer_exit_from_flat,
            venues=settings.venues,
            markets=self._markets,
        )
        problems = (*found.problems, *extras.problems)
        if problems or found.classification is None:
            return _rejected(tuple(explain_problem(each, reading, settings.mappings) for each in problems))
        signal = self._signal(found.clean, found.classification, arrival, extras)
        return self._place(signal, arrival, extras, undated=reading.undated)

    def injected(self, command: InjectSignal, arrival: Arrival) -> Judgement:
        """Judge an operator's signal (EX-260)."""
        found = self._read_injected(command, arrival)
        if found.classification is None:
            return _rejected(found.problems)
        extras = Extras(None)
        return self._place(self._signal(found.clean, found.classification, arrival, extras), arrival, extras)

    def _read_injected(self, command: InjectSignal, arrival: Arrival) -> Interpretation:
        return interpret_injected(
            command,
            signal_id=arrival.signal_id,
            at=arrival.received_at,
            sizing_source=self._settings.sizing_source,
            venues=self._settings.venues,
            markets=self._markets,
        )

    def _signal(self, clean: Mapping[str, Any], found: Classification, arrival: Arrival, extras: Extras) -> Signal:
        signal = build_signal(
            clean,
            found,
            signal_id=arrival.signal_id,
            user=arrival.user,
            received_at=arrival.received_at,
            replay_of=arrival.replay_of,
            bar_at=extras.bar_at,
        )
        texts = {name: getattr(signal, name) for name in ("alert_name", "alert_message")}
        hidden = self._settings.hidden
        shown = {name: redact_text(text, hidden) for name, text in texts.items() if text is not None}
        return msgspec.structs.replace(signal, trade_id=redact_known(signal.trade_id, hidden), **shown)

    # --- where it goes -------------------------------------------------------------------------------------------------

    def _place(self, signal: Signal, arrival: Arrival, extras: Extras, *, undated: bool = False) -> Judgement:
        taking = self._taking(signal)
        if isinstance(taking, Problem):
            return _rejected((taking,), signal)
        routes = tuple(each for each in taking if each.paper) if extras.delayed else taking
        if not routes:
            message = "the chart shows delayed data, which only a paper account may trade on; use a real-time feed"
            return _rejected((Problem("DelayedData", "tv.exchange", message, signal.venue),), signal)
        if (late := self._age(signal, arrival, extras)) is not None:
            return _rejected((late,), signal)
        refused = tuple((each.account, "DelayedData") for each in taking if each not in routes)
        judged = self._seen_before(signal, arrival, routes, undated=undated)._replace(
            signal=signal, undated=undated, refused=refused
        )
        if judged.outcome == "accepted" and not arrival.fresh and (problem := self._unwanted(signal)) is not None:
            return _rejected((problem,), signal)
        return judged._replace(routes=routes) if judged.accepted else judged

    def _taking(self, signal: Signal) -> tuple[Route, ...] | Problem:
        routes = self._settings.routes.get(signal.venue)
        if not routes:
            known = ", ".join(sorted(self._settings.routes))
            return Problem("VenueDisabled", "tv.exchange", f"no account trades {signal.venue}; there is: {known}")
        names = self._markets.get(signal.venue, {})
        # A market is mostly known by its own name too: then the thousands of others need no look.
        known_as_itself = names.get(signal.symbol.upper()) == signal.symbol
        if names and not known_as_itself and signal.symbol not in names.values():
            near = near_symbols(signal.symbol, set(names.values()))
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            return Problem("UnknownSymbol", "tv.symbol", f"{signal.venue} has no {signal.symbol}{hint}", signal.symbol)
        routes = tuple(each for each in routes if each.trades(signal.symbol))
        if not routes:
            text = f"no account on {signal.venue} trades markets of this kind: see an account's `market_type`"
            return Problem("NoAccountForSignal", "tv.symbol", text, signal.symbol)
        taking = tuple(each for each in routes if each.takes(signal.label))
        if taking:
            return taking
        message = f"no account on {signal.venue} takes signals of this strategy: add it to an account's `signals`"
        return Problem("NoAccountForSignal", "strategy_info.alert_name", message, signal.label[:80])

    def _age(self, signal: Signal, arrival: Arrival, extras: Extras) -> Problem | None:
        """Judge its age by the rule and, where the alert is stricter itself, by its own ``max_lag``."""
        if arrival.fresh or not arrival.aged:
            return None
        settings = self._settings
        most = settings.max_age_s if extras.max_lag_s is None else min(settings.max_age_s, extras.max_lag_s)
        age = check_freshness(
            signal.fired_at, arrival.received_at, max_age_s=most, max_future_skew_s=settings.max_future_skew_s
        )
        if age is Freshness.OK:
            return None
        behind = (arrival.received_at - signal.fired_at) / NANOS
        if behind < 0:
            text = f"is {_span(-behind)} ahead of the clock here: the limit is {settings.max_future_skew_s} s"
            return Problem(age.value, "timestamp", text)
        hint = f"the limit is {most} s; use {{{{timenow}}}}, as {{{{time}}}} is the start of the bar"
        return Problem(age.value, "timestamp", f"is {_span(behind)} old: {hint}")

    # --- what was seen -------------------------------------------------------------------------------------------------

    def _seen_before(self, signal: Signal, arrival: Arrival, routes: tuple[Route, ...], *, undated: bool) -> Judgement:
        if arrival.fresh:
            return Judgement(Verdict.ACCEPTED.value)
        state, sighting = self._state, sighting_of(signal)
        mark = fingerprint(sighting)
        first = state.undated.get(undated_key(signal)) if undated else None
        if first is not None and arrival.received_at - first[0] <= RESEND_WITHIN_S * NANOS:
            return Judgement(Verdict.DUPLICATE.value, mark=mark, resend_of=first[1])
        target, replaces = self._target(signal.group_key, routes)
        verdict = state.memory.judge(sighting, target, self._settings.windows, replacement_enabled=replaces)
        resend_of = state.first_ids.get(mark, "") if verdict is Verdict.DUPLICATE else ""
        return Judgement(verdict.value, mark=mark, resend_of=resend_of)

    def seen(self, signal: Signal, routes: tuple[Route, ...]) -> str:
        """Return what the memory makes of a signal, whatever became of it."""
        target, replaces = self._target(signal.group_key, routes)
        windows = self._settings.windows
        return self._state.memory.judge(sighting_of(signal), target, windows, replacement_enabled=replaces).value

    def _target(self, key: str, routes: tuple[Route, ...]) -> tuple[Target, bool]:
        """Return what is known of an identity, and whether an entry that waits may be replaced (EX-241)."""
        for route in routes:
            found = self._kept(pool_topic(route.account))
            if not isinstance(found, PoolIdentities):
                continue
            if key in found.live:
                return Target.LIVE, found.replaces
            if key in found.queued:
                return Target.QUEUED, found.replaces
        return Target.NONE, True

    def _unwanted(self, signal: Signal) -> Problem | None:
        """Refuse a second entry within a bar, and entries of a source whose silence nobody has looked into."""
        if not signal.kind.opens:
            return None
        settings, source = self._settings, signal.source_key
        bar = self._state.bars.get(source)
        again = bar is not None and bar == signal.bar_at
        if again and settings.pyramids(signal.venue, signal.symbol, signal.timeframe) < 2:
            message = (
                "this source already entered on this bar, and grid_strategy.max_pyramids_per_group allows no second"
            )
            return Problem("SecondEntryInBar", "tv.bar_time", message)
        blocked = any(
            each.block_entries and each.fits(signal.label, signal.symbol, signal.timeframe) for each in settings.rhythms
        )
        if blocked and incident_key("SourceSilent", source) in self._state.incidents:
            message = f"its source was silent for too long; when all is well: bulkhead signal resume '{source}'"
            return Problem("SourceSilent", "strategy_info.alert_name", message, signal.label[:80])
        return None


def _span(seconds: float) -> str:
    """Return a span of time as a person says it: exact below two minutes, in its largest unit above."""
    for length, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.3f} s"
