"""Generated secrets: made once into the vault, taken there from plain files, rotated."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from service.account_paths import AccountPaths
from service.config import Config, ConfigError, Secret, open_webhook_secrets
from service.config.daemon import App
from service.config.kept import read_kept
from service.config.secret_files import forget_former, rotate
from service.intake import gateway_settings
from service.vault.errors import SecretsNotDecryptable
from service.vault.names import SecretName
from tests.service.vault.rig import Killed, breaking, full, killed


def config_in(folder: Path) -> Config:
    """Return a configuration whose data lives in ``folder``."""
    return msgspec.structs.replace(Config(), app=App(data_dir=folder / "data"))


def plain_files(folder: Path, **texts: str) -> Path:
    """Put secrets into plain files, as they were kept before there was a vault; return their folder."""
    where = folder / "data" / "secrets"
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in texts.items():
        (where / name.replace("__", ".")).write_text(text)
        (where / name.replace("__", ".")).chmod(0o600)
    return where


def everything_in(folder: Path) -> bytes:
    """Return the content of every file."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_missing_secrets_are_made_once(tmp_path: Path) -> None:
    """The first start makes three different secrets, the second finds the same ones."""
    first = open_webhook_secrets(config_in(tmp_path))
    assert open_webhook_secrets(config_in(tmp_path)) == first
    assert len({first.token, first.secret, first.hmac_key}) == 3
    assert all(len(secret) >= 32 for secret in first.shown_nowhere)


def test_generated_secrets_are_nowhere_in_plain_text(tmp_path: Path) -> None:
    """Generated secrets are in the vault, encrypted; no file holds one, and all are their owner's alone (EX-1501)."""
    before = os.umask(0)
    try:
        made = open_webhook_secrets(config_in(tmp_path))
    finally:
        os.umask(before)
    held = everything_in(tmp_path)
    assert not any(each.encode() in held for each in made.shown_nowhere)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == dict.fromkeys((".lock", "master_key", "secrets.vault"), 0o600)


def test_plain_files_are_taken_into_the_vault(tmp_path: Path) -> None:
    """Secrets of before there was a vault go on counting, the former ones too; their files are gone afterwards."""
    texts = {
        "webhook_token": "t" * 43,
        "webhook_secret": "s" * 43,
        "webhook_hmac_key": "h" * 43,
        "webhook_secret__former": "f" * 43 + "\n77",
        "telegram_token": "123456:telegram",
    }
    folder = plain_files(tmp_path, **texts)
    found = open_webhook_secrets(config_in(tmp_path))
    assert [each[0] for each in found.shown_nowhere] == ["t", "s", "h", "f"]
    assert found.former[0].until == 77
    assert [path.name for path in folder.iterdir()] == ["master_key"]
    assert read_kept(config_in(tmp_path)).values == {SecretName("telegram", "token"): Secret("123456:telegram")}
    assert open_webhook_secrets(config_in(tmp_path)) == found


@pytest.mark.parametrize("how", [killed, full])
def test_a_migration_that_breaks_off_loses_nothing(tmp_path: Path, how: Callable[[], BaseException]) -> None:
    """Killed or without room at any write, the next start has the secrets of the files, and leaves none of them."""
    for at in range(1, 100):
        here = tmp_path / str(at)
        folder = plain_files(here, webhook_token="t" * 43, webhook_secret="s" * 43, webhook_hmac_key="h" * 43)
        try:
            with breaking(at, how) as called:
                open_webhook_secrets(config_in(here))
        except (Killed, ConfigError):
            pass
        found = open_webhook_secrets(config_in(here))
        assert [each[0] for each in found.shown_nowhere] == ["t", "s", "h"], at
        assert [path.name for path in folder.iterdir()] == ["master_key"], at
        if len(called) < at:
            break
    assert at > 15


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A secret that others could have read is not used; the error says what to do and does not show it."""
    (plain_files(tmp_path, webhook_secret="s" * 43) / "webhook_secret").chmod(0o644)
    with pytest.raises(ConfigError, match="remove it") as caught:
        open_webhook_secrets(config_in(tmp_path))
    assert "s" * 43 not in str(caught.value)
    assert [each.code for each in caught.value.problems] == ["UnsafeSecret"]


@pytest.mark.parametrize(
    ("name", "text"), [("webhook_token", ""), ("webhook_secret", "short"), ("webhook_hmac_key__former", "x")]
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, text: str) -> None:
    """A damaged secret is an error, never an open door."""
    plain_files(tmp_path, **{name: text})
    with pytest.raises(ConfigError, match="remove it"):
        open_webhook_secrets(config_in(tmp_path))


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """Where nothing can be written, the error names the variable that stands in for it."""
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(ConfigError, match="or set BULKHEAD_WEBHOOK__TOKEN"):
        open_webhook_secrets(config_in(tmp_path))


def test_a_vault_that_does_not_open_lets_no_alert_in(tmp_path: Path) -> None:
    """The secrets are then ones that nobody knows, the same ones for this run; the vault stays as it is (EX-1502)."""
    before = open_webhook_secrets(config_in(tmp_path))
    held = (tmp_path / "data" / "vault" / "secrets.vault").read_bytes()
    (tmp_path / "data" / "secrets" / "master_key").unlink()
    found = open_webhook_secrets(config_in(tmp_path))
    assert not set(found.shown_nowhere) & set(before.shown_nowhere)
    assert all(len(each) >= 32 for each in found.shown_nowhere)
    assert open_webhook_secrets(config_in(tmp_path)) == found
    assert forget_former(config_in(tmp_path), now=2**62) == []
    with pytest.raises(SecretsNotDecryptable):
        rotate(config_in(tmp_path), "webhook", now=5)
    assert (tmp_path / "data" / "vault" / "secrets.vault").read_bytes() == held


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
    assert former.secret.reveal().encode() not in everything_in(tmp_path)


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
