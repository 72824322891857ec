"""What a child process logs is logged by its parent: in its actor's name, with its causal chain and its exception."""

from __future__ import annotations

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE

import pytest

from runtime.child_log import LONGEST, child_environment, hear
from tests.house.sources import ROOT

CHILD = """
import logging, os
from runtime.child_log import speak
speak(lambda: 77)
log = logging.getLogger("bulkhead.tests.child")
log.info("took %d", 3)
try:
    raise ValueError("no such leg")
except ValueError:
    log.exception("could not go on")
os.write(2, b"Fatal Python error: x\\n")
os.write(2, b"y" * 70_000)
"""


def said_by(program: str) -> None:
    """Run a program as a child and hear it to its end."""

    async def work() -> None:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=PIPE, cwd=ROOT)
        assert process.stderr is not None
        await hear(process.stderr, "/store/projector")
        assert await process.wait() == 0

    asyncio.run(work())


def test_a_childs_lines_are_lines_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Level, logger, exception and causal chain are the child's; its last words, however long, are kept too (EX-14xx)."""
    with caplog.at_level(logging.INFO):
        said_by(CHILD)
    first, second, *plain = caplog.records
    assert (first.name, first.levelname, first.getMessage()) == ("bulkhead.tests.child", "INFO", "took 3")
    assert (first.__dict__["actor"], first.__dict__["correlation_id"]) == ("/store/projector", 77)
    assert "ValueError: no such leg" in str(second.exc_text)
    assert plain[0].getMessage() == "Fatal Python error: x"
    assert [len(each.getMessage()) for each in plain[1:]] == [LONGEST]
    assert {each.__dict__["actor"] for each in plain} == {"/store/projector"}


def test_a_child_gets_no_key_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of our environment a child gets what it needs to run; credentials are not among that (EX-1501)."""
    for name in ("BULKHEAD_MASTER_KEY", "BULKHEAD_ACCOUNT_MAIN_API_KEY", "DATABASE_URL", "PGPASSFILE"):
        monkeypatch.setenv(name, "open sesame")
    assert "open sesame" not in child_environment().values()
    given = child_environment({"ITS_OWN": "x"}, families=("PG",))
    assert (given["ITS_OWN"], given["PGPASSFILE"]) == ("x", "open sesame")
    assert set(given) >= {"PATH", "HOME"}
