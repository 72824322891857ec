"""People and tokens: made by admins or by the machine's owner, kept as hashes, gone at once when they are taken away."""

from __future__ import annotations

import json
import os
import pwd
import stat
from pathlib import Path
from typing import Any

import pytest

from protocol.incidents import ListIncidents
from service.access.errors import AccessFileUnsafe, AccessRefused
from service.access.people import add_person, change_password, create_token, revoke_token
from service.access.roles import Role, Scope
from service.access.store import AccessStore
from service.cli.commands import app
from tests.service.access.network_rig import PASSWORD, Network, network
from tests.service.command_line import CliRunner, Result

NOW = 1_800_000_000 * 10**9


def bulkhead(folder: Path, *words: str, typed: str = "") -> Result:
    """Run a command against a folder where no daemon runs."""
    return CliRunner().invoke(app, list(words), env={"BULKHEAD_APP__DATA_DIR": str(folder)}, input=typed)


def code_of(result: Result) -> str:
    return str(json.loads(result.stderr)["code"])


def test_the_owner_lets_people_in_without_a_daemon(tmp_path: Path) -> None:
    """The command line writes the file itself while no daemon runs: it is the owner's own."""
    made = bulkhead(tmp_path, "user", "add", "ada", "--role", "operator", "--password-stdin", "--json", typed=PASSWORD)
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["role"] == "operator"
    assert bulkhead(tmp_path, "user", "role", "ada", "viewer").exit_code == 0
    listed = json.loads(bulkhead(tmp_path, "user", "list", "--json").stdout)
    assert [(each["name"], each["role"]) for each in listed["people"]] == [("ada", "viewer")]
    assert "hash" not in str(listed)
    again = bulkhead(tmp_path, "user", "add", "ada", "--password-stdin", "--json", typed=PASSWORD)
    assert code_of(again) == "PersonExists"
    assert bulkhead(tmp_path, "user", "remove", "ada", "--yes").exit_code == 0
    assert code_of(bulkhead(tmp_path, "user", "role", "ada", "admin", "--json")) == "UnknownPerson"


def test_a_token_is_shown_once(tmp_path: Path) -> None:
    """A token's secret is printed at its making and is in no later answer and in no file."""
    made = bulkhead(tmp_path, "token", "create", "grafana", "--scope", "metrics", "--json")
    token = json.loads(made.stdout)["token"]
    assert token.startswith("bhp_")
    shown = bulkhead(tmp_path, "token", "list", "--json").stdout
    assert "grafana" in shown
    secret = token.split("_", 2)[2]
    files = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert secret.encode() not in files
    assert secret not in shown
    assert code_of(bulkhead(tmp_path, "token", "create", "grafana", "--json")) == "TokenExists"
    assert bulkhead(tmp_path, "token", "revoke", "grafana").exit_code == 0
    assert code_of(bulkhead(tmp_path, "token", "revoke", "grafana", "--json")) == "UnknownToken"


@pytest.mark.parametrize("password", ["short", "a" * 20, "ada-is-my-name-12", "x" * 300])
def test_a_password_that_is_easily_guessed_is_refused(tmp_path: Path, password: str) -> None:
    """Twelve characters, five different ones, and not the name."""
    store = AccessStore(tmp_path / "access.db")
    with pytest.raises(AccessRefused) as caught:
        add_person(store, "ada", Role.VIEWER, password, now=NOW)
    store.close()
    assert caught.value.code == "WeakPassword"


def test_a_name_is_a_plain_word(tmp_path: Path) -> None:
    """Names stand in logs and on command lines: no blanks, no control characters, nothing that looks like a path."""
    store = AccessStore(tmp_path / "access.db")
    for name in ("", "Ada", "a b", "../x", "x" * 33, "ada\n"):
        with pytest.raises(AccessRefused) as caught:
            create_token(store, name, Scope.READ, by="test", now=NOW)
        assert caught.value.code == "BadName"
    store.close()


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    """It is made with mode 0600 and refused when others can read it: they could guess at leisure."""
    path = tmp_path / "access.db"
    AccessStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(AccessFileUnsafe):
        AccessStore(path)


def test_what_is_no_access_file_is_refused(tmp_path: Path) -> None:
    """A file that is none of ours, or of a newer bulkhead, is left as it is."""
    path = tmp_path / "access.db"
    path.write_bytes(b"not a database at all, and long enough to be sure of it" * 40)
    path.chmod(0o600)
    before = path.read_bytes()
    with pytest.raises(AccessFileUnsafe):
        AccessStore(path)
    assert path.read_bytes() == before


def test_another_password_ends_the_sessions() -> None:
    """Whoever changes a password has a reason: what the former one opened is closed (EX-1507)."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.VIEWER)
        session = (await net.login("ada")).body
        now = net.shared.access.now()
        await net.shared.access.change(lambda store: change_password(store, "ada", PASSWORD + "!", now=now))
        assert (await net.ask("GET", "/v1/me", session["access_token"])).code == "SessionEnded"
        assert (await net.login("ada", PASSWORD + "!")).status == 200

    network(work)


def test_sessions_are_ended_at_a_word(tmp_path: Path) -> None:
    """Of somebody, or of everybody: refresh and access tokens open nothing more; tokens of programs stay (EX-1507)."""

    async def work(net: Network) -> None:
        for name in ("ada", "bob", "eve"):
            await net.person(name, Role.VIEWER)
        admin = await net.token(Scope.ADMIN)
        said = {name: (await net.login(name)).body for name in ("ada", "bob", "eve")}
        assert (await net.ask("POST", "/v1/sessions/end", admin, json={"name": "ada"})).body == {
            "name": "ada",
            "ended": 1,
        }
        assert (await net.ask("GET", "/v1/me", said["ada"]["access_token"])).code == "SessionEnded"
        assert (await net.ask("GET", "/v1/me", said["bob"]["access_token"])).status == 200
        assert (await net.ask("POST", "/v1/sessions/end", admin, json={"name": "nobody"})).code == "UnknownPerson"
        assert (await net.ask("POST", "/v1/sessions/end", admin, json={})).body == {"name": "", "ended": 2}
        assert (await net.ask("GET", "/v1/me", said["bob"]["access_token"])).code == "TokenExpired", "another key signs"
        again = await net.ask("POST", "/v1/refresh", json={"refresh_token": said["eve"]["refresh_token"]})
        assert again.code == "SessionEnded"
        assert (await net.login("bob")).status == 200
        assert (await net.ask("GET", "/v1/me", admin)).status == 200

    network(work)
    bulkhead(tmp_path, "user", "add", "ada", "--password-stdin", typed=PASSWORD)
    assert json.loads(bulkhead(tmp_path, "user", "logout", "ada", "--json").stdout) == {"name": "ada", "ended": 0}
    assert bulkhead(tmp_path, "user", "logout", "--everybody").exit_code == 0
    assert bulkhead(tmp_path, "user", "logout").exit_code != 0


def test_a_revoked_token_is_refused_from_the_next_request_on() -> None:
    """Also one that was used a moment ago, and also when the command line took it away beside the daemon."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ, "desk")
        assert (await net.ask("GET", "/v1/me", token)).status == 200
        store = AccessStore(net.rig.host.config.access_path)
        revoke_token(store, "desk", now=net.shared.access.now())
        store.close()
        net.shared.access.look_again()
        assert (await net.ask("GET", "/v1/me", token)).code == "TokenRevoked"

    network(work)


def test_an_admin_does_over_the_api_what_the_owner_does_in_the_file() -> None:
    """People and tokens are made, changed and removed by an admin, and by nobody else (EX-1505)."""

    async def work(net: Network) -> None:
        admin, trader = await net.token(Scope.ADMIN), await net.token(Scope.TRADE)
        new = {"name": "bob", "role": "viewer", "password": PASSWORD}
        assert (await net.ask("POST", "/v1/people", trader, json=new)).code == "NotAllowed"
        assert (await net.ask("POST", "/v1/people", admin, json=new)).status == 200
        bob = (await net.login("bob")).body["access_token"]
        assert (await net.ask("POST", "/v1/pause", bob, json={})).code == "NotAllowed"
        await net.ask("POST", "/v1/people/bob/role", admin, json={"role": "operator"})
        assert (await net.ask("POST", "/v1/pause", bob, json={})).status == 200
        listed = (await net.ask("GET", "/v1/people", admin)).body["people"]
        assert [(each["name"], each["role"], each["sessions"]) for each in listed] == [("bob", "operator", 1)]
        await net.ask("POST", "/v1/people/bob/remove", admin)
        assert (await net.ask("GET", "/v1/me", bob)).code == "SessionEnded"
        assert (await net.login("bob")).code == "LoginFailed"
        made: Any = (await net.ask("POST", "/v1/tokens", admin, json={"name": "t", "scope": "read"})).body
        assert (await net.ask("GET", "/v1/me", made["token"])).body["name"] == "t"
        assert made["token"] not in str((await net.ask("GET", "/v1/tokens", admin)).body)

    network(work)


def test_nobody_from_the_network_acts_under_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: histories named whomever a client said; only the owner of this machine may say who it was (EX-1405)."""
    named: list[str] = []

    def noted(kind: str, subject: str, operator: str) -> ListIncidents:
        named.append(operator)
        return ListIncidents("SignalMissed")

    async def work(net: Network) -> None:
        monkeypatch.setattr("service.api.incidents.ClearIncident", noted)
        token, wanted = await net.token(Scope.TRADE, "desk"), {"kind": "SourceSilent", "subject": "x"}
        for given in ({}, {"operator": "bob"}):
            assert (await net.ask("POST", "/v1/incidents/clear", token, json={**wanted, **given})).status == 200
            await net.rig.post("/v1/incidents/clear", {**wanted, **given})
        owner = pwd.getpwuid(os.getuid()).pw_name
        assert named == ["desk", owner, "desk", "bob"]

    network(work)
