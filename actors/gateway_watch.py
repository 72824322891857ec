"""Watch the sources of alerts: close to TradingView's limit, silent for too long, out of step with our positions.

Returns incidents to journal; nothing here trades. A source is an alert: user, name, symbol and timeframe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from actors.gateway_memory import GatewayState, SaidPosition, incident_key
from actors.gateway_settings import MOST_ALERTS, MOST_ALERTS_IN_S, Rhythm
from protocol.incidents import IncidentCleared, IncidentRaised, Severity
from protocol.messages import Event
from protocol.signals import MarketPosition, Signal
from protocol.values import Side
from runtime.clock import NANOS

__all__ = ["SourceWatch", "in_step", "missed_signal"]

_WINDOW: int = MOST_ALERTS_IN_S * NANOS
_MOST_COUNTED: int = 10_000
_NEAR, _SILENT = "AlertsNearLimit", "SourceSilent"


class SourceWatch:
    """Counts alerts in memory; what it found stands in the gateway's state."""

    def __init__(self, rhythms: Iterable[Rhythm], since: int) -> None:
        self.rhythms = tuple(rhythms)
        self._since = since
        self._times: dict[str, deque[int]] = {}

    def heard(self, signal: Signal, now: int, state: GatewayState) -> list[Event]:
        """Note an alert (no resend) and return what it begins or ends."""
        source = signal.source_key
        found: list[Event] = []
        if len(self._times) > _MOST_COUNTED:
            self._times.clear()
        times = self._times.setdefault(source, deque(maxlen=MOST_ALERTS))
        times.append(now)
        if len(times) == MOST_ALERTS and now - times[0] <= _WINDOW and not _stands(state, _NEAR, source):
            found.append(_near(source, signal, now))
        rhythm = self.rhythm_of(source)
        if _stands(state, _SILENT, source) and not (rhythm is not None and rhythm.block_entries):
            found.append(IncidentCleared(kind=_SILENT, subject=source, text="it speaks again", at=now))
        return found

    def due(self, now: int, state: GatewayState) -> list[Event]:
        """Return what time alone has brought: silences, and limits that are far again."""
        found: list[Event] = []
        for source, at in self._silences(state):
            if at <= now and not _stands(state, _SILENT, source):
                found.append(self._silent(source, now))
        for source in self._near(state):
            if self._far_at(source) <= now:
                self._times.pop(source, None)
                found.append(IncidentCleared(kind=_NEAR, subject=source, text="fewer alerts", at=now))
        return found

    def next_due(self, state: GatewayState) -> int | None:
        """Return the next instant at which ``due`` may find something."""
        silences = [at for source, at in self._silences(state) if not _stands(state, _SILENT, source)]
        return min([*silences, *(self._far_at(source) for source in self._near(state))], default=None)

    def rhythm_of(self, source: str) -> Rhythm | None:
        """Return the first rhythm that fits a source."""
        _, label, symbol, timeframe = source.split("|", 1)[0], *source.split("|", 1)[1].rsplit("|", 2)
        return next((each for each in self.rhythms if each.fits(label, symbol, timeframe)), None)

    def _silences(self, state: GatewayState) -> list[tuple[str, int]]:
        if not self.rhythms:
            return []
        found = []
        for source, at in state.heard.items():
            rhythm = self.rhythm_of(source)
            if rhythm is not None:
                # While we were away nobody could be heard: silence counts from our own start.
                found.append((source, max(at, self._since) + rhythm.silence_s * NANOS))
        return found

    def _silent(self, source: str, now: int) -> IncidentRaised:
        rhythm = self.rhythm_of(source)
        assert rhythm is not None, "a silence has a rhythm"
        kept = "; its entries are refused until you resume it, exits are not" if rhythm.block_entries else ""
        text = (
            f"DEGRADED: no alert of {_shown(source)} for {rhythm.silence_s} s; it may have expired, been stopped, or point "
            f"elsewhere{kept}"
        )
        proposal = f"bulkhead signal resume '{source}'" if rhythm.block_entries else ""
        return IncidentRaised(
            kind=_SILENT, severity=Severity.ERROR, subject=source, text=text, proposal=proposal, at=now
        )

    def _near(self, state: GatewayState) -> list[str]:
        return [each.subject for each in state.incidents.values() if each.kind == _NEAR]

    def _far_at(self, source: str) -> int:
        times = self._times.get(source)
        return (times[-1] if times else self._since) + _WINDOW


def _stands(state: GatewayState, kind: str, subject: str) -> bool:
    return incident_key(kind, subject) in state.incidents


def _shown(source: str) -> str:
    return source.replace("|", " ")


def _near(source: str, signal: Signal, now: int) -> IncidentRaised:
    text = (
        f"{_shown(source)} has sent {MOST_ALERTS} alerts within {MOST_ALERTS_IN_S} s: TradingView stops an alert that fires "
        "more than 15 times in 3 minutes, and starts it no more; let it fire once per bar close"
    )
    return IncidentRaised(
        kind=_NEAR, severity=Severity.WARNING, subject=source, text=text, signal_id=signal.signal_id, at=now
    )


# --- missed signals ---------------------------------------------------------------------------------------------------


def missed_signal(signal: Signal, holds: bool | None, last: SaidPosition | None, now: int) -> IncidentRaised | None:
    """Return an incident when an alert before this one did not arrive.

    ``last`` is the position the source's newest alert left it in: while this one begins where that one ended, nothing
    was missed, whatever has become of our group since (a target, an offset, an operator). Without it the position before
    is compared with ours: ``holds`` says whether a group of the signal's identity is live, None when that is not known.
    The proposal is a command for a person; nothing is traded on it.
    """
    before = signal.prev_market_position
    if before is None or _goes_on(signal, last):
        return None
    theirs = _theirs(signal)
    if theirs == holds or holds is None or (before is not MarketPosition.FLAT and not theirs):
        # In step with us, or of the other side, whose own signals say what becomes of it: only a gap is worth a word.
        return None if last is None else _incident(signal, _gap(signal, last), "", now)
    named = f"{signal.symbol} --side {signal.side.value} --timeframe {signal.timeframe} --venue {signal.venue}"
    proposal = ""
    if not theirs:
        text = "the strategy was flat before, we hold a position: an exit was missed"
        proposal = f"bulkhead signal exit {named}"
    elif signal.kind.opens:
        text = "the strategy was in a position before, we hold none: an entry was missed; this signal opens one"
    else:
        text = "the strategy was in a position before, we hold none: an entry was missed"
        if (left := signal.market_position_size) and signal.market_position is not MarketPosition.FLAT:
            proposal = f"bulkhead signal entry {named} --size {left} --size-type {signal.size_type.value}"
    return _incident(signal, text, proposal, now)


def in_step(signal: Signal, holds: bool | None) -> bool:
    """Tell whether the sender's position before a signal is the one we have."""
    return signal.prev_market_position is not None and _theirs(signal) == holds


def _theirs(signal: Signal) -> bool:
    """Whether the sender was in a position of the signal's side before it."""
    named = MarketPosition.LONG if signal.side is Side.LONG else MarketPosition.SHORT
    return signal.prev_market_position is named


def _goes_on(signal: Signal, last: SaidPosition | None) -> bool:
    """Whether the signal begins where the source's alert before it ended; a size counts when both name one."""
    if last is None or last.position is not signal.prev_market_position:
        return False
    size = signal.prev_market_position_size
    return last.position is MarketPosition.FLAT or last.size is None or size is None or last.size == size


def _gap(signal: Signal, last: SaidPosition) -> str:
    def words(position: MarketPosition | None, size: Decimal | None) -> str:
        return f"{position.value if position else '?'}" + (f" {size:f}" if size else "")

    before = words(signal.prev_market_position, signal.prev_market_position_size)
    return (
        f"its alert before left the strategy {words(last.position, last.size)}, this one says {before}: one is missing"
    )


def _incident(signal: Signal, text: str, proposal: str, now: int) -> IncidentRaised:
    return IncidentRaised(
        kind="SignalMissed",
        subject=signal.group_key,
        text=f"{signal.symbol} {signal.timeframe} {signal.side.value}: {text}",
        proposal=proposal,
        signal_id=signal.signal_id,
        at=now,
    )
