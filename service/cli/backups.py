"""Back up the installation, and put a backup back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.codes import epilog
from service.cli.output import print_json, print_line
from service.cli.parts import ConfigFile, Json, config_file, load_config

__all__ = ["backup", "register", "restore"]

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


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write configuration, journal and log into one archive, also while the daemon runs. Plain secrets are not in it."""
    import msgspec

    from runtime.clock import WallClock
    from service.backup import make_backup

    manifest = make_backup(load_config(config), config_file(config), file, now=WallClock().now())
    if as_json:
        print_json({"file": str(file), "manifest": msgspec.to_builtins(manifest)})
        return
    print_line(f"{file}: {len(manifest.files)} files, {sum(each.size for each in manifest.files)} bytes before packing")
    print_line("webhook secrets are not in it: keep <data_dir>/secrets elsewhere, or new ones are made")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `bulkhead backup` wrote.")],
    inspect: _Inspect = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Put a backup in place of the installation: only while the daemon is down and no group is open."""
    from runtime.clock import WallClock
    from service import restoring as archives

    if not file.exists():
        raise FileNotFoundError(2, "No such file or directory", str(file))
    if inspect is not None:
        archives.inspect(file, inspect)
        journal = inspect / "data" / "journal.db"
        print_json({"folder": str(inspect)}) if as_json else print_line(
            f"unpacked to {inspect}; look at it with: bulkhead journal verify --journal {journal}"
        )
        return
    former = archives.restore(file, load_config(config), config_file(config), now=WallClock().now())
    if as_json:
        print_json({"restored": str(file), "former": str(former)})
    else:
        print_line(f"restored; the former data is in {former}; start it with: bulkhead up")
