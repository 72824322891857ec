"""Look after the store: how it stands, its schema, moves between SQLite and PostgreSQL, backups, proofs, exports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.backups import KeyFile, backup_into, restore_from
from service.cli.codes import ExitCode, epilog
from service.cli.failures import CommandFailed, Failure
from service.cli.output import note, print_json, print_line, show
from service.cli.parts import ConfigFile, Json, load_config, usage
from service.cli.progress import progress

__all__ = ["backup", "export", "migrate", "prune", "register", "restore", "status", "verify"]

_db = typer.Typer(
    no_args_is_help=True, help="Look after journal and read models: SQLite files or PostgreSQL.", epilog=epilog()
)

_To = Annotated[
    str,
    typer.Option(
        "--to", metavar="PLACE", help="Move the installation: sqlite, postgresql, sqlite:///... or an address."
    ),
]
_From = Annotated[
    str, typer.Option("--from", metavar="PLACE", help="Where it is now; without it what the configuration names.")
]
_Replace = Annotated[
    bool, typer.Option("--replace", help="Put an installation that is there aside; only when no group is open.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (status, migrate, backup, restore, verify, export, prune):
        _db.command(epilog=epilog())(command)
    app.add_typer(_db, name="db")


def status(config: ConfigFile = None, as_json: Json = False) -> None:
    """Say which store it is, of which versions, how large, how far the read models are, and who holds leases."""
    from service.storage import storage_status

    found = storage_status(load_config(config))
    if as_json:
        print_json(found)
        return
    from service.cli.storage_view import storage_view

    show(storage_view(found))


def migrate(to: _To = "", come_from: _From = "", config: ConfigFile = None, as_json: Json = False) -> None:
    """Bring the schema to today's; with --to or --from move everything between SQLite and PostgreSQL, and prove it."""
    loaded = load_config(config)
    if not (to or come_from):
        _migrate_schema(loaded, as_json=as_json)
        return
    from service.journals import journal_of
    from service.moving import move_installation, place_named

    source = place_named(loaded, come_from) if come_from else journal_of(loaded)
    target = place_named(loaded, to) if to else journal_of(loaded)
    if source == target:
        raise usage(f"{source} is where the installation is already", "name another place with --to or --from")
    with progress() as told:
        report = move_installation(source, target, told)
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(report))
        return
    print_line(
        f"{report.records} records ({report.new_records} of them new there) and {report.snapshots} snapshots moved"
    )
    print_line(f"proven: digest {report.digest}, read models equal a rebuild at {report.read_models_at}")
    note(f"{report.source} is marked as left behind. Set in config.toml before the next start:")
    for key, value in report.settings.items():
        note(f'  {key} = "{value}"')


def _migrate_schema(config: Any, *, as_json: bool) -> None:
    from contextlib import closing

    from runtime.clock import WallClock
    from service.journals import views_of
    from service.live_journal import open_live_journal
    from store.tables.opening import write_tables

    with (
        closing(open_live_journal(config, opened_at=WallClock().now())) as journal,
        closing(write_tables(views_of(config))) as tables,
    ):
        done = {"journal": journal.path, "records": journal.head(), "read_models": tables.name}
    print_json(done) if as_json else print_line(f"{done['journal']}: today's schema, {done['records']} records")


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    key_file: KeyFile = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write everything into one archive, also while the daemon runs; encrypted when there is a key."""
    backup_into(file, key_file, config, as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `bulkhead db backup` wrote.")],
    key_file: KeyFile = None,
    replace: _Replace = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Put a backup into an empty place: files or server, whatever it was made of."""
    restore_from(file, key_file, config, replace=replace, as_json=as_json)


def verify(config: ConfigFile = None, as_json: Json = False) -> None:
    """Check every record's checksum, and that the read models are what a rebuild makes; also while the daemon runs."""
    from contextlib import closing

    from service.journals import open_live_reader, views_of
    from store.tables.opening import read_tables
    from store.transfer.checking import check_views

    loaded = load_config(config)
    with closing(open_live_reader(loaded, check=False)) as reader, progress() as told:
        told("checking every record", 0, 0)
        records, digest = reader.verify(), reader.digest()
        with closing(read_tables(views_of(loaded))) as tables:
            found = check_views(tables, reader, lambda done: told("rebuilding the read models beside", done, records))
    said = {"records": records, "digest": digest, "read_models_at": found.position, "differing": list(found.differing)}
    if found.differing:
        text = f"read models differ from a rebuild in: {', '.join(found.differing)}"
        advice = "bulkhead down, delete <data_dir>/views.db (or the schema of the read models), bulkhead up"
        raise CommandFailed(Failure(ExitCode.FAILED, "ViewsDiffer", text, advice))
    if as_json:
        print_json(said)
    else:
        print_line(f"all {records} records are good; digest {digest}")
        print_line(f"read models equal a rebuild at {found.position}")


def export(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A table of the read models; without it their names.")
    ] = "",
    form: Annotated[str, typer.Option("--format", help="csv, json, jsonl or parquet.")] = "csv",
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write a table of the read models as CSV, JSON or Parquet, as of one moment."""
    from service.table_export import export_to
    from store.tables.catalogue import tables

    names = [each.name for each in tables()]
    if not table:
        print_json(names) if as_json else print_line("\n".join(names))
        return
    if table not in names:
        raise usage(f"there is no table {table}", f"one of {', '.join(names)}", value=table)
    with progress() as told:
        rows = export_to(load_config(config), table, form, output, lambda done: told(f"writing {table}", done, 0))
    if as_json:
        print_json({"table": table, "rows": rows, "file": str(output or "-")})
    elif output is not None:
        note(f"{rows} rows of {table} in {output}")


def prune(
    before: Annotated[str, typer.Option("--before", metavar="DATE", help="Drop months that ended before: 2026-01-01.")],
    preview: Annotated[bool, typer.Option("--preview", help="Only say which.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Drop old months of event log and equity from PostgreSQL; the journal keeps everything, a rebuild brings them back."""
    from service.storage import prune_months

    gone = prune_months(load_config(config), before, preview=preview)
    if as_json:
        print_json({"preview": preview, "dropped": gone})
        return
    would = "would drop" if preview else "dropped"
    print_line(f"{would}: {', '.join(gone)}" if gone else f"nothing ends before {before}")
