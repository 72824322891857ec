"""Dead letters: bounded, poison last to go, told again by an operator, never a danger to the sender."""

from __future__ import annotations

from typing import Any

import pytest

from runtime.dead_letters import DEAD_LETTERS_KEPT, DeadLetter, DeadLetters
from runtime.envelope import Envelope
from runtime.spec import Spec
from runtime.system import ActorSystem
from tests.runtime.cast import Broken, Line, Player, Stranger, pass_s, play, texts, under_nurse


def letter(number: int, *, poison: bool = False) -> DeadLetter:
    """Return a letter with this id."""
    return DeadLetter(number, "/p", Envelope(Line(str(number)), "", number, number, 0, 0), "why", "", poison, 0)


def test_the_newest_letters_are_kept_and_all_are_counted() -> None:
    """Only so many letters are kept; the count goes on."""
    letters = DeadLetters()
    for number in range(DEAD_LETTERS_KEPT + 5):
        letters.add(letter(number))
    assert letters.total == DEAD_LETTERS_KEPT + 5
    assert [each.id for each in letters.all()] == list(range(5, DEAD_LETTERS_KEPT + 5))


def test_poison_is_the_last_to_go() -> None:
    """Parked poison outlives ordinary letters, however many follow; only poison drives out poison."""
    letters = DeadLetters()
    letters.add(letter(0, poison=True))
    for number in range(1, DEAD_LETTERS_KEPT + 50):
        letters.add(letter(number))
    assert letters.get(0).poison
    assert len(letters) == DEAD_LETTERS_KEPT
    for number in range(10_000, 10_000 + DEAD_LETTERS_KEPT):
        letters.add(letter(number, poison=True))
    assert len(letters) == DEAD_LETTERS_KEPT
    with pytest.raises(KeyError):
        letters.get(0)


def test_a_listener_that_raises_harms_no_sender() -> None:
    """What the listener raises is logged; the letter is kept and the sender goes on."""

    def listener(_: DeadLetter) -> None:
        raise Broken("listener")

    async def scenario(system: ActorSystem) -> int:
        system.dead_letters.listener = listener
        log: list[Any] = []
        ref = system.spawn(Spec("player", lambda: Player(log=log)))
        ref.tell(Stranger())
        ref.tell(Line("after"))
        await pass_s()
        assert texts(log) == ["after"]
        return len(system.dead_letters)

    assert play(scenario) == 1


def test_letters_caused_by_the_listener_do_not_go_round_in_a_circle() -> None:
    """A listener that tells a full mailbox causes letters itself: they are kept, not told to it again."""

    async def scenario(system: ActorSystem) -> int:
        operator = system.spawn(Spec("operator", Player, capacity=1))
        system.dead_letters.listener = lambda each: operator.tell(Line(each.reason))
        ref = system.spawn(Spec("player", Player))
        for _ in range(3):
            ref.tell(Stranger())
        await pass_s()
        return system.dead_letters.total

    assert play(scenario) == 3 + 2


def test_a_letter_is_told_again_as_if_it_were_new() -> None:
    """A replayed message goes to its old path with its old ids, may crash its actor twice again, and leaves the list."""
    log: list[Any] = []
    mended: list[bool] = []

    def act(*_: Any) -> None:
        if not mended:
            raise Broken("not yet")

    async def scenario(system: ActorSystem) -> None:
        ref = under_nurse(system, Spec("player", lambda: Player(act, log)))
        ref.tell(Line("x"))
        await pass_s()
        (parked,) = system.dead_letters.all()
        assert (parked.poison, parked.path, parked.reason) == (True, "/nurse/player", "crashed its actor twice")
        assert "not yet" in parked.error
        assert system.replay_dead_letter(parked.id) == "/nurse/player"
        await pass_s()
        (again,) = system.dead_letters.all()
        assert (again.id, len(log)) == (parked.id, 4)
        mended.append(True)
        system.replay_dead_letter(again.id)
        await pass_s()
        assert system.dead_letters.all() == []
        assert len(log) == 5

    play(scenario)


def test_a_letter_whose_actor_is_gone_stays() -> None:
    """Replaying to a path where nobody lives raises KeyError and keeps the letter; so does an unknown id."""

    async def scenario(system: ActorSystem) -> None:
        system.tell("/nobody", Line("x"))
        (lost,) = system.dead_letters.all()
        with pytest.raises(KeyError):
            system.replay_dead_letter(lost.id)
        with pytest.raises(KeyError):
            system.replay_dead_letter(lost.id + 1)
        assert system.dead_letters.all() == [lost]
        assert system.dead_letters.total == 1

    play(scenario)


def test_what_waits_when_an_actor_ends_for_good_is_not_lost() -> None:
    """Messages that waited for an actor that ended become dead letters, in order."""

    def act(player: Player, _: Any) -> None:
        player.context.stop()

    async def scenario(system: ActorSystem) -> list[tuple[str, str]]:
        ref = system.spawn(Spec("player", lambda: Player(act)))
        for text in ("stop", "a", "b"):
            ref.tell(Line(text))
        await pass_s()
        ref.tell(Line("c"))
        return [(each.envelope.message.text, each.reason) for each in system.dead_letters.all()]

    assert play(scenario) == [(text, "the actor has stopped") for text in "abc"]
