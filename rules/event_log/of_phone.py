"""What an operator reads of approvals and of the phone (EX-1401, ML-1080). One function an event type."""

from __future__ import annotations

from typing import Final

from protocol.approvals import ApprovalAsked, ApprovalEnd, ApprovalEnded
from protocol.telegram import PhoneDropped, PhoneMoved, PhoneStrangers
from rules.event_log.line import INFO, WARNING, Line, LineOf, Source

__all__ = ["OF_PHONE"]


def _asked(e: ApprovalAsked) -> Line:
    said = f"{e.prompt.prompt_id} waits for an operator's word: {e.prompt.title}"
    return Line(Source.ORDER, INFO, "ApprovalAsked", said, signal_id=e.signal.signal_id)


def _ended(e: ApprovalEnded) -> Line:
    by = f" by {e.by}" if e.by else ""
    how = "nobody answered in time" if e.how is ApprovalEnd.TIMEOUT else e.how.value
    return Line(Source.ORDER, INFO, "ApprovalEnded", f"{e.prompt_id} {how}{by}: {e.title}", signal_id=e.signal_id)


def _strangers(e: PhoneStrangers) -> Line | None:
    if not e.count:
        return None
    said = f"user {e.user} in chat {e.chat} is on no list and got no reply ({e.count} messages)"
    return Line(Source.SYSTEM, INFO, "TelegramUnauthorized", said)


def _dropped(e: PhoneDropped) -> Line:
    return Line(Source.SYSTEM, INFO, "PhoneDropped", f"a message to chat {e.chat} was given up: {e.reason}")


def _moved(e: PhoneMoved) -> Line:
    said = f"the group {e.chat} has the id {e.to} now and is served there; put it into telegram.members"
    return Line(Source.SYSTEM, WARNING, "TelegramMoved", said)


OF_PHONE: Final[dict[str, LineOf]] = {
    "ApprovalAsked": _asked,
    "ApprovalEnded": _ended,
    "PhoneDropped": _dropped,
    "PhoneMoved": _moved,
    "PhoneStrangers": _strangers,
}
"""Event type -> its line."""
