"""People and requests on the server that has the journal: whoever takes over knows who may come in, and what was done."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import aiohttp
import anyio
import pytest

from runtime.journal import JournalUnavailable
from service.access import keeper
from service.access.errors import AccessFileUnsafe, AccessRefused
from service.access.keeper import Access, Login
from service.access.people import add_person, change_password, create_token, remove_person, revoke_token
from service.access.requests import REQUESTS, RequestStore, State
from service.access.roles import Role, Scope
from service.access.server_tables import schema_of
from service.access.store import PEOPLE, AccessStore
from service.api import staying
from service.api.once import REPEATED
from service.moving import move_installation
from service.people import open_people, open_requests
from store.postgres.place import Place
from tests.servers.postgres import Server, sql
from tests.service.access.network_rig import PASSWORD, Network, network
from tests.service.store_places import installation, traded

NOW: Final = 1_800_000_000 * 10**9
HOUR: Final = 3_600 * 10**9


def test_who_takes_over_knows_what_was_done_and_who_may_come(postgres_url: str) -> None:
    """A command is done once, whichever daemon hears it; people, tokens and sessions go on, locks too (EX-1507).

    The second daemon has a data folder of its own, as on another machine. What the first began and never answered is not
    tried again: it may have been done.
    """
    server = {"BULKHEAD_DATABASE_URL": postgres_url, "BULKHEAD_API__TRUSTED_PROXIES": '["127.0.0.1/32"]'}
    guesser = {"X-Forwarded-For": "203.0.113.7"}
    given: dict[str, Any] = {}

    async def first(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        given["token"] = token = await net.token(Scope.TRADE, "desk")
        given["session"] = (await net.login("ada")).body["refresh_token"]
        asked = {"json": {"reason": "news"}, "headers": {"X-Request-Id": "p-1"}}
        given["answer"] = (await net.ask("POST", "/v1/pause", token, **asked)).body
        await net.ask("POST", "/v1/pause", token, json={}, headers={"X-Request-Id": "p-2"})
        for _ in range(5):
            await net.login("eve", "a wrong guess", headers=guesser)

    async def second(net: Network) -> None:
        again = {"json": {"reason": "news"}, "headers": {"X-Request-Id": "p-1"}}
        said = await net.ask("POST", "/v1/pause", given["token"], **again)
        assert (said.status, said.body, said.headers[REPEATED]) == (200, given["answer"], "true")
        unknown = await net.ask("POST", "/v1/pause", given["token"], json={}, headers={"X-Request-Id": "p-2"})
        assert unknown.code == "OutcomeUnknown"
        other = {"json": {"reason": "other"}, "headers": {"X-Request-Id": "p-1"}}
        assert (await net.ask("POST", "/v1/pause", given["token"], **other)).code == "RequestIdReused"
        renewed = await net.ask("POST", "/v1/refresh", json={"refresh_token": given["session"]})
        assert (await net.ask("GET", "/v1/me", renewed.body["access_token"])).body["name"] == "ada"
        assert (await net.login("ada", headers=guesser)).code == "LockedOut"
        config = net.rig.host.config
        assert not config.access_path.exists()
        assert not config.requests_path.exists()

    network(first, **server)
    requests = schema_of(Place(postgres_url), REQUESTS)
    sql(postgres_url, f"update {requests}.requests set state = 'begun', answer = '' where id = 'p-2'")
    network(second, **server)


def test_two_processes_see_each_others_changes(postgres_url: str) -> None:
    """A person whom another process lets in is known at the next look; of two who begin one request one does."""
    place = Place(postgres_url)
    with closing(AccessStore(place)) as one, closing(AccessStore(place)) as other:
        assert not one.changed()
        add_person(other, "ada", Role.VIEWER, PASSWORD, now=NOW)
        assert one.changed()
        assert not one.changed()
        assert not other.changed(), "its own change is no news to it"
        assert [each.name for each in one.people()] == ["ada"]
        create_token(one, "t", Scope.READ, by="x", now=NOW)
        remove_person(one, "ada")
        assert (other.changed(), other.people(), len(other.tokens())) == (True, [], 1)
    with closing(RequestStore(place, NOW)) as first, closing(RequestStore(place, NOW)) as second:
        assert first.begin("token desk", "x", b"d", NOW) is None
        known = second.begin("token desk", "x", b"d", NOW)
        assert known is not None
        assert (known.state, known.digest) == (State.BEGUN, b"d")
        first.finish("token desk", "x", 200, b"\x00{}")
        known = second.begin("token desk", "x", b"d", NOW)
        assert known is not None
        assert (known.state, known.status, known.answer) == (State.DONE, 200, b"\x00{}")
        second.forget("token desk", "x")
        assert first.begin("token desk", "x", b"e", NOW + 6 * 24 * HOUR) is None
        assert first.begin("token desk", "y", b"e", NOW + 14 * 24 * HOUR) is None
        assert second.begin("token desk", "x", b"f", NOW + 14 * 24 * HOUR) is None, "forgotten while it ran"


def test_a_session_that_another_process_ended_does_not_come_back(postgres_url: str) -> None:
    """Use, refresh and logout begin with what is kept, not with what was known: a changed password holds (EX-1507)."""
    place, now = Place(postgres_url), [NOW]

    async def work() -> None:
        access = Access(lambda: AccessStore(place), lambda: now[0])
        await access.change(lambda store: add_person(store, "ada", Role.VIEWER, PASSWORD, now=NOW))
        login: Login = await access.login("ada", PASSWORD, "192.0.2.1")
        with closing(AccessStore(place)) as other:
            change_password(other, "ada", PASSWORD + "!", now=NOW)
        now[0] += HOUR
        access._looked_at = now[0]  # it has looked a moment ago: what follows decides by what it knew then
        await access.logout(login.caller)
        with pytest.raises(AccessRefused) as caught:
            await access.refresh(login.secret, "192.0.2.1")
        assert caught.value.code == "SessionEnded"
        with closing(AccessStore(place)) as other:
            assert [each.ended for each in other.sessions()] == ["another password"]
        access.close()

    anyio.run(work)


def test_what_another_machine_takes_away_ends_what_is_open(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream and a tail where nothing happens end within a look of the revocation: nobody has to ask (EX-1507)."""
    monkeypatch.setattr(staying, "LOOK_S", 0.05)
    monkeypatch.setattr(keeper, "_LOOK_NS", 0)
    monkeypatch.setattr("service.api.shared.open_people", lambda _: AccessStore(Place(postgres_url)))

    async def work(net: Network) -> None:
        token, now = await net.token(Scope.READ, "desk"), net.shared.access.now()
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            net.listening(token) as stream,
            net.session.ws_connect(net.url + "/v1/tail", headers=headers) as tail,
        ):
            while (await stream.receive_json())["kind"] != "live":
                pass
            with closing(AccessStore(Place(postgres_url))) as other:
                revoke_token(other, "desk", now=now)
            with anyio.fail_after(30):
                for line in (stream, tail):
                    while (heard := await line.receive()).type is aiohttp.WSMsgType.TEXT:
                        continue
                    assert heard.type is aiohttp.WSMsgType.CLOSE

    network(work)


def test_the_people_of_before_are_taken_over_once(postgres_url: str, tmp_path: Path) -> None:
    """An installation whose people were in a file has them on the server after its next start; the file counts no more."""
    config = installation(tmp_path, postgres_url)
    file = config.access_path
    with closing(AccessStore(file)) as former:
        add_person(former, "ada", Role.ADMIN, PASSWORD, now=NOW)
        create_token(former, "desk", Scope.READ, by="x", now=NOW)
    with closing(open_people(config)) as store:
        assert ([each.name for each in store.people()], len(store.tokens())) == (["ada"], 1)
        remove_person(store, "ada")
    assert not file.exists()
    assert file.with_name("access.db.moved").exists()
    with closing(AccessStore(file)) as second:
        add_person(second, "eve", Role.ADMIN, PASSWORD, now=NOW)
    with closing(open_people(config)) as store:
        assert store.people() == [], "the server has people of its own by now"


def test_people_move_with_the_installation(postgres_url: str, tmp_path: Path) -> None:
    """To a server and back: who was removed there does not come back with the file that was left, requests stay known."""
    config = traded(installation(tmp_path), steps=3)
    with closing(open_people(config)) as store, closing(open_requests(config, NOW)) as requests:
        add_person(store, "ada", Role.ADMIN, PASSWORD, now=NOW)
        add_person(store, "bob", Role.ADMIN, PASSWORD, now=NOW)
        requests.begin("token desk", "x", b"d", NOW)
    place = Place(postgres_url)
    move_installation(config.journal_path, place)
    assert not config.access_path.exists()
    with closing(AccessStore(place)) as store, closing(RequestStore(place, NOW)) as requests:
        assert [each.name for each in store.people()] == ["ada", "bob"]
        assert requests.begin("token desk", "x", b"d", NOW) is not None
        remove_person(store, "bob")
    move_installation(place, config.journal_path)
    with closing(open_people(config)) as store, closing(open_requests(config, NOW)) as requests:
        assert [each.name for each in store.people()] == ["ada"]
        assert requests.begin("token desk", "x", b"d", NOW) is not None


def test_what_a_newer_bulkhead_wrote_is_left(postgres_url: str) -> None:
    """Tables of a newer version are not touched."""
    place = Place(postgres_url)
    AccessStore(place).close()
    sql(postgres_url, f"update {schema_of(place, PEOPLE)}.mark set version = 99")
    with pytest.raises(AccessFileUnsafe, match="newer"):
        AccessStore(place)


def test_while_the_server_is_away_who_is_known_stays_in(server: Server) -> None:
    """Looking goes on; nobody new comes in, and no command with an id is begun: its repetition could not be known."""
    given = {"BULKHEAD_DATABASE_URL": server.database(), "BULKHEAD_DATABASE__CONNECT_TIMEOUT_MS": "500"}

    async def work(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        session = (await net.login("ada")).body["access_token"]
        server.stop("immediate")
        net.shared.access.look_again()
        assert (await net.ask("GET", "/v1/me", session)).status == 200
        asked = await net.ask("POST", "/v1/pause", session, json={}, headers={"X-Request-Id": "a"})
        assert (asked.status, asked.code) in {(503, "ConnectionLost"), (503, "JournalUnavailable")}
        assert (await net.login("ada")).status == 503
        with pytest.raises(JournalUnavailable):
            AccessStore(Place(given["BULKHEAD_DATABASE_URL"]))
        server.start()
        net.shared.access.look_again()
        assert (await net.ask("POST", "/v1/pause", session, json={}, headers={"X-Request-Id": "b"})).status == 200

    network(work, **given)
