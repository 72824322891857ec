"""A config.toml that became invalid while nobody looked: the version in force stands until the file is right (EX-111)."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.configuration import ConfigApplied, GetConfig
from protocol.risk import EngineTroubleOver
from service.config import ConfigError
from service.config.salvage import readable_parts
from service.config.text import decoded
from service.config_store import LOOK_S
from tests.service.store_rig import TOML, Rig, life

NO_TOML = TOML.replace("max_open_groups = 4", "max_open_groups = ")
OUT_OF_RANGE = TOML.replace("max_open_groups = 4", "max_open_groups = 0")
OVER = [EngineTroubleOver("configuration")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.toml with comments."""
    path = tmp_path / "config.toml"
    path.write_text(TOML)
    return path


def edit(file: Path, text: str) -> None:
    """Edit the file by hand."""
    file.write_text(text)


def held(file: Path) -> str:
    """Return what stands in the file."""
    return file.read_text()


async def nothing(_: Rig) -> None:
    """Let a life pass."""


@pytest.mark.parametrize(("broken", "said"), [(NO_TOML, "not TOML"), (OUT_OF_RANGE, "must be 1 to 1000")])
def test_the_version_in_force_stands(file: Path, broken: str, said: str) -> None:
    """EX-111: started with an invalid file the version in force is in force, and what is wrong is said."""
    journal = life(nothing, file)
    file.write_text(broken)

    async def second(rig: Rig) -> None:
        assert (rig.active.version, rig.config.execution_pool.max_open_groups) == (1, 4)
        assert said in rig.active.trouble
        assert "version 1 is in force" in rig.active.trouble
        assert len(rig.events(ConfigApplied)) == 1
        assert rig.risk == []
        assert held(file) == broken

    life(second, file, journal=journal)


def test_without_a_version_it_refuses_to_start(file: Path) -> None:
    """EX-111: a first start with an invalid file has nothing to stand on: every mistake is told."""
    file.write_text(OUT_OF_RANGE)
    with pytest.raises(ConfigError, match="max_open_groups"):
        life(nothing, file)


@pytest.mark.parametrize("broken", [NO_TOML, OUT_OF_RANGE])
def test_the_same_file_again_ends_it(file: Path, broken: str) -> None:
    """EX-111: a file that says what is in force, or is gone, ends the trouble by itself; a draft is not left behind."""
    journal = life(nothing, file)
    file.write_text(broken)

    async def second(rig: Rig) -> None:
        edit(file, TOML)
        await rig.stage.passes(2 * LOOK_S)
        assert (rig.active.trouble, rig.risk) == ("", OVER)
        assert (await rig.stage.ask("config", GetConfig())).draft == ""
        await rig.stage.crash("config")
        assert rig.risk == OVER

    life(second, file, journal=journal)


@pytest.mark.parametrize("broken", [NO_TOML, OUT_OF_RANGE])
def test_another_valid_file_counts_once_it_is_applied(file: Path, broken: str) -> None:
    """EX-111, EX-1306: a file that is valid and says something new is the draft; in force, it ends the trouble."""
    journal = life(nothing, file)
    file.write_text(broken)

    async def second(rig: Rig) -> None:
        edit(file, TOML.replace("= 4", "= 6"))
        await rig.stage.passes(2 * LOOK_S)
        answer = await rig.stage.ask("config", GetConfig())
        assert decoded(answer.draft) == {"execution_pool.max_open_groups": 6}
        assert rig.active.trouble
        assert rig.risk == []
        assert (await rig.apply(1)).mistakes == ()
        assert (rig.active.version, rig.active.trouble, rig.risk) == (2, "", OVER)

    life(second, file, journal=journal)


def test_what_is_wrong_is_the_draft_and_can_be_put_right_from_there(file: Path) -> None:
    """EX-111, EX-1303: mistakes of a file that can be read are the draft's; put right and applied, the file follows."""
    journal = life(nothing, file)
    file.write_text(OUT_OF_RANGE)

    async def second(rig: Rig) -> None:
        answer = await rig.stage.ask("config", GetConfig())
        assert [each.code for each in answer.draft_mistakes] == ["OutOfRange"]
        assert [each.code for each in (await rig.apply(1)).mistakes] == ["OutOfRange"]
        assert rig.risk == []
        await rig.set(execution_pool__max_open_groups=7)
        assert (await rig.apply(1)).mistakes == ()
        assert "max_open_groups = 7" in held(file)
        assert "# Mine." in held(file)
        assert rig.risk == OVER

    life(second, file, journal=journal)


def test_where_the_data_is_can_be_read_of_a_broken_file() -> None:
    """EX-111: tables and lines that are whole are read although others are not TOML; the daemon's data is found."""
    text = '[app]\ndata_dir = "/srv/here"\nlog_level = \n[api]\nsocket = "/run/s"  # short\n'
    text += '[market\nseed = 1\n[ui]\ntheme = "light"\n'
    assert readable_parts(text) == {"app.data_dir": "/srv/here", "api.socket": "/run/s", "ui.theme": "light"}
    assert readable_parts("x = [") == {}


def test_the_log_says_default_of_what_was_not_set(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A change is one line of the log, with both values: where a key was not set it says so, and not nothing."""

    async def scenario(rig: Rig) -> None:
        await rig.set(execution_pool__queue_limit=50)
        await rig.apply(1)

    with caplog.at_level("INFO", logger="bulkhead.config"):
        life(scenario, file)
    assert "version 2: execution_pool.queue_limit: default -> 50" in caplog.messages
