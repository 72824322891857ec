"""The webhook listener over real sockets: what it reads, what it passes on, what it answers."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from actors import webhook
from actors.webhook import WebhookListener
from protocol.risk import EngineTrouble, EngineTroubleOver
from protocol.signals import Problem, SignalAnswer
from runtime.actor import Actor, handles
from runtime.errors import MailboxFull
from runtime.journal import JournalUnavailable
from runtime.memory_journal import MemoryJournal
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.actors.cast import Broken, Stage
from tests.actors.webhook_rig import MOST, PATIENCE_S, TOKEN, Rig, chunks, head, serve

# --- what is passed on -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "x"]
)
@pytest.mark.parametrize("body", [b"{}", b"", b"\xff\xfe\x00", '{"a": "\u00e9"}'.encode(), b" " * MOST])
def test_bodies_are_passed_on_as_they_came(kind: str, body: bytes) -> None:
    """Content type and encoding are nobody's business here: the bytes reach the gateway unchanged (EX-201)."""

    async def script(rig: Rig) -> None:
        assert await rig.post(body, headers={"Content-Type": kind}) == (
            200,
            {"outcome": "accepted", "signal_id": "s1"},
        )
        (request,) = rig.requests
        assert (request.user, request.address, request.body) == ("ann", "127.0.0.1", body)
        assert ("Content-Type", kind) in request.headers

    serve(script)


def test_chunks_are_put_together() -> None:
    """A body that comes in pieces is one body."""

    async def script(rig: Rig) -> None:
        assert (await rig.post(chunks(b"{", b'"a"', b": 1}")))[0] == 200
        assert rig.requests[0].body == b'{"a": 1}'

    serve(script)


def test_a_slow_sender_is_waited_for() -> None:
    """A body that arrives byte by byte is passed on once, when it is complete."""

    async def script(rig: Rig) -> None:
        answer = await rig.raw(head(4), b"a", b"b", b"c", b"d")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert [request.body for request in rig.requests] == [b"abcd"]

    serve(script)


def test_answers_carry_what_the_gateway_says() -> None:
    """Status, outcome and problems are the gateway's."""

    async def script(rig: Rig) -> None:
        rig.answer = SignalAnswer(422, "MissingField", "s2", (Problem("MissingField", "tv.symbol", "is required"),))
        status, answer = await rig.post()
        assert status == 422
        assert answer == {
            "outcome": "MissingField",
            "signal_id": "s2",
            "errors": [{"code": "MissingField", "path": "tv.symbol", "message": "is required", "value": ""}],
        }
        rig.answer = SignalAnswer(401, "SecretMismatch")
        assert await rig.post() == (401, {"outcome": "SecretMismatch"})

    serve(script)


# --- what is not passed on ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"x" * (MOST + 1), b"x" * 1_000_000])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large(data: bytes, chunked: bool) -> None:
    """It is refused by name however it is sent, and the gateway never sees it (EX-250)."""

    async def script(rig: Rig) -> None:
        body = chunks(*(data[at : at + 500] for at in range(0, len(data), 500))) if chunked else data
        try:
            assert await rig.post(body) == (413, {"outcome": "BodyTooLarge"})
        except aiohttp.ClientConnectionError:
            assert len(data) > 100_000  # the answer is lost when a sender goes on writing into a closed connection
        assert rig.requests == []

    serve(script)


@pytest.mark.parametrize(
    "path", ["/webhook/wrong", "/webhook/", "/webhook", f"/webhook/{TOKEN}x", f"/webhook/{TOKEN}/"]
)
def test_a_wrong_address(path: str) -> None:
    """Only the exact address is answered; no redirect gives it away."""

    async def script(rig: Rig) -> None:
        status, _ = await rig.post(path=path)
        assert status == 404
        assert rig.requests == []

    serve(script)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_posts_are_taken(method: str) -> None:
    """Any other method is refused, and changes nothing."""

    async def script(rig: Rig) -> None:
        async with rig.client.request(method, rig.url()) as response:
            assert response.status == 405
        assert rig.requests == []

    serve(script)


def test_health() -> None:
    """Somebody who watches from outside can see that the listener answers."""

    async def script(rig: Rig) -> None:
        async with rig.client.get(rig.url("/health")) as response:
            assert (response.status, await response.json()) == (200, {"status": "ok"})

    serve(script)


@pytest.mark.parametrize("part", [b"", b"ab"])
def test_a_sender_that_hangs_up_early(part: bytes) -> None:
    """A body that never comes to its end is not passed on; the next request is served."""

    async def script(rig: Rig) -> None:
        await rig.raw(head(4), part, close=True)
        assert (await rig.post(b"next"))[0] == 200
        assert [request.body for request in rig.requests] == [b"next"]

    serve(script)


def test_a_sender_that_does_not_wait_for_the_answer() -> None:
    """A complete body counts, once, although its sender has hung up before the answer."""

    async def script(rig: Rig) -> None:
        rig.answer = None
        await rig.raw(head(4), b"gone", close=True)
        async with asyncio.timeout(PATIENCE_S):
            await rig.came.wait()
        rig.answer = SignalAnswer(200, "accepted")
        assert (await rig.post(b"next"))[0] == 200
        assert [request.body for request in rig.requests] == [b"gone", b"next"]

    serve(script)


def test_a_broken_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that are none are the sender's fault, found at once or when the body does not end; nothing is passed on."""
    monkeypatch.setattr(webhook, "BODY_WITHIN_S", 0.05)

    async def script(rig: Rig) -> None:
        broken = f"POST /webhook/{TOKEN} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        answer = await rig.raw(broken, b"4\r\nabcd\r\n", b"nonsense\r\n\r\n")
        assert answer.split()[1] in (b"400", b"408")
        assert rig.requests == []
        assert (await rig.post())[0] == 200

    serve(script)


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that goes silent inside its body does not hold its connection for ever."""
    monkeypatch.setattr(webhook, "BODY_WITHIN_S", 0.05)

    async def script(rig: Rig) -> None:
        answer = await rig.raw(head(4), b"ab", whole=True)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"BodyLate"' in answer
        assert rig.requests == []

    serve(script)


def test_a_body_that_cannot_be_unpacked_is_refused() -> None:
    """A body that says gzip and is none is answered 400 BodyIncomplete, and nothing is passed on."""

    async def script(rig: Rig) -> None:
        start = f"POST /webhook/{TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\n"
        answer = await rig.raw(start.encode(), b"nothing", whole=True)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b'"BodyIncomplete"' in answer
        assert rig.requests == []

    serve(script)


# --- the gateway cannot answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (JournalUnavailable("the disk is full"), "JournalUnavailable"),
        (MailboxFull("full"), "Overloaded"),
        (Broken("a bug"), "GatewayDown"),
    ],
)
def test_what_went_wrong_inside_is_503(error: Exception, outcome: str) -> None:
    """The sender may try again later; what exactly went wrong stays in the house (EX-252)."""

    async def script(rig: Rig) -> None:
        rig.answer = error
        assert await rig.post() == (503, {"outcome": outcome})
        rig.answer = SignalAnswer(200, "accepted")
        assert (await rig.post())[0] == 200

    serve(script)


def test_without_a_gateway() -> None:
    """While no gateway lives the sender is told to try again."""

    async def script(rig: Rig) -> None:
        assert await rig.post() == (503, {"outcome": "GatewayDown"})

    serve(script, gateway=False)


def test_an_answer_that_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender is answered before it gives up; the request is worked on all the same."""
    monkeypatch.setattr(webhook, "ANSWER_WITHIN_S", 0.05)

    async def script(rig: Rig) -> None:
        rig.answer = None
        assert await rig.post() == (503, {"outcome": "AnswerLate"})
        assert len(rig.requests) == 1

    serve(script)


# --- life --------------------------------------------------------------------------------------------------------------


def test_a_restart_listens_again() -> None:
    """After a crash the next life serves; the old one's socket is closed."""

    async def script(rig: Rig) -> None:
        await rig.post()
        old = rig.port
        cell = rig.stage.system.cell_of("/house/webhook")
        assert cell is not None
        former = rig.stage.actor("webhook")
        cell.crash(Broken("by the test"), None)
        await rig.listening(after=former)
        assert (await rig.post())[0] == 200
        if rig.port != old:
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", old)

    serve(script)


def test_an_address_in_use_is_a_crash() -> None:
    """Two listeners on one port: the second does not come up, and the first goes on."""

    async def main() -> None:
        async with aiohttp.ClientSession() as client:
            journal = MemoryJournal()
            async with ActorSystem(journal=journal) as system:
                rig = Rig(Stage(system, journal), client)
                await rig.listening()
                other = ActorSystem()
                async with other:
                    taken = WebhookListener(
                        host="127.0.0.1", port=rig.port, token=TOKEN, user="u", gateway="/g", max_body_bytes=MOST
                    )
                    other.spawn(Spec("webhook", lambda: taken))
                    async with asyncio.timeout(PATIENCE_S):
                        assert isinstance(await other.failed(), OSError)
                assert (await rig.post())[0] == 200

    asyncio.run(main())


# --- what the sender asks for, and what the engine is told --------------------------------------------------------------


def test_a_mapping_may_be_named_in_the_address() -> None:
    """?mapping=NAME reaches the gateway; nothing else of the address's query does."""

    async def script(rig: Rig) -> None:
        assert (await rig.post(path=f"/webhook/{TOKEN}?mapping=3commas&x=1"))[0] == 200
        assert (await rig.post())[0] == 200
        assert [request.mapping for request in rig.requests] == ["3commas", ""]

    serve(script)


def test_no_redirect_on_the_path() -> None:
    """TradingView follows no redirects: with a slash, without one or doubled, none is ever answered (section 1)."""

    async def script(rig: Rig) -> None:
        for path in (f"/webhook/{TOKEN}/", f"//webhook/{TOKEN}", f"/webhook//{TOKEN}", f"/WEBHOOK/{TOKEN}", "/"):
            status, _ = await rig.post(path=path)
            assert status == 404

    serve(script)


class Risk(Actor):
    """Remembers what troubles the engine."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    @handles
    def trouble(self, msg: EngineTrouble | EngineTroubleOver) -> None:
        self.log.append(msg)


def test_a_journal_that_cannot_be_written_stops_the_engine() -> None:
    """503 JournalUnavailable puts the engine into Error with the cause; the next request that is kept ends it (EX-252)."""

    async def script(rig: Rig) -> None:
        log: list[Any] = []
        rig.stage.add("risk", lambda: Risk(log))
        rig.stage.actor("webhook")._risk = "/house/risk"
        rig.answer = JournalUnavailable("the disk is full")
        assert await rig.post() == (503, {"outcome": "JournalUnavailable"})
        rig.answer = SignalAnswer(200, "accepted")
        for _ in range(2):
            await rig.post()
        assert [(type(each), each.cause) for each in log] == [
            (EngineTrouble, "journal"),
            (EngineTroubleOver, "journal"),
        ]
        assert "disk is full" in log[0].text

    serve(script)
