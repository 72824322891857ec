"""Commands on a journal that lives on a server."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from protocol.webhook import RequestRefused
from runtime.journal import Entry
from service.cli.codes import ExitCode
from service.config import load
from service.live_journal import open_live_journal
from tests.service.test_cli import call

EVENT = RequestRefused(user="ann", address="192.0.2.1", size=10, code="BadSecret", refused=1, at=1_000)


def test_a_journal_on_a_server_is_verified_and_never_cut(postgres_url: str, tmp_path: Path) -> None:
    """``verify`` checks every record where the configuration says the journal is; ``cut`` refuses, and says what to do."""
    file = tmp_path / "config.toml"
    file.write_text(f"[app]\ndata_dir = 'data'\n[database]\nurl = '{postgres_url}'\n")
    with closing(open_live_journal(load(file, {}), opened_at=1)) as journal:
        journal.append([Entry("a", 1, EVENT, 1, 1, 1, 0)])
        found = json.loads(call("journal", "verify", "--config", str(file), "--json").stdout)
        assert (found["records"], found["digest"]) == (1, journal.digest())
        assert found["path"].endswith("(schema bulkhead)")
    refused = call("journal", "cut", "--config", str(file), "--json")
    assert refused.exit_code == ExitCode.FAILED
    assert json.loads(refused.stderr)["code"] == "CutRefused"
    assert not (tmp_path / "data" / "journal.db").exists()
