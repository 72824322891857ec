"""What somebody who means harm may try over the network."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Final

import aiohttp
import anyio
import pytest

from service.access import guessing as guessing_module
from service.access import hashing
from service.access import keeper as keeper_module
from service.access import lockout as lockout_module
from service.access.errors import AccessRefused
from service.access.keeper import IDLE_NS, Access
from service.access.lockout import LOCKED_NS
from service.access.people import add_person
from service.access.roles import Role, Scope
from service.access.store import AccessStore
from tests.service.access.network_rig import PASSWORD, Network, network

PROXY: Final = {"BULKHEAD_API__TRUSTED_PROXIES": '["127.0.0.1/32"]'}
NOW: Final = 1_800_000_000 * 10**9
MANY: Final = {"BULKHEAD_API__REQUESTS_PER_MINUTE": "100000"}


def since(net: Network, passed_ns: int) -> None:
    """Have time pass for who is let in."""
    later = net.server.access.now() + passed_ns
    net.server.access.now = lambda: later


# --- guessing ----------------------------------------------------------------------------------------------------------


def test_a_guessed_password_locks_the_name_and_the_address() -> None:
    """Five failures lock both for 15 minutes, also for the right password; then it counts again (EX-1507)."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        await net.person("bob", Role.OPERATOR)
        inside = (await net.login("ada")).body["access_token"]
        for attempt in range(5):
            said = await net.login("ada", f"a wrong guess {attempt}", headers={"X-Forwarded-For": "203.0.113.7"})
            assert (said.status, said.code) == (401, "LoginFailed")
        locked = await net.login("ada", headers={"X-Forwarded-For": "203.0.113.7"})
        assert (locked.status, locked.code) == (429, "LockedOut")
        assert 890 <= int(locked.headers["Retry-After"]) <= 900
        elsewhere = await net.login("ada", headers={"X-Forwarded-For": "198.51.100.9"})
        assert elsewhere.code == "LockedOut", "the name is locked from everywhere"
        other = await net.login("bob", headers={"X-Forwarded-For": "203.0.113.7"})
        assert other.code == "LockedOut", "the address is locked for every name"
        assert (await net.login("bob", headers={"X-Forwarded-For": "198.51.100.9"})).status == 200
        assert (await net.ask("GET", "/v1/me", inside)).status == 200, "who is in stays in"
        since(net, LOCKED_NS)
        assert (await net.login("ada", headers={"X-Forwarded-For": "203.0.113.7"})).status == 200

    network(work, **PROXY)


def test_a_guessed_token_locks_the_address() -> None:
    """Wrong tokens count like wrong passwords; a program whose token was proven before goes on."""

    async def work(net: Network) -> None:
        known, new = await net.token(Scope.READ, "known"), await net.token(Scope.READ, "new")
        assert (await net.ask("GET", "/v1/me", known)).status == 200
        for guess in ("x", known + "x", known[:-1] + "?", "bhp_000000000000_" + "A" * 43, known.replace("bhp", "bhr")):
            said = await net.ask("GET", "/v1/me", guess)
            assert (said.status, said.code) == (401, "InvalidToken"), guess
        assert (await net.ask("GET", "/v1/me", new)).code == "LockedOut"
        assert (await net.ask("GET", "/v1/me", known)).status == 200
        lines = await net.rig.until("/v1/alerts", lambda said: said["alerts"])
        assert "is locked for 15 minutes" in lines["alerts"][0]["text"]

    network(work)


def test_what_a_stranger_writes_about_his_address_is_not_believed() -> None:
    """Without a trusted proxy X-Forwarded-For frees nobody from a lock; of a proxy's only the last word counts (EX-1507)."""

    async def work(net: Network) -> None:
        for number in range(5):
            await net.login("ada", "a wrong guess", headers={"X-Forwarded-For": f"203.0.113.{number}"})
        assert (await net.login("bob", headers={"X-Forwarded-For": "198.51.100.9"})).code == "LockedOut"

    async def behind_a_proxy(net: Network) -> None:
        for number in range(5):
            said = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.9"}
            await net.login(f"ada{number}", "a wrong guess", headers=said)
        assert (await net.login("bob", headers={"X-Forwarded-For": "198.51.100.9"})).code == "LockedOut"
        assert (await net.login("bob", headers={"X-Forwarded-For": "203.0.113.1"})).code == "LoginFailed"

    network(work)
    network(behind_a_proxy, **PROXY)


def test_a_crowd_of_strangers_frees_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ten thousand addresses and made-up names push out each other, not the lock of somebody who is there (EX-1507)."""
    monkeypatch.setattr(lockout_module, "_MOST", 20)

    async def refused(access: Access, name: str, address: str) -> str:
        with pytest.raises(AccessRefused) as caught:
            await access.login(name, "a wrong guess", address)
        return caught.value.code

    async def work() -> None:
        access = Access(lambda: AccessStore(tmp_path / "access.db"), lambda: NOW)
        await access.change(lambda store: add_person(store, "ada", Role.VIEWER, PASSWORD, now=NOW))
        codes = [await refused(access, "ada", f"192.0.2.{number}") for number in range(6)]
        assert codes == ["LoginFailed"] * 5 + ["LockedOut"]
        for number in [each for each in range(25) for _ in range(5)]:
            await refused(access, f"somebody-{number}", f"198.51.100.{number}")
        assert await refused(access, "somebody-0", "198.51.100.99") == "LoginFailed", "that one is forgotten"
        assert await refused(access, "ada", "203.0.113.1") == "LockedOut"
        access.close()

    asyncio.run(work())


def test_a_name_that_nobody_has_takes_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """One password is verified for each login, whether the name is somebody's or nobody's: time tells neither (EX-1507)."""
    verified: list[bool] = []
    before = hashing.matches

    def counted(kept: str, given: str) -> bool:
        verified.append(bool(kept))
        return before(kept, given)

    async def work(net: Network) -> None:
        await net.person("ada", Role.VIEWER)
        monkeypatch.setattr(keeper_module, "matches", counted)
        said = [await net.login(name, "a wrong guess") for name in ("ada", "nobody", "")]
        assert verified == [True, False, False]
        assert len({(each.status, str(each.body)) for each in said}) == 1

    network(work)


def test_a_crowd_of_logins_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are looked at beside all else, few at a time: whoever is in goes on at once, the crowd is sent away."""
    monkeypatch.setattr(guessing_module, "GUESSES_MOST", 2)
    begun, go_on = threading.Semaphore(0), threading.Event()

    def slow(kept: str, given: str) -> bool:
        begun.release()
        return go_on.wait(20) and False

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        assert (await net.ask("GET", "/v1/me", token)).status == 200
        monkeypatch.setattr(keeper_module, "matches", slow)
        guesses = [asyncio.ensure_future(net.login(f"x{number}", "a wrong guess")) for number in range(2)]
        assert await asyncio.to_thread(begun.acquire, timeout=10)
        while net.server.access.guessing.waiting < 2:
            await anyio.lowlevel.checkpoint()
        net.server.access.look_again()
        assert (await net.ask("GET", "/v1/me", token)).status == 200
        sent_away = await net.login("ada")
        assert (sent_away.status, sent_away.code) == (429, "TooManyRequests")
        go_on.set()
        assert {each.code for each in await asyncio.gather(*guesses)} == {"LoginFailed"}

    network(work)


def test_a_lock_outlives_a_restart(tmp_path: Path) -> None:
    """Ending the daemon does not give a guesser five more tries."""

    async def tries(access: Access, password: str) -> str:
        try:
            await access.login("ada", password, "203.0.113.7")
        except AccessRefused as error:
            return error.code
        return ""

    async def work() -> None:
        first = Access(lambda: AccessStore(tmp_path / "access.db"), lambda: NOW)
        await first.change(lambda store: add_person(store, "ada", Role.VIEWER, PASSWORD, now=NOW))
        assert [await tries(first, "a wrong guess") for _ in range(6)] == ["LoginFailed"] * 5 + ["LockedOut"]
        first.close()
        second = Access(lambda: AccessStore(tmp_path / "access.db"), lambda: NOW + LOCKED_NS - 1)
        assert await tries(second, PASSWORD) == "LockedOut"
        second.close()
        third = Access(lambda: AccessStore(tmp_path / "access.db"), lambda: NOW + LOCKED_NS)
        assert await tries(third, PASSWORD) == ""
        third.close()

    asyncio.run(work())


def test_an_access_token_cannot_be_made_up() -> None:
    """One byte of its time or of its proof, or another session, and it is none."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        token = (await net.login("ada")).body["access_token"]
        kind, session, proof = token.split("_", 2)
        life, until, mac = proof.split(".")
        for forged in (f"{life}.{int(until) + 10**12}.{mac}", f"{life}.{until}.{'0' * 64}"):
            assert (await net.ask("GET", "/v1/me", f"{kind}_{session}_{forged}")).code == "InvalidToken"
        assert (await net.ask("GET", "/v1/me", f"{kind}_{'0' * 12}_{proof}")).code == "InvalidToken"
        assert (await net.ask("GET", "/v1/me", f"{kind}_{session}_00000000.{until}.{mac}")).code == "TokenExpired"

    network(work)


def test_who_asks_too_often_waits() -> None:
    """A caller gets so many answers a minute, and is told when to come back."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        codes = [(await net.ask("GET", "/v1/me", token)).status for _ in range(12)]
        assert codes == [200] * 10 + [429] * 2
        said = await net.ask("GET", "/v1/me", token)
        assert said.code == "TooManyRequests"
        assert int(said.headers["Retry-After"]) > 0

    network(work, BULKHEAD_API__REQUESTS_PER_MINUTE="10")


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
        access = net.server.access
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
