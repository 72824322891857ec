"""The pages for users: every command they show is understood, and their tables name everything there is."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from typer.main import get_command

from rules.signals.validation import PATHS
from service.advice import ADVICE
from service.cli import app
from service.config import parse
from tests.house.sources import ROOT

SPEC: Final = ROOT.parent / "shared" / "spec" / "execution.md"
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
COMMANDS: Final[Any] = get_command(app)
COMMANDS.list_commands(None)  # brings the commands of the rooms above
COMMAND: Final = re.compile(r"(?:^\$ |^|\$\(|[;|&] ?|\bdo |\bsudo (?:-u \w+ )?)bulkhead (\S.*)")
ENDS: Final = re.compile(r" [|<>] |; |&& |\)\"|\)(?= |$)| #")

MESSAGES: Final = """
    AddPyramid BlockGroup CancelOrder ConfigApplied EditDraft EntryRequest EventPublished ExitRequest FetchState
    FillReported ForceAdd GroupChanged GroupClosed InjectSignal LogEvent NeedRules OpenGroup OperatorClose OrderUpdate
    PauseEngine PerformanceChanged PrecisionState PreviewResult PriceTick QueueChanged ReduceRequest RefreshRules
    RemoveQueued ReplaySignal ResumeEngine RiskClose RiskDecision RiskStatus RunNow SecretReady SecretUnavailable
    SignalOutcome SignalReceived SkipOnce SlotReleased StoreSecret SubmitOrder UnblockGroup UseSecret VenueHealth
"""
"""Words of the requirements that are written as codes are, and are messages."""


def shown(page: Path) -> Iterator[str]:
    """Yield what a page has typed after ``bulkhead``: lines of its code blocks that name nothing to be filled in."""
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            if language != "console" or line.strip().startswith("$"):
                yield from (found[1] for found in COMMAND.finditer(line.strip()))


def words_of(typed: str) -> list[str] | None:
    """Return the words up to where the shell goes on, None for what cannot be typed as it stands."""
    try:
        return shlex.split(ENDS.split(typed)[0], comments=True)
    except ValueError:  # a text that goes on over several lines
        return None


@pytest.mark.parametrize("page", [page for page in PAGES if "decisions" not in page.parts], ids=lambda page: page.stem)
def test_every_command_of_a_page_is_understood(page: Path) -> None:
    """A page names commands and options that there are, with values of the right kind; nothing is run."""
    for typed in shown(page):
        words = words_of(typed)
        if words is None or "..." in typed:
            continue
        command = COMMANDS
        while hasattr(command, "commands") and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        with suppress(typer.Exit):  # --help, also of a group that is named alone
            command.make_context("bulkhead", words)


SETTINGS: Final = [
    (page, textwrap.dedent(block))
    for page in PAGES
    for block in re.findall(r"^ *```toml\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
]


@pytest.mark.parametrize(("page", "block"), SETTINGS, ids=[page.stem for page, _ in SETTINGS])
def test_settings_of_a_page_are_understood(page: Path, block: str) -> None:
    """What a page shows of the configuration can be copied as it stands: keys that there are, values within bounds."""
    assert parse(block, {}, source=str(page)).app is not None


def test_every_page_is_in_the_navigation() -> None:
    """EX-1803: whoever reads the built pages finds each of them, once."""
    named = re.findall(r"^ +- ([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    docs = ROOT / "docs"
    assert sorted(named) == sorted(page.relative_to(docs).as_posix() for page in docs.rglob("*.md"))


def test_pages_are_built_strictly() -> None:
    """A build that is quiet counts no warnings, and passes with links that lead nowhere."""
    built = [line for line in (ROOT / "Makefile").read_text().splitlines() if "mkdocs build" in line]
    assert built
    assert all("--strict" in line and "--quiet" not in line for line in built)


def test_the_table_of_alerts_is_whole() -> None:
    """EX-202: every field that is read stands in the reference, in the order of validation."""
    rows = re.findall(r"^\| `([\w.]+)` \|", (ROOT / "docs" / "reference" / "alert.md").read_text(), re.MULTILINE)
    assert tuple(rows) == PATHS


def test_every_code_of_the_requirements_has_an_entry() -> None:
    """EX-1803: a code that the requirements name can be looked up, with what to do about it."""
    if not SPEC.is_file():
        pytest.skip("the requirements are not beside the project")
    named = set(re.findall(r"`((?:[A-Z][a-z]+){2,})[`:]", SPEC.read_text()))
    assert named - set(MESSAGES.split()) - set(ADVICE) == set()
