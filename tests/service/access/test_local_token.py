"""A token on the control socket: whoever shows one acts as whom it belongs to, as the served cockpit does."""

from __future__ import annotations

import aiohttp

from service.access.roles import Role
from service.api.gate import COOKIE
from tests.service.access.network_rig import PASSWORD, Network, network


def test_a_token_on_the_control_socket_counts_for_what_it_is() -> None:
    """The owner of the socket may do everything; with a viewer's session only what a viewer may, by their name (EX-1505).

    A login that is passed on is locked by the browser's address and not by that of everybody behind the socket (EX-1507).
    """

    async def work(net: Network) -> None:
        await net.person("vic", Role.VIEWER)
        connector = aiohttp.UnixConnector(path=str(net.rig.host.socket_path))
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
            wanted = {"name": "vic", "password": PASSWORD, "browser": True}
            from_browser = {"X-Forwarded-For": "203.0.113.9"}
            async with session.post("http://bulkhead/v1/login", json=wanted, headers=from_browser) as answer:
                assert answer.status == 200
                proof = answer.cookies[COOKIE].value
            shown = {"Authorization": f"Bearer {proof}"}
            async with session.get("http://bulkhead/v1/me", headers=shown) as answer:
                assert (await answer.json())["name"] == "vic"
            async with session.get("http://bulkhead/v1/status", headers=shown) as answer:
                assert answer.status == 200
            async with session.post("http://bulkhead/v1/pause", json={}, headers=shown) as answer:
                assert (answer.status, (await answer.json())["code"]) == (403, "NotAllowed")
            async with session.post("http://bulkhead/v1/pause", json={}) as answer:
                assert answer.status == 200
            wrong = {**wanted, "password": "wrong password"}
            for _ in range(5):
                async with session.post(
                    "http://bulkhead/v1/login", json={**wrong, "name": "eve"}, headers=from_browser
                ):
                    pass
            async with session.post("http://bulkhead/v1/login", json=wanted, headers=from_browser) as answer:
                assert (await answer.json())["code"] == "LockedOut"
            elsewhere = {"X-Forwarded-For": "203.0.113.10"}
            async with session.post("http://bulkhead/v1/login", json=wanted, headers=elsewhere) as answer:
                assert answer.status == 200
            async with session.post("http://bulkhead/v1/logout", json={}, headers=shown) as answer:
                assert answer.status == 200
            async with session.get("http://bulkhead/v1/me", headers=shown) as answer:
                assert (await answer.json())["code"] == "SessionEnded"
        said = await net.rig.until("/v1/log?code=LoggedIn", lambda found: found["events"])
        assert "vic logged in from 203.0.113" in said["events"][-1]["text"]

    network(work)
