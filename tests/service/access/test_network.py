"""Over the network: whoever shows a token gets in, as far as it reaches; the rest is refused and says why."""

from __future__ import annotations

from typing import Any

from protocol.event_log import EVENT_LOG, LogEvent
from service.access.roles import Role, Scope
from tests.service.access.network_rig import Network, network


def test_a_token_opens_what_its_scope_covers() -> None:
    """A token of read sees, one of trade also acts, and what asks for more is NotAllowed (EX-1504, EX-1505)."""

    async def work(net: Network) -> None:
        bare = await net.ask("GET", "/v1/status")
        assert (bare.status, bare.code) == (401, "NotAuthenticated")
        reads, trades = await net.token(Scope.READ), await net.token(Scope.TRADE)
        assert (await net.ask("GET", "/v1/status", reads)).status == 200
        refused = await net.ask("POST", "/v1/pause", reads, json={"reason": "x"})
        assert (refused.status, refused.code) == (403, "NotAllowed")
        assert (await net.ask("POST", "/v1/pause", trades, json={"reason": "x"})).status == 200
        assert (await net.ask("POST", "/v1/stop", trades)).code == "NotAllowed"

    network(work)


def test_a_person_logs_in_refreshes_and_leaves() -> None:
    """A login gives a short access token and a refresh token that counts once; after the logout neither does (EX-1507)."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.OPERATOR)
        session = await net.login("ada")
        assert session.body["who"]["scopes"] == ["metrics", "read", "trade"]
        said = await net.rig.until("/v1/log?code=LoggedIn", lambda found: found["events"])
        assert said["events"][0]["text"].endswith("ada logged in from 127.0.0.1")
        first = session.body["access_token"]
        assert (await net.ask("GET", "/v1/me", first)).body["name"] == "ada"
        again = await net.ask("POST", "/v1/refresh", json={"refresh_token": session.body["refresh_token"]})
        assert again.status == 200
        assert again.body["refresh_token"] != session.body["refresh_token"]
        second = again.body["access_token"]
        assert (await net.ask("POST", "/v1/logout", second)).status == 200
        assert (await net.ask("GET", "/v1/me", second)).code == "SessionEnded"

    network(work)


def test_a_used_refresh_token_ends_the_session() -> None:
    """Two who show the same refresh token: one of them has stolen it, so both are out."""

    async def work(net: Network) -> None:
        await net.person("ada", Role.VIEWER)
        session = (await net.login("ada")).body
        shown = {"refresh_token": session["refresh_token"]}
        renewed = (await net.ask("POST", "/v1/refresh", json=shown)).body
        assert (await net.ask("POST", "/v1/refresh", json=shown)).code == "TokenReused"
        assert (await net.ask("GET", "/v1/me", renewed["access_token"])).code == "SessionEnded"
        newest = {"refresh_token": renewed["refresh_token"]}
        assert (await net.ask("POST", "/v1/refresh", json=newest)).code == "SessionEnded"

    network(work)


def test_the_stream_resumes_where_it_was_left() -> None:
    """A listener that was away gets what it missed, once and in order, then hears what comes."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE)
        seen: list[dict[str, Any]] = []
        async with net.listening(token, after=0, severity="debug") as line:
            hello = await line.receive_json()
            assert hello["kind"] == "hello"
            await net.ask("POST", "/v1/pause", token, json={"reason": "one"})
            while not any(item.get("type") == "OperatorActed" for item in seen):
                seen.append(await line.receive_json())
        last = max(item["position"] for item in seen)
        for reason in ("two", "three"):
            await net.ask("POST", "/v1/pause", token, json={"reason": reason})
        async with net.listening(token, after=last, severity="debug", bundle=1) as line:
            while sum(item.get("type") == "OperatorActed" for item in seen) < 3:
                seen += await line.receive_json()
        positions = [item["position"] for item in seen if item.get("position") and item["kind"] != "live"]
        assert positions == list(range(1, len(positions) + 1))

    network(work)


def test_groups_that_changed_are_named_when_they_can_be_read() -> None:
    """Who asks for a group on hearing that it changed sees the change: the read models have caught up by then."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.READ)
        system = net.rig.host.system
        async with net.listening(token, kind="changed", severity="debug") as line:
            while (await line.receive_json())["kind"] != "live":
                pass
            system.tell(EVENT_LOG, LogEvent(code="noted", text="something about a group", group_id="g1"))
            item = await line.receive_json()
            assert item["event"]["groups"] == ["g1"]

    network(work)
