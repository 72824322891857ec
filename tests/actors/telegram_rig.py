"""The bridge to Telegram on the virtual clock: a stand-in for the wire that plays Telegram, a seat that remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from actors.event_log import EventLog
from actors.notifier import Backlog, Notifier, drafts_of
from actors.telegram.seat import Answer, Member, Named, PhoneSettings
from actors.telegram.telling import TelegramBridge
from protocol.event_log import EVENT_LOG, EventLogged, LogEvent
from protocol.notifications import NOTIFIER
from protocol.telegram import (
    Button,
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
from rules.telegram.commands import Role
from runtime.actor import Actor, handles
from supervision.child import ChildSpec
from supervision.tree import supervisor
from tests.actors.cast import Stage

ADMIN = 7
WATCHER = 8
GROUP = -5
SETTINGS = PhoneSettings(
    (Member(ADMIN, ADMIN, Role.ADMIN), Member(WATCHER, None, Role.WATCH), Member(GROUP, 70, Role.TRADE)),
    ("paper",),
    pace_s=1.0,
)
BRIDGE = "/operators/telegram/bridge"
WIRE = "/operators/telegram/wire"

__all__ = [
    "ADMIN",
    "BRIDGE",
    "GROUP",
    "SETTINGS",
    "WATCHER",
    "WIRE",
    "FakeSeat",
    "FakeWire",
    "Telegram",
    "alert",
    "crash",
    "house",
    "logged",
    "ready",
]


class Telegram:
    """What Telegram holds: updates until they are forgotten, messages as people see them, how it answers the next sends."""

    def __init__(self) -> None:
        self.updates: list[PhoneUpdate] = []
        self.seen: list[OutItem] = []
        self.texts: dict[int, str] = {}
        self.answers: list[Delivery] = []
        self.retry_after_s = 0.0
        self.offsets: list[int] = []
        self.toasts: list[str] = []
        self.away = False
        self.moved: dict[int, int] = {}
        self.blocked: set[int] = set()
        self.failing: set[int] = set()
        self.salt = ""
        self.bot = 1
        self.drawing = False
        self._next = 100
        self._wire: FakeWire | None = None

    def write(self, text: str, *, chat: int = ADMIN, user: int | None = None) -> int:
        """Have a person write."""
        return self._add(chat=chat, user=user if user is not None else abs(chat), text=text)

    def tap(self, data: str, *, chat: int = ADMIN, user: int | None = None) -> int:
        """Have a person tap a button."""
        return self._add(chat=chat, user=user if user is not None else abs(chat), data=data, callback=f"cb{self._next}")

    def _add(self, **fields: Any) -> int:
        self._next += 1
        self.updates.append(PhoneUpdate(update_id=self._next, **fields))
        if self._wire is not None:
            self._wire.bring()
        return self._next

    def answer_empty(self) -> None:
        """End the poll that is open, as one that brought nothing."""
        assert self._wire is not None
        self._wire.end_poll()

    def said(self, chat: int = ADMIN) -> list[str]:
        """Return what stands in a chat."""
        return [self.texts[number] for number, item in enumerate(self.seen, 1) if item.chat == chat]

    def last(self, chat: int = ADMIN) -> OutItem:
        """Return the newest message of a chat."""
        return [item for item in self.seen if item.chat == chat][-1]


class FakeWire(Actor):
    """Stands for the wire; it is an edge like the real one."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self._offset: int | None = None

    def started(self) -> None:
        self.telegram._wire = self
        if self.context.system.lookup(BRIDGE) is not None:
            self.context.system.tell(BRIDGE, WireUp())

    @handles
    def poll(self, msg: PollPhone) -> None:
        self.telegram.offsets.append(msg.offset)
        self.telegram.toasts += [note for _, note in msg.callbacks]
        self._offset = msg.offset
        self.bring()

    def bring(self) -> None:
        telegram = self.telegram
        if self._offset is None:
            return
        if telegram.away:
            self._offset = None
            self.context.system.tell(BRIDGE, WireTrouble("TelegramAway", "cannot be reached"))
            return
        if self._offset <= telegram._next + 1:  # one beyond all numbers changes nothing there
            telegram.updates = [each for each in telegram.updates if each.update_id >= self._offset]
        if telegram.updates:
            self._offset = None
            self.context.system.tell(BRIDGE, PhoneMail(tuple(telegram.updates), telegram.salt, telegram.bot))

    def end_poll(self) -> None:
        self._offset = None
        self.context.system.tell(BRIDGE, PhoneMail((), self.telegram.salt))

    @handles
    def send(self, msg: SendPhone) -> None:
        telegram, item = self.telegram, msg.item
        if telegram.drawing and item.kind is OutKind.PICTURE:
            return
        if item.chat in telegram.moved:
            moved = SendResult(id=item.id, delivery=Delivery.LATER, moved_to=telegram.moved[item.chat])
            self.context.system.tell(BRIDGE, moved)
            return
        if item.chat in telegram.blocked:
            self.context.system.tell(BRIDGE, SendResult(id=item.id, delivery=Delivery.REFUSED, error="blocked"))
            return
        answer = (
            Delivery.LATER
            if telegram.away or item.chat in telegram.failing
            else telegram.answers.pop(0)
            if telegram.answers
            else Delivery.DELIVERED
        )
        number = item.edits
        if answer in (Delivery.DELIVERED, Delivery.UNKNOWN):
            if not item.edits:
                telegram.seen.append(item)
                number = len(telegram.seen)
            telegram.texts[number] = item.text
        self.context.system.tell(
            BRIDGE,
            SendResult(id=item.id, delivery=answer, message_id=number, retry_after_s=telegram.retry_after_s, error="x"),
        )


class FakeSeat:
    """A house that remembers what it was asked to do; ``status`` is what it shows."""

    def __init__(self) -> None:
        self.status = "all is well"
        self.acts: list[tuple[str, tuple[str, ...], str]] = []
        self.act_now: Callable[[str], Any] | None = None
        self.naming = Named("do it", ())
        self.buttons: tuple[Button, ...] = ()

    def close(self) -> None:
        pass

    async def show(self, command: str, args: Sequence[str], account: str) -> Answer:
        if command == "/status":
            return Answer(self.status)
        return Answer(" ".join((command, *args, account)).strip(), self.buttons)

    async def name(self, command: str, args: Sequence[str], account: str) -> Named:
        return self.naming

    async def act(self, command: str, args: Sequence[str], account: str, *, request_id: str, by: str) -> str:
        self.acts.append((command, tuple(args), request_id))
        if self.act_now is not None:
            return str(await self.act_now(command))
        return f"did {command}"


def house(stage: Stage, telegram: Telegram, seat: FakeSeat, settings: PhoneSettings = SETTINGS) -> None:
    """Build event log, notifier and bridge where they live in a daemon."""

    async def backlog(after: int) -> Backlog:
        head = stage.journal.head()
        if after < 0:
            return Backlog((), head)
        return drafts_of([(each.position, each.at, each.event) for each in stage.journal.read_all(after)], head)

    assert EVENT_LOG == "/store/events"
    assert NOTIFIER == "/operators/notifier"
    stage.system.spawn(supervisor("store", ChildSpec("events", EventLog)))
    wire = ChildSpec("wire", lambda: FakeWire(telegram), edge=True)
    bridge = ChildSpec("bridge", lambda: TelegramBridge(settings, seat, WIRE))
    notifier = ChildSpec("notifier", lambda: Notifier(backlog))
    stage.system.spawn(supervisor("operators", notifier, supervisor("telegram", wire, bridge)))


def crash(stage: Stage, path: str) -> None:
    """End an actor's life by an error; its supervisor starts the next."""
    cell = stage.system.cell_of(path)
    assert cell is not None
    cell.crash(RuntimeError("by the test"), None)


async def ready(stage: Stage, telegram: Telegram, seat: FakeSeat) -> None:
    house(stage, telegram, seat)
    await stage.passes(1)


def alert(stage: Stage, code: str) -> None:
    stage.system.tell(EVENT_LOG, LogEvent(code=code, text=f"{code} happened", pinned=True))


def logged(stage: Stage, code: str) -> list[Any]:
    return [each for each in stage.events("/store/events", EventLogged) if each.code == code]
