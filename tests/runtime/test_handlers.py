"""Typed handlers: found by annotation, refused when they could never be called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from protocol.messages import Message
from runtime.actor import Actor, Do, handles
from runtime.errors import HandlerMistake, Unhandled
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Cue, Line, Player, Question, Said, Stranger, pass_s, play

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForCheckers


def mistake(text: str) -> Any:
    """Expect a HandlerMistake that says this."""
    return pytest.raises(HandlerMistake, match=re.escape(text))


def test_a_message_reaches_the_handler_annotated_with_its_type() -> None:
    """A handler is chosen by the exact type of the message; a union names several types."""
    seen: list[tuple[str, object]] = []

    class Choosy(Actor):
        @handles
        def line(self, msg: Line) -> None:
            seen.append(("line", msg))

        @handles
        def others(self, msg: Cue | Question) -> None:
            seen.append(("others", msg))

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("choosy", Choosy))
        for message in (Line("a"), Cue("b"), Question("c")):
            ref.tell(message)
            await pass_s()

    play(scenario)
    assert seen == [("line", Line("a")), ("others", Cue("b")), ("others", Question("c"))]


def test_a_subclass_inherits_handlers_and_may_replace_them() -> None:
    """A handler marked again in a subclass takes the place of the inherited one; the rest is inherited."""

    class Louder(Player):
        @handles
        def played(self, msg: Line | Cue) -> None:
            self.log.append(msg.text.upper())

    log: list[object] = []

    async def scenario(system: ActorSystem) -> None:
        system.spawn(Spec("louder", lambda: Louder(log=log))).tell(Line("hush"))
        await pass_s()

    play(scenario)
    assert log == ["HUSH"]
    assert set(Louder.HANDLERS) == {Line, Cue}


def test_two_handlers_of_one_type_are_refused() -> None:
    """Which of two handlers of one type is meant cannot be known, so the class is refused."""
    with mistake("both handle Line"):

        class Torn(Actor):
            @handles
            def one(self, msg: Line) -> None: ...

            @handles
            def two(self, msg: Line) -> None: ...


def test_a_handler_without_annotation_is_refused() -> None:
    """The annotation is what a handler is found by."""
    with mistake("annotate `msg` with the message type"):

        class Mute(Actor):
            @handles
            def any(self, msg) -> None: ...


@pytest.mark.parametrize("kind", [list[int], 7, Line | list[int]], ids=str)
def test_a_handler_annotated_with_no_class_is_refused(kind: object) -> None:
    """Only classes, and unions of classes, are message types."""

    def handler(self: object, msg: object) -> None: ...

    handler.__annotations__ = {"msg": kind}
    with mistake("Odd.handler"):
        type("Odd", (Actor,), {"handler": handles(handler)})


@pytest.mark.parametrize("kind", [Message, object, Any], ids=str)
def test_a_handler_of_a_base_class_is_refused(kind: object) -> None:
    """Dispatch is by exact type, so a handler of a base class would never be called."""

    def handler(self: object, msg: object) -> None: ...

    handler.__annotations__ = {"msg": kind}
    with mistake("is a base of messages"):
        type("Wide", (Actor,), {"handler": handles(handler)})


def test_a_handler_takes_exactly_one_message() -> None:
    """A handler's parameters are self and the message."""
    with mistake("a handler takes self and one message"):

        class Greedy(Actor):
            @handles
            def two(self, msg: Line, more: Cue) -> None: ...


def test_a_type_imported_for_checkers_only_is_named() -> None:
    """An annotation that cannot be read at run time is refused with the missing name."""
    with mistake("OnlyForCheckers"):

        class Blind(Actor):
            @handles
            def unseen(self, msg: OnlyForCheckers) -> None: ...


def test_an_override_without_the_mark_is_refused() -> None:
    """A subclass that replaces a handler must mark it, or the message would silently go unhandled."""
    with mistake("replaces a handler: mark it"):

        class Forgetful(Player):
            def played(self, msg: Line) -> None: ...


def test_an_unknown_type_never_raises_in_the_sender() -> None:
    """A message of a type nobody handles becomes a dead letter and a metric; an asker hears Unhandled."""

    async def scenario(system: ActorSystem) -> None:
        ref = system.spawn(Spec("player", Player))
        ref.tell(Stranger())
        await pass_s()
        assert [letter.reason for letter in system.dead_letters.all()] == ["no handler for Stranger"]
        with pytest.raises(Unhandled, match="/player does not handle Stranger"):
            await ref.ask(Stranger())
        stats = next(each for each in system.stats() if each.path == "/player")
        assert (stats.unhandled, stats.handled, stats.failed) == (2, 0, 0)

    play(scenario)


def test_events_from_an_actor_that_keeps_none_crash_it() -> None:
    """Returning events needs a durable actor; another one crashes with a HandlerMistake that names it."""

    async def scenario(system: ActorSystem) -> BaseException:
        system.spawn(Spec("player", lambda: Player(lambda _, msg: Do([Said(msg.text)])))).tell(Line("a"))
        return await system.failed()

    error = play(scenario)
    assert isinstance(error, HandlerMistake)
    assert "/player returned events but is no DurableActor" in str(error)
