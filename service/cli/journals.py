"""Check a journal, and cut a damaged tail on the operator's word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.codes import ExitCode, epilog
from service.cli.failures import CommandFailed, Failure
from service.cli.output import note, print_json, print_line
from service.cli.parts import ConfigFile, JournalFile, Json, load_config

if TYPE_CHECKING:
    from store.postgres.place import Place

__all__ = ["cut", "register", "verify"]

_journal = typer.Typer(no_args_is_help=True, help="Check a journal, or cut a damaged tail.", epilog=epilog())


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (verify, cut):
        _journal.command(epilog=epilog())(command)
    app.add_typer(_journal, name="journal")


def verify(journal: JournalFile = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Check every record of the journal and its structure; also while the daemon runs."""
    from contextlib import closing

    from store.journals import open_reader

    path = _where(journal, config)
    with closing(open_reader(path, check=False)) as reader:
        good, digest = reader.verify(), reader.digest()
    if as_json:
        print_json({"path": str(path), "records": good, "digest": digest})
    else:
        print_line(f"{path}: all {good} records are good; digest {digest}")


def cut(
    confirm: Annotated[str, typer.Option("--confirm", help="The words that this command prints without it.")] = "",
    journal: JournalFile = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Cut a damaged tail: show what would be lost, do it only with the printed words. Keeps the whole file aside."""
    from runtime.journal import JournalCorrupt
    from store.journal_repair import confirmation, cut_tail
    from store.journal_repair import verify as verify_file

    path = _file(journal, config)
    try:
        good = verify_file(path)
    except JournalCorrupt as damage:
        if not damage.tail:
            raise
        words = confirmation(path, damage.position)
        if not confirm:
            raise _unconfirmed(damage, words) from damage
        done = cut_tail(path, damage.position, confirm=confirm)
    else:
        message = f"{path}: all {good} records are good, there is nothing to cut"
        print_json({"path": str(path), "records": good, "cut": False}) if as_json else print_line(message)
        return
    note(f"the whole journal as it was stands in {done.side_file}")
    if as_json:
        print_json({"path": str(path), "records": done.kept, "cut": True, "side_file": str(done.side_file)})
    else:
        print_line(f"{path}: cut; {done.kept} records are kept")


def _unconfirmed(damage: Exception, words: str) -> CommandFailed:
    position = getattr(damage, "position", 0)
    message = f"{damage}. Cutting keeps the {position - 1} records before it and loses what comes after"
    advice = f'bulkhead journal cut --confirm "{words}" (the whole file is copied aside first)'
    return CommandFailed(Failure(ExitCode.FAILED, "Unconfirmed", message, advice, value=words))


def _where(journal: Path | None, config: Path | None) -> Path | Place:
    from service.journals import journal_of

    return journal if journal is not None else journal_of(load_config(config))


def _file(journal: Path | None, config: Path | None) -> Path:
    """Return the file to cut; on a server there is none: its own backups go further than a cut."""
    where = _where(journal, config)
    if isinstance(where, Path):
        return where
    message = f"{where}: only a journal in a file can be cut"
    advice = "bulkhead journal verify shows what is damaged; restore the last good backup: bulkhead db restore"
    raise CommandFailed(Failure(ExitCode.FAILED, "CutRefused", message, advice))
