"""Signals over the API and the command line: check, rehearse, replay, what was missed, incidents."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from actors.topics import pool_topic
from protocol.codec import encode_json
from protocol.pool import PoolIdentities
from protocol.webhook import WebhookRequest
from rules.signals import iso_ms
from runtime.clock import WallClock
from service.api.client import DaemonRefused
from service.cli.commands import app
from tests.rules.signal_payloads import payload
from tests.service.api_rig import Rig, run
from tests.service.command_line import CliRunner

ENTRY: dict[str, Any] = {"symbol": "BTCUSDT", "side": "long", "timeframe": "1h", "size": "500", "price": "50000.5"}


async def refused(asked: Any) -> DaemonRefused:
    """Return the refusal of a request."""
    with pytest.raises(DaemonRefused) as raised:
        await asked
    return raised.value


def test_a_check_sends_nothing() -> None:
    """POST /v1/signals/check shows steps and identity, and no signal is stored (EX-260)."""

    async def work(rig: Rig) -> None:
        said = await rig.post("/v1/signals/check", ENTRY)
        assert (said["outcome"], said["group_key"]) == ("accepted", "trader|binance|BTC/USDT|1h|long")
        assert [each["name"] for each in said["steps"]][:4] == [
            "validation",
            "classification",
            "duplicates",
            "accounts",
        ]
        assert (await refused(rig.post("/v1/signals/check", {**ENTRY, "symbol": "BTC/USTD"}))).body[
            "code"
        ] == "UnknownSymbol"
        await rig.post("/v1/signal?wait=10", ENTRY)
        listed = await rig.until("/v1/signals", lambda found: found["signals"])
        assert len(listed["signals"]) == 1

    run(work)


def test_a_stored_signal_is_rehearsed_and_sent_again() -> None:
    """A replay is dry by default; live it needs the symbol, and is a new signal that names the old one (EX-261)."""

    async def work(rig: Rig) -> None:
        ident = (await rig.post("/v1/signal?wait=10", ENTRY))["signal_id"]
        dry = await rig.post(f"/v1/signals/{ident}/replay")
        assert (dry["outcome"], dry["signal_id"]) == ("accepted", "")
        error = await refused(rig.post(f"/v1/signals/{ident}/replay", {"mode": "live"}))
        assert (error.status, error.body["code"]) == (422, "ConfirmationMissing")
        live = await rig.post(f"/v1/signals/{ident}/replay", {"mode": "live", "confirm": "BTC/USDT", "operator": "ann"})
        assert live["signal_id"] not in ("", ident)
        listed = await rig.until("/v1/signals", lambda found: len(found["signals"]) == 2)
        newest = listed["signals"][0]
        assert (newest["replay_of"], newest["source"], newest["operator"]) == (ident, "replay", "ann")
        assert (await refused(rig.post("/v1/signals/s00009999/replay"))).status == 404

    run(work)


def test_missed_signals_and_incidents_are_listed_and_cleared() -> None:
    """A position that disagrees is listed with its proposal, by the gateway and by the read model; cleared it is gone."""

    async def work(rig: Rig) -> None:
        system = rig.host.system
        system.bus.publish(pool_topic("paper"), PoolIdentities("paper", (), (), True), keep=True)
        gateway = system.cell_of("/trading/gateway")
        assert gateway is not None
        gateway.actor._settings = __import__("dataclasses").replace(gateway.actor._settings, require_proof=False)
        body = encode_json(
            payload(
                timestamp=iso_ms(WallClock().now()),
                secret=None,
                tv__action="sell",
                execution_intent__side=None,
                tv__prev_market_position="long",
                tv__market_position_size="1",
                tv__prev_market_position_size="4",
            )
        )
        ref = system.lookup("/trading/gateway")
        assert ref is not None
        said = await ref.ask(WebhookRequest("trader", "127.0.0.1", (), body), 5.0)
        assert said.outcome == "accepted"
        (missed,) = (await rig.get("/v1/signals/missed"))["incidents"]
        assert missed["proposal"].startswith("bulkhead signal entry BTC/USDT --side long")
        shown = await rig.until("/v1/incidents", lambda found: found["incidents"])
        assert (shown["incidents"][0]["kind"], shown["incidents"][0]["severity"]) == ("SignalMissed", "warning")
        await rig.post("/v1/incidents/clear", {"kind": "SignalMissed", "subject": missed["subject"], "operator": "ann"})
        assert (await rig.get("/v1/signals/missed"))["incidents"] == []
        await rig.until("/v1/incidents", lambda found: not found["incidents"])
        over = await rig.get("/v1/incidents", all="1")
        assert over["incidents"][0]["cleared"] == "by ann"

    run(work)


def test_secrets_that_nobody_keeps_are_not_rotated() -> None:
    """What cannot be rotated is refused by name; without a keeper the refusal says who is missing."""

    async def work(rig: Rig) -> None:
        assert (await refused(rig.post("/v1/secrets/rotate", {"which": "token"}))).body["code"] == "InvalidEnum"
        assert (await refused(rig.post("/v1/secrets/rotate", {"which": "webhook"}))).status == 404

    run(work)


async def command(rig: Rig, *arguments: str) -> Any:
    """Run a command against the rig's socket, as from another process."""
    whole = [*arguments, "--socket", str(rig.host.socket_path)]
    return await anyio.to_thread.run_sync(lambda: CliRunner().invoke(app, whole, env={"COLUMNS": "200"}))


def test_the_commands_of_signals() -> None:
    """Check sends nothing; replay rehearses, and trades once the symbol is typed; missed, incidents and resume answer."""

    async def work(rig: Rig) -> None:
        entry = ("signal", "entry", "BTC/USDT", "--side", "long", "--size", "500", "--price", "50000")
        checked = await command(rig, *entry, "--check")
        assert checked.exit_code == 0
        assert "entry long" in checked.stdout
        sent = await command(rig, *entry, "--json")
        ident = json.loads(sent.stdout)["signal_id"]
        assert ident == "s00000001"
        dry = await command(rig, "signal", "replay", ident)
        assert dry.exit_code == 0
        assert "classification" in dry.stdout
        unsure = await command(rig, "signal", "replay", ident, "--live")
        assert unsure.exit_code == 1
        assert "--confirm BTC/USDT" in unsure.stderr
        live = await command(rig, "signal", "replay", ident, "--live", "--confirm", "BTC/USDT", "--json")
        assert json.loads(live.stdout)["outcome"] == "accepted"
        assert (await command(rig, "signal", "replay", "s00009999")).exit_code == 4
        for name in (("signal", "missed"), ("incidents",), ("incidents", "--all"), ("signal", "resume", "a|b|c|d")):
            assert (await command(rig, *name)).exit_code == 0
        assert json.loads((await command(rig, "incidents", "--json")).stdout) == {
            "incidents": [],
            "files": [],
            "read": 0,
        }

    run(work)
