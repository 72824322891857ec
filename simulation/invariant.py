"""What an invariant is: a rule of the whole house that is looked at after every commit, at rest, or both.

An invariant looks at the journal's records as they are committed, and at rest at everything: the exchange outside, the
journal, the actors' states, the read models. It changes nothing and never asks an actor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol

from protocol.messages import Event
from protocol.signals import SignalAnswer
from runtime.journal import Entry, Journal
from runtime.system import ActorSystem

if TYPE_CHECKING:
    from runtime.recording import Recorder
    from service.config import Config, WebhookSecrets
    from simulation.scenario import Scenario
    from store.queries import Views
    from venues.practice.exchange import PracticeExchange

__all__ = ["Answered", "Invariant", "Scene"]


class Answered(NamedTuple):
    """A post and its answer; status 0 and ``answer`` None: the sender never got one."""

    at: int
    body: str
    status: int
    answer: SignalAnswer | None


class Scene(Protocol):
    """What an invariant may look at."""

    scenario: Scenario
    answered: list[Answered]
    tapes: list[Recorder]
    """What the actors of each process were given, where an invariant asks for it; the last one is that of the present."""

    @property
    def secrets(self) -> WebhookSecrets:
        """What alerts prove themselves with."""
        ...

    @property
    def runs(self) -> bool:
        """Whether there is a process: what one that died had committed becomes known when the next one opens the disk."""
        ...

    @property
    def system(self) -> ActorSystem:
        """The system of the process that runs."""
        ...

    @property
    def journal(self) -> Journal:
        """The journal as the process has it open."""
        ...

    @property
    def exchanges(self) -> Mapping[str, PracticeExchange]:
        """The truth about each account, kept outside the process."""
        ...

    @property
    def now(self) -> int:
        """The instant on the outside's clock."""
        ...

    @property
    def config(self) -> Config:
        """The configuration in force."""
        ...

    def views(self) -> Views:
        """Return the read models, brought up to the journal's head."""
        ...


class Invariant:
    """One rule. A new object for each run; it may remember what it saw. Texts it yields are violations."""

    NAME: ClassVar[str]
    """Short, with dashes: what tables and reports show."""
    WANTS: ClassVar[tuple[type[Event], ...]] = ()
    """The events that ``on_entry`` is called with."""
    RECORDS: ClassVar[bool] = False
    """Whether it looks at what actors were given, which is recorded for it alone."""

    def on_entry(self, entry: Entry, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - a rule overrides what it needs
        """Look at an event that has just become durable (also in lives that are killed right after)."""
        yield from ()

    def at_rest(self, scene: Scene) -> Iterator[str]:  # noqa: ARG002 - a rule overrides what it needs
        """Look at everything: nothing is under way, the venue can be reached, a reconciliation has passed."""
        yield from ()
