"""A local server that speaks Telegram's Bot API over HTTP, and misbehaves on command.

``getMe``, ``getUpdates`` (long poll, offset forgets), ``sendMessage``, ``editMessageText``, ``answerCallbackQuery``,
``sendPhoto``, ``deleteMessage``, ``setMyCommands``. Faults, each for the next ``times`` calls of a method: ``busy``
(429 with retry_after), ``throttled`` (429 of a proxy, which says no time), ``broken`` (500), ``blocked`` (403),
``unknown`` (404, as for a token that is none), ``conflict`` (409, somebody else polls), ``hooked`` (409, a webhook is
set), ``stale`` (400, a tap that is too old), ``cut`` (taken, then the connection ends without an answer), ``garbled``
(taken, answered with no JSON). Of two polls the newer one wins: the older is answered 409. A group that ``move`` made a
supergroup is refused under its old id, with the new one. After ``renumber`` updates have other numbers, as after a
silent week; an ``offset`` beyond them changes nothing.
People write with ``write`` and ``tap``; what they see is in ``chats``; ``until`` waits for it without sleeping.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.servers.closing import no_more_guests

TOKEN = "123456:LOCAL-bot-token_for_tests"


@dataclass
class Shown:
    """A message as a person sees it; ``texts`` are all it ever said, the newest last."""

    chat: int
    message_id: int
    texts: list[str]
    buttons: dict[str, str] = field(default_factory=dict)
    photo: bytes = b""

    @property
    def text(self) -> str:
        return self.texts[-1]


class TelegramServer:
    """The server; use it as an async context manager."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.chats: dict[int, list[Shown]] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.toasts: list[tuple[str, str]] = []
        self.waits: list[int] = []
        self.menus: dict[int, dict[str, str]] = {}
        self.port = 0
        self._updates: deque[dict[str, Any]] = deque()
        self._next_update = 1_000
        self._next_message = 1
        self._faults: dict[str, deque[tuple[str, int]]] = {}
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._moved: dict[int, int] = {}
        self._polls = 0

    # --- life ----------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()

    async def listen(self) -> None:
        """Begin to answer, at the same port as before."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def vanish(self) -> None:
        """Refuse connections, as when Telegram cannot be reached."""
        if self._runner is not None:
            self._note()
            await no_more_guests(self._runner)
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        """The address for ``telegram.url``."""
        return f"http://127.0.0.1:{self.port}"

    # --- people --------------------------------------------------------------------------------------------------------

    def write(self, chat: int, text: str, *, user: int | None = None) -> int:
        """Have a person write; return the update's number."""
        sender = self._person(user if user is not None else chat)
        message = {"message_id": self._message_id(), "date": 0, "chat": self._chat(chat), "from": sender, "text": text}
        return self._update({"message": message})

    def tap(self, shown: Shown, label: str, *, user: int | None = None, data: str = "") -> int:
        """Have a person tap a button that a message has, or had (``data``)."""
        sender = self._person(user if user is not None else shown.chat)
        message = {"message_id": shown.message_id, "date": 0, "chat": self._chat(shown.chat), "text": shown.text}
        query = {"id": str(self._next_update), "from": sender, "message": message, "chat_instance": "1"}
        return self._update({"callback_query": {**query, "data": data or shown.buttons[label]}})

    def move(self, chat: int, to: int) -> int:
        """Make a supergroup of a group; return the number of the update that says so."""
        self._moved[chat] = to
        sender = self._person(1087968824)
        message = {"message_id": self._message_id(), "date": 0, "chat": self._chat(chat), "from": sender}
        return self._update({"message": {**message, "migrate_to_chat_id": to}})

    def renumber(self, first: int) -> None:
        """Give the next update this number."""
        self._next_update = first

    def forget(self) -> None:
        """Begin with empty chats."""
        self.chats.clear()
        self.calls.clear()
        self.toasts.clear()

    def seen(self, chat: int) -> list[str]:
        """Return what stands in a chat."""
        return [each.text for each in self.chats.get(chat, [])]

    def last(self, chat: int) -> Shown:
        """Return the newest message of a chat."""
        return self.chats[chat][-1]

    def fail(self, method: str, fault: str, *, times: int = 1, seconds: int = 1) -> None:
        """Misbehave at the next calls of a method."""
        self._faults.setdefault(method.lower(), deque()).extend([(fault, seconds)] * times)

    def called(self, method: str) -> int:
        """Return how often a method was called."""
        return sum(name == method.lower() for name, _ in self.calls)

    async def until(self, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until something holds: looked at after each call and update."""
        async with asyncio.timeout(seconds):
            while not (found := holds()):
                self._changed.clear()
                await self._changed.wait()
        return found

    # --- the protocol --------------------------------------------------------------------------------------------------

    async def _call(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["token"] != self.token:
            return _error(401, "Unauthorized")
        method = request.match_info["method"].lower()
        given = await _fields(request)
        self.calls.append((method, given))
        fault, seconds = self._faults[method].popleft() if self._faults.get(method) else ("", 0)
        try:
            if fault == "busy":
                return _error(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})
            if fault in _REFUSALS:
                return _error(*_REFUSALS[fault])
            answer = await getattr(self, f"_{method}", self._unknown)(given)
            if fault == "cut":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            if fault == "garbled":
                return web.Response(text="<html>not JSON", content_type="application/json")
            return answer
        finally:
            self._note()

    async def _unknown(self, _: dict[str, Any]) -> web.Response:
        return _error(404, "Not Found: method not found")

    async def _getme(self, _: dict[str, Any]) -> web.Response:
        return _ok({"id": 123456, "is_bot": True, "first_name": "local", "username": "local_bot"})

    async def _getupdates(self, given: dict[str, Any]) -> web.Response:
        offset, wait = int(given.get("offset", 0)), int(given.get("timeout", 0))
        self.waits.append(offset)
        self._polls += 1
        mine = self._polls
        if (waits := getattr(self, "_arrived", None)) is not None:
            waits.set()  # the poll before this one ends
        while self._updates and self._updates[0]["update_id"] < offset <= self._next_update:
            self._updates.popleft()
        deadline = asyncio.get_running_loop().time() + wait
        while not self._updates and self._runner is not None and mine == self._polls:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                break
            arrived = self._arrived = asyncio.Event()
            try:
                await asyncio.wait_for(arrived.wait(), left)
            except TimeoutError:
                break
        if mine != self._polls:
            return _error(*_REFUSALS["conflict"])
        return _ok(list(self._updates)[:100])

    async def _sendmessage(self, given: dict[str, Any]) -> web.Response:
        return self._show(given, given["text"])

    async def _sendphoto(self, given: dict[str, Any]) -> web.Response:
        name = given["photo"].removeprefix("attach://")
        return self._show(given, given.get("caption", ""), given[name])

    def _show(self, given: dict[str, Any], text: str, photo: bytes = b"") -> web.Response:
        chat = int(given["chat_id"])
        if chat in self._moved:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            return _error(400, text, {"migrate_to_chat_id": self._moved[chat]})
        if not text.strip() and not photo:
            return _error(400, "Bad Request: message text is empty")
        if any(len(data.encode()) > 64 for data in _buttons(given).values()):
            return _error(400, "Bad Request: BUTTON_DATA_INVALID")
        if _length(text) > (1_024 if photo else 4_096):
            return _error(400, "Bad Request: message is too long")
        shown = Shown(chat, self._message_id(), [text], _buttons(given), photo)
        self.chats.setdefault(chat, []).append(shown)
        return _ok({"message_id": shown.message_id, "date": 0, "chat": self._chat(chat), "text": text})

    async def _editmessagetext(self, given: dict[str, Any]) -> web.Response:
        chat, ident = int(given["chat_id"]), int(given["message_id"])
        shown = next((each for each in self.chats.get(chat, []) if each.message_id == ident), None)
        if shown is None:
            return _error(400, "Bad Request: message to edit not found")
        buttons = _buttons(given)
        if shown.text == given["text"] and shown.buttons == buttons:
            return _error(400, "Bad Request: message is not modified")
        shown.texts.append(given["text"])
        shown.buttons = buttons
        return _ok({"message_id": ident, "date": 0, "chat": self._chat(chat), "text": given["text"]})

    async def _setmycommands(self, given: dict[str, Any]) -> web.Response:
        commands = json.loads(given["commands"])
        for each in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", each["command"]) or not 1 <= len(each["description"]) <= 256:
                return _error(400, "Bad Request: invalid command specified")
        chat = json.loads(given["scope"])["chat_id"]  # a menu for everybody would tell strangers what this bot is
        self.menus[chat] = {each["command"]: each["description"] for each in commands}
        return _ok(True)

    async def _deletemessage(self, given: dict[str, Any]) -> web.Response:
        chat, ident = int(given["chat_id"]), int(given["message_id"])
        self.chats[chat] = [each for each in self.chats.get(chat, []) if each.message_id != ident]
        return _ok(True)

    async def _answercallbackquery(self, given: dict[str, Any]) -> web.Response:
        self.toasts.append((given["callback_query_id"], given.get("text", "")))
        return _ok(True)

    # --- parts ---------------------------------------------------------------------------------------------------------

    def _note(self) -> None:
        self._changed.set()

    def _update(self, what: dict[str, Any]) -> int:
        number = self._next_update
        self._next_update += 1
        self._updates.append({"update_id": number, **what})
        arrived = getattr(self, "_arrived", None)
        if arrived is not None:
            arrived.set()
        self._note()
        return number

    def _message_id(self) -> int:
        self._next_message += 1
        return self._next_message

    @staticmethod
    def _chat(chat: int) -> dict[str, Any]:
        return {"id": chat, "type": "private" if chat > 0 else "group", "title": "t", "first_name": "p"}

    @staticmethod
    def _person(user: int) -> dict[str, Any]:
        return {"id": user, "is_bot": False, "first_name": f"user {user}"}


def _length(text: str) -> int:
    """Return what Telegram counts: units of UTF-16."""
    return len(text.encode("utf-16-le")) // 2


_REFUSALS = {
    "blocked": (403, "Forbidden: bot was blocked by the user"),
    "broken": (500, "Internal Server Error"),
    "throttled": (429, "Too Many Requests"),
    "unknown": (404, "Not Found"),
    "conflict": (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    ),
    "hooked": (
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete it first",
    ),
    "stale": (400, "Bad Request: query is too old and response timeout expired or query ID is invalid"),
}


async def _fields(request: web.Request) -> dict[str, Any]:
    if not request.content_type.startswith("multipart/"):
        return dict(await request.post()) or dict(request.query)
    found: dict[str, Any] = {}
    async for part in await request.multipart():
        data = await part.read()  # type: ignore[union-attr]
        name = str(part.name)  # type: ignore[union-attr]
        found[name] = bytes(data) if part.filename else data.decode()  # type: ignore[union-attr]
    return found


def _buttons(given: dict[str, Any]) -> dict[str, str]:
    rows = json.loads(given["reply_markup"])["inline_keyboard"] if given.get("reply_markup") else []
    return {each["text"]: each["callback_data"] for row in rows for each in row}


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _error(code: int, text: str, parameters: dict[str, Any] | None = None) -> web.Response:
    body = {"ok": False, "error_code": code, "description": text}
    return web.json_response({**body, "parameters": parameters} if parameters else body, status=code)
