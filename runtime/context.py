"""What an actor may use of the system it lives in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from random import Random
from threading import get_ident
from typing import TYPE_CHECKING, Any

from runtime.lifecycle import NEWS, Exit, ExitKind, LifeState
from runtime.spec import Spec
from runtime.threads import thread_envelope
from runtime.timers import Timers

if TYPE_CHECKING:
    from runtime.bus import Bus
    from runtime.cell import Cell
    from runtime.envelope import Envelope
    from runtime.ref import ActorRef
    from runtime.system import ActorSystem

__all__ = ["Context"]


class Context:
    """One life of one actor: its reference, timers, children and ways to the rest of the system."""

    __slots__ = ("_cell", "_random", "timers")

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.timers = Timers(cell, cell.system.timers)
        self._random: Random | None = None

    @property
    def ref(self) -> ActorRef:
        """The actor's own reference."""
        return self._cell.ref

    @property
    def path(self) -> str:
        """The actor's path, for example ``/trading/gateway``."""
        return self._cell.path

    @property
    def system(self) -> ActorSystem:
        """The system this actor lives in."""
        return self._cell.system

    @property
    def bus(self) -> Bus:
        """The bus of facts."""
        return self._cell.system.bus

    @property
    def envelope(self) -> Envelope | None:
        """The envelope of the message being handled."""
        system = self._cell.system
        return system.current if get_ident() == system.thread_id else thread_envelope()[0]

    @property
    def children(self) -> tuple[ActorRef, ...]:
        """References of the living children, in the order of their making."""
        return tuple(child.ref for child in self._cell.children.values())

    def spawn(self, spec: Spec) -> ActorRef:
        """Make and start a child; a ``ChildStarted`` or ``ChildExited`` follows. Raises SpawnRefused."""
        return self._cell.spawn(spec)

    def respawn(self, name: str) -> None:
        """Give an ended child its next life: a new object, the same reference and mailbox."""
        self._cell.children[name].start()

    def stop_child(self, name: str) -> None:
        """Ask a child to end by its deadline; ``ChildExited`` follows and its mailbox is kept until ``forget``."""
        self._cell.children[name].begin_stop()

    def forget(self, name: str) -> None:
        """End an ended child for good: what waits in its mailbox becomes dead letters, its watchers are told."""
        child = self._cell.children[name]
        child.remove(child.last_exit or Exit(ExitKind.SHUTDOWN))

    def child_state(self, name: str) -> str | None:
        """Return the life state of a child, None when there is no such child."""
        child = self._cell.children.get(name)
        return child.state.value if child else None

    def has_mail(self, name: str) -> bool:
        """Whether anything but the runtime's own news waits for a child."""
        mailbox = self._cell.children[name].mailbox
        lanes = (mailbox.system, mailbox.control, mailbox.data)
        return any(not isinstance(each.message, NEWS) for lane in lanes for each in lane)

    def leftovers(self) -> list[tuple[Spec, str]]:
        """Return recipe and mark of each child that an earlier life left down, in the order of their making."""
        return [(child.spec, child.mark) for child in self._cell.children.values() if child.state is LifeState.DOWN]

    def arrange(self, names: Iterable[str]) -> None:
        """Set the order of the children, which is the reverse of the order they are stopped in; the unnamed come last."""
        self._cell.arrange(names)

    def mark(self, name: str, word: str) -> None:
        """Say why an ended child stays down (``waiting``, ``quarantined``); its next life clears it."""
        self._cell.children[name].mark = word

    def seal(self, name: str) -> None:
        """Have an ended child's mailbox refuse everything at its capacity until the next life, and free who waits for it."""
        self._cell.children[name].seal()

    def ready(self) -> None:
        """Say that an actor whose class sets ``READY_AT_ONCE = False`` is now up."""
        self._cell.became_ready()

    def stop(self) -> None:
        """End this actor (exit reason normal) when the present handler is done."""
        self._on_loop(self._cell.stop_self)

    def escalate(self, error: BaseException) -> None:
        """End this life as a crash with this error when the present handler is done."""
        self._on_loop(lambda: self._cell.escalate(error))

    @property
    def random(self) -> Random:
        """Randomness of this life: the same for the same seed of the system, path and number of the life."""
        if self._random is None:
            cell = self._cell
            self._random = Random(f"{cell.system.seed}{cell.path}#{cell.incarnation}")  # noqa: S311 - reproducible
        return self._random

    def watch(self, ref: ActorRef) -> None:
        """Have ``Terminated`` told to this actor when the other one ends for good; at once if it has."""
        self._cell.watch(ref)

    def pipe(
        self,
        awaitable: Awaitable[Any],
        into: Callable[[Any], Any],
        failed: Callable[[Exception], Any] | None = None,
        *,
        real: bool = False,
    ) -> None:
        """Await something beside the actor and tell the actor ``into(result)``.

        An error is told as ``failed(error)``, or crashes the actor when ``failed`` is None. ``real`` says that something
        outside virtual time is awaited (a socket, a thread): a virtual clock stands still meanwhile.
        """
        self._cell.pipe(awaitable, into, failed, real=real)

    def callback(self, call: Callable[..., None]) -> Callable[..., None]:
        """Return ``call`` for somebody else to call on the event loop, as a library or another actor does with news.

        It runs in this actor's name: what it raises crashes this actor and not the caller, and once this life has ended it
        does nothing.
        """
        return self._cell.callback(call)

    def answer(self, envelope: Envelope, answer: Any = None, error: BaseException | None = None) -> None:
        """Answer a request whose handler returned ``NO_ANSWER``, once all events recorded so far are durable."""
        reply = envelope.reply
        if reply is None:
            return
        if error is not None:
            self._on_loop(lambda: reply(None, error))
        else:
            self._on_loop(lambda: self._cell.system.durability.answer(reply, answer))

    def _on_loop(self, call: Callable[[], None]) -> None:
        system = self._cell.system
        if get_ident() == system.thread_id:
            call()
        else:
            system.call_from_thread(call)
