"""A running daemon goes on under what its vault keeps: sessions begin anew, alerts are let in under the new secret."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from actors.event_log import EventLog
from protocol.event_log import EventLogged, LogEvent, NoteCommand, OperatorActed
from protocol.webhook import SecretsChanged
from runtime.actor import Actor, handles
from runtime.system import ActorSystem
from runtime.tape import Item
from service.active import ActiveConfig
from service.config import Secret, WebhookSecrets, load, open_webhook_secrets
from service.config.sources import Sources
from service.config.vault import vault_of
from service.config.venue_access import credential_of
from service.credentials import put, take_away
from service.hiding import Hiding
from service.input_recording import SECRETS, inputs_folder, keep_inputs
from service.taking_secrets import newest, take_secrets
from service.vault.names import SecretName
from service.vault.sealing import Kept
from service.vault.store import Vault
from service.venues import SecretsNotDecryptable, outside_venues
from store.inputs.codec import InputCodec, fingerprint_of, slices
from store.inputs.files import segments
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.actors.cast import Stage, play
from venues.errors import AuthFailed

FILE = """
[[accounts]]
name = "paper"
[[accounts]]
name = "main-1"
venue = "bybit"
exchange = "bybit"
testnet = true
[[accounts]]
name = "other"
venue = "bybit"
testnet = true
market_type = "futures"
exchange = "bybit"
"""


class Session(Actor):
    """Notes with which key it began."""

    def __init__(self, log: list[str], name: str, active: ActiveConfig) -> None:
        account = next(each for each in active.config.accounts if each.name == name)
        key = credential_of(active.config, account, "api_key")
        log.append(f"{name} {key.reveal() if key is not None else '-'}")


class Keeper(Actor):
    """Hears that secrets of alerts have changed."""

    def __init__(self, heard: asyncio.Event) -> None:
        self.heard = heard

    @handles
    def changed(self, msg: SecretsChanged) -> None:
        self.heard.set()


def house(folder: Path) -> tuple[ActiveConfig, Sources]:
    """Return what a daemon holds of an installation with two accounts outside."""
    (folder / "config.toml").write_text(FILE)
    return ActiveConfig(load(folder / "config.toml", {})), Sources.of(folder / "config.toml", {})


def test_only_sessions_concerned_begin_anew(tmp_path: Path) -> None:
    """An account's session begins anew with its new key, an exchange's with all its accounts; the others go on."""
    active, sources = house(tmp_path)
    log: list[str] = []

    async def main() -> None:
        heard = asyncio.Event()
        async with ActorSystem() as system:
            account = lambda name: supervisor(  # noqa: E731 - a row of the tree
                name, ChildSpec("session", partial(Session, log, name, active))
            )
            operators = supervisor("operators", ChildSpec("secrets", partial(Keeper, heard)))
            venues = supervisor("venues", account("main-1"), account("other"))
            system.start_root(supervisor("root", venues, operators))
            await system.ready()
            assert log == ["main-1 -", "other -"]
            put(active.config, sources, "main-1", "api_key", "key-1", now=1)
            assert await take_secrets(system, active, sources, "main-1") == ("main-1",)
            assert log[2:] == ["main-1 key-1"]
            put(active.config, sources, "exchange.bybit", "api_key", "key-2", now=1)
            assert await take_secrets(system, active, sources, "exchange.bybit") == ("main-1", "other")
            assert log[3:] == ["main-1 key-1", "other key-2"]
            take_away(active.config, sources, "main-1", "api_key")
            assert await take_secrets(system, active, sources, "main-1") == ("main-1",)
            assert log[5:] == ["main-1 key-2"]
            put(active.config, sources, "webhook", "secret", "s" * 20, now=1)
            assert await take_secrets(system, active, sources, "webhook") == ()
            async with asyncio.timeout(10):
                await heard.wait()

    asyncio.run(main())


def test_a_restarted_session_takes_the_key_of_this_moment(tmp_path: Path) -> None:
    """The adapter is made of the configuration in force, not of that of the start."""
    active, sources = house(tmp_path)
    make = outside_venues(active.config, lambda: 0, partial(newest, active, sources))["main-1"]
    with pytest.raises(AuthFailed, match="bulkhead secrets set main-1 api_key"):
        make()
    for field in ("api_key", "api_secret"):
        put(active.config, sources, "main-1", field, "key-1", now=1)
    sources.memory.now = None
    active.config = sources.completed(active.config)
    make()


def test_a_vault_that_opens_again_is_enough(tmp_path: Path) -> None:
    """While the vault does not open the account says so; when it does, a restart of the session logs in (EX-1502)."""
    active, sources = house(tmp_path)
    for field in ("api_key", "api_secret"):
        put(active.config, sources, "main-1", field, "key-1", now=1)
    master = tmp_path / "data" / "secrets" / "master_key"
    master.chmod(0o644)
    sources.memory.now = None
    make = outside_venues(active.config, lambda: 0, partial(newest, active, sources))["main-1"]
    with pytest.raises(SecretsNotDecryptable, match="chmod 600") as caught:
        make()
    assert caught.value.code == "SecretsNotDecryptable"
    master.chmod(0o600)
    make()


# --- by value ------------------------------------------------------------------------------------------------------------


def test_the_event_log_hides_by_value(tmp_path: Path) -> None:
    """A secret in a line, in a reason or in an argument is taken out before it is journalled (EX-1508)."""
    active, sources = house(tmp_path)
    put(active.config, sources, "main-1", "api_secret", "hunter22-hunter22", now=1)
    hiding = Hiding(active, None)
    sources.memory.now = None
    active.config = sources.completed(active.config)

    async def script(stage: Stage) -> None:
        stage.add("events", lambda: EventLog(hiding))
        stage.tell("events", LogEvent(code="Odd", text="the venue said hunter22-hunter22 is wrong"))
        said = {"operator": "ada", "origin": "here", "command": "POST /v1/pause", "outcome": "done"}
        stage.tell("events", NoteCommand(**said, arguments={"a": "hunter22-hunter22"}, reason="hunter22-hunter22"))
        await stage.settle()
        (line,), (acted,) = (stage.events("/house/events", kind) for kind in (EventLogged, OperatorActed))
        assert "hunter22" not in repr(line) + repr(acted)
        assert line.text.startswith("the venue said ")

    play(script)


def test_what_was_a_secret_stays_one(tmp_path: Path) -> None:
    """A credential that was replaced is still taken out of what comes late; secrets of alerts made since are, too."""
    active, sources = house(tmp_path)
    put(active.config, sources, "main-1", "api_secret", "hunter22-hunter22", now=1)
    sources.memory.now = None
    active.config = sources.completed(active.config)
    webhook = WebhookSecrets(Secret("t" * 24), Secret("s" * 24), Secret("h" * 32), folder=tmp_path / "data" / "vault")
    hiding = Hiding(active, webhook)
    assert "hunter22" not in hiding("hunter22-hunter22")
    put(active.config, sources, "main-1", "api_secret", "another-another", now=1)
    put(active.config, sources, "webhook", "secret", "w" * 20, now=1)
    gone = SecretName("an-account-that-is-gone", "api_key")
    vault_of(active.config).change(lambda values: values.update({gone: Kept("somebody-elses", "default", 1)}))
    sources.memory.now = None
    active.config = sources.completed(active.config)
    said = hiding("hunter22-hunter22 another-another " + "t" * 24)
    assert not any(each in said for each in ("hunter22", "another", "tttt"))
    assert {"w" * 20, "s" * 24, "another-another", "hunter22-hunter22", "somebody-elses"} <= set(hiding.looked_up())
    assert vault_of(active.config).path.exists()


def test_no_record_of_inputs_holds_what_the_vault_took_in_meanwhile(tmp_path: Path) -> None:
    """What is put into the vault meanwhile, for whomever, stands in no file of a day; the record marks those of alerts."""
    active, sources = house(tmp_path)
    webhook = open_webhook_secrets(active.config)
    told = "token-of-the-account"

    async def main() -> None:
        async with ActorSystem() as system:
            hiding = Hiding(active, webhook)
            (keeper,) = keep_inputs(active, system, webhook, {}, hiding, tag="t", reconcile_every_s=1.0)
            put(active.config, sources, "main-1", "api_secret", told, now=1)
            put(active.config, sources, "webhook", "secret", "another-secret-of-alerts", now=1)
            assert system.recorder is not None
            system.recorder.mark("said", f"{told} {webhook.secret.reveal()} another-secret-of-alerts")
            system.start_root(supervisor("root", keeper))
            await system.ready()

    asyncio.run(main())
    (day,) = inputs_folder(active.config).glob("*")
    codec = InputCodec()
    items = [
        item
        for each in segments(day.parent, day.name[:10])
        for part in slices(each.payload)
        for item in codec.decode(part)
    ]
    marks = {item[2]: item[3] for item in items if item[0] == Item.MARK}
    assert "said" in marks
    assert not any(each in marks["said"] for each in (told, webhook.secret.reveal(), "another-secret-of-alerts"))
    assert fingerprint_of("another-secret-of-alerts") in marks[SECRETS]


def test_the_vault_is_read_again_only_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks on the event loop pays for a look at the disk only after a change of vault or configuration."""
    active, sources = house(tmp_path)
    hiding = Hiding(active, open_webhook_secrets(active.config))
    reads: list[Path] = []
    read = Vault.read
    monkeypatch.setattr(Vault, "read", lambda vault: reads.append(vault.path) or read(vault))
    hiding.newest()
    looked = len(reads)
    assert hiding.newest() == hiding.known()
    assert len(reads) == looked
    put(active.config, sources, "main-1", "api_secret", "hunter22-hunter22", now=1)
    before = len(reads)
    assert "hunter22-hunter22" in hiding.newest()
    assert len(reads) > before
