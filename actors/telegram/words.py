"""What the bridge says: the reply keys of ML-1084 in words, alerts, the list of commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from actors.telegram.seat import BUTTON_BYTES, BUTTONS
from protocol.notifications import Notice, NoticeSeverity
from protocol.telegram import Button
from rules.telegram.commands import Command, Role

__all__ = [
    "ALREADY",
    "FAREWELL",
    "LEFT_OUT_MARK",
    "REPEAT_MARK",
    "REPLIES",
    "alert_text",
    "confirm_text",
    "help_text",
    "typing",
    "written",
]

REPEAT_MARK: Final = "(again: nobody knows whether this arrived before)\n"
LEFT_OUT_MARK: Final = "({} older messages were left out: too many waited)\n"
FAREWELL: Final = "bulkhead stops now, in order. What stands at the venues stays; nothing is watched until it is back."
ALREADY: Final = "This was dealt with already."

REPLIES: Final = {
    "bad_code": "That code is wrong. Nothing was done; ask again for a new one.",
    "code_expired": "There is no such code any more. Nothing was done; ask again.",
    "rate_limited": "Too many commands within a minute. Wait a little.",
    "NotACommand": "Commands begin with /. /help lists them.",
    "UnknownCommand": "There is no such command. /help lists them.",
    "NotAllowed": "You may not do this from here.",
    "ReadOnlyMode": "bulkhead is read only: an admin sets app.read_only to false.",
}
"""Reply key -> its words; keys that are not here are answered by the house."""


def alert_text(notice: Notice) -> str:
    """Say a notice in a line: with a sign, and what there is to know, where somebody has to do something."""
    if notice.pinned:
        return f"\u203c {notice.title}" + (f"\n  {notice.body}" if notice.body else "")
    return f"\u26a0 {notice.title}" if notice.severity is NoticeSeverity.WARNING else notice.title


def confirm_text(effect: str, code: str) -> str:
    """Ask for the confirmation of something that was named."""
    return f"{effect}\n\nTap Confirm, or write /confirm {code} within 60 s."


def help_text(commands: Mapping[str, Command], role: Role) -> str:
    """List what a role may type: what looks first, then what does something."""
    mine = [(name, command) for name, command in commands.items() if role >= command.role]
    looks = [written(name, command) for name, command in mine if not command.effect and name != "/confirm"]
    acts = [written(name, command) + (" *" if command.confirm else "") for name, command in mine if command.effect]
    if not acts:
        return "\n".join(looks)
    return "\n".join([*looks, "", *acts, "", "* asks for a confirmation first: tap, or /confirm CODE"])


def typing(wanted: Sequence[str]) -> tuple[Button, ...]:
    """Return buttons that type commands; Telegram refuses a message with one that is longer than it carries."""
    fit = (each for each in wanted if len(each.encode()) <= BUTTON_BYTES - 2)
    return tuple(Button(each, f"t:{each}") for each in fit)[:BUTTONS]


def written(name: str, command: Command) -> str:
    """Say how a command is written and what it is for."""
    return f"{name}{f' {command.usage}' if command.usage else ''} - {command.about}"
