"""What an operator reads of signals and the requests that carry them (EX-1401). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.signals import SignalReceived, SignalRouted
from protocol.webhook import RequestRefused
from rules.event_log.line import INFO, WARNING, Line, LineOf, Source
from rules.notation import words

__all__ = ["OF_SIGNALS"]


def _received(e: SignalReceived) -> Line:
    refused = e.outcome.startswith("rejected")
    problems = "; ".join(f"{p.path} {p.message} [{p.code}]".strip() for p in e.problems)
    outcome = "rejected" if refused and problems else words(e.outcome)
    said = f"signal of {e.user} from {e.source_address}: {outcome}" + (f": {problems}" if problems else "")
    if e.resend_of:
        said += f"; it sends {e.resend_of} again"
    if len(e.accounts) > 1:
        said += f"; for {', '.join(e.accounts)}"
    code = e.problems[0].code if refused and e.problems else "SignalReceived"
    return Line(Source.WEBHOOK, WARNING if refused else INFO, code, said, signal_id=e.signal_id)


def _routed(e: SignalRouted) -> Line:
    refused = e.outcome.startswith("rejected")
    at = f" at {e.account}" if e.account else ""
    said = f"signal routed{at}: {words(e.outcome)}" + (f" ({'; '.join(e.reasons)})" if e.reasons else "")
    return Line(Source.WEBHOOK, WARNING if refused else INFO, "SignalRouted", said, signal_id=e.signal_id)


def _refused_request(e: RequestRefused) -> Line:
    said = f"request to {e.user} from {e.address} refused: {e.code} ({e.size} bytes), {e.refused} so far"
    return Line(Source.WEBHOOK, WARNING, e.code, said, pinned=e.code == "RateLimited")


OF_SIGNALS: Final[dict[str, LineOf]] = {
    "RequestRefused": _refused_request,
    "SignalReceived": _received,
    "SignalRouted": _routed,
}
"""Event type -> its line."""
