"""The event log's sentences: what an operator reads of each event (EX-1401 to EX-1403).

One function an event type, pure: event in, line out. ``source`` is the category of EX-1403 that names where a line comes
from, ``severity`` its colour and letter (EX-1402).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from protocol.groups import (
    CloseEnded,
    CloseFilled,
    CloseFinished,
    CloseSkipped,
    CloseStarted,
    DustRecorded,
    EntryEnded,
    GroupAlert,
    GroupClosed,
    GroupOpened,
    GroupStateChanged,
    LegFilled,
    PyramidAdded,
    PyramidRefused,
    TargetDeferred,
    TargetFilled,
    TriggerSuperseded,
)
from protocol.incidents import IncidentCleared, IncidentRaised, Severity
from protocol.messages import Event
from protocol.orders import CancelRequested, FillRecorded, OrderRefused, OrderSent, OrderState, OrderStateChanged
from protocol.pool import SlotFreed, SlotTaken
from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.signals import SignalReceived, SignalRouted
from protocol.venue import DifferenceFound, Reconciled
from protocol.webhook import RequestRefused
from store.views.exact import text

__all__ = ["LINES", "Line", "LineSeverity", "Source", "line_of"]


class Source(StrEnum):
    """Where a line comes from (EX-1403)."""

    WEBHOOK = "webhook"
    ORDER = "order"
    RISK_ENGINE = "risk_engine"
    PRECISION = "precision"
    SYSTEM = "system"


class LineSeverity(StrEnum):
    """How a line is coloured; the letters are E, W, I, R and O (EX-1402)."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    RISK = "risk"
    ORDER = "order"


_SEVERITY_OF_STATE: Final = {
    OrderState.FILLED: LineSeverity.ORDER,
    OrderState.REJECTED: LineSeverity.ERROR,
    OrderState.UNKNOWN: LineSeverity.WARNING,
    OrderState.EXPIRED: LineSeverity.WARNING,
}


class Line(NamedTuple):
    """One line of the log; ``code`` is stable, ``text`` is for people. The ids are empty where there is none."""

    source: Source
    severity: LineSeverity
    code: str
    text: str
    group_id: str = ""
    client_order_id: str = ""
    signal_id: str = ""
    pinned: bool = False


_ORDER, _SYSTEM, _WEBHOOK = Source.ORDER, Source.SYSTEM, Source.WEBHOOK
_INFO, _WARNING, _ERROR, _GOOD = LineSeverity.INFO, LineSeverity.WARNING, LineSeverity.ERROR, LineSeverity.ORDER

_LineOf: TypeAlias = Callable[[Any], Line]


def line_of(event: Event) -> Line | None:
    """Return an event's line, None for events that only machines read."""
    make = LINES.get(type(event).__name__)
    return make(event) if make is not None else None


def _received(e: SignalReceived) -> Line:
    refused = e.outcome.startswith("rejected")
    problems = "; ".join(f"{p.code} {p.path} {p.message}".strip() for p in e.problems)
    said = f"signal of {e.user} from {e.source_address}: {e.outcome}" + (f" ({problems})" if problems else "")
    code = e.problems[0].code if refused and e.problems else "SignalReceived"
    return Line(_WEBHOOK, _WARNING if refused else _INFO, code, said, signal_id=e.signal_id)


def _routed(e: SignalRouted) -> Line:
    refused = e.outcome.startswith("rejected")
    said = f"signal routed: {e.outcome}" + (f" ({'; '.join(e.reasons)})" if e.reasons else "")
    return Line(_WEBHOOK, _WARNING if refused else _INFO, "SignalRouted", said, signal_id=e.signal_id)


def _refused_request(e: RequestRefused) -> Line:
    said = f"request to {e.user} from {e.address} refused, {e.refused} so far ({e.size} bytes)"
    return Line(_WEBHOOK, _WARNING, e.code, said)


_SEVERITY_OF_INCIDENT: Final = {
    Severity.INFO: LineSeverity.INFO,
    Severity.WARNING: LineSeverity.WARNING,
    Severity.ERROR: LineSeverity.ERROR,
    Severity.CRITICAL: LineSeverity.ERROR,
}


def _incident(e: IncidentRaised) -> Line:
    said = f"{e.text}; to mend it: {e.proposal}" if e.proposal else e.text
    pinned = e.severity in (Severity.ERROR, Severity.CRITICAL)
    return Line(_SYSTEM, _SEVERITY_OF_INCIDENT[e.severity], e.kind, said, signal_id=e.signal_id, pinned=pinned)


def _incident_over(e: IncidentCleared) -> Line:
    why = f" ({e.text})" if e.text else ""
    return Line(_SYSTEM, _INFO, e.kind, f"no longer: {e.subject}{why}")


def _opened(e: GroupOpened) -> Line:
    said = f"group opened: {e.side.value} {e.symbol} {e.timeframe} at {text(e.base_entry_price)}, {e.strategy}"
    return Line(_ORDER, _INFO, "GroupOpened", said, e.group_id, signal_id=e.signal_id)


def _pyramid(e: PyramidAdded) -> Line:
    said = f"pyramid {e.pyramid} with {len(e.legs)} legs at {text(e.entry_price)}"
    return Line(_ORDER, _INFO, "PyramidAdded", said, e.group_id, signal_id=e.signal_id)


def _pyramid_refused(e: PyramidRefused) -> Line:
    return Line(_ORDER, _WARNING, e.code, f"no pyramid: {e.text}", e.group_id, signal_id=e.signal_id)


def _sent(e: OrderSent) -> Line:
    request = e.request
    price = "market" if request.price is None else f"at {text(request.price)}"
    said = f"{e.purpose.value} order sent: {request.side.value} {text(request.qty)} {request.symbol} {price}"
    return Line(_ORDER, _INFO, "OrderSent", said, e.group_id, request.client_order_id)


def _refused(e: OrderRefused) -> Line:
    said = f"{e.purpose.value} order not sent: {e.reason or e.code}"
    return Line(_ORDER, _WARNING, e.code, said, e.group_id, e.request.client_order_id)


def _cancel(e: CancelRequested) -> Line:
    return Line(_ORDER, _INFO, "CancelRequested", "cancel requested", client_order_id=e.client_order_id)


def _order_state(e: OrderStateChanged) -> Line:
    said = f"order {e.state.value}" + (f": {e.reason}" if e.reason else "")
    bad = e.state is OrderState.REJECTED
    severity = _SEVERITY_OF_STATE.get(e.state, _INFO)
    code = f"Order{e.state.name.title().replace('_', '')}"
    return Line(_ORDER, severity, code, said, client_order_id=e.client_order_id, pinned=bad)


def _fill(e: FillRecorded) -> Line:
    said = f"{e.side.value} {text(e.qty)} {e.symbol} at {text(e.price)}, fee {text(e.fee)} {e.fee_currency}"
    return Line(_ORDER, _GOOD, "FillRecorded", said, client_order_id=e.client_order_id)


def _leg_filled(e: LegFilled) -> Line:
    said = f"leg {e.leg_id} filled {text(e.qty)} at {text(e.price)}"
    return Line(_ORDER, _GOOD, "LegFilled", said, e.group_id, e.client_order_id)


def _target_filled(e: TargetFilled) -> Line:
    said = f"target of leg {e.leg_id} filled {text(e.qty)} at {text(e.price)}"
    return Line(_ORDER, _GOOD, "TargetFilled", said, e.group_id, e.client_order_id)


def _close_filled(e: CloseFilled) -> Line:
    said = f"closed {text(e.qty)} of {e.scope} at {text(e.price)}: {e.reason.value}"
    return Line(_ORDER, _GOOD, "CloseFilled", said, e.group_id, e.client_order_id)


def _entry_ended(e: EntryEnded) -> Line:
    bad = e.state is OrderState.REJECTED
    said = f"entry of leg {e.leg_id} {e.state.value}" + (f": {e.reason}" if e.reason else "")
    return Line(_ORDER, _WARNING if bad else _INFO, "EntryEnded", said, e.group_id, e.client_order_id)


def _deferred(e: TargetDeferred) -> Line:
    said = f"target of leg {e.leg_id} at {text(e.price)} is watched, not resting"
    return Line(Source.PRECISION, _INFO, e.code, said, e.group_id)


def _close_started(e: CloseStarted) -> Line:
    return Line(
        _ORDER, _INFO, "CloseStarted", f"closing {e.scope}: {e.reason.value}", e.group_id, signal_id=e.signal_id
    )


def _close_ended(e: CloseEnded) -> Line:
    failed = e.state is not OrderState.FILLED
    again = f", again in {e.retry_after_s} s" if failed and e.retry_after_s else ""
    said = f"closing order {e.state.value}{again}" + (f": {e.reason}" if e.reason else "")
    severity = _ERROR if failed and e.failures else _INFO
    return Line(_ORDER, severity, "CloseEnded", said, e.group_id, e.client_order_id, pinned=severity is _ERROR)


def _close_finished(e: CloseFinished) -> Line:
    said = f"close of {e.scope} {'given up' if e.given_up else 'finished'}: {e.reason.value}"
    return Line(_ORDER, _WARNING if e.given_up else _INFO, "CloseFinished", said, e.group_id)


def _close_skipped(e: CloseSkipped) -> Line:
    said = f"partial close of {text(e.qty)} skipped: {e.trigger.value}"
    return Line(_ORDER, _WARNING, e.code, said, e.group_id, signal_id=e.signal_id)


def _superseded(e: TriggerSuperseded) -> Line:
    said = f"{e.trigger.value} came too late for {e.scope}"
    return Line(_ORDER, _INFO, "TriggerSuperseded", said, e.group_id, signal_id=e.signal_id)


def _dust(e: DustRecorded) -> Line:
    return Line(Source.PRECISION, _INFO, "DustRecorded", f"dust of {text(e.qty)} cannot be sold", e.group_id)


def _alert(e: GroupAlert) -> Line:
    where = f"leg {e.leg_id}: " if e.leg_id else ""
    return Line(_ORDER, LineSeverity(e.severity.value), e.code, where + e.text, e.group_id, pinned=e.pinned)


def _group_state(e: GroupStateChanged) -> Line:
    said = f"group {e.new.value} ({e.cause})" if e.old is None else f"group {e.old.value} to {e.new.value} ({e.cause})"
    return Line(_ORDER, _INFO, "GroupStateChanged", said, e.group_id)


def _group_closed(e: GroupClosed) -> Line:
    fees = ", ".join(f"{text(amount)} {currency}" for currency, amount in sorted(e.fees.items())) or "none"
    said = f"group closed: {e.reason.value}, realized {text(e.realized_quote)} before fees ({fees})"
    return Line(_ORDER, _GOOD, "GroupClosed", said, e.group_id)


def _status(e: EngineStatusChanged) -> Line:
    severity = {EngineStatus.ERROR: _ERROR, EngineStatus.PAUSED: _WARNING}.get(e.status, _INFO)
    said = f"engine {e.status.value}" + (f": {e.reason}" if e.reason else "")
    return Line(_SYSTEM, severity, "EngineStatusChanged", said, pinned=e.status is EngineStatus.ERROR)


def _slot(e: SlotTaken | SlotFreed) -> Line:
    what = "taken" if isinstance(e, SlotTaken) else "freed"
    return Line(_SYSTEM, _INFO, type(e).__name__, f"slot {what}: {e.occupied} of {e.maximum}", e.group_id)


def _difference(e: DifferenceFound) -> Line:
    said = f"{e.account}: {e.detail}" + (f"; {e.correction}" if e.correction else "")
    return Line(_SYSTEM, _WARNING, e.code, said, client_order_id=e.client_order_id, pinned=e.code == "PositionMismatch")


def _reconciled(e: Reconciled) -> Line:
    said = (
        f"{e.account} reconciled: {e.open_orders} open orders, {e.fills_seen} fills, "
        f"{e.fills_missed} of them missed, {e.differences} differences"
    )
    return Line(_SYSTEM, _INFO, "Reconciled", said)


LINES: Final[dict[str, _LineOf]] = {
    "CancelRequested": _cancel,
    "CloseEnded": _close_ended,
    "CloseFilled": _close_filled,
    "CloseFinished": _close_finished,
    "CloseSkipped": _close_skipped,
    "CloseStarted": _close_started,
    "DifferenceFound": _difference,
    "DustRecorded": _dust,
    "EngineStatusChanged": _status,
    "EntryEnded": _entry_ended,
    "FillRecorded": _fill,
    "GroupAlert": _alert,
    "GroupClosed": _group_closed,
    "GroupOpened": _opened,
    "GroupStateChanged": _group_state,
    "IncidentCleared": _incident_over,
    "IncidentRaised": _incident,
    "LegFilled": _leg_filled,
    "OrderRefused": _refused,
    "OrderSent": _sent,
    "OrderStateChanged": _order_state,
    "PyramidAdded": _pyramid,
    "PyramidRefused": _pyramid_refused,
    "Reconciled": _reconciled,
    "RequestRefused": _refused_request,
    "SignalReceived": _received,
    "SignalRouted": _routed,
    "SlotFreed": _slot,
    "SlotTaken": _slot,
    "TargetDeferred": _deferred,
    "TargetFilled": _target_filled,
    "TriggerSuperseded": _superseded,
}
"""Event type -> its sentence."""
