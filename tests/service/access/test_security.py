"""What somebody who means harm may try over the network."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import aiohttp
import pytest

from service.access import keeper as keeper_module
from service.access.keeper import IDLE_NS
from service.access.roles import Role, Scope
from tests.service.access.network_rig import PASSWORD, Network, network, since

MANY: Final = {"BULKHEAD_API__REQUESTS_PER_MINUTE": "100000"}


# --- browsers ----------------------------------------------------------------------------------------------------------


async def cookie_of(net: Network) -> dict[str, str]:
    said = await net.login("ada", browser=True)
    line = said.headers["Set-Cookie"]
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= set(line.split("; ")), line
    assert said.body["access_token"] == said.body["refresh_token"] == ""
    return {"Cookie": line.partition(";")[0]}


def test_a_browser_gets_a_cookie_that_scripts_cannot_read_and_that_ends_when_idle() -> None:
    """Secure, http-only, same-site; over after 12 hours without a request, and after the logout (EX-1507)."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        cookie = await cookie_of(net)
        assert (await net.ask("GET", "/v1/me", headers=cookie)).body["kind"] == "browser"
        since(net, IDLE_NS - 10**9)
        assert (await net.ask("GET", "/v1/me", headers=cookie)).status == 200
        since(net, IDLE_NS)
        assert (await net.ask("GET", "/v1/me", headers=cookie)).code == "SessionEnded"
        fresh = await cookie_of(net)
        same = {**fresh, "Origin": net.url}
        assert (await net.ask("POST", "/v1/logout", headers=same)).status == 200
        assert (await net.ask("GET", "/v1/me", headers=fresh)).code == "SessionEnded"

    network(work)


def test_a_page_from_elsewhere_changes_nothing_with_a_browsers_cookie() -> None:
    """A cookie comes along by itself: commands and the stream ask for a page of this address, or one that is named."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        cookie = await cookie_of(net)
        for origin in ("https://evil.example", "null", ""):
            said = await net.ask("POST", "/v1/pause", headers={**cookie, "Origin": origin}, json={})
            assert (said.status, said.code) == (403, "OriginRefused")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await net.session.ws_connect(net.url + "/v1/stream", headers={**cookie, "Origin": "https://evil.example"})
        for origin in (net.url, "https://desk.example"):
            said = await net.ask("POST", "/v1/pause", headers={**cookie, "Origin": origin}, json={})
            assert said.status == 200
        named = await net.ask("GET", "/v1/me", headers={**cookie, "Origin": "https://desk.example"})
        assert named.headers["Access-Control-Allow-Origin"] == "https://desk.example"
        other = await net.ask("GET", "/v1/me", headers={**cookie, "Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in other.headers

    network(work, BULKHEAD_API__ALLOWED_ORIGINS='["https://desk.example"]')


def test_no_page_locks_the_owner_out() -> None:
    """A page that he looks at sends no failing logins from his machine, also under a name of his own (EX-1507)."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        port = net.url.rpartition(":")[2]
        rebound = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
        for headers in (rebound, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://[broken"}):
            for _ in range(5):
                said = await net.login("ada", "a wrong guess", headers=headers)
                assert (said.status, said.code) == (403, "OriginRefused"), headers
        assert (await net.login("ada")).status == 200
        assert (await net.login("ada", headers={"Origin": net.url})).status == 200
        again = {"refresh_token": "bhr_000000000000_" + "A" * 43}
        assert (await net.ask("POST", "/v1/refresh", json=again, headers=rebound)).code == "OriginRefused"

    network(work)


def test_every_answer_forbids_what_a_browser_could_do_with_it() -> None:
    """No caching, no framing, no guessing of types, on answers and refusals alike."""

    async def work(net: Network) -> None:
        for said in (await net.ask("GET", "/health/live"), await net.ask("GET", "/v1/status")):
            assert said.headers["Cache-Control"] == "no-store"
            assert said.headers["X-Content-Type-Options"] == "nosniff"
            assert said.headers["X-Frame-Options"] == "DENY"
            assert "default-src 'none'" in said.headers["Content-Security-Policy"]
            assert said.headers["Server"] == "bulkhead"

    network(work)


# --- secrets -----------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_any_file_or_answer() -> None:
    """Passwords, tokens and cookies that were used are in no file of the daemon and in no answer but their own (EX-1508)."""

    async def work(net: Network) -> list[str]:
        await net.person("ada", Role.ADMIN)
        session = (await net.login("ada")).body
        admin = session["access_token"]
        wrong = "a wrong password, but whose?"
        await net.login("ada", wrong)
        made = (await net.ask("POST", "/v1/tokens", admin, json={"name": "t", "scope": "read"})).body["token"]
        second = "another good password"
        await net.ask("POST", "/v1/people", admin, json={"name": "bob", "role": "viewer", "password": second})
        cookie = (await cookie_of(net))["Cookie"].partition("=")[2]
        renewed = (await net.ask("POST", "/v1/refresh", json={"refresh_token": session["refresh_token"]})).body
        secrets = [PASSWORD, wrong, second, admin, made, cookie]
        secrets += [session["refresh_token"], renewed["access_token"], renewed["refresh_token"]]
        await net.rig.until("/v1/log?code=OperatorActed", lambda said: len(said["events"]) >= 2)
        said = [str((await net.ask("GET", path, made)).body) for path in LISTS]
        assert not [secret for secret in secrets for text in said if secret in text]
        stored = [part for secret in secrets for part in (secret, secret.split("_", 2)[-1])]
        folder = net.rig.host.config.app.data_dir
        held = {each.name: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
        assert not [(name, part) for name, data in held.items() for part in stored if part.encode() in data]
        return sorted(held)

    files = network(work)
    assert {"access.db", "journal.db"} <= set(files)


LISTS: Final = ("/v1/status", "/v1/log", "/v1/events", "/v1/config", "/v1/ps", "/v1/figures", "/v1/reports", "/metrics")


def test_the_address_of_alerts_is_shown_to_the_owner_alone() -> None:
    """It holds a secret: over the network the status leaves it out, for an admin too (EX-1503)."""

    async def work(net: Network) -> None:
        admin = await net.token(Scope.ADMIN)
        assert (await net.rig.get("/v1/status"))["webhook_url"].endswith("/token")
        for path in ("/v1/status", "/v1/overview"):
            body: Any = (await net.ask("GET", path, admin)).body
            assert body.get("status", body)["webhook_url"].endswith("/********")

    network(work)


def test_a_listener_whose_session_ends_hears_no_more() -> None:
    """The stream of a session that was logged out, or of a token that was revoked, is closed before the next item."""

    async def work(net: Network) -> None:
        token, admin = await net.token(Scope.READ, "listens"), await net.token(Scope.ADMIN)
        async with net.listening(token, after=0) as line:
            while (await line.receive_json())["kind"] != "live":
                pass
            await net.ask("POST", "/v1/tokens/listens/revoke", admin)
            heard = [await line.receive()]
            while heard[-1].type is aiohttp.WSMsgType.TEXT:
                heard.append(await line.receive())
            assert heard[-1].type is aiohttp.WSMsgType.CLOSE
            assert heard[-1].data == aiohttp.WSCloseCode.POLICY_VIOLATION

    network(work)


def test_a_listener_ends_with_the_time_of_its_proof() -> None:
    """A stream that is open when its session or token runs out by itself may not stay: nobody has to end it (EX-1507)."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.VIEWER)
        access = net.shared.access
        cookie = (await cookie_of(net))["Cookie"].partition("=")[2]
        callers = [await access.caller(text, "x") for text in (cookie, await net.token(Scope.READ, days=1))]
        callers.append((await access.login("ada", PASSWORD, "x")).caller)
        assert [access.still(each) for each in callers] == [True] * 3
        since(net, IDLE_NS)
        assert [access.still(each) for each in callers] == [False, True, True]
        since(net, IDLE_NS)
        assert [access.still(each) for each in callers] == [False, False, True]
        since(net, 14 * 86_400 * 10**9)
        assert [access.still(each) for each in callers] == [False] * 3

    network(work)


def test_a_position_of_another_journal_is_refused() -> None:
    """Who resumes after a position that there is not has another journal in mind, and is told so."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        ahead = await net.ask("GET", "/v1/stream?after=999999", token)
        assert (ahead.status, ahead.code) == (409, "PositionAhead")

    network(work)


def test_a_file_of_the_owner_is_never_world_readable() -> None:
    """What the daemon keeps of people and requests has mode 0600 from its first moment."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE)
        await net.ask("POST", "/v1/pause", token, json={}, headers={"X-Request-Id": "x"})
        config = net.rig.host.config
        assert {oct(each.stat().st_mode & 0o777) for each in (config.access_path, config.requests_path)} == {"0o600"}

    network(work)


def test_who_only_follows_loses_the_old_tail_too() -> None:
    """`/v1/tail` ends like the stream when the token that opened it is taken away."""

    async def work(net: Network) -> None:
        token, admin = await net.token(Scope.READ, "tails"), await net.token(Scope.ADMIN)
        headers = {"Authorization": f"Bearer {token}"}
        async with net.session.ws_connect(net.url + "/v1/tail", headers=headers) as line:
            await net.rig.until("/v1/ps", lambda said: any("1 following" in row["detail"] for row in said["actors"]))
            await net.ask("POST", "/v1/tokens/tails/revoke", admin)
            async with asyncio.timeout(10):
                assert (await line.receive()).type is aiohttp.WSMsgType.CLOSE

    network(work)


def test_sessions_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one session too many the one that was used longest ago ends; others stay."""
    monkeypatch.setattr(keeper_module, "SESSIONS_MOST", 3)

    async def work(net: Network) -> None:
        await net.person("ada", Role.VIEWER)
        tokens = []
        for _ in range(5):
            tokens.append((await net.login("ada")).body["access_token"])
            since(net, 10**9)
        assert [(await net.ask("GET", "/v1/me", token)).status for token in tokens] == [401, 401, 200, 200, 200]
        assert (await net.ask("GET", "/v1/me", tokens[0])).code == "SessionEnded"

    network(work)
