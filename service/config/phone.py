"""Sections about the phone and about what waits for an operator's word."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from service.config import checks
from service.config.keys import Key, Secret, Section

__all__ = ["Approvals", "Telegram", "TelegramMember", "TelegramRole"]

_MOST = 10**15


class TelegramRole(StrEnum):
    """What somebody may do from the phone; each may what those before may."""

    WATCH = "watch"
    APPROVE = "approve"
    TRADE = "trade"
    ADMIN = "admin"


class TelegramMember(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is served."""

    chat: Annotated[
        int, Key(doc="Id of the chat; those of groups are negative.", applies="now", at_least=-_MOST, at_most=_MOST)
    ]
    user: Annotated[
        int | None,
        Key(
            doc="Id of the user in it. Unset: everybody who writes there, which suits role watch.",
            applies="now",
            at_least=1,
            at_most=_MOST,
            example=123456789,
        ),
    ] = None
    role: Annotated[
        TelegramRole,
        Key(
            doc="watch: look. approve: answer prompts, acknowledge. trade: pause, close, queue. admin: re-arm.",
            applies="now",
        ),
    ] = TelegramRole.WATCH


class Telegram(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bridge to Telegram (extra telegram): alerts, approvals and commands on the phone."""

    enabled: Annotated[bool, Key(doc="Run the bridge. Without members it serves nobody.")] = False
    token: Annotated[
        Secret | None,
        Key(
            doc="The bot's token from BotFather. Unset: read from <data_dir>/secrets/telegram_token, mode 0600.",
            check=checks.secret_length(10, 256),
        ),
    ] = None
    members: Annotated[
        tuple[TelegramMember, ...],
        Key(
            doc="Who is served: nobody else gets a reply (ML-1080).",
            applies="now",
            example=(TelegramMember(chat=123456789, user=123456789, role=TelegramRole.TRADE),),
        ),
    ] = ()
    warnings: Annotated[
        bool, Key(doc="Tell the phone of warnings too, not only of critical alerts.", applies="now")
    ] = False
    live_every_s: Annotated[
        int, Key(doc="How often a live status message is renewed.", unit="s", at_least=5, at_most=3_600)
    ] = 15
    pace_ms: Annotated[
        int,
        Key(
            doc="Least time between two messages to one chat; groups wait three times as long. What comes meanwhile is put "
            "together. Telegram takes about one a second.",
            unit="ms",
            applies="now",
            at_least=0,
            at_most=60_000,
        ),
    ] = 1_000
    url: Annotated[
        str | None,
        Key(
            doc="A Bot API server of your own. Unset: Telegram's.",
            check=checks.web_address,
            unset_is_default=True,
            example="http://127.0.0.1:8081",
        ),
    ] = None


class Approvals(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries that wait for an operator's word before they are routed; exits never wait."""

    entries: Annotated[bool, Key(doc="Hold entries until somebody approves them.", applies="now")] = False
    accounts: Annotated[
        tuple[str, ...],
        Key(doc="Only entries of these accounts wait; empty: of all.", applies="now", example=("main",)),
    ] = ()
    strategies: Annotated[
        tuple[str, ...],
        Key(doc="Only those of these alerts wait; empty: of all.", applies="now", example=("BTC trend",)),
    ] = ()
    timeout_s: Annotated[
        int,
        Key(
            doc="An entry that nobody answers in time is refused.", unit="s", applies="now", at_least=5, at_most=86_400
        ),
    ] = 300
