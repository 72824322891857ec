"""The daemons that share a cache."""

from __future__ import annotations

from typing import Any

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect

__all__ = ["nodes", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog())(nodes)


def nodes(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List the daemons that are alive on the shared cache, and say how the link to it stands.

    Without a Redis server (BULKHEAD_REDIS_URL) this daemon is alone. While the server is away the list is what was heard
    last; trading goes on all the same.
    """
    from service.cli.views import standing

    found = connect(config, socket).get("/v1/nodes")
    if as_json:
        print_json(found)
        return
    columns = ("node", "engine", "groups", "accounts", "version", "up since", "host", "process")
    show(table(columns, (_line(each) for each in found["nodes"]), right=("groups", "process")))
    print_line(standing(found["cache"]))
    if not found["fresh"]:
        note("the cache is away: these are the nodes that were heard of last")


def _line(node: dict[str, Any]) -> tuple[str, ...]:
    from service.cli.views import instant

    return (
        f"{node['node']}{' (this)' if node['this'] else ''}",
        f"{node['engine']} {node['reason']}".strip(),
        str(node["open_groups"]),
        ", ".join(node["accounts"]),
        node["version"],
        instant(node["since"]),
        node["host"],
        str(node["pid"]),
    )
