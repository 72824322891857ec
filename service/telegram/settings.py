"""What the bridge to Telegram and the approval desk need of a configuration."""

from __future__ import annotations

import os
import stat
from typing import Final

from actors.approvals import ApprovalDesk, ApprovalSettings
from actors.telegram.seat import Member, PhoneSettings
from protocol.errors import ValidationError
from protocol.secret import Secret
from rules.telegram.commands import Role
from service.config import Config, ConfigError

__all__ = ["TOKEN_FILE", "approval_desk", "approval_settings", "phone_secrets", "phone_settings", "telegram_token"]

TOKEN_FILE: Final = "telegram_token"  # noqa: S105 - the name of a file
"""The file with the bot's token, in ``<data_dir>/secrets``."""

_SET: Final = "set BULKHEAD_TELEGRAM__TOKEN, or put the token that BotFather gave you into {path}, mode 0600"


def approval_settings(config: Config) -> ApprovalSettings:
    """Return how long prompts wait."""
    return ApprovalSettings(float(config.approvals.timeout_s))


def approval_desk(config: Config, gateway: str) -> ApprovalDesk:
    """Return the approval desk of a configuration."""
    return ApprovalDesk(approval_settings(config), gateway)


def phone_settings(config: Config) -> PhoneSettings:
    """Return who is served and what they are told of."""
    section = config.telegram
    members = tuple(Member(each.chat, each.user, Role[each.role.name]) for each in section.members)
    accounts = tuple(account.name for account in config.accounts)
    return PhoneSettings(members, accounts, section.warnings, float(section.live_every_s), section.pace_ms / 1_000)


def telegram_token(config: Config) -> Secret:
    """Return the bot's token; raise ``ConfigError`` when there is none, or when others can read its file."""
    if config.telegram.token is not None:
        return config.telegram.token
    path = config.app.data_dir / "secrets" / TOKEN_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        raise _refused("MissingCredential", f"the bridge has no token: {_SET.format(path=path)}") from None
    except OSError as error:
        raise _refused("UnsafeSecret", f"{path}: {error.strerror or error}") from error
    if mode & 0o077 and os.name == "posix":
        raise _refused("UnsafeSecret", f"others can read {path} (mode {mode:o}): chmod 600 {path}")
    if not text:
        raise _refused("MissingCredential", f"{path} is empty: {_SET.format(path=path)}")
    return Secret(text)


def phone_secrets(config: Config) -> tuple[str, ...]:
    """Return what of the phone must be shown nowhere; raise ``ConfigError`` when it cannot be read."""
    return (telegram_token(config).reveal(),) if config.telegram.enabled else ()


def _refused(code: str, message: str) -> ConfigError:
    return ConfigError([ValidationError("telegram.token", message, code=code)], source="secrets")
