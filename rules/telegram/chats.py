"""What becomes of a message in a chat: allow list, limits, roles, confirmation codes (ML-1080 to ML-1084, DK-155).

``judge`` changes its ``Chats``: codes and counts live as long as the bridge does. A code that a restart took is expired: the
command is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

import msgspec

from rules.telegram.commands import SPEC, Command, Parsed, Role, parse_command

__all__ = ["CODE_MS", "LIMIT", "WINDOW_MS", "Chats", "Judged", "Pending", "judge", "judge_token", "role_of"]

LIMIT: Final = 20
"""Commands of one chat that are accepted in any ``WINDOW_MS``."""

WINDOW_MS: Final = 60_000
CODE_MS: Final = 60_000
"""How long a confirmation code is valid, its last millisecond included."""


class Pending(msgspec.Struct, frozen=True):
    """What waits for its code; ``token`` stands behind the buttons, ``user`` asked for it (None: any of the chat)."""

    parsed: Parsed
    code: str
    until_ms: int
    token: str = ""
    user: int | None = None


class Chats(msgspec.Struct):
    """Codes by chat, and when each chat's commands were accepted."""

    pending: dict[int, Pending] = msgspec.field(default_factory=dict)
    accepted: dict[int, list[int]] = msgspec.field(default_factory=dict)


class Judged(NamedTuple):
    """What is answered (a key of ML-1084, None: nothing), what happens, and what was asked."""

    reply: str | None
    effect: str | None = None
    parsed: Parsed = Parsed()
    log: str = ""


def role_of(members: Collection[tuple[int, int | None, Role]], chat: int, user: int | None) -> Role:
    """Return what a user may do in a chat; an entry without a user is for everybody in that chat."""
    found = [role for its_chat, its_user, role in members if its_chat == chat and its_user in (None, user)]
    return max(found, default=Role.NOBODY)


def judge(
    chats: Chats,
    chat: int,
    text: str,
    now_ms: int,
    *,
    code: Callable[[], str],
    role: Role,
    commands: Mapping[str, Command] = SPEC,
    accounts: Collection[str] = (),
    user: int | None = None,
    token: Callable[[], str] = str,
) -> Judged:
    """Judge one message of a chat; ``code`` and ``token`` make new ones when one is needed."""
    if role is Role.NOBODY:
        return Judged(None, log="unauthorized")
    parsed = parse_command(text, commands, accounts)
    if parsed.error:
        return Judged(parsed.error, parsed=parsed)
    if not _admit(chats, chat, now_ms):
        return Judged("rate_limited", parsed=parsed)
    command = commands[parsed.command]
    if role < command.role:
        return Judged("NotAllowed", parsed=parsed)
    if parsed.command == "/confirm" or (command.code and parsed.args):
        return _confirmed(chats, chat, now_ms, lambda each: each.code == parsed.args[-1], user, role, commands)
    if command.writes and command.per_account and len(accounts) > 1 and not parsed.account:
        return Judged("AccountNeeded", parsed=parsed)
    if command.confirm:
        chats.pending[chat] = Pending(parsed, code(), now_ms + CODE_MS, token(), user)
        return Judged("confirm", parsed=parsed)
    return Judged(command.reply, _effect(command, parsed), parsed)


def judge_token(
    chats: Chats, chat: int, token: str, now_ms: int, *, user: int | None, role: Role, commands: Mapping[str, Command]
) -> Judged:
    """Judge a tap on a confirmation's button; a token that is not the newest changes nothing (DK-155)."""
    if role is Role.NOBODY:
        return Judged(None, log="unauthorized")
    pending = chats.pending.get(chat)
    if pending is None or pending.token != token:
        return Judged("code_expired")
    if role < commands[pending.parsed.command].role or pending.user not in (None, user):
        return Judged("NotAllowed", parsed=pending.parsed)
    return _confirmed(chats, chat, now_ms, lambda _: True, user, role, commands)


def _admit(chats: Chats, chat: int, now_ms: int) -> bool:
    recent = [at for at in chats.accepted.get(chat, ()) if at > now_ms - WINDOW_MS]
    if len(recent) < LIMIT:
        chats.accepted[chat] = [*recent, now_ms]
        return True
    chats.accepted[chat] = recent
    return False


def _confirmed(
    chats: Chats,
    chat: int,
    now_ms: int,
    fits: Callable[[Pending], bool],
    user: int | None,
    role: Role,
    commands: Mapping[str, Command],
) -> Judged:
    """Carry out what waits, when the code is right and in time; a wrong or late one ends it (ML-1081).

    Whoever lost the role meanwhile may no longer.
    """
    pending = chats.pending.pop(chat, None)
    if pending is None or now_ms > pending.until_ms:
        return Judged("code_expired", parsed=pending.parsed if pending else Parsed())
    if not fits(pending) or pending.user not in (None, user):
        return Judged("bad_code", parsed=pending.parsed)
    command = commands[pending.parsed.command]
    if role < command.role:
        return Judged("NotAllowed", parsed=pending.parsed)
    return Judged(command.reply, _effect(command, pending.parsed), pending.parsed)


def _effect(command: Command, parsed: Parsed) -> str | None:
    if not command.effect:
        return None
    return f"{command.effect}:{':'.join(parsed.args)}" if parsed.args else command.effect
