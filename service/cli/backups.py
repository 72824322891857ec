"""Back up the installation, and put a backup back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.backup_key import KEY_VARIABLE, key_of
from service.cli.codes import epilog
from service.cli.output import print_json, print_line
from service.cli.parts import ConfigFile, Json, config_file, load_config
from service.cli.progress import progress

__all__ = ["KeyFile", "backup", "backup_into", "register", "restore", "restore_from"]

KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file", metavar="KEY", help=f"Encrypt with this file's content; without it {KEY_VARIABLE} counts."
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
