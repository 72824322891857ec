"""Change settings while it runs: look, edit the draft, see what it would do, put it in force, go back."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, connect

__all__ = [
    "apply",
    "backup",
    "diff",
    "discard",
    "preview",
    "reapply",
    "register",
    "reset",
    "restore",
    "set_key",
    "show_keys",
    "unset",
    "versions",
]

_APPLY_S: Final = 310.0
_Key = Annotated[str, typer.Argument(metavar="KEY", help="Dotted name, such as execution_pool.max_open_groups.")]


def register(config: typer.Typer) -> None:
    """Add the commands to ``bulkhead config``."""
    commands = (
        ("show", show_keys),
        ("set", set_key),
        ("unset", unset),
        ("diff", diff),
        ("preview", preview),
        ("apply", apply),
    )
    further = (("discard", discard), ("versions", versions), ("reapply", reapply), ("reset", reset))
    for name, command in (*commands, *further, ("backup", backup), ("restore", restore)):
        # A value such as -7 is no option.
        config.command(name, epilog=epilog(), context_settings={"ignore_unknown_options": True})(command)


def show_keys(
    key: Annotated[str, typer.Argument(metavar="[KEY]", help="A key, or the beginning of one; without it all.")] = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Print the settings in force: value, where it comes from, from when on a change holds."""
    found = connect(config, socket).get("/v1/config")
    rows = [row for row in found["effective"] if row["key"].startswith(key)]
    if not rows:
        from service.cli.parts import usage
        from service.config.nearest import nearest

        raise usage(
            f"there is no such key{nearest(key, [row['key'] for row in found['effective']])}", code="UnknownKey"
        )
    if as_json:
        print_json({"version": found["version"], "keys": rows})
        return
    show(
        table(
            ("key", "value", "from", "applies"), ([r["key"], _text(r["value"]), r["from"], r["applies"]] for r in rows)
        )
    )
    if len(rows) == 1:
        print_line(rows[0]["meaning"])


def set_key(
    key: _Key,
    value: Annotated[
        str, typer.Argument(metavar="VALUE", help='As in config.toml; text needs no quotes. "[1, 2]", true.')
    ],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Change a key of the draft. Nothing trades by it before `bulkhead config apply`."""
    from service.config.text import one_value

    _edited(connect(config, socket), {key: one_value(key, value)}, as_json=as_json)


def unset(key: _Key, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Take a key of the draft back to its default."""
    _edited(connect(config, socket), {key: None}, as_json=as_json)


def _edited(client: Any, values: dict[str, Any], *, as_json: bool) -> None:
    _print_draft(client.post("/v1/config/draft", {"values": values, "author": getpass.getuser()}), as_json=as_json)


def diff(
    versions: Annotated[
        list[int] | None, typer.Argument(metavar="[VERSION [VERSION]]", help="Compare versions in place of the draft.")
    ] = None,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Show what the draft changes of the version in force, or how two versions differ."""
    client = connect(config, socket)
    if not versions:
        _print_draft(client.get("/v1/config"), as_json=as_json)
        return
    from service.config.text import differences

    found = [client.get(f"/v1/config/versions/{version}")["document"] for version in versions[:2]]
    if len(found) == 1:
        found.append(client.get("/v1/config")["document"])
    changes = [
        {"key": each.key, "before": _loaded(each.before), "after": _loaded(each.after)} for each in differences(*found)
    ]
    print_json(changes) if as_json else _print_changes(changes)


def preview(
    symbol: Annotated[str, typer.Option(help="Show the ladder of this symbol, in place of the last signals.")] = "",
    price: Annotated[str, typer.Option(help="Entry price of that sample.")] = "",
    side: Annotated[str, typer.Option(help="long or short.")] = "long",
    size: Annotated[str, typer.Option(help="Its size in quote currency; without it sizing.fixed_quote.")] = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Say what applying the draft would do now: keys, queue, loss offset, ladders, log, restarts. It changes nothing."""
    from service.cli.config_views import preview_lines

    sample = {"symbol": symbol, "side": side, "price": price or None, "size": size or None} if symbol else {}
    found = connect(config, socket).post("/v1/config/preview", sample)
    if as_json:
        print_json(found)
        return
    for line in preview_lines(found):
        print_line(line)


def apply(
    version: Annotated[int, typer.Option("--from", help="The version you edited from; without it the draft's.")] = 0,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Put the draft in force: everywhere or, when an actor does not take it, nowhere. Open groups and orders stay up."""
    client = connect(config, socket)
    found = client.post("/v1/config/apply", {"author": getpass.getuser(), "version": version}, timeout_s=_APPLY_S)
    if as_json:
        print_json(found)
        return
    _print_changes(found["changes"])
    print_line(f"version {found['version']} is in force")
    if found["later"]:
        print_line(f"these hold when bulkhead starts again: {', '.join(found['later'])}")
    if found["beaten"]:
        print_line(f"these do nothing while the environment sets them: {', '.join(found['beaten'])}")


def discard(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Drop the draft. An edited config.toml stays as it is, and becomes a version when bulkhead starts again."""
    found = connect(config, socket).post("/v1/config/discard", {"author": getpass.getuser()})
    print_json(found) if as_json else print_line(f"no draft; version {found['version']} is in force")


def versions(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List the last 50 versions: who put them in force, when, what they changed."""
    found = connect(config, socket).get("/v1/config/versions")["versions"]
    if as_json:
        print_json(found)
        return
    from service.cli.views import instant

    rows = (
        [
            f"{row['version']}{' *' if row['in_force'] else ''}",
            instant(row["at"]),
            row["author"],
            ", ".join(change["key"] for change in row["changes"]) or "the defaults",
        ]
        for row in found
    )
    show(table(("version", "at", "by", "changed"), rows))


def reapply(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="One of `bulkhead config versions`.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Make a kept version the draft; `bulkhead config apply` puts it in force."""
    _load(connect(config, socket), {"version": version}, as_json=as_json)


def reset(config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """Make the defaults the draft; `bulkhead config apply` puts them in force."""
    _load(connect(config, socket), {}, as_json=as_json)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Write the version in force as JSON; secrets are not in it."""
    found = connect(config, socket).get("/v1/config")
    text = json.dumps(
        {"bulkhead": "configuration", "version": found["version"], "document": found["document"]}, indent=2
    )
    file.write_text(text + "\n", encoding="utf-8")
    print_json({"file": str(file), "version": found["version"]}) if as_json else note(f"written to {file}")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `bulkhead config backup` wrote.")],
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Make a backup the draft; `bulkhead config apply` puts it in force."""
    from service.cli.parts import usage

    try:
        document = json.loads(file.read_text(encoding="utf-8"))["document"]
    except (ValueError, TypeError, KeyError, UnicodeDecodeError) as error:
        raise usage(f"{file} is no backup of a configuration", code="BackupCorrupt", path=str(file)) from error
    _load(connect(config, socket), {"document": document}, as_json=as_json)


def _load(client: Any, what: dict[str, Any], *, as_json: bool) -> None:
    _print_draft(client.post("/v1/config/load", {"author": getpass.getuser(), **what}), as_json=as_json)


def _print_draft(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    if found["draft"] is None:
        print_line(f"no draft; version {found['version']} is in force")
        return
    _print_changes(found["changes"])
    for mistake in found["draft_mistakes"]:
        print_line(f"mistake: {mistake['path']}: {mistake['message']} [{mistake['code']}]")
    print_line(
        "correct these before you apply" if found["draft_mistakes"] else "put it in force with: bulkhead config apply"
    )


def _print_changes(changes: list[dict[str, Any]]) -> None:
    for change in changes:
        print_line(f"{change['key']}: {_or_default(change['before'])} -> {_or_default(change['after'])}")


def _or_default(value: Any) -> str:
    return "default" if value is None else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _loaded(text: str) -> Any:
    return json.loads(text) if text else None
