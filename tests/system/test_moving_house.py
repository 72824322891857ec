"""A trading installation goes to PostgreSQL and back with open groups, and is backed up while it trades."""

from __future__ import annotations

import signal
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from service.backup import make_backup
from service.journals import journal_of, open_live_reader, views_of
from service.moving import move_installation
from service.restoring import restore
from store.tables.opening import read_tables
from store.transfer.checking import check_views
from tests.servers.postgres import shared_server
from tests.service.store_places import installation
from tests.system.accounts import check_no_order_twice
from tests.system.process import CONFIG, DaemonProcess, daemon_in, entry
from tests.system.test_daemon import ORDERS, at_rest, post

pytestmark = pytest.mark.slow(seconds=25)


def test_open_groups_go_along(postgres_url: str) -> None:
    """On both databases the same groups and orders go on, none is sent twice, and what was left behind never starts."""
    database = f"[database]\nurl = '{postgres_url}'\n"
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name)) as daemon:
        daemon.up()
        enters(daemon, "BTC/USDT")
        before = at_rest(daemon, ORDERS)
        holds_up(daemon, Path(name) / "files.bulkhead")
        assert daemon.end(signal.SIGTERM) == 0
        here = journal_of(daemon.config)
        daemon.file.write_text(CONFIG + database)
        there = journal_of(daemon.config)
        moved = move_installation(here, there)
        assert moved.records == moved.read_models_at
        daemon.up()
        assert at_rest(daemon, ORDERS) == before
        enters(daemon, "ETH/USDT")
        both = at_rest(daemon, 2 * ORDERS)
        holds_up(daemon, Path(name) / "server.bulkhead")
        assert daemon.end(signal.SIGTERM) == 0
        daemon.file.write_text(CONFIG)
        assert daemon.refused()["code"] == "InstallationMoved"
        assert move_installation(there, here).new_records > 0
        daemon.file.write_text(CONFIG + database)
        assert daemon.refused()["code"] == "InstallationMoved"
        daemon.file.write_text(CONFIG)
        daemon.up()
        assert at_rest(daemon, 2 * ORDERS) == both
        assert daemon.end(signal.SIGTERM) == 0
        assert daemon.left_behind() == []
        check_no_order_twice(daemon.records())


def enters(daemon: DaemonProcess, symbol: str) -> None:
    """Have an entry accepted."""
    assert post(daemon.status()["webhook_url"], entry("t1", symbol))[1]["outcome"] == "accepted"


def holds_up(daemon: DaemonProcess, archive: Path) -> None:
    """Back up the running installation; what it restores to is whole, on the other database as well."""
    make_backup(daemon.config, daemon.file, archive, now=1, key="correct horse battery")
    for number, url in enumerate(("", shared_server().database())):
        other = installation(archive.with_name(f"{archive.stem}{number}"), url)
        restore(archive, other, None, now=1, key="correct horse battery")
        with closing(open_live_reader(other)) as reader, closing(read_tables(views_of(other))) as tables:
            assert reader.verify() == reader.head() > 0
            assert check_views(tables, reader).differing == ()
