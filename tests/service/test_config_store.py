"""The config store: draft, versions, everywhere or nowhere, and what a crash between any two steps leaves."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from protocol.configuration import (
    ApplyDraft,
    ConfigApplied,
    ConfigRolledBack,
    ConfigSettled,
    ConfigVersions,
    DiscardDraft,
    DraftChanged,
    GetConfig,
    LoadDraft,
)
from protocol.event_log import LogEvent
from runtime.actor import Actor, handles
from service import config_store
from service.config.history import VERSIONS_KEPT, History
from service.config.sources import Sources
from service.config.text import decoded, from_toml
from tests.actors.cuts import cut_after
from tests.service.store_rig import ENGINE, STREAM, TOML, Rig, codes, life


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.toml with comments."""
    path = tmp_path / "config.toml"
    path.write_text(TOML)
    return path


class Log(Actor):
    """Keeps the lines it is told."""

    def __init__(self, lines: list[LogEvent]) -> None:
        self._lines = lines

    @handles
    def line(self, msg: LogEvent) -> None:
        """Keep it."""
        self._lines.append(msg)


def held(file: Path) -> dict[str, Any]:
    """Return the document that the file holds."""
    return from_toml(file.read_text())


def edit(file: Path, text: str) -> None:
    """Edit the file by hand."""
    file.write_text(text)


def test_the_file_is_the_first_version(file: Path) -> None:
    """A first start journals the file as version 1, by "file", with what it changes of the defaults (EX-1306)."""

    async def first(rig: Rig) -> None:
        (applied,) = rig.events(ConfigApplied)
        assert (applied.version, applied.author, rig.active.version) == (1, "file", 1)
        assert decoded(applied.document) == {"execution_pool.max_open_groups": 4}

    async def second(rig: Rig) -> None:
        assert len(rig.events(ConfigApplied)) == 1

    life(second, file, journal=life(first, file))


def test_nothing_trades_by_a_draft(file: Path) -> None:
    """A draft changes neither what factories read nor the file, and is kept over a restart (EX-1306)."""

    async def drafts(rig: Rig) -> None:
        answer = await rig.set(execution_pool__max_open_groups=9)
        assert [(c.key, c.before, c.after) for c in answer.changes] == [("execution_pool.max_open_groups", "4", "9")]
        assert rig.config.execution_pool.max_open_groups == 4
        assert rig.pool == []

    async def later(rig: Rig) -> None:
        answer = await rig.stage.ask("config", GetConfig())
        assert decoded(answer.draft) == {"execution_pool.max_open_groups": 9}
        dropped = await rig.stage.ask("config", DiscardDraft("anna"))
        assert dropped.draft == ""

    life(later, file, journal=life(drafts, file))
    assert file.read_text() == TOML


def test_an_apply_reaches_everybody_and_the_file(file: Path) -> None:
    """Apply stores version n+1 with author and difference and tells only whom it concerns; the file follows (EX-1307)."""

    async def scenario(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9)
        answer = await rig.apply(1)
        assert (answer.version, answer.mistakes, answer.draft) == (2, (), "")
        assert (rig.config.execution_pool.max_open_groups, rig.active.version) == (9, 2)
        assert (rig.pool, rig.engine) == ([(2, 9)], [])
        assert [type(event) for event in rig.events()[2:]] == [DraftChanged, ConfigApplied, ConfigSettled]

    life(scenario, file)
    assert file.read_text() == TOML.replace("= 4", "= 9")


@pytest.mark.parametrize("mood", ["crash", "silent"])
def test_an_actor_that_does_not_take_it_takes_everything_back(file: Path, mood: str) -> None:
    """ApplyFailed names actor and cause; all actors and the file are at version n again, the draft is kept (EX-1307)."""

    async def scenario(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9, risk_engine__loss_threshold_percent="-7")
        answer = await rig.apply(1)
        assert codes(answer) == ["ApplyFailed"]
        assert answer.mistakes[0].path == ENGINE
        assert answer.version == 1
        assert "version 1 is in force" in answer.mistakes[0].message
        assert rig.pool == [(2, 9), (1, 4)]
        assert rig.config.execution_pool.max_open_groups == 4
        assert decoded(answer.draft)["risk_engine.loss_threshold_percent"] == "-7"
        (back,) = rig.events(ConfigRolledBack)
        assert (back.version, back.back_to, back.actor) == (2, 1, ENGINE)

    life(scenario, file, mood=lambda settings: mood if settings == Decimal(-7) else "")
    assert held(file) == {"execution_pool.max_open_groups": 4}


def test_a_file_that_cannot_be_written_takes_everything_back(file: Path) -> None:
    """An apply that cannot write config.toml is no apply: file and version in force never disagree (EX-1307)."""

    async def scenario(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9)
        # A folder where the new text is to be written: nobody, not even root, can write it.
        (file.parent / f".config.toml.{os.getpid()}").mkdir()
        answer = await rig.apply(1)
        assert codes(answer) == ["ApplyFailed"]
        assert (answer.mistakes[0].path, answer.version, rig.config.execution_pool.max_open_groups) == (
            "config.toml",
            1,
            4,
        )
        assert rig.pool in ([], [(1, 4)])

    life(scenario, file)
    assert file.read_text() == TOML


def test_two_operators(file: Path) -> None:
    """Whoever edited from a version that is no longer in force hears ConfigConflict and what was changed (EX-1308)."""

    async def scenario(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9)
        await rig.apply(1, "anna")
        await rig.set(execution_pool__queue_limit=5)
        answer = await rig.apply(1, "bert")
        assert codes(answer) == ["ConfigConflict"]
        assert "execution_pool.max_open_groups" in answer.mistakes[0].message
        assert rig.config.execution_pool.queue_limit == 100

    life(scenario, file)


def test_mistakes_are_refused_before_anything_happens(file: Path) -> None:
    """A wrong value does not enter the draft, a draft with keys that contradict each other is not applied (EX-1303)."""

    async def scenario(rig: Rig) -> None:
        assert codes(await rig.set(execution_pool__max_open_groups="many")) == ["WrongType"]
        assert codes(await rig.set(nope=1)) == ["UnknownKey"]
        assert codes(await rig.set(exchange__okx__api_key="abc")) == ["SecretInFile"]
        assert codes(await rig.apply(1)) == ["NothingToApply"]
        answer = await rig.set(grid_strategy__max_pyramids_per_group=3)
        assert [mistake.code for mistake in answer.draft_mistakes] == ["ExceedsMaxPyramids"]
        assert codes(await rig.apply(1)) == ["ExceedsMaxPyramids"]
        assert len(rig.events(ConfigApplied)) == 1

    life(scenario, file)


def test_the_environment_beats_every_document(file: Path) -> None:
    """A key that the environment sets cannot be edited; in a file it does nothing, and the answer says so."""
    env = {"BULKHEAD_EXECUTION_POOL__MAX_OPEN_GROUPS": "7"}

    async def scenario(rig: Rig) -> None:
        assert rig.config.execution_pool.max_open_groups == 7
        assert codes(await rig.set(execution_pool__max_open_groups=9)) == ["SetByEnvironment"]
        edit(file, TOML.replace("= 4", "= 5"))
        await rig.stage.passes(3)
        answer = await rig.apply(1)
        assert answer.beaten == ("execution_pool.max_open_groups",)
        assert rig.config.execution_pool.max_open_groups == 7

    life(scenario, file, env=env)


def test_an_edited_file_is_read_into_the_draft(file: Path) -> None:
    """A change of config.toml is in the draft within 2 s; one that is no TOML changes nothing: DraftUnreadable (EX-1306)."""

    async def scenario(rig: Rig) -> None:
        await rig.set(risk_engine__loss_threshold_percent="-7")
        edit(file, TOML.replace("= 4", "= 55"))
        await rig.stage.passes(2)
        answer = await rig.stage.ask("config", GetConfig())
        assert decoded(answer.draft) == {
            "execution_pool.max_open_groups": 55,
            "risk_engine.loss_threshold_percent": "-7",
        }
        edit(file, "[execution_pool")
        await rig.stage.passes(2)
        broken = await rig.stage.ask("config", GetConfig())
        assert (broken.draft, broken.draft_author, "TOML" in broken.unreadable) == (answer.draft, "file", True)
        assert rig.config.execution_pool.max_open_groups == 4
        refused = await rig.apply(1)
        assert codes(refused) == ["ApplyFailed"]
        assert (refused.mistakes[0].path, refused.version) == ("config.toml", 1)

    life(scenario, file)
    assert file.read_text() == "[execution_pool"


def test_a_file_edited_while_it_was_down_becomes_the_next_version(file: Path) -> None:
    """At a start an edited file beats the version in force and becomes the next one, by "file" (EX-1306)."""

    async def first(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9)
        await rig.apply(1)

    async def second(rig: Rig) -> None:
        assert (rig.active.version, rig.config.execution_pool.max_open_groups) == (3, 6)
        assert rig.events(ConfigApplied)[-1].author == "file"

    journal = life(first, file)
    file.write_text(file.read_text().replace("= 9", "= 6"))
    life(second, file, journal=journal)


def test_versions_can_be_compared_and_applied_again(file: Path) -> None:
    """Every version is kept with its difference and can be loaded as draft, as can the defaults (EX-1310, EX-1311)."""

    async def scenario(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9)
        await rig.apply(1)
        rows = await rig.stage.ask("config", ConfigVersions())
        assert [(row.version, row.in_force) for row in rows] == [(2, True), (1, False)]
        assert [change.key for change in rows[0].changes] == ["execution_pool.max_open_groups"]
        await rig.stage.ask("config", LoadDraft(version=1, author="anna"))
        await rig.apply(2)
        assert rig.config.execution_pool.max_open_groups == 4
        await rig.stage.ask("config", LoadDraft(author="anna"))
        await rig.apply(3)
        assert rig.config.execution_pool.max_open_groups == 10
        assert codes(await rig.stage.ask("config", LoadDraft(version=77, author="anna"))) == ["UnknownVersion"]

    life(scenario, file)
    assert held(file) == {}


def test_the_last_50_versions_are_kept() -> None:
    """Older versions are forgotten, the one in force never (EX-1311)."""
    history = History()
    for version in range(1, 100):
        document = json.dumps({"execution_pool.max_open_groups": version})
        history.fold(ConfigApplied(version=version, document=document, author="a", changes=(), at=version))
        history.fold(ConfigSettled(version, version))
    assert len(history.rows()) == VERSIONS_KEPT
    assert history.document() == {"execution_pool.max_open_groups": 99}


def test_a_crash_between_any_two_steps_leaves_one_version_everywhere(file: Path) -> None:
    """Cut after every event, with the file before or after its change: n or n+1 is in force everywhere (EX-1307)."""

    async def applies(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9)
        await rig.apply(1)
        await rig.set(execution_pool__max_open_groups=3, risk_engine__loss_threshold_percent="-7")
        assert codes(await rig.apply(2)) == ["ApplyFailed"]

    whole = life(applies, file, mood=lambda settings: "crash" if settings == Decimal(-7) else "")
    texts = {TOML.replace("= 4", f"= {slots}") for slots in (4, 9)}
    seen = set()
    for kept in range(whole.head() + 1):
        history = History()
        for record in cut_after(whole, kept).read(STREAM):
            history.fold(record.event)
        may_hold = [text for text in texts if history.may_be_in_file(from_toml(text))] or [TOML]
        for text in may_hold:
            file.write_text(text)

            async def check(rig: Rig, history: History = history) -> None:
                await rig.stage.passes(5)
                slots = rig.config.execution_pool.max_open_groups
                assert slots == history.document().get("execution_pool.max_open_groups", 4)
                assert held(file).get("execution_pool.max_open_groups") == slots
                answer = await rig.stage.ask("config", GetConfig())
                assert decoded(answer.document)["execution_pool.max_open_groups"] == slots
                assert all(taken[1] == slots for taken in rig.pool)
                seen.add(slots)

            life(check, file, journal=cut_after(whole, kept))
    assert seen >= {4, 9}


def test_a_store_that_crashes_within_an_apply_finishes_it(file: Path) -> None:
    """The next life of the store tells again whoever may not have heard (EX-1307)."""

    async def scenario(rig: Rig) -> None:
        await rig.set(execution_pool__max_open_groups=9)
        rig.stage.tell("config", ApplyDraft(version=1, author="anna"))
        await rig.stage.settle()
        await rig.stage.crash("config")
        await rig.stage.passes(5)
        assert rig.config.execution_pool.max_open_groups == 9
        assert held(file) == {"execution_pool.max_open_groups": 9}
        assert rig.pool[-1] == (2, 9)

    life(scenario, file)


def test_an_actor_that_goes_neither_on_nor_back_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ApplyUnfinished: the log says which actor is not on the version in force (EX-1307)."""
    monkeypatch.setattr(config_store, "EVENT_LOG", "/house/events")

    async def scenario(rig: Rig) -> None:
        told: list[LogEvent] = []
        rig.stage.add("events", lambda: Log(told))
        await rig.set(risk_engine__loss_threshold_percent="-7")
        assert codes(await rig.apply(1)) == ["ApplyFailed"]
        (line,) = told
        assert (line.code, line.severity, ENGINE in line.text) == ("ApplyUnfinished", "warning", True)

    life(scenario, file, mood=lambda settings: "crash" if isinstance(settings, Decimal) else "")


def test_a_file_that_is_invalid_at_a_start_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ConfigInvalid: the version in force goes on in Error, and the log says what is wrong with the file (EX-111)."""
    monkeypatch.setattr(config_store, "EVENT_LOG", "/house/events")

    async def first(rig: Rig) -> None:
        assert rig.active.trouble == ""

    async def second(rig: Rig) -> None:
        told: list[LogEvent] = []
        rig.stage.add("events", lambda: Log(told))
        await rig.stage.crash("config")
        await rig.stage.passes(5)
        lines = [line for line in told if line.code == "ConfigInvalid"]
        assert "max_open_groups" in lines[-1].text
        assert rig.config.execution_pool.max_open_groups == 4

    journal = life(first, file)
    file.write_text(TOML.replace("= 4", "= 0"))
    life(second, file, journal=journal)


def test_what_the_file_says_of_secrets_is_never_kept(file: Path) -> None:
    """A secret in an edited file is refused, and stands in no event (EX-1301)."""
    secret = "k7Qw9ZxLr2m0PpA4B19Kyyy"

    async def scenario(rig: Rig) -> None:
        edit(file, TOML + f'[exchange.binance]\napi_key = "{secret}"\n')
        await rig.stage.passes(2)
        answer = await rig.stage.ask("config", GetConfig())
        assert [mistake.code for mistake in answer.draft_mistakes] == ["SecretInFile"]
        assert secret not in repr(rig.events())
        assert codes(await rig.apply(1)) == ["SecretInFile"]

    life(scenario, file)


def test_without_a_file_the_version_in_force_stands(tmp_path: Path) -> None:
    """A daemon that was started without a configuration keeps what was applied, over restarts too (EX-1306)."""
    missing = tmp_path / "none.toml"

    async def first(rig: Rig) -> None:
        assert rig.config.execution_pool.max_open_groups == 10
        await rig.set(execution_pool__max_open_groups=9)
        assert (await rig.apply(1)).version == 2

    async def second(rig: Rig) -> None:
        assert (rig.active.version, rig.config.execution_pool.max_open_groups) == (2, 9)

    journal = life(first, missing)
    missing.unlink()
    life(second, missing, journal=journal)


def test_sources_name_the_variable_of_a_mistake(file: Path) -> None:
    """A mistake that the environment makes names its variable, in the one error shape (EX-110)."""
    sources = Sources.of(file, {"BULKHEAD_EXECUTION_POOL__MAX_OPEN_GROUPS": "0"})
    _, (mistake,) = sources.effective({})
    assert mistake.as_dict() == {
        "code": "OutOfRange",
        "path": "execution_pool.max_open_groups",
        "message": "must be 1 to 1000 (set by BULKHEAD_EXECUTION_POOL__MAX_OPEN_GROUPS)",
        "value": "0",
    }
