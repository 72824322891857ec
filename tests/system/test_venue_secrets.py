"""A daemon that trades through every client library: nothing that it writes or says holds a credential (EX-1508).

One daemon, whole and in this process, with an account at each venue of ``tests.venues.rigs``, every other one with its
credentials in the vault, the rest in the environment: it trades, its venues answer with errors, each session crashes once
(an incident file), and at last each venue withdraws the key.
Everything that is left of that is searched for the credentials, and for what was made of them on the way: signatures,
headers, keys of streams, as the servers saw them.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import json
import logging
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import psutil
import pytest

from protocol.orders import OrderState
from protocol.signals import InjectSignal, SizeType
from protocol.values import MarketType, Side
from protocol.venue import ReconcileNow, VenueHealth, VenueStatus
from service.api.client import Client, DaemonRefused
from service.cli import app
from service.config.environment import account_variable
from service.config.sources import Sources
from service.config.vault import master_key_file, vault_of
from service.daemon import Daemon, run_daemon
from service.house import GATEWAY
from store.inputs.files import segments
from tests.actors.cast import Broken
from tests.servers.venues.faults import Fault
from tests.servers.venues.threaded import Threaded, on_a_thread
from tests.service.command_line import CliRunner
from tests.system.running import eventually
from tests.venues.rigs import RIGS
from venues.access import Access

pytestmark = pytest.mark.slow(seconds=20)

VENUES: Final = tuple(name for name in RIGS if not name.endswith("-perp"))
"""One account each: both families of a venue go through one library and one dialect's signatures."""

KEYLESS: Final = frozenset({"ibkr"})
"""Whoever reaches IBKR's gateway is logged in: there is no credential."""

ASKED: Final = (
    *(
        "status",
        "overview",
        "ps",
        "groups",
        "orders",
        "fills",
        "signals",
        "positions",
        "events",
        "dead-letters",
        "reports",
    ),
    *("tail", "venues", "venues/rules", "config", "config/versions", "incidents", "log", "log/segments", "alerts"),
    *("queue", "risk", "performance", "pnl", "nodes", "figures", "secrets"),
)
"""What the control socket is asked; a few of them go through the command line too."""

COMMANDS: Final = (
    ["venue"],
    ["config", "show"],
    ["config", "check", "--show"],
    ["incidents"],
    ["log"],
    ["venue", "list"],
    ["secrets", "list"],
    ["secrets", "rotate-key"],
)


class Servers:
    """Every venue, on one loop."""

    def __init__(self) -> None:
        self.of: dict[str, Any] = {}
        self.reach: dict[str, Access] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for name in VENUES:
            made, reach = RIGS[name].way(RIGS[name].market)
            self.of[name] = server = await self._open.enter_async_context(made)
            self.reach[name] = reach(server)
            for market in server.hall.instruments():
                server.hall.price(market, RIGS[name].price, RIGS[name].price * Decimal("1.0001") // 1 + 1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    def arm(self, fault: Fault, times: int) -> None:
        """Have each venue fail so for its next requests."""
        for server in self.of.values():
            server.faults.arm(fault, times)

    def clear(self) -> None:
        """Have all go well."""
        for server in self.of.values():
            server.faults.clear()

    def withdraw(self) -> None:
        """Take every key for unknown from now on."""
        for server in self.of.values():
            for name in ("secret", "token"):
                if hasattr(server, name):
                    setattr(server, name, "another")
            if hasattr(server, "signers"):
                server.signers.clear()

    def shown(self) -> set[str]:
        """Return what requests showed to prove who asks."""
        return {each for server in self.of.values() for each in getattr(server, "shown", ())}


def _account(name: str, access: Access) -> str:
    """Return the section of an account."""
    real = not access.testnet
    keys: dict[str, Any] = {
        "name": name, "venue": name, "testnet": not real, "scope": "live" if real else "paper",
        "symbols": [RIGS[name].symbol], "rate_limit_mode": "off", "account_id": access.account_id,
        "market_type": "futures" if RIGS[name].market is MarketType.PERP else "spot",
    }  # fmt: skip
    places = {"url": access.url, "stream_url": access.stream_url, "port": access.port, "keys_dir": access.keys_folder}
    keys |= {key: value for key, value in places.items() if value}
    return "\n".join(["[[accounts]]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items() if value != "")])


def _variables(reach: dict[str, Access]) -> dict[str, str]:
    """Return the environment with the credentials."""
    found = {}
    for name, access in reach.items():
        for key, secret in (("api_key", access.key), ("api_secret", access.secret), ("passphrase", access.passphrase)):
            if secret:
                found[account_variable(name, key)] = secret.reveal()
    return found


class Life:
    """One daemon at all venues; ``said`` is everything that it and the commands said, by who said it."""

    def __init__(self, folder: Path, venues: Threaded) -> None:
        self.folder = folder
        self.venues = venues
        self.servers: Servers = venues.server  # type: ignore[assignment] # all of them
        self.said: list[tuple[str, str]] = []
        in_vault = {name: access for name, access in self.servers.reach.items() if name in VENUES[::2]}
        self.variables = _variables({name: each for name, each in self.servers.reach.items() if name not in in_vault})
        self.file = folder / "config.toml"
        head = f'[app]\nlog_level = "debug"\nmode = "live"\ndata_dir = "{folder}/data"\n[webhook]\nport = 0\n'
        accounts = (_account(name, access) for name, access in self.servers.reach.items())
        self.file.write_text("\n".join([head, *accounts]))
        self.script: asyncio.Task[None]
        for name, access in in_vault.items():
            for key, value in (
                ("api_key", access.key),
                ("api_secret", access.secret),
                ("passphrase", access.passphrase),
            ):
                if value:
                    self.command("secrets", "set", name, key, "--stdin", given=value.reveal())

    def run(self) -> None:
        """Run the daemon until the script is through."""
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        root = logging.getLogger()
        before = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            sources = Sources.of(self.file, self.variables)
            run_daemon(sources.guess(), sources=sources, on_ready=self._ready)
        finally:
            root.removeHandler(handler)
            root.setLevel(before)
            self.said.append(("the daemon's log", stream.getvalue()))
        self.script.result()

    def _ready(self, daemon: Daemon) -> None:
        async def script() -> None:
            try:
                await Script(self, daemon).play()
            finally:
                daemon.stop()

        self.script = asyncio.get_running_loop().create_task(script())

    def command(self, *words: str, given: str = "") -> None:
        """Run a command with the credentials in its environment, as an operator's shell has them."""
        done = CliRunner().invoke(app, [*words, "--config", str(self.file)], env=self.variables, input=given)
        assert done.exit_code == 0, (words, done.output)
        self.said.append((" ".join(words), done.output))


class Script:
    """What happens while the daemon runs."""

    def __init__(self, life: Life, daemon: Daemon) -> None:
        self.life = life
        self.daemon = daemon
        self.system = daemon.system

    def standing(self, account: str) -> VenueHealth | None:
        """Return how a connection stands."""
        health: VenueHealth | None = self.system.bus.kept(f"health:{account}")
        return health

    async def all_are(self, status: VenueStatus, accounts: tuple[str, ...] = VENUES) -> None:
        """Wait until every connection stands so."""
        for name in accounts:
            await eventually(partial(self._is, name, status), f"{name} is {status.value}: {self.standing(name)}")

    def _is(self, account: str, status: VenueStatus) -> bool:
        health = self.standing(account)
        return health is not None and health.status is status

    async def play(self) -> None:
        """Trade, fail, look, crash, and lose the keys."""
        await self.all_are(VenueStatus.UP)
        await self._trade()
        for fault in (Fault.SERVER_ERROR, Fault.MALFORMED, Fault.TOO_MANY):
            self._at_venues(self.life.servers.arm, fault, 2)
            for name in VENUES:
                self.system.tell(f"/venues/{name}/reconciler", ReconcileNow())
            await self._look("venues")
        self._at_venues(self.life.servers.clear)
        for name in VENUES:
            cell = self.system.cell_of(f"/venues/{name}/session")
            assert cell is not None
            self.life.said.append((f"repr of {name}", f"{cell.actor!r} {vars(cell.actor)!r}"))
            cell.crash(Broken("by the test"), None)
        self._at_venues(self.life.servers.withdraw)
        await self.all_are(VenueStatus.STOPPED, tuple(name for name in VENUES if name not in KEYLESS))
        await self._look(*ASKED)
        for words in (*COMMANDS, *exports(self.life.folder)):
            await asyncio.to_thread(self.life.command, *words)
        self.life.said += [(f"process {each.pid}", f"{each.cmdline()} {each.environ()}") for each in children()]
        self.life.said.append(("repr of the configuration", f"{self.daemon.config!r}"))

    def _at_venues(self, call: Callable[..., object], *arguments: object) -> None:
        self.life.venues.do(call, *arguments)

    async def _trade(self) -> None:
        for name in VENUES:
            rig = RIGS[name]
            signal = InjectSignal(
                user=self.daemon.config.webhook.user, venue=name, symbol=rig.symbol, timeframe="1h", side=Side.LONG,
                price=rig.price * Decimal("1.01"), size=Decimal(500), size_type=SizeType.QUOTE,
            )  # fmt: skip
            ref = self.system.lookup(GATEWAY)
            assert ref is not None
            answer = await ref.ask(signal, 10.0)
            assert answer.status == 200, answer
        for name in VENUES:
            await eventually(partial(self._sent, name), f"an order is at {name}: {self.standing(name)}")

    def _sent(self, name: str) -> bool:
        orders = self.life.servers.of[name].hall.orders.values()
        return any(each.state is not OrderState.SENT for each in orders)

    async def _look(self, *asked: str) -> None:
        client = Client(self.daemon.socket_path)
        for path in asked:
            try:
                said = await asyncio.to_thread(client.get, f"/v1/{path}")
            except DaemonRefused as refused:
                said = refused.body
            self.life.said.append((f"GET /v1/{path}", json.dumps(said, ensure_ascii=False)))


@pytest.fixture(scope="module")
def life() -> Iterator[Life]:
    """Have a daemon trade, fail and end; return it with all that it left behind."""
    with on_a_thread(Servers) as venues, tempfile.TemporaryDirectory(prefix="bh") as name:  # type: ignore[arg-type]
        live = Life(Path(name), venues)
        assert threading.current_thread() is threading.main_thread()
        live.run()
        yield live


def exports(folder: Path) -> list[list[str]]:
    """Return the commands that write files for others."""
    away = folder / "exports"
    away.mkdir()
    return [
        ["backup", str(away / "all.zip")],
        *(["log", "--export", str(away / f"lines.{form}")] for form in ("txt", "csv", "json")),
        ["report", "--out", str(away / "report.html")],
    ]


def children() -> list[psutil.Process]:
    """Return what runs beside this process for it."""
    found = psutil.Process().children(recursive=True)
    assert any("store.follow" in each.cmdline() for each in found)
    return found


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything that lies in a folder, what is packed unpacked as well."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        data = path.read_bytes()
        yield str(path.relative_to(folder)), data
        if path.suffix == ".gz":
            yield f"{path.name} unpacked", gzip.decompress(data)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as pack:
                yield from ((f"{path.name}: {each}", pack.read(each)) for each in pack.namelist())
    for inputs in (each for each in folder.rglob("inputs") if each.is_dir()):
        for path in sorted(inputs.iterdir()):
            for number, segment in enumerate(segments(inputs, path.name.split(".")[0])):
                yield f"{path.name} segment {number}", segment.payload or b""


def credentials(name: str) -> list[bytes]:
    """Return what a venue's account must keep to itself, in every form it may have been written in."""
    reach = RIGS[name].way(RIGS[name].market)
    access = reach[1](reach[0])
    plain = [each.reveal() for each in (access.key, access.secret, access.passphrase) if each]
    found = [form for each in plain for form in (each, each.removeprefix("0x"), quote(each, safe=""))]
    packed = [base64.b64encode(each.encode()) for each in [*plain, ":".join(plain[:2])]]
    return sorted({*(each.encode() for each in found), *packed})


def test_it_has_traded_and_failed(life: Life) -> None:
    """What follows is worth something: orders at each venue, told of everywhere; keys were refused, crashes are kept."""
    telling = [name for name, data in contents(life.folder) if b"BTC/USD" in data]
    for part in ("journal", "segment", "logs/", "incidents/", "all.zip: ", "exports/lines.csv"):
        assert any(part in name for name in telling), (part, telling)
    said = "\n".join(text for _, text in life.said)
    assert "OrderSent" in said
    assert said.count("AuthFailed") >= len(VENUES) - len(KEYLESS)
    assert "********" in said
    shown = life.servers.shown()
    assert len(shown) > 50
    assert {each for name in VENUES for each in credentials(name)} & {each.encode() for each in shown}


@pytest.mark.parametrize("name", [each for each in VENUES if each not in KEYLESS])
def test_nothing_holds_a_credential(life: Life, name: str) -> None:
    """EX-1503, EX-1508: no byte of journal, logs, incidents, inputs, read models; no answer, log line, error or repr."""
    wanted = credentials(name)
    assert len(wanted) >= 2
    found = [place for place, data in contents(life.folder) if any(each in data for each in wanted)]
    found += [place for place, text in life.said if any(each in text.encode() for each in wanted)]
    assert found == []


def test_nothing_holds_what_the_vault_keeps(life: Life) -> None:
    """No secret of alerts is in a byte or a word but for the address that its owner is shown; the key is in its file."""
    config = Sources.of(life.file, life.variables).guess()
    kept = vault_of(config).read()
    assert len([each for each in kept if each.holder in VENUES]) > len(VENUES) // 2
    values = [each.value.encode() for name, each in kept.items() if name.field != "token"]
    values += [key := master_key_file(config).read_bytes().strip(), base64.b64decode(key)]
    found = [place for place, data in contents(life.folder) if any(each in data for each in values)]
    found += [place for place, text in life.said if any(each in text.encode() for each in values[:-1])]
    assert found == ["data/secrets/master_key"]


def test_nothing_holds_what_proved_who_asked(life: Life) -> None:
    """Signatures, signed query strings, authorization headers and keys of streams are nowhere either."""
    proofs = [each.encode() for each in life.servers.shown()]
    found = [(place, each) for place, data in contents(life.folder) for each in proofs if each in data]
    found += [(place, each) for place, text in life.said for each in proofs if each in text.encode()]
    assert found == []
