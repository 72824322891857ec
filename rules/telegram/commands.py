"""What may be typed into a chat: names, arguments, who may, what is confirmed (ML-1081, ML-1082, EX-1611 to EX-1618)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["ALL", "HOUSE", "SPEC", "Command", "Parsed", "Role", "parse_command"]


ALL: Final = "all"
"""What stands in an account's place where every account at once is meant; one that has this name is meant itself."""


class Role(IntEnum):
    """What a user in a chat may do; each may what those below may."""

    NOBODY = 0
    WATCH = 1
    APPROVE = 2
    TRADE = 3
    ADMIN = 4


class Command(NamedTuple):
    """A command: how many arguments it takes, which words, who may, whether a code is needed, what it is for.

    ``reply`` and ``effect`` are the words of ML-1084; a command that reads replies with its name. ``writes`` commands need
    an account where there are several.
    """

    about: str
    least: int = 0
    most: int = 0
    usage: str = ""
    role: Role = Role.WATCH
    writes: bool = False
    confirm: bool = False
    code: bool = False
    """Whether a confirmation code may stand behind it."""
    words: tuple[str, ...] = ()
    """What its argument may be; empty: anything."""
    default: tuple[str, ...] = ()
    reply: str = ""
    effect: str = ""
    per_account: bool = True
    for_all: bool = False
    """Whether ``all`` may stand in the account's place."""


_PERIODS: Final = ("today", "week", "month")

SPEC: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "/help": Command("what can be typed here", reply="help", per_account=False),
        "/pause": Command(
            "stop new entries; exits go on", role=Role.TRADE, writes=True, reply="paused", effect="PAUSE"
        ),
        "/resume": Command("allow entries again", role=Role.TRADE, writes=True, reply="resumed", effect="RESUME"),
        "/status": Command("engine, equity, P&L of day and week, venues", reply="status"),
        "/positions": Command("open groups with their P&L", reply="positions"),
        "/close": Command("close one group", 1, 1, "ID", Role.TRADE, writes=True, reply="closing", effect="CLOSE"),
        "/closeall": Command(
            "close every group", 0, 1, "", Role.TRADE, True, True, code=True, reply="closing_all", effect="CLOSE_ALL"
        ),
        "/news": Command("events ahead and blackouts", reply="news", per_account=False),
        "/pnl": Command("what was earned", 0, 1, "[today|week|month]", words=_PERIODS, default=("today",), reply="pnl"),
        "/latency": Command("how fast venues answer", reply="latency"),
    }
)
"""The commands of the requirement."""


def _trades(about: str, count: tuple[int, int], usage: str, reply: str, effect: str) -> Command:
    return Command(about, *count, usage, Role.TRADE, writes=True, confirm=True, reply=reply, effect=effect)


def _answers(about: str, effect: str, *, confirm: bool = False) -> Command:
    role = Role.APPROVE
    return Command(about, 1, 1, "ID", role, True, confirm, reply="done", effect=effect, per_account=False)


HOUSE: Final[Mapping[str, Command]] = MappingProxyType(
    {
        **SPEC,
        "/pause": SPEC["/pause"]._replace(usage="[ACCOUNT|all]", for_all=True),
        "/resume": SPEC["/resume"]._replace(usage="[ACCOUNT|all]", confirm=True, for_all=True),
        "/close": SPEC["/close"]._replace(confirm=True),
        "/closeall": SPEC["/closeall"]._replace(usage="[ACCOUNT|all]", for_all=True),
        "/closeleg": _trades("close one leg of a group", (2, 3), "ID LEG", "closing", "CLOSE_LEG"),
        "/queue": Command("entries that wait", reply="queue"),
        "/promote": _trades("let a waiting entry in", (1, 1), "QUEUE_ID", "done", "PROMOTE"),
        "/forceadd": _trades("let it in over the limit", (1, 1), "QUEUE_ID", "done", "FORCE_ADD"),
        "/remove": _trades("take an entry out of the queue", (1, 1), "QUEUE_ID", "done", "REMOVE"),
        "/risk": Command("losing groups and the projected offset", reply="risk"),
        "/run": _trades("run the loss offset now", (0, 1), "[ID]", "done", "RUN"),
        "/stop": Command(
            "stop an account until it is armed again", 0, 0, "[ACCOUNT]", Role.TRADE, True, reply="done", effect="STOP"
        ),
        "/arm": Command("arm a stopped account", 0, 0, "[ACCOUNT]", Role.ADMIN, True, True, reply="done", effect="ARM"),
        "/approvals": Command("what waits for your word", reply="approvals", per_account=False),
        "/alerts": Command("alerts that nobody has acknowledged", reply="alerts", per_account=False),
        "/ack": Command("acknowledge all alerts", role=Role.APPROVE, reply="done", effect="ACK", per_account=False),
        "/approve": _answers("let an entry in that waits for a word", "APPROVE", confirm=True),
        "/reject": _answers("refuse it", "REJECT"),
        "/draft": Command("settings that wait to be applied", reply="draft", per_account=False),
        "/apply": Command(
            "put them in force", 0, 0, "", Role.ADMIN, True, True, reply="done", effect="APPLY", per_account=False
        ),
        "/live": Command("one status message that keeps itself new", reply="live"),
        "/chart": Command(
            "a picture", 0, 1, "[equity|pnl]", words=("equity", "pnl"), default=("equity",), reply="chart"
        ),
        "/confirm": Command("carry out what was asked", 1, 1, "CODE", reply="confirm", per_account=False),
    }
)
"""The commands of this house: those of the requirement, more of them confirmed, and the actions of the panels."""


class Parsed(NamedTuple):
    """A command that may be carried out, or ``error``; ``account`` is empty when none was named."""

    command: str = ""
    args: tuple[str, ...] = ()
    error: str = ""
    account: str = ""


def parse_command(text: str, commands: Mapping[str, Command] = SPEC, accounts: Collection[str] = ()) -> Parsed:
    """Read a message: case does not matter, ``@botname`` is ignored, a leading account selects one of ``accounts``.

    Where a command may be for all of them at once, ``account`` is ``ALL`` when that was written.
    """
    if not text.startswith("/"):
        return Parsed(error="NotACommand")
    name, *words = text.split()
    name = name.lower().partition("@")[0]
    command = commands.get(name)
    if command is None:
        return Parsed(name, error="UnknownCommand")
    args = [word.lower() for word in words]
    names = {*accounts, ALL} if command.for_all else accounts
    account = args.pop(0) if command.per_account and args and args[0] in names else ""
    if not command.least <= len(args) <= command.most or (command.words and not {*args} <= {*command.words}):
        return Parsed(name, error="BadArguments", account=account)
    return Parsed(name, tuple(args) or command.default, account=account)
