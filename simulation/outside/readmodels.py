"""The read models: a process of their own in the daemon, so they outlive the process that is killed."""

from __future__ import annotations

from runtime.journal import Journal
from store.projector import Projector
from store.queries import Views

__all__ = ["ReadModels"]


class ReadModels:
    """The projector's tables in memory. ``lose`` throws them away, as when somebody deletes the file."""

    def __init__(self) -> None:
        self._projector = Projector(":memory:")

    def catch_up(self, journal: Journal) -> None:
        """Project what is new."""
        self._projector.catch_up(journal)

    def up_to(self, journal: Journal) -> Views:
        """Return the tables, brought up to the journal's head."""
        self.catch_up(journal)
        return self._projector.views()

    def lose(self) -> None:
        """Begin with nothing."""
        self._projector.close()
        self._projector = Projector(":memory:")

    def close(self) -> None:
        """Release the tables."""
        self._projector.close()
