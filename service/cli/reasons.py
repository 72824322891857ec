"""Ask why: the chain behind an id, raw or in sentences; from the daemon or from a journal file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.codes import ExitCode, epilog
from service.cli.failures import CommandFailed, Failure
from service.cli.output import print_json, print_line, show, table
from service.cli.parts import ConfigFile, JournalFile, Json, Socket, connect, usage

if TYPE_CHECKING:
    from service.explain import Story

__all__ = ["explain", "nothing_at", "register", "trace"]

_Id = Annotated[str, typer.Argument(metavar="ID", help="Id of a signal, group, order, fill or causal chain.")]
_IdOrPath = Annotated[
    str, typer.Argument(metavar="ID", help="Such an id, the path of an actor, or `group` for the states of a group.")
]

_STATES: Final = "group"
"""What stands for the life of any group where an id is expected."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (trace, explain):
        app.command(epilog=epilog())(command)


def nothing_at(ident: str) -> CommandFailed:
    """Return the error for an id or path that nothing has."""
    advice = "ids stand in `bulkhead tail` and `bulkhead group`, paths in `bulkhead ps`"
    return CommandFailed(Failure(ExitCode.NOT_FOUND, "NotFound", f"nothing has the id {ident}", advice, value=ident))


def trace(
    ident: _Id, journal: JournalFile = None, config: ConfigFile = None, socket: Socket = None, as_json: Json = False
) -> None:
    """Show the causal chain: webhook, signal, slot, group, order, fill, take profit, close; with times and latencies."""
    if journal is not None:
        from service.api.answers import plain
        from service.explain import trace as chain_of

        story = _from_file(journal, ident)
        found = {"id": ident, "kind": story.kind, "trace": plain(chain_of(story))}
    else:
        client = connect(config, socket)
        found = client.get(f"/v1/trace/{client.part(ident)}")
    if as_json:
        print_json(found)
        return
    from service.cli.chains import chain_view

    show(chain_view(found["trace"], ident))


def explain(
    ident: _IdOrPath,
    journal: JournalFile = None,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Say in sentences what happened and why, with the inputs of each decision; `group`: the life of a group, as a table."""
    if ident == _STATES:
        _states(as_json=as_json)
        return
    if journal is not None:
        if ident.startswith("/"):
            raise usage("restarts are not in the journal", "ask the running daemon: leave --journal out", value=ident)
        from service.api.answers import plain
        from service.explain import explain as sentences_of

        story = _from_file(journal, ident)
        found = {"id": ident, "kind": story.kind, "sentences": plain(sentences_of(story))}
    else:
        client = connect(config, socket)
        found = client.get(f"/v1/explain/{client.part(ident)}")
    if as_json:
        print_json(found)
        return
    from service.cli.chains import sentences_view

    show(sentences_view(found["sentences"]))


def _states(*, as_json: bool) -> None:
    """Print every legal move of a position group; no daemon is needed."""
    from service.api.answers import plain
    from service.explain.states import transitions

    rows = transitions()
    if as_json:
        print_json({"id": _STATES, "kind": "states", "transitions": plain(rows)})
        return
    show(
        table(
            ("From", "Event", "To", "Rule"), [(each.before or "-", each.event, each.after, each.rule) for each in rows]
        )
    )
    print_line("Anything else is a defect: the group refuses it and its actor is restarted from the journal.")


def _from_file(journal: Path, ident: str) -> Story:
    from contextlib import closing

    from service.explain import ScanLookup, collect
    from store.sqlite_journal import open_reader

    with closing(open_reader(journal)) as reader:
        story = collect(ScanLookup(reader.read_all), ident)
    if story is None:
        raise nothing_at(ident)
    return story
