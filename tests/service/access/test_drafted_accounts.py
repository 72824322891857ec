"""Accounts that are only drafted: who may send what the vault keeps to an address that is not in force."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.event_log import EventLog
from runtime.actor import Actor, handles
from service.access.roles import Scope
from service.api import ApiServer, trials
from service.config.document import Config
from service.config.market import Account, VenueKind
from service.config.sources import Sources
from service.config_store import DraftConfigs, GetDraftConfigs
from service.venue_trial import TrialResult
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.service import api_rig
from tests.service.access.network_rig import Network, network
from tests.service.api_rig import Host

KEPT = Account(name="desk", venue=VenueKind.BINANCE, testnet=True)
ELSEWHERE = {"accounts": [{"name": "desk", "venue": "binance", "testnet": True, "url": "https://elsewhere.example"}]}
NEW = {"accounts": [{"name": "fresh", "venue": "bybit", "testnet": True}]}


class Drafts(Actor):
    """Stands for the store: a draft that is what is in force, with what somebody types over it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @handles
    def configs(self, msg: GetDraftConfigs) -> DraftConfigs:
        """Answer with both."""
        sources = Sources(None, Path("/"), ())
        config, errors = sources.effective(msg.edits or NEW)
        return DraftConfigs({}, {}, self._host.config, config, errors, {})


def _tree(host: Host, config: Config) -> Any:
    host.config = msgspec.structs.replace(config, accounts=(KEPT,))
    return supervisor(
        "root",
        supervisor("store", ChildSpec("events", EventLog)),
        supervisor("operators", ChildSpec("config", partial(Drafts, host)), ChildSpec("api", partial(ApiServer, host))),
    )


@pytest.fixture(autouse=True)
def house(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have an account in force and another drafted; return where tests would have gone."""
    gone: list[str] = []

    def tried(config: Config, account: Account, *_: Any) -> TrialResult:
        gone.append(account.url or account.venue.value)
        return TrialResult(account=account.name, venue=account.venue.value, testnet=True, ok=True, steps=())

    monkeypatch.setattr(api_rig, "_tree", _tree)
    monkeypatch.setattr(trials, "tried", tried)
    return gone


def test_kept_credentials_go_to_no_address_that_an_operator_drafts(house: list[str]) -> None:
    """Who may draft but not see credentials sends none elsewhere; an admin tries an account as it is typed (EX-1505)."""

    async def work(net: Network) -> None:
        trade, admin = await net.token(Scope.TRADE), await net.token(Scope.ADMIN)
        typed = {"account": "desk", "draft": True, "edits": ELSEWHERE}
        refused = await net.ask("POST", "/v1/venues/test", trade, json=typed)
        assert (refused.status, refused.code, house) == (403, "NotAllowed", [])
        new = {"account": "fresh", "draft": True}
        assert (await net.ask("POST", "/v1/venues/test", trade, json=new)).code == "NotAllowed"
        same = {"account": "desk", "draft": True, "edits": {"accounts": [_short()]}}
        assert (await net.ask("POST", "/v1/venues/test", trade, json=same)).status == 200
        assert (await net.ask("POST", "/v1/venues/test", admin, json=typed)).status == 200
        assert (await net.ask("POST", "/v1/venues/test", admin, json=new)).status == 200
        assert house == ["binance", "https://elsewhere.example", "bybit"]

    network(work)


def _short() -> dict[str, Any]:
    return {"name": KEPT.name, "venue": KEPT.venue.value, "testnet": True, "symbols": ["ETH/USDT"]}


def test_credentials_are_kept_for_an_account_before_it_is_in_force() -> None:
    """What a drafted account logs in with can be typed at once; it counts from when the account does (EX-1620)."""

    async def work(net: Network) -> None:
        given = {"holder": "fresh", "field": "api_key", "value": "k7Qw9ZxLr2m0PpA4B19Kyyy"}
        done = await net.rig.post("/v1/secrets/set", given)
        assert (done["masked"], done["counts"]) == ("****A4B19K***", "restart")
        wrong = await net.ask("POST", "/v1/secrets/set", await net.token(Scope.ADMIN), json={**given, "holder": "none"})
        assert wrong.code == "UnknownSecret"

    network(work)
