"""What an operator reads of entries with stop and target (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.brackets import BracketEnd, BracketStep, BracketStepTaken, BracketWanted
from rules.event_log.line import ERROR, GOOD, INFO, WARNING, Line, LineOf, LineSeverity, Source

__all__ = ["OF_BRACKETS"]

_SAID: Final[dict[BracketStep, tuple[LineSeverity, str]]] = {
    BracketStep.STOP_SENT_AGAIN: (WARNING, "no stop works, it is sent again for {qty}"),
    BracketStep.CLOSING: (WARNING, "it is closed at the market: {reason}"),
    BracketStep.CANCEL: (INFO, "{order} is cancelled"),
    BracketStep.CLOSE_SENT: (WARNING, "{qty} are closed at the market"),
    BracketStep.ENDED: (GOOD, "it has ended: {reason}"),
}


def _wanted(e: BracketWanted) -> Line:
    target = f", target {e.target:f}" if e.target is not None else ""
    said = f"bracket {e.client_id}: {e.side.value} {e.qty:f} {e.symbol} at the market, stop {e.stop:f}{target}"
    return Line(Source.ORDER, INFO, "BracketWanted", said, _group(e.client_id))


def _step(e: BracketStepTaken) -> Line:
    severity, text = _SAID[e.step]
    if e.reason == BracketEnd.REFUSED:
        severity = WARNING
    if e.reason == BracketEnd.OVERSHOT:
        severity = ERROR
    said = text.format(qty=f"{e.qty:f}", reason=e.reason.replace("_", " "), order=e.client_order_id)
    return Line(Source.ORDER, severity, "BracketStepTaken", f"bracket {e.client_id}: {said}", _group(e.client_id))


def _group(client_id: str) -> str:
    return f"bracket:{client_id}"


OF_BRACKETS: Final[dict[str, LineOf]] = {"BracketStepTaken": _step, "BracketWanted": _wanted}
"""Event type -> its line."""
