"""Decisions: fed with what it was given, every actor decides again what its journal has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from runtime.differing import Divergence
from runtime.verifying import Verifier
from service.day_check import RecordedHouse
from simulation.invariant import Invariant, Scene

__all__ = ["DecidesAgain"]


class DecidesAgain(Invariant):
    """Each life is lived again beside the run, from its recorded inputs alone; every event must be the journal's.

    It costs a run about a fifth of its time, so it is no part of ``ALL``: whoever wants it asks for it.
    """

    NAME = "decides-the-same-again"
    RECORDS: ClassVar[bool] = True

    def __init__(self) -> None:
        self._verifier: Verifier | None = None
        self._said: Divergence | None = None
        self.events = 0
        """Events that were decided again so far."""

    def at_rest(self, scene: Scene) -> Iterator[str]:
        """Live again what was recorded since the last rest, by the processes that died meanwhile too."""
        verifier = self._verifier
        if verifier is None:
            house = RecordedHouse(scene.secrets)
            verifier = self._verifier = Verifier(scene.journal, house.make, on_mark=house.heard)
            house.verifier = verifier
        verifier.read_from(scene.journal)
        for tape in scene.tapes:
            for item in tape.take():
                verifier.take(item)
        del scene.tapes[:-1]
        self.events = verifier.report.events
        found = verifier.report.divergence
        if found is not None and found is not self._said:
            self._said = found
            fields = "; ".join(f"{name} {was!s:.200} -> {now!s:.200}" for name, was, now in found.fields)
            yield f"{found}{f' ({fields})' if fields else ''}"
