"""Taking performance away from the command line, and what happens where there is no room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from io import FileIO
from pathlib import Path
from typing import IO, Any

import anyio
import pytest

from service.api.client import DaemonRefused
from service.cli import app
from service.cli.failures import CommandFailed
from service.cli.whole_file import whole_file
from store.tables.opening import write_tables
from tests.service.command_line import CliRunner
from tests.service.report.house import House, run


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def command(house: House, *words: str) -> Mapping[str, Any]:
    """Run a command against the house; return its exit code and what it printed."""
    line = [*words, "--socket", str(house.socket)]
    result = await anyio.to_thread.run_sync(lambda: CliRunner().invoke(app, line))
    return {"code": result.exit_code, "out": result.stdout, "err": result.stderr}


def test_the_command_line_takes_everything_away(tmp_path: Path) -> None:
    """EX-1718: `report` and `export` write whole files named by what they hold; `performance` shows the figures."""

    async def work(house: House) -> None:
        said = await command(house, "report", "--out", str(tmp_path))
        assert (said["code"], said["err"]) == (0, said["err"])
        page = tmp_path / "performance_start_2025-04-01_paper.html"
        assert read(page).startswith("<!doctype html>")
        said = await command(house, "export", "by-strategy", "--range", "30d", "--out", str(tmp_path), "--json")
        file = Path(json.loads(said["out"])["file"])
        assert file.name == "by_strategy_2025-03-03_2025-04-01_paper.csv"
        assert read(file).startswith("strategy,realized")
        assert "drawdown" in (await command(house, "export"))["out"]
        said = await command(house, "performance", "--range", "all")
        assert "profit factor" in said["out"]
        assert "Dip buyer" in said["out"]
        said = await command(house, "performance", "trades", "--last", "3", "--json")
        assert len(json.loads(said["out"])) == 3
        assert "stop_loss" in (await command(house, "performance", "trades", "--reason", "stop_loss"))["out"]
        assert "2025-03" in (await command(house, "performance", "days"))["out"]
        assert "+2500.0" in (await command(house, "performance", "flows"))["out"]

    run(work, trades=60)
    assert len(list(tmp_path.iterdir())) == 2


def test_fees_that_nobody_can_value_are_named() -> None:
    """EX-1701: what was paid in an exchange's own coin is in no result, and page and terminal say so."""

    async def work(house: House) -> None:
        with closing(write_tables(house.config.app.data_dir / "views.db")) as tables, tables.transaction():
            for number, paid in enumerate((("BNB", "0.1"), ("BNB", "0.2"), ("USDT", "5"), ("KCS", "0"))):
                row = [f"g{number:07}", *paid]
                tables.execute("INSERT INTO group_fees (group_id, currency, amount) VALUES (?, ?, ?)", row)
        assert (await house.get("/v1/performance", parts="none"))["unvalued_fees"] == {"BNB": "0.3"}
        assert (await house.get("/v1/performance", parts="none", range="today"))["unvalued_fees"] == {}
        assert b"Fees of 0.3 BNB are in no result" in (await house.fetched("/v1/performance/report"))[0]
        assert "fees of 0.3 BNB are in no result" in (await command(house, "performance"))["out"]

    run(work, trades=30)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("performance", "--range", "30d", "--from", "2025-01-01"), 2, "names the days already"),
        (("performance", "--from", "yesterday"), 2, "no date"),
        (("export", "trades", "--theme", "dark"), 2, "png"),
        (("export", "moon"), 4, "moon"),
        (("performance", "deposit", "-5"), 2, ""),
        (("performance", "deposit", "much"), 2, "no amount"),
        (("report", "--out", "/nowhere/at/all.html"), 1, "ExportFailed"),
    ],
)
def test_wrong_words_are_refused(words: tuple[str, ...], code: int, said: str) -> None:
    """Each mistake has its exit code and says what is wrong."""

    async def work(house: House) -> None:
        found = await command(house, *words)
        assert found["code"] == code, found
        assert said in found["err"]

    run(work, trades=3)


def test_a_full_disk_below_the_daemon_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1718: a daemon that has no room to put a table together says ExportFailed; nothing is called its mistake."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    async def work(house: House) -> None:
        monkeypatch.setattr("service.api.spooled.TemporaryFile", full)
        with pytest.raises(DaemonRefused) as caught:
            await house.get("/v1/performance/export/trades")
        assert (caught.value.code, caught.value.status) == ("ExportFailed", 507)
        assert "No space left" in str(caught.value)

    run(work, trades=1)


def test_a_full_disk_of_the_reader_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-1718: no room to take an answer in is ExportFailed as well, and names the folder that is full."""

    def full() -> IO[bytes]:
        return FileIO("/dev/full", "r+")  # type: ignore[return-value]  # all that is used of one

    async def work(house: House) -> None:
        monkeypatch.setattr("service.cli.taking_away.TemporaryFile", full)
        for words in (("report",), ("export", "trades", "--format", "parquet")):
            found = await command(house, *words, "--out", str(tmp_path))
            assert (found["code"], "ExportFailed" in found["err"]) == (1, True), found

    run(work, trades=2)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """EX-1718: ExportFailed leaves no partial file, and what stood there before stands."""
    there = tmp_path / "there.csv"
    there.write_text("old")

    def broken(error: BaseException) -> None:
        with whole_file(there) as file:
            file.write(b"half")
            raise error

    with pytest.raises(CommandFailed) as caught:
        broken(OSError(28, "No space left on device"))
    assert caught.value.failure.code == "ExportFailed"
    with pytest.raises(KeyboardInterrupt):
        broken(KeyboardInterrupt())
    assert [each.name for each in tmp_path.iterdir()] == ["there.csv"]
    assert there.read_text() == "old"
