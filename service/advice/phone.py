"""What the phone, approvals and stopped accounts can answer."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["PHONE"]

PHONE: Final = Area(
    "Phone, approvals, stopped accounts",
    "These stand in a chat, in the log, or behind an entry that was refused.",
    (
        Word(("UnknownCommand",), "`/help` lists the commands"),
        Word(("BadArguments",), "write the command as the answer shows it; `/help` lists all"),
        Word(("AccountNeeded",), "there are several accounts: write its name behind the command, `/pause main`"),
        Word(("UnknownTicket",), "look at `/positions`: the id stands first in each line"),
        Word(
            ("StaleApproval",), "what was tapped has changed or is over: look at the newest prompt, or at `/approvals`"
        ),
        Word(("DraftChanged",), "the draft was edited after it was shown: look at `/draft` again, then `/apply`"),
        Word(
            ("ApprovalRefused", "ApprovalTimeout", "ApprovalSuperseded", "ApprovalWithdrawn"),
            "an entry waited for a word (`approvals.entries`) and did not get it; send it again to be asked anew",
        ),
        Word(("AccountStopped",), "an operator stopped this account's entries; again with `bulkhead account arm NAME`"),
        Word(
            ("TelegramStranger", "TelegramUnauthorized"),
            "somebody unknown wrote to the bot; nothing was answered",
        ),
        Word(
            ("TelegramAway", "TelegramBusy", "TelegramBack"),
            "nothing: messages wait until Telegram takes them",
        ),
        Word(
            ("TelegramConflict",),
            "another program has this bot's token, or a webhook is set for it: end that, or give each its own bot",
        ),
        Word(("TelegramRejected",), "the token is wrong: set the one that BotFather shows"),
        Word(
            ("TelegramMoved",),
            "a group became a supergroup: it is served under its new id, which belongs into `telegram.members`",
        ),
        Word(
            ("TelegramRefused",), "a message was refused as it is: has the bot been blocked, or removed from the group"
        ),
        Word(("DaySummary",), "nothing: what the day came to, stored at midnight"),
    ),
)
"""Codes of the phone."""
