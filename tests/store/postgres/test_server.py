"""The test server itself: what the other tests build on."""

from __future__ import annotations

import pytest

from tests.servers.postgres import Server, sql


def test_each_test_has_an_empty_database_of_its_own(postgres_url: str, server: Server) -> None:
    """Two databases share no table, and a server that was stopped and started keeps what was committed."""
    sql(postgres_url, "CREATE TABLE kept (n int)")
    other = server.database()
    assert sql(other, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'")[0][0] == 0
    sql(other, "CREATE TABLE kept (n int)")
    server.stop()
    with pytest.raises(OSError):
        sql(other, "SELECT 1")
    server.start()
    assert sql(other, "SELECT count(*) FROM kept")[0][0] == 0
