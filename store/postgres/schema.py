"""The journal's tables on PostgreSQL, their version, and the way from an old version to today's.

One append is one call of the function ``append``: one round trip, one transaction. It looks at the leases, moves the head
and inserts the rows, in this order, so that two writers meet at a row lock before either has written anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from runtime.journal import JournalTooNew, JournalUnavailable
from store.errors import MigrationFailed
from store.postgres.link import Link, ServerRefused
from store.postgres.place import Place

__all__ = ["FENCED", "HEAD_MOVED", "MIGRATIONS", "VERSION", "journal_version", "migrate_journal", "refuse_newer"]

FENCED: Final = "BHF01"
"""What ``append`` raises (an SQLSTATE) when a lease has a newer token than the writer's."""

HEAD_MOVED: Final = "BHH01"
"""What it raises when the head is not where its writer left it, or belongs to another writer."""

_TABLES: Final = (
    'CREATE TABLE {s}.streams (id integer PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE)',
    """CREATE TABLE {s}.types (
        id integer PRIMARY KEY, name text COLLATE "C" NOT NULL, version integer NOT NULL, UNIQUE (name, version))""",
    """CREATE TABLE {s}.events (
        position bigint PRIMARY KEY, stream integer NOT NULL, seq bigint NOT NULL, type integer NOT NULL,
        at bigint NOT NULL, message_id bigint NOT NULL, correlation_id bigint NOT NULL, causation_id bigint NOT NULL,
        checksum bytea NOT NULL, payload bytea NOT NULL, UNIQUE (stream, seq))""",
    # Checksums do not compress and payloads are small: looking at each whether it would costs more than it saves.
    "ALTER TABLE {s}.events ALTER checksum SET STORAGE PLAIN, ALTER payload SET STORAGE EXTERNAL",
    # ``session`` belongs to one connection of one opening: what an older connection still has under way cannot land.
    """CREATE TABLE {s}.head (
        one integer PRIMARY KEY CHECK (one = 1), position bigint NOT NULL, checksum bytea NOT NULL,
        opening bigint NOT NULL, session bigint NOT NULL)""",
    "INSERT INTO {s}.head VALUES (1, 0, decode(repeat('00', 32), 'hex'), 0, 0)",
    """CREATE TABLE {s}.snapshots (
        stream integer PRIMARY KEY, seq bigint NOT NULL, version integer NOT NULL, position bigint NOT NULL,
        checksum bytea NOT NULL, state bytea NOT NULL)""",
    """CREATE TABLE {s}.openings (
        number bigint PRIMARY KEY, at bigint NOT NULL, pid integer NOT NULL, host text NOT NULL)""",
    """CREATE TABLE {s}.leases (
        name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, token bigint NOT NULL, expires_at timestamptz NOT NULL,
        acquired_at timestamptz NOT NULL, renewed_at timestamptz NOT NULL)""",
)

_HOLDS: Final = """CREATE FUNCTION {s}.must_hold(p_leases text[], p_tokens bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held integer;
BEGIN
    -- The share lock keeps a takeover out until this transaction has ended; one that was first makes us look again.
    PERFORM 1 FROM {s}.leases l JOIN unnest(p_leases, p_tokens) f (name, token) ON l.name = f.name AND l.token = f.token
        ORDER BY l.name FOR SHARE OF l;
    GET DIAGNOSTICS held = ROW_COUNT;
    IF held < cardinality(p_leases) THEN
        RAISE EXCEPTION USING ERRCODE = 'BHF01', MESSAGE = (
            SELECT 'lease ' || f.name || ' has token ' || coalesce(l.token::text, 'none')
                || coalesce(' (held by ' || l.holder || ')', '') || ', this writer ' || f.token
            FROM unnest(p_leases, p_tokens) f (name, token) LEFT JOIN {s}.leases l ON l.name = f.name
            WHERE l.token IS DISTINCT FROM f.token ORDER BY f.name LIMIT 1);
    END IF;
END $$"""

_APPEND: Final = """CREATE FUNCTION {s}.append(
    p_session bigint, p_position bigint, p_checksum bytea, p_leases text[], p_tokens bigint[],
    p_stream_ids integer[], p_stream_names text[],
    p_type_ids integer[], p_type_names text[], p_type_versions integer[],
    p_streams integer[], p_seqs bigint[], p_types integer[], p_ats bigint[], p_messages bigint[],
    p_correlations bigint[], p_causations bigint[], p_checksums bytea[], p_payloads bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    n CONSTANT integer := cardinality(p_streams);
BEGIN
    IF cardinality(p_leases) > 0 THEN
        PERFORM {s}.must_hold(p_leases, p_tokens);
    END IF;
    UPDATE {s}.head SET position = p_position + n, checksum = p_checksums[n]
        WHERE session = p_session AND position = p_position AND checksum = p_checksum;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'BHH01', MESSAGE = 'the head is not where this writer left it';
    END IF;
    IF cardinality(p_stream_ids) > 0 THEN
        INSERT INTO {s}.streams SELECT * FROM unnest(p_stream_ids, p_stream_names);
    END IF;
    IF cardinality(p_type_ids) > 0 THEN
        INSERT INTO {s}.types SELECT * FROM unnest(p_type_ids, p_type_names, p_type_versions);
    END IF;
    INSERT INTO {s}.events SELECT p_position + r.n, r.stream, r.seq, r.type, r.at, r.message, r.correlation, r.causation,
            r.checksum, r.payload
        FROM unnest(p_streams, p_seqs, p_types, p_ats, p_messages, p_correlations, p_causations, p_checksums, p_payloads)
        WITH ORDINALITY r (stream, seq, type, at, message, correlation, causation, checksum, payload, n);
END $$"""

MIGRATIONS: Final[Sequence[Sequence[str]]] = ((*_TABLES, _HOLDS, _APPEND),)
"""The statements from each version to the next, from 0 (nothing there) on; ``{s}`` stands for the schema."""

VERSION: Final = len(MIGRATIONS)
"""Today's version of the journal's tables."""

_VERSIONS: Final = """CREATE TABLE IF NOT EXISTS {s}.journal_versions (
    version integer PRIMARY KEY, migrated_at timestamptz NOT NULL DEFAULT clock_timestamp())"""

_MIGRATING: Final = 0x6D696772
"""First half of the advisory lock's key that lets one process at a time migrate a schema."""


def journal_version(link: Link) -> int:
    """Return the version of the journal's tables, 0 when there are none."""
    schema = link.place.schema
    if link.fetch("SELECT to_regclass($1)", f"{schema}.journal_versions")[0][0] is None:
        return 0
    return int(link.fetch(f"SELECT coalesce(max(version), 0) FROM {schema}.journal_versions")[0][0])  # noqa: S608 checked


def refuse_newer(place: Place, version: int, known: int = VERSION) -> None:
    """Raise ``JournalTooNew`` for tables that a newer bulkhead made."""
    if version > known:
        raise JournalTooNew(f"{place} has journal version {version}, this bulkhead knows {known}")


def migrate_journal(
    link: Link, *, steps: Sequence[Sequence[str]] = MIGRATIONS, to_version: int | None = None
) -> tuple[int, int]:
    """Bring the journal's tables to today's version in one transaction; return the version before and after.

    Raises JournalTooNew (nothing is touched), JournalUnavailable, and MigrationFailed: then all is as it was.
    """
    target = len(steps) if to_version is None else to_version
    before = journal_version(link)
    refuse_newer(link.place, before, target)
    if before == target:
        return before, before
    try:
        link.run(lambda connection: _migrate(connection, link.place.schema, steps, target), timeout_s=_LONG_S)
    except ServerRefused as error:
        raise MigrationFailed(f"{link.place} stays at journal version {before}: {error}") from error
    return before, target


_LONG_S: Final = 3_600.0
"""A step may rewrite a large table."""


async def _migrate(connection: Any, schema: str, steps: Sequence[Sequence[str]], target: int) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", _MIGRATING, schema)
        if await connection.fetchval("SELECT pg_catalog.getdatabaseencoding()") != "UTF8":
            raise JournalUnavailable("the database's encoding is not UTF8: make one with ENCODING 'UTF8'")
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        await connection.execute(_VERSIONS.format(s=schema))
        # Somebody else may have come first while we waited for the lock.
        version = await connection.fetchval(f"SELECT coalesce(max(version), 0) FROM {schema}.journal_versions")  # noqa: S608
        for number in range(version, target):
            for statement in steps[number]:
                await connection.execute(statement.replace("{s}", schema))
            await connection.execute(f"INSERT INTO {schema}.journal_versions VALUES ($1)", number + 1)  # noqa: S608
