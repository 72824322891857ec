"""Where credentials come from: the environment, then the vault; and what operators see and do of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from protocol.errors import ValidationError
from service.config import Config, ConfigError, Secret, load
from service.config.kept import KeptSecrets, read_kept, with_kept
from service.config.sources import Sources
from service.config.vault import vault_of
from service.config.venue_access import access_of, credential_of, missing_credentials, secrets_of
from service.credentials import SecretShown, listed, put, rotate_key, take_away
from service.vault.errors import SecretsNotDecryptable, UnknownSecret
from service.vault.names import SecretName
from service.vault.sealing import Kept

KEY = "k7Qw9ZxLr2m0PpA4B19Kyyy"
SIGNING = "hunter22-hunter22-hunter22"
FILE = """
[telegram]
enabled = false
[[accounts]]
name = "paper"
scope = "paper"
[[accounts]]
name = "main-1"
venue = "bybit"
exchange = "bybit"
testnet = true
"""
LIVE = (
    '[app]\nmode = "live"\n'
    + FILE.replace("testnet = true", 'testnet = false\nscope = "live"')
    + "[exchange.okx]\nenabled = true\n"
)


class Place:
    """An installation: its file, its environment, and its configuration as it is read now."""

    def __init__(self, folder: Path, text: str = FILE, **env: str) -> None:
        self.file = folder / "config.toml"
        self.file.write_text(text)
        self.env = env

    @property
    def config(self) -> Config:
        return load(self.file, self.env)

    @property
    def sources(self) -> Sources:
        return Sources.of(self.file, self.env)

    def put(self, holder: str, field: str, value: str, **more: Any) -> Any:
        return put(self.sources.guess(), self.sources, holder, field, value, now=5, **more)

    def row(self, holder: str, field: str) -> SecretShown:
        found = listed(self.sources.guess(), self.sources).secrets
        return next(each for each in found if (each.holder, each.field) == (holder, field))


def key_of(config: Config, field: str = "api_key") -> str | None:
    """Return a credential of the account ``main-1``."""
    found = credential_of(config, config.accounts[1], field)
    return found.reveal() if found is not None else None


# --- where they come from -----------------------------------------------------------------------------------------------


def test_the_vault_gives_what_the_environment_does_not(tmp_path: Path) -> None:
    """A credential of the vault is used, and hidden by value like one of the environment."""
    place = Place(tmp_path)
    assert [each.code for each in missing_credentials(place.config)] == ["MissingCredential"] * 2
    place.put("main-1", "api_key", KEY)
    place.put("main-1", "api_secret", SIGNING)
    assert missing_credentials(place.config) == ()
    assert (key_of(place.config), key_of(place.config, "api_secret")) == (KEY, SIGNING)
    assert {KEY, SIGNING} <= set(secrets_of(place.config))


def test_the_environment_beats_the_vault(tmp_path: Path) -> None:
    """What the environment sets counts, whatever the vault keeps; the answer and the list say so."""
    place = Place(tmp_path, BULKHEAD_ACCOUNTS__MAIN_1__API_KEY="from-the-environment")
    assert place.put("main-1", "api_key", KEY).counts == "environment"
    assert key_of(place.config) == "from-the-environment"
    assert key_of(place.sources.guess()) == "from-the-environment"
    shown = place.row("main-1", "api_key")
    assert (shown.source, shown.variable) == ("environment", "BULKHEAD_ACCOUNTS__MAIN_1__API_KEY")
    place.env = {}
    assert key_of(place.config) == KEY


def test_an_exchange_and_the_bridge_have_theirs(tmp_path: Path) -> None:
    """Accounts without credentials of their own use those of their exchange; the bridge has its token."""
    place = Place(tmp_path)
    place.put("exchange.bybit", "api_key", KEY)
    assert place.put("telegram", "token", "123456:abcdefghijklmnop").counts == "restart"
    assert key_of(place.config) == KEY
    assert place.config.telegram.token == Secret("123456:abcdefghijklmnop")


def test_private_keys_are_kept_whole(tmp_path: Path) -> None:
    """A private key of many lines reaches the adapter as it was given, and is hidden by value (EX-1501)."""
    place = Place(tmp_path)
    pem = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2] * 20)
    place.put("main-1", "signature_key", pem + "\n")
    config = place.config
    assert access_of(config, config.accounts[1]).signature_key == Secret(pem)
    assert pem in secrets_of(config)
    assert pem.splitlines()[1].encode() not in vault_of(config).path.read_bytes()


def test_the_vault_counts_before_rules_are_checked(tmp_path: Path) -> None:
    """A rule that asks for credentials finds those of the vault, in a file and in a draft (EX-1304)."""
    place = Place(tmp_path, LIVE)
    with pytest.raises(ConfigError, match=r"exchange\.okx\.passphrase"):
        place.config  # noqa: B018 - reading it is the test
    for field in ("api_key", "api_secret", "passphrase"):
        place.put("exchange.okx", field, KEY)
    assert place.config.exchange.okx.passphrase == Secret(KEY)
    document = place.sources.read()
    assert document is not None
    assert place.sources.effective(document)[1] == ()


def test_a_vault_that_does_not_open_stops_no_start(tmp_path: Path) -> None:
    """Without its key the configuration is still right: accounts lack their credentials, and that is all (EX-1502)."""
    place = Place(tmp_path, LIVE)
    for field in ("api_key", "api_secret", "passphrase"):
        place.put("exchange.okx", field, KEY)
    (tmp_path / "data" / "secrets" / "master_key").unlink()
    assert place.config.exchange.okx.api_key is None
    assert read_kept(place.config).trouble.startswith("SecretsNotDecryptable")
    document = place.sources.read()
    assert document is not None
    assert place.sources.effective(document)[1] == ()
    shown = place.row("exchange.okx", "api_key")
    assert (shown.masked, shown.source) == ("********", "shut")


def test_what_the_vault_gave_goes_with_it() -> None:
    """Completed anew, a configuration loses what the vault keeps no longer, and nothing that the environment gives."""
    config, given = Config(), frozenset({SecretName("paper", "api_secret")})
    held = {SecretName("paper", "api_key"): Secret("a"), SecretName("paper", "api_secret"): Secret("b")}
    full = with_kept(config, KeptSecrets(held), ())
    assert (full.accounts[0].api_key, full.accounts[0].api_secret) == (Secret("a"), Secret("b"))
    left = with_kept(full, KeptSecrets({}), given)
    assert (left.accounts[0].api_key, left.accounts[0].api_secret) == (None, Secret("b"))


# --- what operators do ---------------------------------------------------------------------------------------------------


def test_only_masks_are_shown(tmp_path: Path) -> None:
    """Six characters of a long API key are shown, nothing of anything else, and what is not set says so (EX-1503)."""
    place = Place(tmp_path)
    place.put("main-1", "api_key", KEY + "\n")
    place.put("main-1", "api_secret", SIGNING)
    said = listed(place.config, place.sources)
    rows = {(each.holder, each.field): (each.masked, each.source) for each in said.secrets}
    assert rows["main-1", "api_key"] == ("****A4B19K***", "vault")
    assert rows["main-1", "api_secret"] == ("********", "vault")
    assert rows["webhook", "hmac_key"] == ("(not set)", "")
    assert KEY not in repr(said)
    assert SIGNING not in repr(said)
    assert (said.key_from, said.binding, said.exists, said.trouble) == ("file", "machine-id", True, "")


def test_a_place_without_an_id_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing ties the vault to the machine, the list says what to set (EX-1502)."""
    monkeypatch.setattr("service.config.vault.machine_id", lambda: "")
    place = Place(tmp_path)
    place.put("main-1", "api_key", KEY)
    assert "security.binding_id" in listed(place.config, place.sources).trouble
    named = Place(tmp_path, BULKHEAD_SECURITY__BINDING_ID="box-1")
    rotate_key(named.config)
    assert listed(named.config, named.sources).trouble == ""


@pytest.mark.parametrize(
    ("holder", "field", "value", "error"),
    [
        ("main-2", "api_key", KEY, "did you mean main-1"),
        ("main-1", "token", KEY, "has no secret 'token'"),
        ("telegram", "api_key", KEY, "has no secret"),
        ("../main", "api_key", KEY, "is no account"),
        ("main-1", "api_key", " \n", "is empty"),
        ("webhook", "secret", "short", "must have 16 to 256"),
        ("webhook", "token", "not a token/", "must be 22 to 128"),
        ("main-1", "api_key", "x" * 257, "must have 1 to 256"),
        ("main-1", "signature_key", "x" * 63, "must have 64 to 8192"),
        ("exchange.bybit", "signature_key", "x" * 100, "has no secret"),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path: Path, holder: str, field: str, value: str, error: str) -> None:
    """A name that nobody has, or a value that its key would refuse, changes nothing; the value is not in the error."""
    place = Place(tmp_path)
    with pytest.raises((UnknownSecret, ValidationError), match=error) as caught:
        place.put(holder, field, value)
    assert len(value) < 5 or value.strip() not in str(caught.value)
    assert not vault_of(place.config).path.exists()


def test_what_is_taken_away_is_gone(tmp_path: Path) -> None:
    """A secret that is removed is used no longer; one that is not there cannot be removed."""
    place = Place(tmp_path)
    place.put("main-1", "api_key", KEY)
    take_away(place.config, place.sources, "main-1", "api_key")
    assert key_of(place.config) is None
    with pytest.raises(UnknownSecret, match="keeps no api_key"):
        take_away(place.config, place.sources, "main-1", "api_key")


def test_a_secret_of_no_account_is_shown_and_can_go(tmp_path: Path) -> None:
    """What an account left behind that is configured no longer is listed as unused."""
    place = Place(tmp_path)
    vault_of(place.config).change(lambda kept: kept.update({SecretName("gone", "api_key"): Kept(KEY, "trader", 1)}))
    assert not place.row("gone", "api_key").used
    assert take_away(place.config, place.sources, "gone", "api_key").masked == "(not set)"


def test_entered_again_after_a_move(tmp_path: Path) -> None:
    """In a place where the vault does not open, credentials are entered again into a new one; the old one is kept."""
    place = Place(tmp_path)
    place.put("main-1", "api_key", KEY)
    (tmp_path / "data" / "secrets" / "master_key").unlink()
    with pytest.raises(SecretsNotDecryptable):
        place.put("main-1", "api_key", KEY)
    place.put("main-1", "api_key", KEY, afresh=True)
    assert key_of(place.config) == KEY
    assert len(list((tmp_path / "data" / "vault").glob("secrets.vault*"))) == 2
