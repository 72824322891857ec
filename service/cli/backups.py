"""Back up the installation, and put a backup back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from service.backup_key import KEY_VARIABLE, key_of
from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, Socket, config_file, connect, load_config
from service.cli.progress import progress

__all__ = [
    "KeyFile",
    "backup",
    "backup_into",
    "backups",
    "keep",
    "make",
    "prune",
    "register",
    "restore",
    "restore_from",
]

_MAKE_S: Final = 600.0

_backups = typer.Typer(
    invoke_without_command=True,
    help="The full backups that the daemon makes into its data folder. Without a subcommand: which there are.",
    epilog=epilog(),
)

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file", metavar="KEY", help=f"Key of the archive: what this file holds; without it {KEY_VARIABLE} counts."
    ),
]
_Inspect = Annotated[
    Path | None,
    typer.Option(
        "--read-only-inspect", metavar="FOLDER", help="Only unpack it there; the installation is not touched."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (backup, restore):
        app.command(epilog=epilog())(command)
    _backups.callback(epilog=epilog())(backups)
    for each in (make, prune, keep):
        _backups.command(epilog=epilog())(each)
    app.add_typer(_backups, name="backups")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    key_file: KeyFile = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write configuration, journal, read models and log into one archive, also while the daemon runs."""
    backup_into(file, key_file, config, as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `bulkhead backup` wrote.")],
    inspect: _Inspect = None,
    key_file: KeyFile = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Put a backup in place of the installation: only while the daemon is down and no group is open."""
    if inspect is None:
        restore_from(file, key_file, config, replace=True, as_json=as_json)
        return
    from service import restoring

    _must_exist(file)
    restoring.inspect(file, inspect, key_of(key_file))
    journal = inspect / "data" / "journal.db"
    print_json({"folder": str(inspect)}) if as_json else print_line(
        f"unpacked to {inspect}; look at it with: bulkhead journal verify --journal {journal}"
    )


def backup_into(file: Path, key_file: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Write the archive and say what is in it."""
    import msgspec

    from runtime.clock import WallClock
    from service.backup import make_backup

    key = key_of(key_file)
    with progress() as told:
        now = WallClock().now()
        manifest = make_backup(load_config(config), config_file(config), file, now=now, key=key, told=told)
    if as_json:
        print_json({"file": str(file), "encrypted": bool(key), "manifest": msgspec.to_builtins(manifest)})
        return
    sealed = "encrypted" if key else f"not encrypted (set {KEY_VARIABLE} or --key-file)"
    print_line(f"{file}: {len(manifest.files)} files, {manifest.size} bytes before packing, {sealed}")
    print_line("webhook secrets are not in it: keep <data_dir>/secrets elsewhere, or new ones are made")


def restore_from(file: Path, key_file: Path | None, config: Path | None, *, replace: bool, as_json: bool) -> None:
    """Put the archive where the configuration says."""
    from runtime.clock import WallClock
    from service.restoring import restore as put_back

    _must_exist(file)
    with progress() as told:
        former = put_back(
            file,
            load_config(config),
            config_file(config),
            now=WallClock().now(),
            key=key_of(key_file),
            replace=replace,
            told=told,
        )
    if as_json:
        print_json({"restored": str(file), "former": str(former or "")})
    else:
        aside = f"; the former data is in {former}" if former is not None else ""
        print_line(f"restored{aside}; start it with: bulkhead up")


def _must_exist(file: Path) -> None:
    if not file.exists():
        raise FileNotFoundError(2, "No such file or directory", str(file))


# --- those that the daemon makes ----------------------------------------------------------------------------------------


def backups(context: typer.Context, config: ConfigFile = None, socket: Socket = None, as_json: Json = False) -> None:
    """List the daemon's backups: when, size, which are marked, which go once another one is made."""
    if context.invoked_subcommand is not None:
        return
    found = connect(config, socket).get("/v1/backups")
    if as_json:
        print_json(found)
        return
    from service.cli.views import instant

    going = set(found["goes"])
    rows = [(instant(each["written_at"]), each["size"], each["name"], _fate(each, going)) for each in found["backups"]]
    show(table(("written", "bytes", "name", ""), rows, right=("bytes",)))
    stay = f"the newest {found['keep_newest']} stay" if found["keep_newest"] else "all of them stay"
    note(f"{found['folder']}: {stay} (backups.keep_newest), marked ones besides; {found['free']} bytes are free")


def _fate(archive: dict[str, Any], going: set[str]) -> str:
    return "keep" if archive["kept"] else "goes with the next" if archive["name"] in going else ""


def make(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="What it is called; by the time if not given.")] = "",
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Have the daemon make a full backup and read it back; older ones that are no longer kept go then."""
    said = connect(config, socket, timeout_s=_MAKE_S).post("/v1/backups", {"name": name})
    if as_json:
        print_json(said)
        return
    sealed = "encrypted" if said["encrypted"] else "not encrypted"
    print_line(f"{said['path']}: {said['files']} files read back and right, {said['size']} bytes, {sealed}")
    for each in said["removed"]:
        print_line(f"removed {each}")
    if said["trouble"]:
        note(said["trouble"])


def prune(
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would be removed.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Remove the daemon's backups that backups.keep_newest no longer keeps; never marked ones."""
    said = connect(config, socket).post("/v1/backups/prune", {"preview": preview})
    if as_json:
        print_json(said)
        return
    for each in said["removed"]:
        print_line(f"{'would remove' if preview else 'removed'} {each['name']} ({each['size']} bytes)")
    if said["trouble"]:
        note(said["trouble"])
    elif not said["removed"]:
        print_line("nothing to remove")


def keep(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A backup that `bulkhead backups` shows.")],
    off: Annotated[bool, typer.Option("--off", help="Take the mark away.")] = False,
    config: ConfigFile = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Mark one of the daemon's backups: it is never removed."""
    said = connect(config, socket).post("/v1/backups/keep", {"name": name, "keep": not off})
    if as_json:
        print_json(said)
    else:
        print_line(f"{said['name']} {'is kept' if said['kept'] else 'may be removed'}")
