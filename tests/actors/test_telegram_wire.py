"""The wire through the real aiogram against a local Bot API server: what each way of failing means."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import psutil
import pytest

from actors.telegram.outbox import fitting
from actors.telegram.wire import TelegramWire
from protocol.errors import BulkheadError
from protocol.secret import Secret
from protocol.telegram import (
    Button,
    Delivery,
    OutItem,
    OutKind,
    PhoneMail,
    PollPhone,
    SendPhone,
    SendResult,
    WireTrouble,
    WireUp,
)
from runtime.actor import Actor, handles
from runtime.spec import Spec
from runtime.system import ActorSystem
from supervision.backoff import Backoff
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.servers.telegram import TOKEN, TelegramServer

pytestmark = pytest.mark.slow


class Bridge(Actor):
    """Hears the wire."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.news = asyncio.Event()

    @handles
    def hear(self, msg: PhoneMail | SendResult | WireTrouble | WireUp) -> None:
        self.heard.append(msg)
        self.news.set()

    async def next(self, kind: type) -> Any:
        """Wait for a message of a kind, and take it."""
        async with asyncio.timeout(30):
            while not (found := [each for each in self.heard if isinstance(each, kind)]):
                self.news.clear()
                await self.news.wait()
        self.heard.remove(found[0])
        return found[0]


async def draw(picture: str) -> bytes:
    """Draw, or fail as a house without matplotlib does."""
    if picture == "none":
        raise BulkheadError("nothing to draw with")
    return b"\x89PNG" + picture.encode()


def item(number: int, text: str = "hello", kind: OutKind = OutKind.ALERT, **more: Any) -> OutItem:
    return OutItem(id=number, chat=7, kind=kind, text=text, **more)


Script = Callable[[TelegramServer, Bridge, Callable[[Any], None]], Coroutine[Any, Any, None]]
Play = Callable[[Script], None]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """Have one wire for all tests: its process takes seconds to load the library."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def begin() -> tuple[TelegramServer, Bridge, Any]:
            server = await stack.enter_async_context(TelegramServer())
            system = await stack.enter_async_context(ActorSystem())
            bridge = Bridge()
            system.spawn(Spec("bridge", lambda: bridge))
            token = Secret(TOKEN)
            wire = partial(TelegramWire, token, "/bridge", draw, chats=(7,), url=server.url, poll_s=1)
            system.spawn(supervisor("house", ChildSpec("wire", wire, edge=True, backoff=Backoff(0.01))))
            await bridge.next(WireUp)
            return server, bridge, system.lookup("/house/wire")

        server, bridge, ref = runner.run(begin())

        def one(script: Script) -> None:
            server.forget()
            bridge.heard.clear()
            runner.run(script(server, bridge, ref.tell))

        yield one
        runner.run(stack.aclose())


def test_messages_edits_pictures_taps_and_updates(play: Play) -> None:
    """Everything the bridge uses, as Telegram understands it: texts, buttons, edits, pictures, updates once, taps."""

    async def script(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        tell(SendPhone(item(1, buttons=(Button("Yes", "c:1"), Button("No", "x:1")))))
        sent = await bridge.next(SendResult)
        assert (sent.delivery, sent.message_id) == (Delivery.DELIVERED, server.last(7).message_id)
        assert server.last(7).buttons == {"Yes": "c:1", "No": "x:1"}
        given = next(given for name, given in server.calls if name == "sendmessage")
        assert json.loads(given["link_preview_options"]) == {"is_disabled": True}
        assert "parse_mode" not in given  # what others wrote is text, whatever stands in it
        edit = item(2, "bye", OutKind.EDIT, edits=sent.message_id)
        for _ in range(2):  # the second changes nothing, which Telegram calls an error
            tell(SendPhone(edit))
            assert (await bridge.next(SendResult)).delivery is Delivery.DELIVERED
        assert server.last(7).texts == ["hello", "bye"]
        tell(SendPhone(item(3, "equity", OutKind.PICTURE, picture="equity")))
        assert (await bridge.next(SendResult)).delivery is Delivery.DELIVERED
        assert server.last(7).photo == b"\x89PNGequity"
        tell(SendPhone(item(4, repeats=True)))
        await bridge.next(SendResult)
        assert server.last(7).text.startswith("(again")
        first = server.write(7, "/status")
        server.tap(server.last(7), "", data="k:1")
        tell(PollPhone(0))
        mail = await bridge.next(PhoneMail)
        assert [(each.update_id, each.text, each.data) for each in mail.updates] == [
            (first, "/status", ""),
            (first + 1, "", "k:1"),
        ]
        tell(PollPhone(first + 2, ((mail.updates[1].callback, "noted"),)))
        assert (await bridge.next(PhoneMail)).updates == ()
        assert server.toasts == [(mail.updates[1].callback, "noted")]
        assert len(mail.salt) == 32
        assert set(server.menus[7]) >= {"status", "closeall", "help"}

    play(script)


@pytest.mark.parametrize(
    ("fault", "delivery"),
    [
        ("busy", Delivery.LATER),
        ("throttled", Delivery.LATER),
        ("broken", Delivery.LATER),
        ("unknown", Delivery.LATER),
        ("cut", Delivery.UNKNOWN),
        ("garbled", Delivery.UNKNOWN),
    ],
)
def test_what_a_failure_means(play: Play, fault: str, delivery: Delivery) -> None:
    """429 and 5xx brought nothing; a lost or unreadable answer leaves it unknown whether the message is there."""

    async def script(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        server.fail("sendMessage", fault, seconds=11)
        tell(SendPhone(item(1)))
        found = await bridge.next(SendResult)
        assert (found.delivery, found.retry_after_s) == (delivery, 11.0 if fault == "busy" else 0.0)
        assert len(server.seen(7)) == (delivery is Delivery.UNKNOWN)

    play(script)


def test_nobody_there_brought_nothing_and_what_is_refused_is_given_up(play: Play) -> None:
    """A refused connection certainly brought nothing; what Telegram refuses as it is is not tried again."""

    async def script(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        server.fail("sendMessage", "blocked")
        tell(SendPhone(item(1)))
        assert (await bridge.next(SendResult)).delivery is Delivery.REFUSED
        tell(SendPhone(item(2, kind=OutKind.PICTURE, picture="none")))
        assert (await bridge.next(SendResult)).delivery is Delivery.REFUSED
        await server.vanish()
        tell(SendPhone(item(3)))
        assert (await bridge.next(SendResult)).delivery is Delivery.LATER
        tell(PollPhone(0))
        assert (await bridge.next(WireTrouble)).code == "TelegramAway"
        await server.listen()

    play(script)


def test_a_group_that_moved_is_told_with_its_new_id(play: Play) -> None:
    """A supergroup has another id: what is sent to the old one is told where it belongs, and so is the update about it."""

    async def script(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        number = server.move(-5, -100_005)
        tell(SendPhone(OutItem(id=1, chat=-5, kind=OutKind.ALERT, text="hello")))
        found = await bridge.next(SendResult)
        assert (found.delivery, found.moved_to) == (Delivery.LATER, -100_005)
        tell(PollPhone(0))
        (update,) = (await bridge.next(PhoneMail)).updates
        assert (update.update_id, update.chat, update.moved_to, update.text) == (number, -5, -100_005, "")
        tell(PollPhone(number + 1))
        await bridge.next(PhoneMail)

    play(script)


@pytest.mark.parametrize(("fault", "words"), [("conflict", "somebody else polls"), ("hooked", "a webhook is set")])
def test_who_else_takes_the_updates_is_told(play: Play, fault: str, words: str) -> None:
    """409 says either that another program polls, or that a webhook gets the updates: each is put right elsewhere."""

    async def script(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        server.fail("getUpdates", fault)
        tell(PollPhone(0))
        found = await bridge.next(WireTrouble)
        assert found.code == "TelegramConflict"
        assert words in found.text

    play(script)


def test_a_tap_that_is_too_old_and_marks_of_a_message_harm_nothing(play: Play) -> None:
    """A tap that Telegram no longer takes an answer to does not keep updates away; marks stand before the longest text."""

    async def script(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        server.fail("answerCallbackQuery", "stale")
        tell(PollPhone(0, (("1", "late"),)))
        await bridge.next(PhoneMail)
        tell(SendPhone(item(1, fitting("x" * 9_000), repeats=True, left_out=12_345)))
        assert (await bridge.next(SendResult)).delivery is Delivery.DELIVERED
        assert "(12345 older messages were left out: too many waited)" in server.last(7).text

    play(script)


def test_a_wrong_token_and_a_busy_server_are_told(play: Play) -> None:
    """A token that Telegram does not know is said so, without the token; 429 on a poll says how long to wait."""

    async def wrong(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        server.token = "another"
        tell(PollPhone(0))
        found = await bridge.next(WireTrouble)
        server.token = TOKEN
        assert found.code == "TelegramRejected"
        assert TOKEN not in found.text

    async def busy(server: TelegramServer, bridge: Bridge, tell: Callable[[Any], None]) -> None:
        server.fail("getUpdates", "busy", seconds=9)
        tell(PollPhone(0))
        found = await bridge.next(WireTrouble)
        assert (found.code, found.wait_s) == ("TelegramBusy", 9.0)

    play(wrong)
    play(busy)


def test_the_library_is_loaded_beside_the_daemon(play: Play) -> None:
    """Loading aiogram takes seconds of the interpreter: the daemon's own process never does, and never waits for it."""

    async def script(_: TelegramServer, __: Bridge, ___: Callable[[Any], None]) -> None:
        assert "aiogram" not in sys.modules

    play(script)


def test_a_line_that_dies_is_started_anew(play: Play) -> None:
    """DK-155: its supervisor starts the wire again, and the bridge is told, which knows what is uncertain then."""

    async def script(_: TelegramServer, bridge: Bridge, __: Callable[[Any], None]) -> None:
        [line] = [each for each in psutil.Process().children() if "actors.telegram.line" in " ".join(each.cmdline())]
        line.kill()
        await bridge.next(WireUp)
        lines = [each for each in psutil.Process().children() if "actors.telegram.line" in " ".join(each.cmdline())]
        assert line.pid not in [each.pid for each in lines]
        assert len(lines) == 1

    play(script)
