"""Actors: restart, quarantine, release, look at one, its failures and dead letters (EX-1623)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from textual.content import Content

from tui import cells
from tui.link import part
from tui.seat import Argument, Choice, Command, Question, Seat, Sent
from tui.text import line

__all__ = ["COMMANDS", "actor_choices"]

_LONG_S: Final = 75.0

_DOES: Final = {
    "restart": ("Restart this actor?", "stops in order and starts again", "restarted"),
    "quarantine": ("Quarantine this actor?", "stops in order and stays down until it is released", "quarantined"),
    "release": ("Release this actor?", "starts again with a fresh restart budget", "released"),
}


def actor_choices(seat: Seat) -> Sequence[Choice]:
    """Return every actor there is."""
    return [Choice(row["path"], f"{row['state']}  {row['kind']}") for row in seat.state.rows("actors", "actors")]


async def _row(seat: Seat, path: str) -> Mapping[str, Any] | None:
    found = await seat.ask("/v1/actor", actor=path)
    return None if found is None else found["actor"]


async def _stand(seat: Seat, given: tuple[str, ...], *, name: str) -> None:
    row = await _row(seat, given[0] if given else "")
    if row is None:
        return
    title, effect, done = _DOES[name]
    path = str(row["path"])
    under = sum(each["path"].startswith(f"{path}/") for each in seat.state.rows("actors", "actors"))
    effects = [("actor", path), ("state", f"{row['state']}, {row['mailbox']} messages wait"), ("effect", effect)]
    if under:
        effects.append(("with it", f"{under} actors below it"))
    note = "Money may be at stake: while it is down nobody manages what it manages." if name == "quarantine" else ""
    if not await seat.confirm(Question(title, effects, note, danger=name != "release")):
        return
    sent = Sent(f"/v1/{name}", {"path": path}, lambda said: f"{path} was {done}: {said['state']}", timeout_s=_LONG_S)
    await seat.send(sent)


async def _actor(seat: Seat, given: tuple[str, ...]) -> None:
    """Open one actor closely."""
    row = await _row(seat, given[0] if given else "")
    if row is not None:
        seat.open_panel("actors").show_actor(str(row["path"]))


async def _unwell(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    panel = seat.open_panel("actors")
    panel.show_unwell(only=not panel.unwell_only)


async def _incident(seat: Seat, given: tuple[str, ...]) -> None:
    """Show the newest incident file of an actor, or one by its id."""
    wanted = given[0] if given else ""
    if wanted.startswith("/"):
        found = await seat.ask("/v1/incidents", under=wanted, all=1)
        files = found["files"] if found is not None else []
        if not files:
            seat.say(f"{wanted} has left no incident file", "dim")
            return
        wanted = str(files[0]["id"])
    file = await seat.ask(f"/v1/incidents/{part(wanted)}")
    if file is not None:
        seat.show_page(f"Incident {wanted}", tuple(_incident_lines(file)))


def _incident_lines(file: Mapping[str, Any]) -> Iterator[Content]:
    error, message, decided = file["error"], file.get("message") or {}, file.get("decision") or {}
    yield line((f"{cells.day_time(file['at'])}  {file['path']}  {file['kind']}", "dim"))
    yield line((f"{error['type']}: {error['text']}", "alarm"))
    if decided:
        yield line(("decided  ", "dim"), decided.get("said", ""))
    if message:
        yield line(
            ("message  ", "dim"), f"{message['type']} from {message['sender'] or 'outside'}: {message['outcome']}"
        )
        for text in _json(message.get("fields")):
            yield line("         ", (text, "dim"))
    for title, parts in (("STACK", error.get("trace", ())), ("STATE", _json(file.get("state")))):
        yield line((title, "title"))
        for text in list(parts)[-24:]:
            yield line(str(text).rstrip())
    for name in ("chain", "events", "calls"):
        if file.get(name):
            yield line((name.upper(), "title"))
            for each in file[name]:
                yield line((json.dumps(each, default=str)[:300], "dim"))


def _json(value: Any) -> list[str]:
    return [] if value is None else json.dumps(value, indent=1, default=str).splitlines()


async def _letters(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    found = await seat.ask("/v1/dead-letters")
    if found is None:
        return
    text = [_letter(each) for each in reversed(found["dead_letters"])]
    hint = line((":replay-letter ID hands one to its actor again", "dim"))
    seat.show_page(f"{found['total']} dead letters", (*text, line(""), hint) if text else (line("none is kept"),))


def _letter(item: Mapping[str, Any]) -> Content:
    letter = item["event"]
    return line(
        (f"{cells.day_time(item['at'])}  ", "dim"),
        (f"{letter['id']}  ", "accent"),
        f"{letter['message']} to {letter['path']}: {letter['reason']}",
        (f" {letter['error']}", "alarm"),
    )


async def _replay_letter(seat: Seat, given: tuple[str, ...]) -> None:
    ident = given[0] if given else ""
    question = Question("Hand this message to its actor again?", (("dead letter", ident),), danger=False)
    if await seat.confirm(question):
        await seat.send(
            Sent(f"/v1/dead-letters/{part(ident)}/replay", {}, lambda said: f"handed to {said['to']} again")
        )


_PATH: Final = Argument("path", actor_choices)

COMMANDS: Final = (
    Command(name="actor", help="Look at one actor closely", run=_actor, arguments=(_PATH,)),
    *(
        Command(name=name, help=text, run=partial(_stand, name=name), arguments=(_PATH,), writes=True)
        for name, text in (
            ("restart", "Stop an actor in order and start it again"),
            ("quarantine", "Stop an actor in order and keep it down until it is released"),
            ("release", "Let a quarantined actor go on"),
        )
    ),
    Command(name="unwell", help="Show only actors that do not run or get behind, or all of them again", run=_unwell),
    Command(name="incident", help="Show what was known of an actor's newest crash", run=_incident, arguments=(_PATH,)),
    Command(name="dead-letters", help="Show messages that nobody handled", run=_letters),
    Command(
        name="replay-letter",
        help="Hand a dead letter to its actor again",
        run=_replay_letter,
        arguments=(Argument("id"),),
        writes=True,
    ),
)
"""Commands of actors."""
