"""Messages and signals by hand: write one, check it, send it (EX-260)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from textual.content import Content

from tui import cells
from tui.commands.actors import actor_choices
from tui.commands.replays import report_lines
from tui.seat import Argument, Command, Question, Seat, Sent
from tui.text import line

__all__ = ["COMMANDS"]

_LONG_S: Final = 30.0
_WAIT_S: Final = 5


async def _inject(seat: Seat, given: tuple[str, ...]) -> None:
    """Open the form for an actor; for a signal when none is named."""
    panel = seat.open_panel("inject")
    panel.begin(given[0] if given else "signal")


async def _send(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    panel = seat.open_panel("inject")
    draft = panel.draft()
    if draft.problems:
        name, problem = next(iter(sorted(draft.problems.items())))
        seat.say(f"{name} {problem} [Usage]", "warn")
        return
    effects = [("to", "the gateway, as a signal" if panel.is_signal else panel.to), ("type", panel.type_name)]
    effects += [(str(key), json.dumps(value)) for key, value in draft.body.items() if key != "type"]
    note = "It is traded like any other signal." if panel.is_signal else ""
    if not await seat.confirm(Question("Send this?", effects, note)):
        return
    path = f"/v1/signal?wait={_WAIT_S}" if panel.is_signal else "/v1/send"
    body: Mapping[str, Any] = draft.body if panel.is_signal else {"path": panel.to, "message": draft.body}
    panel.remember()
    panel.took(())
    said = await seat.send(Sent(path, body, _done, timeout_s=_LONG_S))
    if said is not None:
        panel.answer = tuple(_answer(said))
        panel.draw(seat.state)


def _done(said: Mapping[str, Any]) -> str:
    if "sent" in said:
        return f"{said['sent']} was {'answered' if said['answer'] is not None else 'told'} by {said['to']}"
    became = f", {cells.words(said['routed'])}" if said.get("routed") else ""
    return f"signal {said['signal_id']} {cells.words(said['outcome'])}{became}"


def _answer(said: Mapping[str, Any]) -> Iterator[Content]:
    if "sent" in said and said["answer"] is None:
        yield line((f"told to {said['to']}; it answers nothing", "dim"))
        return
    for text in json.dumps(said["answer"] if "sent" in said else said, indent=1).splitlines()[:60]:
        yield Content(text)
    if said.get("signal_id"):
        yield line((f":trace {said['signal_id']} shows what came of it", "dim"))


async def _check(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    """Say what would become of the signal; nothing is sent."""
    panel = seat.open_panel("inject")
    if not panel.is_signal:
        seat.say("only signals can be checked before they are sent", "warn")
        return
    draft = panel.draft()
    if draft.problems:
        name, problem = next(iter(sorted(draft.problems.items())))
        seat.say(f"{name} {problem} [Usage]", "warn")
        return
    said = await seat.send(
        Sent("/v1/signals/check", draft.body, lambda _: "checked: nothing was sent", timeout_s=_LONG_S)
    )
    if said is not None:
        panel.answer = tuple(report_lines(said))
        panel.draw(seat.state)


async def _new(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    panel = seat.open_panel("inject")
    panel.begin("signal")


async def _recall(seat: Seat, given: tuple[str, ...], *, by: int) -> None:  # noqa: ARG001
    if not seat.open_panel("inject").recall(by):
        seat.say("nothing more was sent from here", "dim")


COMMANDS: Final = (
    Command(
        name="inject",
        help="Write a message to an actor, or a signal",
        run=_inject,
        arguments=(Argument("path", actor_choices, required=False),),
    ),
    Command(name="send-draft", help="Send the message that is written", run=_send, writes=True),
    Command(name="check-draft", help="Say what would become of the signal that is written", run=_check),
    Command(name="new-draft", help="Begin another message", run=_new),
    Command(name="earlier-draft", help="Write again what was sent before", run=partial(_recall, by=1)),
    Command(name="later-draft", help="Write again what was sent after", run=partial(_recall, by=-1)),
)
"""Commands of messages by hand."""
