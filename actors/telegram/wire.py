"""The wire to Telegram: one bot of aiogram, one long poll and the messages under way. It decides nothing and keeps nothing.

What a failure means for a message is said in ``Delivery``: a refused connection or 429 certainly brought nothing, a lost or
unreadable answer leaves it unknown. The library is imported when the wire starts; nobody else knows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from anyio import to_thread

from actors.telegram.words import REPEAT_MARK
from protocol.errors import FeatureUnavailable
from protocol.messages import Message
from protocol.secret import Secret
from protocol.telegram import (
    Delivery,
    OutItem,
    OutKind,
    PhoneMail,
    PhoneUpdate,
    PollPhone,
    SendPhone,
    SendResult,
    WireTrouble,
    WireUp,
)
from runtime.actor import Actor, handles

if TYPE_CHECKING:
    from aiogram import Bot

__all__ = ["POLL_S", "SEND_S", "Draw", "TelegramWire"]

POLL_S: Final = 25
"""Seconds that Telegram holds a poll open while nothing comes."""

SEND_S: Final = 20
"""Seconds until a message without an answer counts as unknown."""

_REJECTED_WAIT_S: Final = 60.0


class _Loaded(Message, frozen=True, tag=True):
    OVERFLOW = "keep"

    make: Any


Draw = Callable[[str], Awaitable[bytes]]
"""Draws a picture (PNG) by what it is to show; raises BulkheadError."""


class TelegramWire(Actor):
    """Speaks with Telegram for the bridge at ``bridge``; an edge actor. ``url`` is a Bot API server of your own."""

    def __init__(self, token: Secret, bridge: str, draw: Draw, *, url: str | None = None, poll_s: int = POLL_S) -> None:
        self._token = token
        self._bridge = bridge
        self._draw = draw
        self._url = url
        self._poll_s = poll_s
        self._bot: Bot | None = None
        self._polling = False
        self._sent = 0
        self._early: list[PollPhone | SendPhone] = []

    # --- life ----------------------------------------------------------------------------------------------------------

    def started(self) -> None:
        """Have the bot made beside the loop: its library takes a second to load. What is asked before then waits."""
        self.context.pipe(to_thread.run_sync(_bot_class), _Loaded, real=True)

    @handles
    def loaded(self, msg: _Loaded) -> None:
        """Begin."""
        self._bot = msg.make(self._token, self._url)
        if self.context.system.lookup(self._bridge) is not None:
            self._tell(WireUp())
        early, self._early = self._early, []
        for each in early:
            self.ref.tell(each)

    async def let_go(self) -> None:
        """Close the connections."""
        bot, self._bot = self._bot, None
        if bot is not None:
            # Its own close sleeps a quarter of a second for TLS to end: nobody here waits for that.
            session = getattr(bot.session, "_session", None)
            if session is not None and not session.closed:
                await session.close()

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        return f"{self._sent} sent" + (", polling" if self._polling else "")

    # --- polling -------------------------------------------------------------------------------------------------------

    @handles
    def poll(self, msg: PollPhone) -> None:
        """Ask for updates, once at a time; acknowledge taps."""
        if self._bot is None:
            self._early.append(msg)
            return
        for callback, note in msg.callbacks:
            self.context.pipe(self._acknowledge(callback, note), lambda _: None, lambda _: None, real=True)
        if self._polling:
            return  # what it brings is told to whoever is the bridge then
        self._polling = True
        self.context.pipe(self._poll(msg.offset), self._polled, self._poll_failed, real=True)

    async def _poll(self, offset: int) -> tuple[PhoneUpdate, ...]:
        assert self._bot is not None, "started made it"
        found = await self._bot.get_updates(
            offset=offset,
            timeout=self._poll_s,
            allowed_updates=["message", "callback_query"],
            request_timeout=self._poll_s + 10,
        )
        return tuple(_update(each) for each in found)

    def _polled(self, updates: tuple[PhoneUpdate, ...]) -> None:
        self._polling = False
        self._tell(PhoneMail(updates))

    def _poll_failed(self, error: Exception) -> None:
        self._polling = False
        self._tell(_trouble(error))

    def _tell(self, message: Any) -> None:
        self.context.system.tell(self._bridge, message)

    async def _acknowledge(self, callback: str, note: str) -> None:
        assert self._bot is not None, "started made it"
        await self._bot.answer_callback_query(callback, text=note or None, request_timeout=SEND_S)

    # --- sending -------------------------------------------------------------------------------------------------------

    @handles
    def send(self, msg: SendPhone) -> None:
        """Send one message; what becomes of it is told to the bridge."""
        item = msg.item
        if self._bot is None:
            self._early.append(msg)
            return
        self.context.pipe(self._send(item), self._result, lambda error: self._result(_failed(item, error)), real=True)

    def _result(self, result: SendResult) -> None:
        self._sent += result.delivery is Delivery.DELIVERED
        self._tell(result)

    async def _send(self, item: OutItem) -> SendResult:
        assert self._bot is not None, "started made it"
        bot, keyboard = self._bot, _keyboard(item)
        text = (REPEAT_MARK if item.repeats and item.kind is not OutKind.EDIT else "") + item.text
        if item.kind is OutKind.EDIT:
            await bot.edit_message_text(
                text, chat_id=item.chat, message_id=item.edits, reply_markup=keyboard, request_timeout=SEND_S
            )
            return SendResult(id=item.id, delivery=Delivery.DELIVERED, message_id=item.edits)
        if item.kind is OutKind.PICTURE:
            from aiogram.types import BufferedInputFile

            picture = BufferedInputFile(await self._draw(item.picture), "chart.png")
            sent = await bot.send_photo(item.chat, picture, caption=text[:1000], request_timeout=SEND_S)
        else:
            sent = await bot.send_message(item.chat, text, reply_markup=keyboard, request_timeout=SEND_S)
        return SendResult(id=item.id, delivery=Delivery.DELIVERED, message_id=sent.message_id)


def _bot_class() -> Callable[[Secret, str | None], Bot]:
    """Load the library and return what makes a bot that keeps nothing outside itself.

    Raises FeatureUnavailable without the library.
    """
    try:
        from aiogram import Bot
        from aiogram.client.session.aiohttp import AiohttpSession
        from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
    except ImportError as error:
        raise FeatureUnavailable("telegram", "Telegram") from error

    def make(token: Secret, url: str | None) -> Bot:
        api = TelegramAPIServer.from_base(url.rstrip("/"), is_local=False) if url else PRODUCTION
        return Bot(token.reveal(), session=AiohttpSession(api=api))

    return make


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
        update_id=found.update_id, chat=message.chat.id, user=message.from_user.id, text=(message.text or "")[:1000]
    )


def _keyboard(item: OutItem) -> Any:
    if not item.buttons:
        return None
    from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

    buttons = [InlineKeyboardButton(text=each.label, callback_data=each.data) for each in item.buttons]
    return InlineKeyboardMarkup(inline_keyboard=[buttons[at : at + 2] for at in range(0, len(buttons), 2)])


def _trouble(error: Exception) -> WireTrouble:
    """Say why a poll failed, without the token that stands in addresses."""
    from aiogram import exceptions

    if isinstance(error, exceptions.TelegramRetryAfter):
        return WireTrouble("TelegramBusy", "Telegram asks to wait", float(error.retry_after))
    if isinstance(error, exceptions.TelegramUnauthorizedError | exceptions.TelegramNotFound):
        return WireTrouble("TelegramRejected", "Telegram does not know this bot: is the token right?", _REJECTED_WAIT_S)
    if isinstance(error, exceptions.TelegramConflictError):
        text = "somebody else polls with this bot's token: one bridge a bot"
        return WireTrouble("TelegramConflict", text, _REJECTED_WAIT_S)
    return WireTrouble("TelegramAway", f"Telegram cannot be reached: {type(error).__name__}")


def _failed(item: OutItem, error: Exception) -> SendResult:
    """Return what a failure means for a message."""
    from aiogram import exceptions

    said = f"{type(error).__name__}: {getattr(error, 'message', error)}"[:500]
    delivery, wait = Delivery.UNKNOWN, 0.0
    if isinstance(error, exceptions.TelegramRetryAfter):
        delivery, wait = Delivery.LATER, float(error.retry_after)
    elif isinstance(error, exceptions.TelegramBadRequest) and "not modified" in said:
        return SendResult(id=item.id, delivery=Delivery.DELIVERED, message_id=item.edits)
    elif isinstance(error, exceptions.TelegramUnauthorizedError | exceptions.TelegramServerError):
        delivery = Delivery.LATER
    elif isinstance(error, exceptions.TelegramNetworkError):
        delivery = Delivery.LATER if _never_connected(error) else Delivery.UNKNOWN
    elif isinstance(error, exceptions.ClientDecodeError | asyncio.TimeoutError):
        delivery = Delivery.UNKNOWN
    else:  # refused as it is, or no picture could be drawn
        delivery = Delivery.REFUSED
    return SendResult(id=item.id, delivery=delivery, retry_after_s=wait, error=said)


def _never_connected(error: BaseException) -> bool:
    from aiohttp import ClientConnectorError

    return isinstance(error.__cause__, ClientConnectorError)
