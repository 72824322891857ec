"""Generated secrets."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from service.config import Config, ConfigError, Secret, open_webhook_secrets
from service.config.daemon import App


def config_in(folder: Path) -> Config:
    """Return a configuration whose data lives in ``folder``."""
    return msgspec.structs.replace(Config(), app=App(data_dir=folder / "data"))


def test_missing_secrets_are_made_once(tmp_path: Path) -> None:
    """The first start makes three different secrets, the second finds the same ones."""
    first = open_webhook_secrets(config_in(tmp_path))
    assert open_webhook_secrets(config_in(tmp_path)) == first
    assert len(set(first)) == 3
    assert all(len(secret) >= 32 for secret in first)


def test_secret_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    """Files have mode 0600 in a folder of mode 0700, whatever the umask, and nothing else is left behind."""
    before = os.umask(0)
    try:
        open_webhook_secrets(config_in(tmp_path))
    finally:
        os.umask(before)
    folder = tmp_path / "data" / "secrets"
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == dict.fromkeys(("webhook_hmac_key", "webhook_secret", "webhook_token"), 0o600)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A secret that others could have read is not used; the error says what to do and does not show it."""
    made = open_webhook_secrets(config_in(tmp_path))
    (tmp_path / "data" / "secrets" / "webhook_secret").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        open_webhook_secrets(config_in(tmp_path))
    assert made.secret.reveal() not in str(caught.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """A damaged secret is an error, never an open door."""
    open_webhook_secrets(config_in(tmp_path))
    (tmp_path / "data" / "secrets" / "webhook_token").write_text("")
    with pytest.raises(ConfigError, match="BULKHEAD_WEBHOOK__TOKEN"):
        open_webhook_secrets(config_in(tmp_path))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """Where no file can be written, the error names the variable that stands in for it."""
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(ConfigError, match="or set BULKHEAD_WEBHOOK__TOKEN"):
        open_webhook_secrets(config_in(tmp_path))


def test_the_environment_needs_no_files(tmp_path: Path) -> None:
    """With all three in the environment nothing is written."""
    config = config_in(tmp_path)
    security = msgspec.structs.replace(
        config.security, webhook_secret=Secret("s" * 16), webhook_hmac_key=Secret("h" * 32)
    )
    webhook = msgspec.structs.replace(config.webhook, token=Secret("t" * 22))
    found = open_webhook_secrets(msgspec.structs.replace(config, security=security, webhook=webhook))
    assert [secret.reveal()[0] for secret in found] == ["t", "s", "h"]
    assert not (tmp_path / "data").exists()
