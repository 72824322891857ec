"""What needs a look: incidents that actors raised, and the files that crashes left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.codes import ExitCode, epilog
from service.cli.failures import CommandFailed, Failure
from service.cli.output import note, print_json, print_line
from service.cli.parts import ConfigFile, Json, Socket, connect, load_config

if TYPE_CHECKING:
    from pathlib import Path

    from store.incident_folder import IncidentFolder

__all__ = ["incidents", "register", "seen", "show"]

_LIMIT: Final = 50
_incidents = typer.Typer(
    help="What needs a look: incidents that stand until they are over, and a file of everything known about each crash.",
    epilog=epilog(),
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    _incidents.callback(invoke_without_command=True, epilog=epilog())(incidents)
    for command in (show, seen):
        _incidents.command(epilog=epilog())(command)
    app.add_typer(_incidents, name="incidents")


def incidents(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also what is over, and the files you have read.")] = False,
    kind: Annotated[
        str, typer.Option("--kind", help="Only this kind: crash, start, killed, hang, SignalMissed ...")
    ] = "",
    path: Annotated[str, typer.Option("--path", help="Only crashes of actors whose path begins so.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="Most files to list.")] = _LIMIT,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """List what needs a look: missed signals, silent alerts, whatever else an actor raised, and crashes, newest first.

    What stands comes with the command that would mend it, where there is one; a crash with what its supervisor decided.
    Crash files are read without a daemon too.
    """
    if context.invoked_subcommand is not None:
        return
    query = {"all": "1" if everything else "", "kind": kind, "under": path, "limit": limit}
    found = _asked(config, socket, lambda folder: _listed(folder, query), "/v1/incidents", query)
    if as_json:
        print_json(found)
        return
    for each in found["incidents"]:
        over = f"  (over: {each['cleared'] or 'by itself'})" if each["cleared_at"] else ""
        print_line(f"{each['severity'][:1].upper()} {each['kind']}  {each['text']}{over}")
        if each["proposal"] and not each["cleared_at"]:
            print_line(f"  {each['proposal']}")
    for each in found["files"]:
        print_line(_line(each))
    if found["files"]:
        note("bulkhead incidents show ID tells everything about one; bulkhead incidents seen marks them as read")
    elif not found["incidents"]:
        read = f"; {found['read']} crash files were read before: bulkhead incidents --all" if found["read"] else ""
        note(f"nothing needs a look{read}")


def _line(each: dict[str, Any]) -> str:
    from service.cli.views import instant

    more = f" (and {each['more']} more like it)" if each["more"] else ""
    decided = f" -> {each['decision']['said']}" if each["decision"] else ""
    error = f"{each['error']['type']}: {each['error']['text']}"[:160]
    new = "new " if each["unread"] else ""
    return f"{each['id']}  {instant(each['at'])}  {new}{each['kind']}  {each['path']}  {error}{decided}{more}"


def show(
    ident: Annotated[str, typer.Argument(metavar="ID", help="An incident's id: bulkhead incidents shows them.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Tell everything that is known about a crash: message, state before it, stack, decision, venue answers.

    Afterwards it counts as read.
    """
    found = _asked(config, socket, lambda folder: _one(folder, ident), f"/v1/incidents/{ident}", {})
    if as_json:
        print_json(found)
    else:
        from service.cli.incident_page import page

        print_line(page(found))
    _mark(config, socket, [ident])


def seen(
    idents: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Which ones; none: all of them.")
    ] = None,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Mark crash files as read: `bulkhead status` counts those that are not."""
    left = _mark(config, socket, idents or [])
    print_json({"unread": left}) if as_json else note(f"{left} incident files are unread")


# --- the daemon, or its folder when it does not run --------------------------------------------------------------------


def _asked(config: Path | None, socket: Path | None, offline: Any, address: str, query: dict[str, Any]) -> Any:
    from service.api.client import DaemonNotRunning

    try:
        return connect(config, socket).get(address, **query)
    except DaemonNotRunning:
        if socket is not None:
            raise
        folder = _folder(config)
        if not folder.folder.is_dir():
            raise
        note(f"no daemon runs: read from {folder.folder}")
        return offline(folder)


def _folder(config: Path | None) -> IncidentFolder:
    from service.incidents import incidents_folder
    from store.incident_folder import IncidentFolder

    return IncidentFolder(incidents_folder(load_config(config).app.data_dir))


def _listed(folder: IncidentFolder, query: dict[str, Any]) -> dict[str, Any]:
    from service.api.answers import plain

    lines = folder.lines()
    wanted = [
        each
        for each in lines
        if (query["all"] or each.unread)
        and (not query["kind"] or each.kind == query["kind"])
        and each.path.startswith(query["under"])
    ]
    read = sum(not each.unread for each in lines)
    return {"incidents": [], "files": plain(wanted[: query["limit"]]), "read": read}


def _one(folder: IncidentFolder, ident: str) -> Any:
    from service.api.answers import plain

    found = folder.get(ident)
    if found is None:
        message = f"there is no incident file {ident}"
        raise CommandFailed(
            Failure(ExitCode.NOT_FOUND, "NotFound", message, "bulkhead incidents --all lists them", value=ident)
        )
    return plain(found)


def _mark(config: Path | None, socket: Path | None, idents: list[str]) -> int:
    from service.api.client import DaemonNotRunning

    try:
        return int(connect(config, socket).post("/v1/incidents/seen", {"ids": idents})["unread"])
    except DaemonNotRunning:
        if socket is not None:
            raise
        folder = _folder(config)
        folder.mark_seen(idents or folder.unread())
        return len(folder.unread())
