"""What whoever guesses meets: locks, the same answer after the same time, and room for everybody else."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Final

import anyio
import pytest

from service.access import guessing as guessing_module
from service.access import hashing
from service.access import keeper as keeper_module
from service.access import lockout as lockout_module
from service.access.errors import AccessRefused
from service.access.keeper import Access
from service.access.lockout import LOCKED_NS
from service.access.people import add_person
from service.access.roles import Role, Scope
from service.access.store import AccessStore
from tests.service.access.network_rig import PASSWORD, PROXY, Network, network, since

NOW: Final = 1_800_000_000 * 10**9


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
        return go_on.wait(60) and False

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        assert (await net.ask("GET", "/v1/me", token)).status == 200
        monkeypatch.setattr(keeper_module, "matches", slow)
        guesses = [asyncio.ensure_future(net.login(f"x{number}", "a wrong guess")) for number in range(2)]
        assert await asyncio.to_thread(begun.acquire, timeout=60)
        while net.shared.access.guessing.waiting < 2:
            await anyio.lowlevel.checkpoint()
        net.shared.access.look_again()
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


def test_a_name_that_nobody_has_is_not_told(tmp_path: Path) -> None:
    """What stands in the log and on the alert strip is no text of a stranger's, nor a password in the wrong field."""
    said: list[str] = []
    access = Access(lambda: AccessStore(tmp_path / "access.db"), lambda: NOW, lambda *line: said.append(line[2]))

    async def main() -> None:
        await access.change(lambda store: add_person(store, "ada", Role.VIEWER, PASSWORD, now=NOW))
        for name in ("call +1 555 0199 at once", "ada"):
            for number in range(5):
                with pytest.raises(AccessRefused):
                    await access.login(name, "a wrong guess", f"203.0.113.{name[:1]}{number}")

    asyncio.run(main())
    access.close()
    locked = [text for text in said if "locked" in text]
    assert locked == [
        f"{who} is locked for 15 minutes after five failures" for who in ("a name that nobody has", "name ada")
    ]


def test_locks_that_are_over_fill_no_disk(tmp_path: Path) -> None:
    """A crowd that makes up names leaves as many rows as there are locks at a time."""
    store = AccessStore(tmp_path / "access.db")
    store.put_locks({"name old": NOW}, NOW - LOCKED_NS)
    store.put_locks({"name new": NOW + LOCKED_NS}, NOW)
    assert store.locks() == {"name new": NOW + LOCKED_NS}
    store.close()


def test_who_is_removed_in_the_middle_of_a_login_fails_as_everybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failure is one of the name and the address it came from, and the answer that of a wrong password."""
    access = Access(lambda: AccessStore(tmp_path / "access.db"), lambda: NOW)
    monkeypatch.setattr(access, "_begun", lambda *_: False)

    async def main() -> None:
        await access.change(lambda store: add_person(store, "ada", Role.VIEWER, PASSWORD, now=NOW))
        for _ in range(5):
            with pytest.raises(AccessRefused) as refused:
                await access.login("ada", PASSWORD, "203.0.113.9")
            assert refused.value.code == "LoginFailed"
        with pytest.raises(AccessRefused) as refused:
            await access.login("bob", PASSWORD, "203.0.113.9")
        assert refused.value.code == "LockedOut"

    asyncio.run(main())
    access.close()
