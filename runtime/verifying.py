"""Replays a record of inputs through the actors and compares what they decide with the journal.

Each recorded life is made anew, its state rebuilt from the journal as it was then, and fed with its messages in order; the
clock and the outside answer as they did. Every event must be the journal's, in type and in every field. Lives know nothing
of each other here: what one told another stands in the record of the other. A divergence ends the check of its stream; the
others go on, and the one that stands first in the journal is the one reported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from runtime.differing import Divergence, Report
from runtime.durable import DurableActor
from runtime.journal import StreamReader
from runtime.relived import Relived, Streams
from runtime.tape import Item, LifeBegan, Mark, TapeItem, Unreadable

__all__ = ["MakeActor", "Verifier", "verify_records"]

MakeActor: TypeAlias = Callable[[LifeBegan], DurableActor]
"""Makes the actor of a life as the house made it then."""


def verify_records(
    journal: StreamReader,
    inputs: Iterable[TapeItem],
    make_actor: MakeActor | None = None,
    *,
    on_mark: Callable[[str, Any], None] | None = None,
) -> Divergence | None:
    """Return the first divergence between a journal and what its actors decide on recorded inputs, None when there is none.

    For a check inside the process that recorded, after everything was committed: ``inputs`` are ``Recorder.items``, and
    without ``make_actor`` each life's own factory makes its actor. ``on_mark`` hears of marks that are not the tape's own: a
    factory that reads the configuration in force needs it to be that of then.
    """
    verifier = Verifier(journal, make_actor or _by_factory, settled=True, on_mark=on_mark)
    for item in inputs:
        verifier.take(item)
    return verifier.finish().divergence


def _by_factory(life: LifeBegan) -> DurableActor:
    actor = life.factory()
    assert isinstance(actor, DurableActor), f"{life.path} was recorded as a durable actor"
    return actor


class Verifier:
    """Takes a tape item by item. ``settled``: everything that the tape led to is in the journal by now.

    ``on_mark`` hears of marks that are not the tape's own (a configuration that came into force).
    """

    def __init__(
        self,
        journal: StreamReader,
        make_actor: MakeActor,
        *,
        settled: bool = False,
        on_mark: Callable[[str, Any], None] | None = None,
    ) -> None:
        self.report = Report()
        self._make = make_actor
        self._settled = settled
        self._on_mark = on_mark
        self.about: dict[str, Any] = {}
        """What holds at the place reached; divergences take ``version`` and ``config`` from it."""
        self._lives: dict[int, Relived] = {}
        self._at_path: dict[str, Relived] = {}
        self._streams = Streams(journal)
        self._in_order = False
        """Whether the record has said that it ends here in order."""
        self._whole = True
        """Whether nothing is missing since the process began to record: what is in the journal then has its cause here."""

    def take(self, item: TapeItem) -> None:
        """Take the next item."""
        kind, number = item[0], item[1]
        life = self._lives.get(number)
        match kind:
            case Item.MESSAGE:
                if life is not None:
                    life.message(item)
            case Item.NOW:
                if life is not None:
                    life.instants[item[2]] = item[3]
            case Item.READ:
                if life is not None:
                    life.reads.append(item[2:])
            case Item.LIFE:
                self._life(number, item[2])
            case Item.STATE:
                self._state(life, item)
            case Item.ROLLED_BACK:
                if life is not None:
                    life.rolled_back()
            case Item.ENDED:
                if life is not None:
                    life.crashed_then = life.crashed_then or item[2]
            case Item.MARK:
                self._mark(item[2], item[3])

    def read_from(self, journal: StreamReader) -> None:
        """Go on with a journal that has grown meanwhile, or was opened anew: items may be taken while a system runs."""
        self._streams.read_from(journal)

    def finish(self) -> Report:
        """Handle what is still under way and return what was found."""
        if self._settled and self._whole:
            for life in self._lives.values():
                life.end(None if life.crashed_then else sys.maxsize, kept=True)
            self._forget()
        else:
            self._end_all()
        return self.report

    # --- lives ---------------------------------------------------------------------------------------------------------

    def _life(self, number: int, began: LifeBegan) -> None:
        before = self._at_path.pop(began.path, None)
        if before is not None:
            before.end(began.sequence if self._whole else None, kept=False)
            self._lives.pop(before.number, None)
        relived = self._relive(number, began)
        if relived is not None:
            relived.start(began.sequence)

    def _state(self, life: Relived | None, item: TapeItem) -> None:
        """Go on with a life from its frozen state, unless it was followed up to here."""
        number, began, at, state = item[1:]
        if life is not None and life.followed:
            return
        if state is None:
            self.report.unverified[began.path] = "its state could not be frozen: it is checked from its next life on"
            return
        relived = self._relive(number, began)
        if relived is not None:
            relived.thaw(began.sequence, at, state)

    def _relive(self, number: int, began: LifeBegan) -> Relived | None:
        try:
            actor = self._make(began)
        except LookupError as error:
            self.report.unverified[began.path] = str(error)
            return None
        if isinstance(began.born, Unreadable):
            self.report.unverified[began.path] = began.born.why
            return None
        for name, value in began.born.items():
            setattr(actor, name, value)
        relived = Relived(number, began, actor, self._streams, self.report, self.about)
        self._lives[number] = self._at_path[began.path] = relived
        self.report.lives += 1
        self.report.streams.add(began.stream)
        return relived

    # --- marks ---------------------------------------------------------------------------------------------------------

    def _mark(self, what: str, value: Any) -> None:
        match what:
            case Mark.OPENED:
                self._opened(value)
            case Mark.GAP:
                self._gap(value)
            case Mark.CLOSED | Mark.TURNED:
                self._in_order = True
            case _:
                # What is under way was read before: it is handled under what held then.
                for life in self._lives.values():
                    life.handle()
                if self._on_mark is not None:
                    self._on_mark(what, value)

    def _opened(self, about: dict[str, Any]) -> None:
        """Begin anew, with another process or from frozen states: what the record said before is over."""
        self._end_all()
        self.about, self._whole, self._in_order = dict(about), True, False

    def _gap(self, why: str) -> None:
        self.report.gaps.append(why)
        self._in_order = False
        self._end_all()
        self._whole = False

    def _end_all(self) -> None:
        """End every life: where the record ends in order nothing of them is missing, else perhaps of the newest message."""
        for life in self._lives.values():
            if not self._in_order:
                life.drop()
            life.end(None, kept=self._in_order)
        self._forget()

    def _forget(self) -> None:
        self._lives.clear()
        self._at_path.clear()
