"""Installations on either database, for tests of moves and backups."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from service.config import Config, load
from service.journals import open_live_reader, views_of
from service.live_journal import open_live_journal
from store.projector import Projector
from store.tables.contents import digests
from tests.store.trading import random_trading

__all__ = ["Kind", "installation", "journal_digest", "traded", "views_digests"]

Kind = Callable[[Path], Config]
"""Makes an empty installation in a folder."""


def installation(folder: Path, url: str = "") -> Config:
    """Return the configuration of an installation in a folder, its tables on a server when there is an address."""
    folder.mkdir(exist_ok=True)
    file = folder / "config.toml"
    file.write_text("# Mine.\n[execution_pool]\nmax_open_groups = 4\n")
    environment = {"BULKHEAD_DATABASE_URL": url} if url else {}
    return load(file, environment)


def traded(config: Config, seed: int = 7, steps: int = 40, *, projected: bool = True) -> Config:
    """Write a journal of some groups, its read models and the files beside it."""
    config.app.data_dir.mkdir(exist_ok=True)
    (config.app.data_dir / "deployment").write_text("ab12\n")
    with closing(open_live_journal(config, opened_at=1)) as journal:
        random_trading(journal, Random(seed), steps)
        if projected:
            with closing(Projector(views_of(config))) as projector:
                projector.catch_up(journal)
    return config


def journal_digest(config: Config) -> str:
    """Return the digest of the journal, after checking every record."""
    with closing(open_live_reader(config)) as reader:
        return reader.digest()


def views_digests(config: Config) -> dict[str, str]:
    """Return the digests of the read models, brought up to the journal."""
    with closing(open_live_reader(config)) as reader, closing(Projector(views_of(config))) as projector:
        projector.catch_up(reader)
        return digests(projector.database)
