"""Secrets over the API: values go in, masks come out; only what was just made is shown, once."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from service.config import open_webhook_secrets
from service.config.vault import vault_of
from service.vault.names import SecretName
from tests.service.api_rig import Rig, run
from tests.service.test_api import refusal

KEY = "k7Qw9ZxLr2m0PpA4B19Kyyy"


def test_a_secret_goes_in_and_only_its_mask_comes_out() -> None:
    """Setting answers with the mask, the list with the mask and the source; the daemon is told whose secret it was."""

    async def work(rig: Rig) -> None:
        done = await rig.post("/v1/secrets/set", {"holder": "paper", "field": "api_key", "value": KEY})
        assert (done["masked"], done["counts"]) == ("****A4B19K***", "now")
        assert rig.host.taken == ["paper"]
        said = await rig.get("/v1/secrets")
        row = next(each for each in said["secrets"] if each["holder"] == "paper")
        assert (row["masked"], row["source"]) == ("****A4B19K***", "vault")
        assert KEY not in json.dumps(said)
        gone = await rig.post("/v1/secrets/remove", {"holder": "paper", "field": "api_key"})
        assert gone["masked"] == "(not set)"
        again = await refusal(rig.post("/v1/secrets/remove", {"holder": "paper", "field": "api_key"}))
        assert (again.status, again.code) == (404, "UnknownSecret")

    run(work)


def test_the_audit_log_names_and_does_not_show() -> None:
    """The log has who set which secret, and the value nowhere (EX-1405, EX-1508)."""

    async def work(rig: Rig) -> None:
        await rig.post("/v1/secrets/set", {"holder": "paper", "field": "api_secret", "value": KEY})
        config = rig.host.config

        def holds(found: object) -> bool:
            return "secrets/set" in json.dumps(found)

        said = await rig.until("/v1/events", holds)
        assert "api_secret" in json.dumps(said)
        with closing(sqlite3.connect(config.journal_path)) as journal:
            assert KEY not in "\n".join(str(row) for row in journal.iterdump())
        files = [path for path in config.app.data_dir.rglob("*") if path.is_file()]
        assert len(files) > 3
        assert not any(KEY.encode() in path.read_bytes() for path in files)

    run(work)


def test_refusals_say_what_to_do() -> None:
    """Unknown names are 404, values that cannot be 422, a vault that does not open 409, and nothing changes."""

    async def work(rig: Rig) -> None:
        async def refused(holder: str, field: str, value: str) -> tuple[int, str]:
            wanted = {"holder": holder, "field": field, "value": value}
            found = await refusal(rig.post("/v1/secrets/set", wanted))
            return found.status, found.code

        assert await refused("nobody", "api_key", KEY) == (404, "UnknownSecret")
        assert await refused("paper", "api_key", "x" * 300) == (422, "OutOfRange")
        await rig.post("/v1/secrets/set", {"holder": "paper", "field": "api_key", "value": KEY})
        master = rig.host.config.app.data_dir / "secrets" / "master_key"
        key = master.read_text()
        master.unlink()
        assert await refused("paper", "api_key", "another") == (409, "SecretsNotDecryptable")
        assert (await rig.get("/v1/secrets"))["trouble"]
        master.write_text(key)
        master.chmod(0o644)
        assert await refused("paper", "api_key", "another") == (409, "MasterKeyUnsafe")
        master.chmod(0o600)
        assert vault_of(rig.host.config).read()[SecretName("paper", "api_key")].value == KEY

    run(work)


def test_a_new_key_over_the_api() -> None:
    """Everything is encrypted anew; with a key of the environment it is refused there (MasterKeyFixed)."""

    async def work(rig: Rig) -> None:
        before = open_webhook_secrets(rig.host.config)
        raw = vault_of(rig.host.config).path.read_bytes()
        assert (await rig.post("/v1/secrets/rotate-key"))["key_from"] == "file"
        assert vault_of(rig.host.config).path.read_bytes() != raw
        assert open_webhook_secrets(rig.host.config) == before

    run(work)

    async def fixed(rig: Rig) -> None:
        open_webhook_secrets(rig.host.config)
        assert (await refusal(rig.post("/v1/secrets/rotate-key"))).code == "MasterKeyFixed"

    run(fixed, BULKHEAD_MASTER_KEY="01" * 32)
