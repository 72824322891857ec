"""What an operator reads of position groups (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

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
    PyramidAnchored,
    PyramidClosed,
    PyramidRefused,
    RiskStepEnded,
    TargetDeferred,
    TargetFilled,
    TriggerSuperseded,
)
from protocol.groups.adoption import PositionAdopted
from protocol.groups.editing import GroupEdited
from protocol.groups.naming import leg_name, scope_name
from protocol.groups.recovery import GroupRecovered
from protocol.orders import OrderState
from rules.event_log.line import ERROR, GOOD, INFO, WARNING, Line, LineOf, LineSeverity, Source
from rules.notation import plain, words

__all__ = ["OF_GROUPS"]


def _opened(e: GroupOpened) -> Line:
    said = f"group opened: {e.side.value} {e.symbol} {e.timeframe} at {plain(e.base_entry_price)}, {e.strategy}"
    return Line(Source.ORDER, INFO, "GroupOpened", said, e.group_id, signal_id=e.signal_id)


def _pyramid(e: PyramidAdded) -> Line:
    said = f"pyramid {e.pyramid} with {len(e.legs)} legs at {plain(e.entry_price)}"
    return Line(Source.ORDER, INFO, "PyramidAdded", said, e.group_id, signal_id=e.signal_id)


def _pyramid_refused(e: PyramidRefused) -> Line:
    return Line(Source.ORDER, WARNING, e.code, f"no pyramid: {e.text}", e.group_id, signal_id=e.signal_id)


def _leg_filled(e: LegFilled) -> Line:
    said = f"{leg_name(e.leg_id)} filled {plain(e.qty)} at {plain(e.price)}"
    return Line(Source.ORDER, GOOD, "LegFilled", said, e.group_id, e.client_order_id)


def _target_filled(e: TargetFilled) -> Line:
    said = f"target of {leg_name(e.leg_id)} filled {plain(e.qty)} at {plain(e.price)}"
    return Line(Source.ORDER, GOOD, "TargetFilled", said, e.group_id, e.client_order_id)


def _close_filled(e: CloseFilled) -> Line:
    said = f"closed {plain(e.qty)} of {scope_name(e.scope)} at {plain(e.price)}: {words(e.reason.value)}"
    return Line(Source.ORDER, GOOD, "CloseFilled", said, e.group_id, e.client_order_id)


def _entry_ended(e: EntryEnded) -> Line:
    bad = e.state is OrderState.REJECTED
    said = f"entry of {leg_name(e.leg_id)} {words(e.state.value)}" + (f": {e.reason}" if e.reason else "")
    return Line(Source.ORDER, WARNING if bad else INFO, "EntryEnded", said, e.group_id, e.client_order_id)


def _deferred(e: TargetDeferred) -> Line:
    said = f"target of {leg_name(e.leg_id)} at {plain(e.price)} is watched, not resting"
    return Line(Source.PRECISION, INFO, e.code, said, e.group_id)


def _close_started(e: CloseStarted) -> Line:
    return Line(
        Source.ORDER,
        INFO,
        "CloseStarted",
        f"closing {scope_name(e.scope)}: {words(e.reason.value)}",
        e.group_id,
        signal_id=e.signal_id,
    )


_EACH_FAILURE_UP_TO: Final = 3
"""From the next failure on a close that keeps failing has a line when operators are told; the log has each order anyway."""


def _close_ended(e: CloseEnded) -> Line | None:
    failed = e.state is not OrderState.FILLED
    if failed and e.failures > _EACH_FAILURE_UP_TO and not e.told:
        return None
    again = f", again in {e.retry_after_s} s" if failed and e.retry_after_s else ""
    said = f"closing order {words(e.state.value)}{again}" + (f": {e.reason}" if e.reason else "")
    severity = ERROR if failed and e.failures else INFO
    # The alert CloseFailing pins what keeps failing (EX-712); a first rejection is critical by itself (EX-1406).
    first = severity is ERROR and e.failures == 1
    return Line(Source.ORDER, severity, "CloseEnded", said, e.group_id, e.client_order_id, pinned=first)


def _close_finished(e: CloseFinished) -> Line:
    said = f"close of {scope_name(e.scope)} {'given up' if e.given_up else 'finished'}: {words(e.reason.value)}"
    return Line(Source.ORDER, WARNING if e.given_up else INFO, "CloseFinished", said, e.group_id)


def _close_skipped(e: CloseSkipped) -> Line:
    said = f"partial close of {plain(e.qty)} skipped: {words(e.trigger.value)}"
    return Line(Source.ORDER, WARNING, e.code, said, e.group_id, signal_id=e.signal_id)


def _step_ended(e: RiskStepEnded) -> Line:
    why = f" ({e.code})" if e.code else ""
    said = f"step of plan {e.plan_id} {e.status}{why}: {plain(e.qty)} closed, {plain(e.booked_quote)} booked"
    return Line(Source.RISK_ENGINE, LineSeverity.RISK, "RiskStepEnded", said, e.group_id)


def _superseded(e: TriggerSuperseded) -> Line:
    said = f"{words(e.trigger.value)} came too late for {scope_name(e.scope)}"
    return Line(Source.ORDER, INFO, "TriggerSuperseded", said, e.group_id, signal_id=e.signal_id)


def _dust(e: DustRecorded) -> Line:
    return Line(Source.PRECISION, INFO, "DustRecorded", f"dust of {plain(e.qty)} cannot be sold", e.group_id)


def _alert(e: GroupAlert) -> Line:
    where = f"{leg_name(e.leg_id)}: " if e.leg_id else ""
    return Line(Source.ORDER, LineSeverity(e.severity.value), e.code, where + e.text, e.group_id, pinned=e.pinned)


def _group_state(e: GroupStateChanged) -> Line:
    said = (
        f"group {words(e.new.value)} ({words(e.cause)})"
        if e.old is None
        else f"group {words(e.old.value)} to {words(e.new.value)} ({words(e.cause)})"
    )
    return Line(Source.ORDER, INFO, "GroupStateChanged", said, e.group_id)


def _group_closed(e: GroupClosed) -> Line:
    fees = ", ".join(f"{plain(amount)} {currency}" for currency, amount in sorted(e.fees.items())) or "none"
    market = e.key.split("|")[2:]
    which = " ".join(market[-1:] + market[:-1])  # the side first, as where it opened
    said = f"group closed: {which}, {words(e.reason.value)}, realized {plain(e.realized_quote)} before fees ({fees})"
    return Line(Source.ORDER, GOOD, "GroupClosed", said, e.group_id)


def _anchored(e: PyramidAnchored) -> Line:
    said = f"pyramid {e.pyramid} anchored at {plain(e.entry_price)}, {len(e.legs)} more legs"
    return Line(Source.ORDER, INFO, "PyramidAnchored", said, e.group_id)


def _pyramid_closed(e: PyramidClosed) -> Line:
    return Line(Source.ORDER, GOOD, "PyramidClosed", f"pyramid {e.pyramid} closed: {words(e.reason.value)}", e.group_id)


def _recovered(e: GroupRecovered) -> Line:
    then = "closes itself" if e.flattens else "goes on"
    said = f"back after an unclean end ({e.down_s} s): {then}, by its recovery contract"
    return Line(Source.SYSTEM, WARNING, "GroupRecovered", said, e.group_id)


def _adopted(e: PositionAdopted) -> Line:
    said = f"{e.operator} had it adopt a position: {e.qty.normalize():f} at {e.avg_price.normalize():f}"
    return Line(Source.SYSTEM, INFO, "PositionAdopted", said, e.group_id)


def _edited(e: GroupEdited) -> Line:
    said = f"{e.operator} changed the group: {'; '.join(e.summary)}"
    return Line(Source.SYSTEM, INFO, "GroupEdited", said, e.group_id)


OF_GROUPS: Final[dict[str, LineOf]] = {
    "GroupEdited": _edited,
    "GroupRecovered": _recovered,
    "PositionAdopted": _adopted,
    "PyramidAnchored": _anchored,
    "PyramidClosed": _pyramid_closed,
    "CloseEnded": _close_ended,
    "CloseFilled": _close_filled,
    "CloseFinished": _close_finished,
    "CloseSkipped": _close_skipped,
    "CloseStarted": _close_started,
    "DustRecorded": _dust,
    "EntryEnded": _entry_ended,
    "GroupAlert": _alert,
    "GroupClosed": _group_closed,
    "GroupOpened": _opened,
    "GroupStateChanged": _group_state,
    "LegFilled": _leg_filled,
    "PyramidAdded": _pyramid,
    "PyramidRefused": _pyramid_refused,
    "RiskStepEnded": _step_ended,
    "TargetDeferred": _deferred,
    "TargetFilled": _target_filled,
    "TriggerSuperseded": _superseded,
}
"""Event type -> its line."""
