"""The database of an installation: where it is, and that its password is nowhere to be seen."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from service.config import ConfigError, parse
from service.journals import has_journal, journal_of, open_live_reader, place_of, views_of
from service.live_journal import open_live_journal
from store.postgres.place import Place
from store.sqlite_journal import SqliteJournal
from tests.store.events import entry


def test_without_a_url_all_is_in_the_data_folder(tmp_path: Path) -> None:
    """No database named: journal and read models are files, as ever."""
    config = parse(f"[app]\ndata_dir = '{tmp_path}'", {})
    assert place_of(config) is None
    assert (journal_of(config), views_of(config)) == (tmp_path / "journal.db", tmp_path / "views.db")
    assert not has_journal(config)
    with closing(open_live_journal(config, opened_at=1)) as journal:
        assert isinstance(journal, SqliteJournal)
    assert has_journal(config)


def test_a_url_names_a_place() -> None:
    """Address, password and times of the configuration are those of the place; the place shows no password."""
    config = parse(
        "[database]\nurl = 'postgresql://ann@db:5433/house'\nschema = 'desk'\ncommit_timeout_ms = 1500",
        {"BULKHEAD_DATABASE__PASSWORD": "p@ss/word"},
    )
    place = place_of(config)
    assert place == Place(
        "postgresql://ann:p%40ss%2Fword@db:5433/house",
        "desk",
        connect_timeout_s=3.0,
        command_timeout_s=10.0,
        commit_timeout_s=1.5,
    )
    assert "p%40ss" not in f"{place} {journal_of(config)} {config}"
    assert "p@ss" not in f"{place} {journal_of(config)} {config}"


def test_a_whole_address_may_come_from_the_environment() -> None:
    """BULKHEAD_DATABASE_URL, as hosts hand it out, sets the address without its password, and the password apart."""
    config = parse("", {"BULKHEAD_DATABASE_URL": "postgres://ann:p%40ss@db/house?sslmode=require"})
    assert config.database.url == "postgres://ann@db/house?sslmode=require"
    assert config.database.password is not None
    assert config.database.password.reveal() == "p@ss"
    assert place_of(config) == Place("postgres://ann:p%40ss@db/house?sslmode=require")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://ann:s3cret@db/house", "SecretInFile"),
        ("postgresql://db/house?user=ann&password=s3cret", "SecretInFile"),
        ("mysql://db/house", "OutOfRange"),
        ("journal.db", "OutOfRange"),
        ("postgresql://db:port/house", "OutOfRange"),
    ],
)
def test_a_wrong_url_is_refused_without_showing_a_password(url: str, code: str) -> None:
    """A password in the file is a mistake, and so is what is no address; neither is repeated in the answer."""
    with pytest.raises(ConfigError) as caught:
        parse(f"[database]\nurl = '{url}'", {})
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == ("database.url", code)
    assert "s3cret" not in f"{problem} {problem.as_dict()} {caught.value}"


@pytest.mark.parametrize("schema", ["Big", "pg_own", "1st", "a-b", ""])
def test_a_schema_needs_no_quotes(schema: str) -> None:
    """A schema that would need quotes is refused by name."""
    with pytest.raises(ConfigError, match=r"database\.schema"):
        parse(f"[database]\nschema = '{schema}'", {})


def test_the_live_journal_is_opened_where_it_is_named(postgres_url: str) -> None:
    """A configuration with a url opens the journal on that server, for writing and for reading."""
    config = parse(f"[database]\nurl = '{postgres_url}'\nschema = 'desk'", {})
    assert not has_journal(config)
    with closing(open_live_journal(config, opened_at=1)) as journal:
        journal.append([entry("a", 1)])
        assert has_journal(config)
        with closing(open_live_reader(config)) as reader:
            assert reader.digest() == journal.digest()
