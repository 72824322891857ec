"""Generated secrets."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from service.account_paths import AccountPaths
from service.config import Config, ConfigError, Secret, open_webhook_secrets
from service.config.daemon import App
from service.config.secret_files import forget_former, rotate
from service.intake import gateway_settings


def config_in(folder: Path) -> Config:
    """Return a configuration whose data lives in ``folder``."""
    return msgspec.structs.replace(Config(), app=App(data_dir=folder / "data"))


def test_missing_secrets_are_made_once(tmp_path: Path) -> None:
    """The first start makes three different secrets, the second finds the same ones."""
    first = open_webhook_secrets(config_in(tmp_path))
    assert open_webhook_secrets(config_in(tmp_path)) == first
    assert len({first.token, first.secret, first.hmac_key}) == 3
    assert all(len(secret) >= 32 for secret in first.shown_nowhere)


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
    assert [each.code for each in caught.value.problems] == ["UnsafeSecret"]


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
    assert [secret[0] for secret in found.shown_nowhere] == ["t", "s", "h"]
    assert not (tmp_path / "data").exists()


# --- rotation ----------------------------------------------------------------------------------------------------------

HOUR = 3_600 * 10**9


@pytest.mark.parametrize("which", ["webhook", "hmac"])
def test_a_rotated_secret_counts_for_a_day_and_is_erased(tmp_path: Path, which: str) -> None:
    """The former secret is kept with its end, counts until then and not after, and is erased (EX-224)."""
    config = config_in(tmp_path)
    before = open_webhook_secrets(config)
    former = rotate(config, which, now=1_000)
    after = open_webhook_secrets(config)
    field = {"webhook": "secret", "hmac": "hmac_key"}[which]
    assert former.secret == getattr(before, field) != getattr(after, field)
    assert after.former == (former,)
    assert former.until == 1_000 + 24 * HOUR
    for now, known in ((former.until - 1, True), (former.until, False)):
        secrets, keys = gateway_settings(config, after, AccountPaths).proofs(now)
        assert (former.secret.reveal() in (secrets if which == "webhook" else keys)) is known
    assert forget_former(config, now=former.until - 1) == []
    assert forget_former(config, now=former.until) == [which]
    assert open_webhook_secrets(config).former == ()
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "data" / "secrets").iterdir()}
    assert modes == {0o600}


def test_without_grace_the_former_secret_ends_at_once(tmp_path: Path) -> None:
    """With security.secret_rotation_grace_hours = 0 nothing of the former secret is kept."""
    config = config_in(tmp_path)
    security = msgspec.structs.replace(config.security, secret_rotation_grace_hours=0)
    rotate(msgspec.structs.replace(config, security=security), "webhook", now=5)
    assert open_webhook_secrets(config).former == ()


def test_what_the_environment_sets_is_rotated_there(tmp_path: Path) -> None:
    """The refusal names the variable (SetByEnvironment)."""
    config = config_in(tmp_path)
    security = msgspec.structs.replace(config.security, webhook_secret=Secret("s" * 16))
    with pytest.raises(ConfigError, match="BULKHEAD_SECURITY__WEBHOOK_SECRET") as caught:
        rotate(msgspec.structs.replace(config, security=security), "webhook", now=5)
    assert caught.value.problems[0].code == "SetByEnvironment"


def test_a_damaged_former_secret_is_refused(tmp_path: Path) -> None:
    """A file that does not say until when it counts is an error, never an open door."""
    config = config_in(tmp_path)
    rotate(config, "hmac", now=5)
    (tmp_path / "data" / "secrets" / "webhook_hmac_key.former").write_text("something")
    with pytest.raises(ConfigError, match="damaged"):
        open_webhook_secrets(config)
