"""The supervisor: an actor that starts its children in order, restarts what fails, and fails itself rather than give up."""

from __future__ import annotations

from typing import Any

from protocol.control import QuarantineActor, ReleaseActor, ReportContext, RestartActor
from runtime.actor import NO_ANSWER, handles
from runtime.envelope import Envelope
from runtime.errors import ActorStopped
from supervision.child import ChildSpec
from supervision.errors import ChildExists, ChildQuarantined, NoSuchChild, NotQuarantined, Overtaken
from supervision.keeper import BY_OPERATOR, Keeper
from supervision.messages import StartChild, StopChild
from supervision.slots import LIVE, ChildView, Phase, Slot

__all__ = ["Supervisor"]


class Supervisor(Keeper):
    """Keeps its children alive by OTP's rules; see ``ChildSpec``, ``Strategy`` and ``Intensity``.

    It is up when all static children have been up. Children added later (``StartChild``) belong to it until they are
    stopped: a new life of the supervisor brings back those that are not temporary. Escalation is a crash with
    ``SupervisorExhausted``; at the root of the tree it fails the system.
    """

    # --- this supervisor's own life ------------------------------------------------------------------------------------

    def started(self) -> None:
        """Start the static children in order, then those that an earlier life was given."""
        left = {spec.name: (spec, mark) for spec, mark in self.context.leftovers()}
        for each in self._static:
            _, mark = left.pop(each.name, (each, ""))
            self._take(Slot(each, static=True), mark)
        for name, (spec, mark) in left.items():
            if isinstance(spec, ChildSpec) and spec.restart != "temporary":
                self._take(Slot(spec, static=False), mark)
            else:
                self.context.forget(name)
        self._advance()

    def _take(self, slot: Slot, mark: str) -> None:
        self._slots[slot.name] = slot
        if mark == Phase.QUARANTINED:
            # Only an operator ends a quarantine; a new life of the supervisor does not.
            slot.phase = Phase.QUARANTINED

    def stopping(self) -> None:
        """Tell whoever still waits that nothing will come of it."""
        self._answer_all(ActorStopped(f"{self.context.path} has stopped"))

    def view(self) -> tuple[ChildView, ...]:
        """Return how the children stand, in start order."""
        return tuple(
            ChildView(slot.name, slot.phase, slot.spec.restart, slot.restarts, slot.timer.at if slot.timer else None)
            for slot in self._slots.values()
        )

    # --- for subclasses ------------------------------------------------------------------------------------------------

    def start_child(self, spec: ChildSpec) -> None:
        """Add a child and start it; a failed first start is retried like a crash. Raises ChildExists."""
        self._add(spec, None)

    def stop_child(self, name: str) -> None:
        """Stop a child and forget it. Raises NoSuchChild."""
        self._drop(self._slot(name), None)

    # --- what others ask -----------------------------------------------------------------------------------------------

    @handles
    def start_asked(self, request: StartChild) -> Any:
        """Add a child and start it."""
        envelope = self._envelope()
        try:
            self._add(request.spec, envelope)
        except ChildExists as error:
            self.context.answer(envelope, None, error)
        return NO_ANSWER

    @handles
    def stop_asked(self, request: StopChild) -> Any:
        """Stop a child and forget it."""
        envelope = self._envelope()
        try:
            self._drop(self._slot(request.name), envelope)
        except NoSuchChild as error:
            self.context.answer(envelope, None, error)
        return NO_ANSWER

    @handles
    def release_asked(self, request: ReleaseActor) -> Any:
        """Start a quarantined child again with a fresh budget."""
        envelope = self._envelope()
        try:
            slot = self._slot_at(request.path)
            if slot.phase is not Phase.QUARANTINED:
                raise NotQuarantined(f"{request.path} is {slot.phase.value}, not quarantined")
        except (NoSuchChild, NotQuarantined) as error:
            self.context.answer(envelope, None, error)
            return NO_ANSWER
        slot.history = ()
        slot.failures = 0
        slot.phase = Phase.DOWN
        self._expect(slot, envelope)
        self._report(ReportContext.RELEASED, slot, "released by an operator")
        self._advance(slot)
        return NO_ANSWER

    @handles
    def restart_asked(self, request: RestartActor) -> Any:
        """Stop a child in order, with those its failure would take along, and start them again."""
        envelope = self._envelope()
        try:
            slot = self._slot_at(request.path)
            if slot.phase is Phase.QUARANTINED:
                raise ChildQuarantined(f"{request.path} is quarantined; release it")
            if slot.removing:
                raise NoSuchChild(f"{request.path} is being stopped for good")
        except (NoSuchChild, ChildQuarantined) as error:
            self.context.answer(envelope, None, error)
            return NO_ANSWER
        self._expect(slot, envelope)
        slot.held = False
        self._report(ReportContext.RESTART, slot, "restarted by an operator")
        self._begin_again(slot)
        self._advance(slot)
        return NO_ANSWER

    @handles
    def quarantine_asked(self, request: QuarantineActor) -> Any:
        """Stop a child in order and keep it down until it is released."""
        envelope = self._envelope()
        try:
            slot = self._slot_at(request.path)
            if slot.removing or slot.phase is Phase.DONE or self.context.child_state(slot.name) is None:
                raise NoSuchChild(f"{request.path} has ended or has not begun")
        except NoSuchChild as error:
            self.context.answer(envelope, None, error)
            return NO_ANSWER
        self._expect(slot, envelope)
        if slot.phase is Phase.QUARANTINED:
            self._answer(slot)
        elif slot.phase in (*LIVE, Phase.STOPPING):
            slot.held = True
            if slot.phase is not Phase.STOPPING:
                self._stop(slot)
        else:
            slot.cancel_timer()
            self._quarantine(slot, BY_OPERATOR)
            self._answer(slot)
            self._advance(slot)
        return NO_ANSWER

    # --- how it is done ------------------------------------------------------------------------------------------------

    def _envelope(self) -> Envelope:
        envelope = self.context.envelope
        assert envelope is not None, "called outside a handler"
        return envelope

    def _slot(self, name: str) -> Slot:
        try:
            return self._slots[name]
        except KeyError:
            raise NoSuchChild(f"{self.context.path} has no child {name!r}") from None

    def _slot_at(self, path: str) -> Slot:
        above, _, name = path.rpartition("/")
        if f"{above}/" != f"{self.context.path.rstrip('/')}/" or not path.startswith("/"):
            raise NoSuchChild(f"{path} is no child of {self.context.path}")
        return self._slot(name)

    def _expect(self, slot: Slot, envelope: Envelope | None) -> None:
        """Remember who is to hear how it goes with a child; whoever waited before hears that this was overtaken."""
        self._answer(slot, Overtaken(f"{self._path(slot)}: a later request decided otherwise"))
        slot.asker = envelope

    def _add(self, spec: ChildSpec, envelope: Envelope | None) -> None:
        present = self._slots.get(spec.name)
        if present is not None and present.phase is Phase.DONE:
            del self._slots[spec.name]
        elif present is not None or self.context.child_state(spec.name) is not None:
            raise ChildExists(f"{self.context.path} already has a child {spec.name!r}")
        slot = self._slots[spec.name] = Slot(spec, static=False, asker=envelope)
        self._advance(slot)

    def _drop(self, slot: Slot, envelope: Envelope | None) -> None:
        self._expect(slot, envelope)
        if slot.phase in LIVE:
            slot.removing = True
            self._stop(slot)
        elif slot.phase is Phase.STOPPING:
            slot.removing = True
        else:
            self._remove(slot)
            self._advance(slot)

    def _begin_again(self, slot: Slot) -> None:
        slot.restarts += 1
        slot.again = slot.phase in (*LIVE, Phase.STOPPING)
        if not slot.again:
            slot.cancel_timer()
            slot.phase = Phase.DOWN
            if self._pause is not None:
                # The operator does not wait for the backoff.
                self._pause.cancel()
                self._pause, self._pause_token = None, 0
        if self._strategy != "one_for_one":
            self._doom(slot)
        elif slot.phase in LIVE:
            # Nobody else waits for its stop.
            self._stop(slot)
