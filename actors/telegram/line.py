"""The line to Telegram, a process of its own that the wire starts. It decides nothing and keeps nothing.

Frames are lines of JSON: first ``Dial``, then what the wire asks; what Telegram answers goes to standard output. It ends
when standard input does, that is with the process that started it, however that one ends. What it logs, and what it dies of,
goes to standard error as ``runtime.child_log`` says it.

A process, because aiogram builds some 300 models when it is loaded: 4 s of CPU and 140 MB, and a thread that does it keeps
the interpreter from whatever trades for up to 0.3 s at a time.

What a failure means for a message is said in ``Delivery``: a refused connection or 429 certainly brought nothing, a lost or
unreadable answer leaves it unknown.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import suppress
from secrets import token_hex
from typing import Any, Final

from aiogram import Bot, exceptions
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.types import BotCommand, BotCommandScopeChat, BufferedInputFile, InlineKeyboardButton, InlineKeyboardMarkup
from aiohttp import ClientConnectorError

from actors.telegram.frames import FAREWELL_S, LONGEST_FRAME, Deliver, Dial, Farewell, frame, request_of
from actors.telegram.words import LEFT_OUT_MARK, REPEAT_MARK
from protocol.telegram import Delivery, OutItem, OutKind, PhoneMail, PhoneUpdate, PollPhone, SendResult, WireTrouble
from runtime.child_log import speak

__all__ = ["NICENESS", "SEND_S", "Line", "main"]

SEND_S: Final = 20
"""Seconds until a message without an answer counts as unknown."""

NICENESS: Final = 5
"""How far it steps back behind whatever trades."""

_REJECTED_WAIT_S: Final = 60.0
_TWO: Final = "somebody else polls with this bot's token: one bridge a bot"


_NOT_YET: Final = (
    exceptions.TelegramUnauthorizedError,
    exceptions.TelegramNotFound,  # what a token that is none is answered
    exceptions.TelegramServerError,
)
"""What says nothing of the message: it waits until the token is right, or Telegram well."""


class Line:
    """One bot: one long poll and the messages under way."""

    def __init__(self, dial: Dial) -> None:
        api = TelegramAPIServer.from_base(dial.url.rstrip("/"), is_local=False) if dial.url else PRODUCTION
        # What somebody else wrote into an alert's name is shown, but Telegram is not sent to look at its links.
        plain = DefaultBotProperties(link_preview_is_disabled=True)
        self._bot = Bot(dial.token, session=AiohttpSession(api=api), default=plain)
        self._poll_s = dial.poll_s
        self._menu = [BotCommand(command=name, description=about) for name, about in dial.menu]
        self._chats = dial.chats
        self._polling = False

    async def offer(self) -> None:
        """Have Telegram offer the commands while somebody types; a chat where that fails does without."""
        for chat in self._chats:
            with suppress(exceptions.AiogramError):
                scope = BotCommandScopeChat(chat_id=chat)
                await self._bot.set_my_commands(self._menu, scope, request_timeout=SEND_S)

    async def bid_farewell(self, text: str) -> None:
        """Tell every chat, each once, within the time there is."""
        said = [self._bot.send_message(chat, text, request_timeout=FAREWELL_S) for chat in self._chats]
        await asyncio.gather(*said, return_exceptions=True)

    async def hang_up(self) -> None:
        """Close the connections; nothing is asked after that."""
        await self._bot.session.close()

    async def take(self, asked: PollPhone | Deliver) -> None:
        """Do what the wire asks and say what came of it; polls one at a time."""
        if isinstance(asked, Deliver):
            _say(await self._delivered(asked))
            return
        await asyncio.gather(*(self._acknowledge(*each) for each in asked.callbacks))
        if self._polling:
            return  # what it brings is told to whoever is the bridge then
        self._polling = True
        try:
            salt = token_hex(16)  # house: chance from outside; the bridge is told it, so a replay knows it
            found: PhoneMail | WireTrouble = PhoneMail(await self._poll(asked.offset), salt, self._bot.id)
        except Exception as error:  # noqa: BLE001 - whatever the library raises is told to the bridge
            found = _trouble(error)
        self._polling = False
        _say(found)

    async def _poll(self, offset: int) -> tuple[PhoneUpdate, ...]:
        found = await self._bot.get_updates(
            offset=offset,
            timeout=self._poll_s,
            allowed_updates=["message", "callback_query"],
            request_timeout=self._poll_s + 10,
        )
        return tuple(_update(each) for each in found)

    async def _acknowledge(self, callback: str, note: str) -> None:
        with suppress(exceptions.AiogramError):  # a tap that nobody acknowledges stops glowing by itself
            await self._bot.answer_callback_query(callback, text=note or None, request_timeout=SEND_S)

    async def _delivered(self, asked: Deliver) -> SendResult:
        item = asked.item
        try:
            message_id = await self._send(item, asked.picture)
        except Exception as error:  # noqa: BLE001 - whatever the library raises is told to the bridge
            return _failed(item, error)
        return SendResult(id=item.id, delivery=Delivery.DELIVERED, message_id=message_id)

    async def _send(self, item: OutItem, picture: bytes) -> int:
        bot, keyboard = self._bot, _keyboard(item)
        if item.kind is OutKind.EDIT:
            await bot.edit_message_text(
                item.text, chat_id=item.chat, message_id=item.edits, reply_markup=keyboard, request_timeout=SEND_S
            )
            return item.edits
        if item.kind is OutKind.PICTURE:
            photo = BufferedInputFile(picture, "chart.png")
            sent = await bot.send_photo(item.chat, photo, caption=item.text[:1_000], request_timeout=SEND_S)
            return sent.message_id
        marks = (REPEAT_MARK if item.repeats else "") + (LEFT_OUT_MARK.format(item.left_out) if item.left_out else "")
        text = marks + item.text
        sent = await bot.send_message(item.chat, text, reply_markup=keyboard, request_timeout=SEND_S)
        return sent.message_id


def _update(found: Any) -> PhoneUpdate:
    """Return what counts of an update; of a kind that does not count only its number."""
    message, tap = found.message, found.callback_query
    if tap is not None:
        under = tap.message
        return PhoneUpdate(
            update_id=found.update_id,
            chat=under.chat.id if under is not None else 0,
            user=tap.from_user.id,
            data=(tap.data or "")[:64],
            callback=tap.id,
            message_id=under.message_id if under is not None else 0,
        )
    if message is None or message.from_user is None:
        return PhoneUpdate(update_id=found.update_id)
    return PhoneUpdate(
        update_id=found.update_id,
        chat=message.chat.id,
        user=message.from_user.id,
        text=(message.text or "")[:1_000],
        moved_to=message.migrate_to_chat_id or 0,
    )


def _keyboard(item: OutItem) -> InlineKeyboardMarkup | None:
    if not item.buttons:
        return None
    buttons = [InlineKeyboardButton(text=each.label, callback_data=each.data) for each in item.buttons]
    return InlineKeyboardMarkup(inline_keyboard=[buttons[at : at + 2] for at in range(0, len(buttons), 2)])


def _trouble(error: Exception) -> WireTrouble:
    """Say why a poll failed, without the token that stands in addresses."""
    if isinstance(error, exceptions.TelegramRetryAfter):
        return WireTrouble("TelegramBusy", "Telegram asks to wait", float(error.retry_after))
    if isinstance(error, exceptions.TelegramUnauthorizedError | exceptions.TelegramNotFound):
        return WireTrouble("TelegramRejected", "Telegram does not know this bot: is the token right?", _REJECTED_WAIT_S)
    if isinstance(error, exceptions.TelegramConflictError):
        hooked = "webhook" in error.message
        text = "a webhook is set for this bot: its updates go there" if hooked else _TWO
        return WireTrouble("TelegramConflict", text, _REJECTED_WAIT_S)
    return WireTrouble("TelegramAway", f"Telegram cannot be reached: {type(error).__name__}")


def _failed(item: OutItem, error: Exception) -> SendResult:
    """Return what a failure means for a message."""
    said = f"{type(error).__name__}: {getattr(error, 'message', error)}"[:500]
    delivery, wait = Delivery.UNKNOWN, 0.0
    if isinstance(error, exceptions.TelegramRetryAfter):
        delivery, wait = Delivery.LATER, float(error.retry_after)
    elif isinstance(error, exceptions.TelegramBadRequest) and "not modified" in said:
        return SendResult(id=item.id, delivery=Delivery.DELIVERED, message_id=item.edits)
    elif isinstance(error, exceptions.TelegramMigrateToChat):
        return SendResult(id=item.id, delivery=Delivery.LATER, moved_to=error.migrate_to_chat_id)
    elif isinstance(error, _NOT_YET) or "Too Many Requests" in said:
        delivery = Delivery.LATER
    elif isinstance(error, exceptions.TelegramNetworkError):
        never_connected = isinstance(error.__cause__, ClientConnectorError)
        delivery = Delivery.LATER if never_connected else Delivery.UNKNOWN
    elif isinstance(error, exceptions.ClientDecodeError | asyncio.TimeoutError):
        delivery = Delivery.UNKNOWN
    else:  # refused as it is
        delivery = Delivery.REFUSED
    return SendResult(id=item.id, delivery=delivery, retry_after_s=wait, error=said)


def _say(said: PhoneMail | SendResult | WireTrouble) -> None:
    sys.stdout.buffer.write(frame(said))
    sys.stdout.buffer.flush()


async def _talk() -> None:
    """Do what standard input asks until it ends; what is under way then is cut off."""
    heard = asyncio.StreamReader(limit=LONGEST_FRAME)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(heard), sys.stdin)
    raw = await heard.readline()
    if not raw:
        return
    dial = request_of(raw)
    assert isinstance(dial, Dial), "the first frame dials"
    line = Line(dial)
    under_way = {asyncio.create_task(line.offer())}

    def done(task: asyncio.Task[None]) -> None:
        under_way.discard(task)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            heard.set_exception(error)  # a line that has lost a poll would be deaf: it ends, and is started anew

    try:
        while raw := await heard.readline():
            asked = request_of(raw)
            if isinstance(asked, Farewell):
                await line.bid_farewell(asked.text)
                return
            assert not isinstance(asked, Dial), "one line a process"
            task = asyncio.create_task(line.take(asked))
            under_way.add(task)
            task.add_done_callback(done)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await line.hang_up()


def main() -> None:
    """Speak until standard input ends; signals are the business of who started us."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    speak()
    gc.freeze()
    gc.enable()
    asyncio.run(_talk())
