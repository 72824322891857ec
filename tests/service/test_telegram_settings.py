"""What the bridge to Telegram takes from a configuration; its token is never in a file that others can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.telegram.commands import Role
from service.config import Config, ConfigError, parse
from service.telegram.settings import approval_settings, phone_secrets, phone_settings, telegram_token

TEXT = """
[telegram]
enabled = true
warnings = true
pace_ms = 500
[[telegram.members]]
chat = -5
role = "watch"
[[telegram.members]]
chat = 7
user = 7
role = "admin"
[approvals]
entries = true
timeout_s = 60
"""


def configured(folder: Path, **environment: str) -> Config:
    return parse(TEXT, {"BULKHEAD_APP__DATA_DIR": str(folder), **environment})


def test_members_and_pace(tmp_path: Path) -> None:
    """ML-1080: chats, users and roles as they are written; nobody else."""
    found = phone_settings(configured(tmp_path))
    assert [tuple(each) for each in found.members] == [(-5, None, Role.WATCH), (7, 7, Role.ADMIN)]
    assert (found.accounts, found.warnings, found.pace_s) == (("paper",), True, 0.5)
    assert approval_settings(configured(tmp_path)).timeout_s == 60.0
    assert phone_settings(Config()).members == ()


def test_the_token_comes_from_environment_or_a_private_file(tmp_path: Path) -> None:
    """EX-1508: environment first, else the file; one that others can read, an empty or a missing one is refused."""
    assert telegram_token(configured(tmp_path, BULKHEAD_TELEGRAM__TOKEN="1:environment")).reveal() == "1:environment"
    config = configured(tmp_path)
    with pytest.raises(ConfigError, match="BotFather"):
        telegram_token(config)
    path = tmp_path / "secrets" / "telegram_token"
    path.parent.mkdir()
    path.write_text("2:from-the-file\n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        telegram_token(config)
    path.chmod(0o600)
    assert telegram_token(config).reveal() == "2:from-the-file"
    assert phone_secrets(config) == ("2:from-the-file",)
    assert phone_secrets(Config()) == ()
    path.write_text("")
    with pytest.raises(ConfigError, match="is empty"):
        telegram_token(config)


def test_config_toml_holds_no_token(tmp_path: Path) -> None:
    """EX-1501: a token in the shared file is refused."""
    with pytest.raises(ConfigError):
        parse(
            TEXT.replace("warnings = true", 'token = "1:secret-of-the-bot"'), {"BULKHEAD_APP__DATA_DIR": str(tmp_path)}
        )
