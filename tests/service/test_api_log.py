"""The event log, alerts and commands over the control socket."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
from typing import Any

import msgspec
import pytest

from protocol.event_log import EVENT_LOG, LogEvent
from service.api.audit import allowed_when_read_only
from service.api.client import DaemonRefused
from service.api.table.everything import TABLE
from store.log.lines import COLUMNS
from tests.service.api_rig import Rig, run
from tests.service.test_api import ENTRY, refusal

ME = pwd.getpwuid(os.getuid()).pw_name


async def log(rig: Rig, *lines: LogEvent) -> None:
    """Write lines and wait until they can be found."""
    ref = rig.host.system.lookup(EVENT_LOG)
    assert ref is not None
    for line in lines:
        ref.tell(line)
    await rig.until(f"/v1/log?code={lines[-1].code}&limit=1", lambda said: said["events"])


def read_only(rig: Rig) -> None:
    """Switch the engine to read only."""
    config = rig.host.config
    rig.host.config = msgspec.structs.replace(config, app=msgspec.structs.replace(config.app, read_only=True))


def test_the_log_is_searched_by_any_part() -> None:
    """EX-1410: text, category, severity, tag, code narrow the lines; newest first, page by page."""

    async def work(rig: Rig) -> None:
        await log(
            rig,
            LogEvent(code="One", text="the lighthouse is dark", severity="warning", tags=("config",)),
            LogEvent(code="Two", text="the lighthouse is lit"),
        )
        found = (await rig.get("/v1/log", text="light"))["events"]
        assert [row["code"] for row in found] == ["Two", "One"]
        before = found[0]["position"]
        assert [row["code"] for row in (await rig.get("/v1/log", text="light", before=before))["events"]] == ["One"]
        for query in ({"category": "warning"}, {"severity": "warning"}, {"tag": "config"}, {"text": "dark"}):
            assert [row["code"] for row in (await rig.get("/v1/log", **query))["events"]] == ["One"], query
        assert (await rig.get("/v1/log", text="lighthouse", category="precision"))["events"] == []

    run(work)


def test_an_unknown_word_is_refused_with_the_known_ones() -> None:
    """EX-110: a category, tag, form or number that there is not is refused; the message names what there is."""

    async def work(rig: Rig) -> None:
        error = await refusal(rig.get("/v1/log", category="shoal"))
        assert (error.code, error.body["path"], "risk_engine" in str(error)) == ("InvalidEnum", "category", True)
        assert (await refusal(rig.get("/v1/log", since="yesterday"))).code == "WrongType"
        assert (await refusal(rig.get("/v1/log/export", format="pdf"))).code == "InvalidEnum"

    run(work)


def test_a_command_that_breaks_off_is_not_said_to_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: whatever nobody foresaw was noted as "not done", and nobody knew that (EX-1405)."""

    def torn(*_: Any) -> None:
        raise RuntimeError("in the middle")

    async def work(rig: Rig) -> None:
        monkeypatch.setattr("service.api.log.prune", torn)
        assert (await refusal(rig.post("/v1/log/prune", {}))).code == "RuntimeError"
        found = await rig.until("/v1/log?code=OperatorActed", lambda said: said["events"])
        assert "failed: RuntimeError" in found["events"][0]["text"]

    run(work)


def test_an_export_without_room_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: a full disk below the daemon was called a mistake of bulkhead (EX-1409)."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    async def work(rig: Rig) -> None:
        monkeypatch.setattr("service.api.spooled.TemporaryFile", full)
        said = await refusal(rig.get("/v1/log/export"))
        assert (said.code, said.status, "No space left" in str(said)) == ("ExportFailed", 507, True)

    run(work)


def test_what_is_found_is_exported() -> None:
    """EX-1409: the filtered view as text, CSV and JSON; filters hold."""

    async def work(rig: Rig) -> None:
        await log(rig, LogEvent(code="One", text="kept, out"), LogEvent(code="Two", text='kept "in"'))
        import anyio

        async def exported(form: str) -> str:
            out = io.BytesIO()
            wanted = {"format": form, "code": "Two"}
            await anyio.to_thread.run_sync(lambda: rig.client.fetch("/v1/log/export", out, wanted))
            return out.getvalue().decode()

        rows = list(csv.DictReader(io.StringIO(await exported("csv"), newline="")))
        assert tuple(rows[0]) == COLUMNS
        assert [row["text"] for row in rows] == ['kept "in"']
        assert [row["code"] for row in json.loads(await exported("json"))] == ["Two"]
        assert (await exported("txt")).count("\n") == 1
        with pytest.raises(DaemonRefused):
            await exported("pdf")

    run(work)


def test_alerts_stay_until_they_are_acknowledged() -> None:
    """EX-1406: the strip shows the newest three and how many others; an acknowledged one is gone and stays in the log."""

    async def work(rig: Rig) -> None:
        await log(rig, *[LogEvent(code=f"A{number}", text="grounded", pinned=True) for number in range(5)])
        strip = await rig.get("/v1/alerts")
        assert ([row["code"] for row in strip["alerts"]], strip["count"], strip["others"]) == (["A4", "A3", "A2"], 5, 2)
        seen = strip["alerts"][1]["position"]
        await rig.post("/v1/alerts/ack", {"positions": [seen]})
        strip = await rig.until("/v1/alerts", lambda said: said["count"] == 4)
        assert [row["code"] for row in strip["alerts"]] == ["A4", "A2", "A1"]
        row = (await rig.get("/v1/log", code="A3"))["events"][0]
        assert (row["acknowledged_by"], row["pinned"]) == (ME, True)
        assert (await refusal(rig.post("/v1/alerts/ack", {"positions": [seen]}))).code == "NotFound"
        assert (await refusal(rig.post("/v1/alerts/ack", {}))).code == "MissingValue"
        await rig.post("/v1/alerts/ack", {"all": True})
        assert (await rig.until("/v1/alerts", lambda said: said["count"] == 0))["alerts"] == []

    run(work)


def test_every_command_is_written_down() -> None:
    """EX-1405: who, from where, what with, what came of it; also of a command that was refused; secrets never."""

    async def work(rig: Rig) -> None:
        await rig.post("/v1/pause", {"reason": 'rain, secret="hunter22hunter22"'})
        await refusal(rig.post("/v1/signal", {**ENTRY, "side": "sideways", "webhook_secret": "hunter22hunter22"}))
        await rig.until("/v1/log?tag=operator&text=signal", lambda said: said["events"])
        rows = (await rig.get("/v1/log", code="OperatorActed"))["events"]
        assert [row["text"].startswith(f"{ME} from control socket, process ") for row in rows] == [True, True]
        assert "POST /v1/pause (reason rain" in rows[1]["text"]
        assert rows[1]["text"].endswith(": done")
        assert ": refused: " in rows[0]["text"]
        assert not any("hunter22" in row["text"] for row in rows)

    run(work)


def test_without_an_audit_trail_commands_are_not_recorded() -> None:
    """EX-1302, EX-1405: logging.audit_log_enabled false leaves operators' commands out; it holds from the next one on."""

    async def work(rig: Rig) -> None:
        config = rig.host.config
        for kept, reason in ((False, "unseen"), (True, "seen")):
            logging = msgspec.structs.replace(config.logging, audit_log_enabled=kept)
            rig.host.config = msgspec.structs.replace(config, logging=logging)
            await rig.post("/v1/pause", {"reason": reason})
        found = await rig.until("/v1/log?code=OperatorActed", lambda said: len(said["events"]) > 0)
        assert [("unseen" in row["text"], "seen" in row["text"]) for row in found["events"]] == [(False, True)]

    run(work)


def test_read_only_refuses_all_but_pausing_and_closing() -> None:
    """EX-1506: in read-only mode commands are refused with ReadOnlyMode and written down; pausing and looking work."""

    async def work(rig: Rig) -> None:
        read_only(rig)
        error = await refusal(rig.post("/v1/signal", ENTRY))
        assert (error.code, error.status) == ("ReadOnlyMode", 403)
        assert "app.read_only" in str(error)
        assert (await refusal(rig.post("/v1/resume"))).code == "ReadOnlyMode"
        assert (await rig.post("/v1/pause"))["told"]
        assert (await rig.get("/v1/status"))["pid"]
        text = "ReadOnlyMode"
        await rig.until(f"/v1/log?text={text}&limit=5", lambda said: len(said["events"]) == 2)

    run(work)


@pytest.mark.parametrize(
    ("path", "body", "allowed"),
    [
        ("/v1/signal", {"kind": "exit"}, True),
        ("/v1/signal", {"kind": "entry"}, False),
        ("/v1/signals/check", {}, True),
        ("/v1/group/{id}/close", {}, True),
        ("/v1/group/{id}/edit", {"changes": {}}, True),
        ("/v1/group/{id}/edit", {"changes": {}, "preview": False}, False),
        ("/v1/signals/{id}/replay", {"mode": "dry"}, True),
        ("/v1/signals/{id}/replay", {"mode": "real"}, False),
        ("/v1/dead-letters/{id}/replay", {}, False),
        ("/v1/log/prune", {"preview": True}, True),
        ("/v1/log/prune", {}, False),
        ("/v1/config/draft", {"values": {"app.read_only": False}}, True),
        ("/v1/config/draft", {"values": {"app.read_only": False, "ui.theme": "light"}}, False),
        ("/v1/stop", {}, False),
        ("/v1/stop", {"preview": True, "dry": True}, False),
        ("/v1/people", {"preview": True}, False),
        ("/v1/restart", {"path": "/close"}, False),
    ],
)
def test_what_read_only_lets_through(path: str, body: dict[str, Any], allowed: bool) -> None:
    """EX-1506: what closes a position, shows what would happen or ends the mode itself works; nothing else does."""
    assert allowed_when_read_only(TABLE["POST", path], json.dumps(body).encode()) is allowed


def test_segments_are_listed_marked_and_pruned() -> None:
    """EX-1408: the preview removes nothing; a mark is set by number; an unknown segment is refused."""

    async def work(rig: Rig) -> None:
        folder = rig.host.config.app.data_dir / "logs"
        folder.mkdir()
        for number, day in enumerate(("2026-01-01", "2026-01-02", "2026-06-01"), 1):
            (folder / f"{number:06}_{day}.jsonl.gz").write_bytes(b"x")
        shown = (await rig.get("/v1/log/segments"))["segments"]
        assert (shown[0]["number"], shown[0]["day"], shown[0]["kept"]) == (1, "2026-01-01", False)
        assert (await rig.post("/v1/log/keep", {"segment": "1"}))["kept"]
        preview = await rig.post("/v1/log/prune", {"preview": True})
        assert [each["number"] for each in preview["removed"]] == [2]
        assert len(list(folder.glob("*.gz"))) == 3
        assert (await rig.post("/v1/log/prune"))["removed"] == preview["removed"]
        assert len(list(folder.glob("*.gz"))) == 2
        error = await refusal(rig.post("/v1/log/keep", {"segment": "7"}))
        assert (error.code, "log segments" in str(error)) == ("NotFound", True)

    run(work)
