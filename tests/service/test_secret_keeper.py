"""Secrets of alerts made anew while the house runs (EX-224)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from actors.event_log import EventLog
from actors.gateway import GatewaySettings
from protocol.configuration import ApplySettings
from protocol.event_log import EventLogged
from protocol.webhook import RotateSecret, SecretsChanged
from runtime.actor import Actor, handles
from service.account_paths import AccountPaths
from service.active import ActiveConfig
from service.config import Config, ConfigError, Secret, open_webhook_secrets
from service.config.daemon import App
from service.config.vault import vault_of
from service.intake import gateway_settings
from service.secret_keeper import SecretKeeper
from service.vault.errors import SecretsNotDecryptable
from service.vault.names import SecretName
from service.vault.sealing import Kept
from tests.actors.cast import Stage, play

HOUR_S = 3_600


class Gateway(Actor):
    """Remembers the settings it is told."""

    def __init__(self, log: list[GatewaySettings]) -> None:
        self.log = log

    @handles
    def settle(self, msg: ApplySettings) -> None:
        self.log.append(msg.settings)


def staged(stage: Stage, config: Config) -> list[GatewaySettings]:
    secrets = open_webhook_secrets(config)
    log: list[GatewaySettings] = []
    stage.add("gateway", lambda: Gateway(log))
    settings = lambda: gateway_settings(config, secrets, AccountPaths)  # noqa: E731 - what the house passes
    stage.add("secrets", lambda: SecretKeeper(ActiveConfig(config), settings, "/house/gateway"))
    return log


def test_a_rotation_reaches_the_gateway_and_ends(tmp_path: Path) -> None:
    """The gateway takes the new secret and the former one at once, and only the new one when the grace is over."""
    config = msgspec.structs.replace(Config(), app=App(data_dir=tmp_path))
    before = open_webhook_secrets(config).secret.reveal()

    async def script(stage: Stage) -> None:
        log = staged(stage, config)
        said = await stage.ask("secrets", RotateSecret("webhook"))
        assert said.file == str(tmp_path / "vault" / "secrets.vault")
        await stage.settle()
        new = open_webhook_secrets(config).secret.reveal()
        assert log[-1].proofs(stage.now)[0] == (new, before)
        assert before in log[-1].hidden
        await stage.passes(24 * HOUR_S)
        assert log[-1].proofs(stage.now)[0] == (new,)
        assert open_webhook_secrets(config).former == ()
        await stage.crash("secrets")
        assert len(log) == 2

    play(script)


def test_a_former_secret_that_ended_while_we_were_away_is_erased(tmp_path: Path) -> None:
    """At a start, what is over is erased before anything is taken."""
    config = msgspec.structs.replace(Config(), app=App(data_dir=tmp_path))

    async def script(stage: Stage) -> None:
        from service.config.secret_files import rotate

        rotate(config, "hmac", now=stage.now - 25 * HOUR_S * 10**9)
        log = staged(stage, config)
        await stage.settle()
        assert open_webhook_secrets(config).former == ()
        assert len(log) == 1

    play(script)


def test_a_secret_of_the_environment_is_refused(tmp_path: Path) -> None:
    """What the environment sets cannot be made anew here; the keeper goes on."""
    config = msgspec.structs.replace(Config(), app=App(data_dir=tmp_path))
    security = msgspec.structs.replace(config.security, webhook_secret=Secret("s" * 20))
    config = msgspec.structs.replace(config, security=security)

    async def script(stage: Stage) -> None:
        staged(stage, config)
        with pytest.raises(ConfigError):
            await stage.ask("secrets", RotateSecret("webhook"))
        assert (await stage.ask("secrets", RotateSecret("hmac"))).which == "hmac"

    play(script)


def test_a_vault_that_does_not_open_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log has the error, once and pinned; a rotation is refused, and the keeper lives on (SecretsNotDecryptable)."""
    config = msgspec.structs.replace(Config(), app=App(data_dir=tmp_path))
    open_webhook_secrets(config)
    (tmp_path / "secrets" / "master_key").unlink()
    monkeypatch.setattr("service.secret_keeper.EVENT_LOG", "/house/events")

    async def script(stage: Stage) -> None:
        stage.add("events", EventLog)
        staged(stage, config)
        await stage.settle()
        with pytest.raises(SecretsNotDecryptable):
            await stage.ask("secrets", RotateSecret("hmac"))
        (line,) = stage.events("/house/events", EventLogged)
        assert (line.code, line.severity, line.pinned) == ("SecretsNotDecryptable", "error", True)
        assert stage.system.lookup("/house/secrets") is not None

    play(script)


def test_a_secret_that_was_set_reaches_the_gateway(tmp_path: Path) -> None:
    """Told that the vault keeps others, the keeper has the gateway go on under them."""
    config = msgspec.structs.replace(Config(), app=App(data_dir=tmp_path))
    name = SecretName("webhook", "secret")

    async def script(stage: Stage) -> None:
        log = staged(stage, config)
        vault_of(config).change(lambda kept: kept.update({name: Kept("mine" * 8, "trader", 1)}))
        stage.tell("secrets", SecretsChanged())
        await stage.settle()
        assert log[-1].proofs(stage.now)[0] == ("mine" * 8,)

    play(script)


def test_a_file_that_cannot_be_taken_in_ends_no_house(tmp_path: Path) -> None:
    """Regression: one that others can read, put there while it ran, crashed the keeper at each of its starts (EX-1501)."""
    config = msgspec.structs.replace(Config(), app=App(data_dir=tmp_path))

    async def script(stage: Stage) -> None:
        log = staged(stage, config)
        kept = open_webhook_secrets(config)
        file = tmp_path / "secrets" / "webhook_secret"
        file.write_text("s" * 43)
        file.chmod(0o644)
        stage.tell("secrets", SecretsChanged())
        await stage.settle()
        assert len(log) == 1, "the gateway goes on under what the vault keeps"
        assert log[-1].secrets == (kept.secret.reveal(),)
        assert file.exists()

    play(script)
