"""What a line is about: the tags of EX-1403, by event type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocol.groups import CloseReason
from protocol.messages import Event
from protocol.orders import Purpose
from rules.event_log.line import Line, Tag

__all__ = ["tags_of"]

_OF_REASON: Final = {
    CloseReason.EXIT_SIGNAL: Tag.EXIT,
    CloseReason.OPERATOR: Tag.OPERATOR,
    CloseReason.STOP: Tag.EXIT,
    CloseReason.REDUCE: Tag.REDUCE,
    CloseReason.RISK_CLOSE: Tag.RISK_CLOSE,
    CloseReason.RISK_PARTIAL: Tag.RISK_CLOSE,
    CloseReason.AGGREGATE_TP: Tag.TP,
    CloseReason.PYRAMID_TP: Tag.TP,
    CloseReason.LEG_TP: Tag.TP,
    CloseReason.RECOVERY: Tag.RECOVERY,
    CloseReason.TAKE_PROFIT: Tag.TP,
}

_OF_CODE: Final = {
    "RateLimited": (Tag.RATE_LIMIT,),
    "OrderRejected": (Tag.API_REJECT,),
    "OrderRefused": (Tag.API_REJECT,),
    "InsufficientFunds": (Tag.API_REJECT,),
    "AuthFailed": (Tag.API_REJECT,),
    "PermissionDenied": (Tag.API_REJECT,),
}
"""Codes that say it whatever the event."""


def _purpose(event: Any) -> tuple[Tag, ...]:
    if event.purpose is Purpose.TP:
        return (Tag.TP,)
    if event.purpose is Purpose.CLOSE:
        return (Tag.EXIT,)
    return _layer(event)


def _layer(event: Any) -> tuple[Tag, ...]:
    """Return entry for layer 0 of a pyramid, dca for the layers below it."""
    first = event.leg_id.endswith(".l0") or not event.leg_id
    return (Tag.ENTRY,) if first else (Tag.ENTRY, Tag.DCA)


def _reason(event: Any) -> tuple[Tag, ...]:
    tag = _OF_REASON.get(event.reason, Tag.EXIT)
    return (tag,) if tag in (Tag.EXIT, Tag.TP, Tag.REDUCE) else (Tag.EXIT, tag)


def _signal(event: Any) -> tuple[Tag, ...]:
    kind = event.signal.kind.value if event.signal is not None else ""
    known = {"entry": (Tag.ENTRY,), "exit": (Tag.EXIT,), "reduce": (Tag.REDUCE,)}
    found = known.get(kind, ())
    return (*found, Tag.OPERATOR) if event.source_address == "operator" else found


def _state(event: Any) -> tuple[Tag, ...]:
    return (Tag.API_REJECT,) if event.state.value == "rejected" else ()


def _said(event: Any) -> tuple[Tag, ...]:
    return tuple(Tag(tag) for tag in event.tags if tag in list(Tag))


def _trigger(event: Any) -> tuple[Tag, ...]:
    tag = _OF_REASON.get(event.trigger, Tag.EXIT)
    return (tag,)


_TAGS: Final[dict[str, Callable[[Any], tuple[Tag, ...]]]] = {
    "CloseEnded": lambda _: (Tag.EXIT,),
    "CloseFilled": _reason,
    "CloseFinished": _reason,
    "CloseSkipped": _trigger,
    "CloseStarted": _reason,
    "DaemonStarted": lambda _: (Tag.RECOVERY,),
    "DifferenceFound": lambda _: (Tag.RECOVERY,),
    "CloseForced": lambda _: (Tag.EXIT, Tag.OPERATOR),
    "EntryEnded": _layer,
    "EntryPromoted": lambda e: (Tag.QUEUE, Tag.ENTRY, *((Tag.OPERATOR,) if e.request_id else ())),
    "EventLogged": _said,
    "EventsAcknowledged": lambda _: (Tag.OPERATOR,),
    "GroupCloseAsked": lambda _: (Tag.EXIT,),
    "GroupClosed": _reason,
    "GroupEdited": lambda _: (Tag.OPERATOR, Tag.CONFIG),
    "GroupFrozen": lambda _: (Tag.RECOVERY,),
    "GroupOpened": lambda _: (Tag.ENTRY,),
    "GroupUnfrozen": lambda _: (Tag.OPERATOR,),
    "LegFilled": _layer,
    "OperatorActed": lambda _: (Tag.OPERATOR,),
    "OrderRefused": _purpose,
    "OrderSent": _purpose,
    "OrderStateChanged": _state,
    "PyramidAdded": lambda _: (Tag.ENTRY,),
    "PyramidAdmitted": lambda _: (Tag.ENTRY,),
    "PyramidAnchored": lambda _: (Tag.ENTRY, Tag.DCA),
    "PyramidClosed": lambda _: (Tag.TP,),
    "PyramidRefused": lambda _: (Tag.ENTRY,),
    "QueueRemoved": lambda e: (Tag.QUEUE, *((Tag.OPERATOR,) if e.reason == "operator" else ())),
    "Reconciled": lambda _: (Tag.RECOVERY,),
    "RecoveryStep": lambda _: (Tag.RECOVERY,),
    "RequestRefused": lambda e: (Tag.RATE_LIMIT,) if e.code == "RateLimited" else (),
    "RiskStepEnded": lambda _: (Tag.RISK_CLOSE,),
    "SignalReceived": _signal,
    "SignalRouted": lambda e: (Tag.QUEUE,) if e.outcome.startswith(("queued", "replaced")) else (),
    "TargetDeferred": lambda _: (Tag.TP,),
    "TargetFilled": lambda _: (Tag.TP,),
    "TriggerHeld": lambda _: (Tag.EXIT,),
    "TriggerSuperseded": _trigger,
}
"""Event type -> its tags; one that is not here has those that its name and its code say."""

_OF_NAME: Final = (
    ("Queue", Tag.QUEUE),
    ("Config", Tag.CONFIG),
    ("Recover", Tag.RECOVERY),
    ("Operator", Tag.OPERATOR),
    ("RiskClose", Tag.RISK_CLOSE),
    ("RiskFlag", Tag.OPERATOR),
    ("Offset", Tag.RISK_CLOSE),
)


def tags_of(event: Event, line: Line) -> tuple[Tag, ...]:
    """Return what an event's line is about, each tag once."""
    name = type(event).__name__
    find = _TAGS.get(name)
    found = find(event) if find is not None else tuple(tag for part, tag in _OF_NAME if part in name)
    return tuple(dict.fromkeys((*found, *_OF_CODE.get(line.code, ()))))
