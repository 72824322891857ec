"""Events without a line of their own, each with the reason: another event says the same to an operator."""

from __future__ import annotations

from typing import Final

__all__ = ["SILENT"]

SILENT: Final[dict[str, str]] = {
    "BracketOrderMoved": "the desk's OrderStateChanged and FillRecorded say it",
    "CancelWanted": "the desk's CancelRequested says it",
    "ConfigSettled": "ConfigApplied says it; this one says that everybody has taken it",
    "EquityMarked": "prices for the equity curves, one a fill; the fill says what happened",
    "LegClosed": "the fill that closed it says it",
    "NoticesDismissed": "an operator's own look at the notices",
    "NoticesKept": "made of the events that the log shows",
    "NoticesRead": "an operator's own look at the notices",
    "NoticesRepeated": "the alert itself stands in the strip",
    "OrderStateNoted": "the desk's OrderStateChanged says it",
    "OrderWanted": "the desk's OrderSent or OrderRefused says it",
    "PaperAccountOpened": "the paper venue's own books",
    "PaperOrderAccepted": "the paper venue's own books",
    "PaperOrderArrived": "the paper venue's own books",
    "PaperOrderCancelled": "the paper venue's own books",
    "PaperOrderFilled": "the paper venue's own books",
    "PaperOrderRejected": "the paper venue's own books",
    "PaperOrderTriggered": "the paper venue's own books",
    "PhoneBotChanged": "whose numbers updates have",
    "PhoneEnded": "OperatorActed says what came of a command",
    "PhoneQueued": "what is to be sent to a phone",
    "PhoneSending": "what is to be sent to a phone",
    "PhoneSent": "what is to be sent to a phone",
    "PhoneTaken": "OperatorActed says what came of a command",
    "RulesWanted": "the group's alert PrecisionRejected says it",
    "SignalActedOn": "SignalRouted says what became of it",
    "TargetEnded": "the desk's OrderStateChanged says it",
    "TargetsWatched": "prices the group watches; they change with every fill",
}
"""Event type -> why nobody needs to read it."""
