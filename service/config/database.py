"""Where the installation's records are kept: files in the data folder, or a PostgreSQL server."""

from __future__ import annotations

from typing import Annotated

from service.config import checks
from service.config.keys import Key, Secret, Section

__all__ = ["Database"]


class Database(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The PostgreSQL server that journal and read models live on; without a url they are files in app.data_dir."""

    url: Annotated[
        str,
        Key(
            doc="postgresql://USER@HOST:PORT/DATABASE, or empty for SQLite files in app.data_dir. The password has a key of "
            "its own. The variable BULKHEAD_DATABASE_URL sets both at once.",
            check=checks.database_url,
        ),
    ] = ""
    password: Annotated[
        Secret | None, Key(doc="Password of that user; without one ~/.pgpass and PGPASSWORD are tried.")
    ] = None
    schema: Annotated[
        str,
        Key(
            doc="Schema of this installation, made at the first start; read models get one beside it.",
            check=checks.schema_name,
        ),
    ] = "bulkhead"
    connect_timeout_ms: Annotated[
        int, Key(doc="How long one attempt to connect may take.", unit="ms", at_least=100, at_most=60_000)
    ] = 3_000
    statement_timeout_ms: Annotated[
        int,
        Key(
            doc="How long the server may take for one statement before the connection counts as lost.",
            unit="ms",
            at_least=500,
            at_most=600_000,
        ),
    ] = 10_000
    commit_timeout_ms: Annotated[
        int,
        Key(
            doc="How long a commit outlasts a lost connection (a server that restarts, a failover): until then it is looked "
            "for and sent again, and nothing that depends on it leaves. After that its writers are taken back.",
            unit="ms",
            at_least=0,
            at_most=60_000,
        ),
    ] = 5_000
    lease_s: Annotated[
        int,
        Key(
            doc="How long this daemon may act for its accounts without renewing that at the server; after that another "
            "daemon on the same database takes over. Renewed three times as often.",
            unit="s",
            at_least=3,
            at_most=300,
        ),
    ] = 15
