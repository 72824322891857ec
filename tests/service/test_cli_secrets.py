"""Secrets on the command line, without a daemon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.cli import app
from service.config import load, open_webhook_secrets
from service.config.venue_access import credential_of
from tests.service.command_line import CliRunner

KEY = "k7Qw9ZxLr2m0PpA4B19Kyyy"
FILE = """
[[accounts]]
name = "main"
venue = "okx"
exchange = "okx"
scope = "live"
testnet = false
[app]
mode = "live"
[exchange.okx]
enabled = true
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An installation whose configuration lacks credentials to be right."""
    found = tmp_path / "config.toml"
    found.write_text(FILE)
    return found


def bulkhead(file: Path, *words: str, given: str = "", code: int = 0) -> Any:
    """Run a command; return what it printed."""
    done = CliRunner().invoke(app, [*words, "--config", str(file)], input=given)
    assert done.exit_code == code, done.output
    assert KEY not in done.output
    return done.output


def test_credentials_make_a_configuration_right(file: Path) -> None:
    """Where credentials are all that is missing, they are taken all the same, from standard input, and then it is right."""
    bulkhead(file, "config", "check", code=2)
    for name in ("api_key", "api_secret", "passphrase"):
        assert f"{name} of exchange.okx is kept" in bulkhead(
            file, "secrets", "set", "exchange.okx", name, "--stdin", given=f"{KEY}\n"
        )
    bulkhead(file, "config", "check")
    config = load(file, {})
    found = credential_of(config, config.accounts[0], "api_key")
    assert found is not None
    assert found.reveal() == KEY
    said = json.loads(bulkhead(file, "secrets", "list", "--json"))
    assert "****A4B19K***" in [each["masked"] for each in said["secrets"]]


def test_a_value_is_never_an_argument(file: Path) -> None:
    """There is no place for it: one word more is a mistake, and so is a pipe without --stdin."""
    bulkhead(file, "secrets", "set", "main", "api_key", "value", code=2)
    assert "--stdin" in bulkhead(file, "secrets", "set", "main", "api_key", given="value\n", code=2)


def test_a_rotated_secret_is_printed_once(file: Path) -> None:
    """The new secret of alerts is what is printed; nothing shows it again."""
    before = open_webhook_secrets(load_anyway(file)).secret.reveal()
    printed = bulkhead(file, "secrets", "rotate", "webhook").splitlines()[0]
    after = open_webhook_secrets(load_anyway(file))
    assert printed == after.secret.reveal() != before
    assert after.former[0].secret.reveal() == before
    assert printed not in bulkhead(file, "secrets", "list")


def load_anyway(file: Path) -> Any:
    """Return the configuration, right or not."""
    from service.config.sources import Sources

    return Sources.of(file, {}).guess()


def test_the_key_is_changed(file: Path) -> None:
    """The vault opens under the new key, and says where it is."""
    bulkhead(file, "secrets", "set", "main", "api_key", "--stdin", given=KEY)
    key = (file.parent / "data" / "secrets" / "master_key").read_text()
    assert "in the file" in bulkhead(file, "secrets", "rotate-key")
    assert (file.parent / "data" / "secrets" / "master_key").read_text() != key
    assert "****A4B19K***" in bulkhead(file, "secrets", "list")


def test_what_is_removed_is_gone(file: Path) -> None:
    """Removing asks unless told not to; what is not there is said."""
    bulkhead(file, "secrets", "set", "main", "api_key", "--stdin", given=KEY)
    bulkhead(file, "secrets", "remove", "main", "api_key", "--yes")
    assert "****" not in bulkhead(file, "secrets", "list")
    assert "UnknownSecret" in bulkhead(file, "secrets", "remove", "main", "api_key", "--yes", code=1)
