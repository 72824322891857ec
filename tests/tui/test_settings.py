"""Settings as an operator uses them: groups, a draft from typing to in force, layers, overrides, credentials, backups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from service.config import Config
from service.config.described import described
from tests.tui.rig import Clock, Listening, Rig, cockpit
from tui.forms import CredentialsForm
from tui.link import LinkRefused
from tui.panels import SettingsPanel
from tui.panels.settings_field import SettingField
from tui.panels.settings_groups import groups_of
from tui.panels.settings_rows import Known, rows_of
from tui.settings_values import brief, hint_of, holder_of, problem_of, value_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow(seconds=25)]

WHOLE = {"type": "whole number", "bounds": {"at_least": "1", "at_most": "500"}, "default": 10}
SHARE = {"type": "number", "bounds": {"below": "0"}, "default": "-5"}
ONE = {"gap_percent": "0", "weight_percent": "60", "tp_percent": "1"}
TWO = {"gap_percent": "-1", "weight_percent": "40", "tp_percent": "2"}


def settings(**more: Any) -> Any:
    """Open the panel alone, wide enough for the preview beside it."""
    return cockpit(panel="settings", size=(140, 44), panels=(SettingsPanel,), **more)


async def choose(rig: Rig, *idents: str) -> None:
    """Select rows one after the other and press Enter on each."""
    for ident in idents:
        panel: Any = rig.app.panel()
        await rig.until(partial(_has, panel, ident), f"the row {ident}")
        panel.grid.select(ident)
        await rig.press("enter")


def _has(panel: Any, ident: str) -> bool:
    panel.grid.select(ident)
    return panel.grid.selected is not None and panel.grid.selected["key"] == ident


def posted(rig: Rig, path: str) -> list[Any]:
    """Return the bodies that were sent to an address."""
    return [body for told, body in rig.link.told if told == path]


# --- what there is ----------------------------------------------------------------------------------------------------


async def test_every_key_is_in_one_group() -> None:
    """Every key is reachable, once, under a group of the requirement, with what it is for and takes (EX-1620, EX-1621)."""
    keys = described(Config(), {})
    found = groups_of(keys)
    inside = [each["key"] for _, parts in found for part in parts for each in part.keys]
    assert sorted(inside) == sorted(each["key"] for each in keys)
    assert [group.title for group, _ in found][:5] == [
        "Exchange API",
        "Precision control",
        "Execution pool and queue",
        "Risk engine",
        "Take profit and layers",
    ]
    assert groups_of([{"key": "novelty.size"}])[0][0].title == "Novelty"
    for key in (*keys, *(within for each in keys for within in each.get("inside", ()))):
        assert key["meaning"], key["key"]
        assert key["type"] in hint_of(key)
        assert "; default " in hint_of(key)
    assert [each["key"] for each in keys if each["type"] in ("whole number", "number") and not each["bounds"]] == []
    rows = rows_of(Known({"effective": keys, "document": {}}, every=True))
    assert {row["key"] for row in rows if row["kind"] == "key"} == set(inside)
    assert len({row["key"] for row in rows}) == len(rows)


async def test_values_are_what_the_key_takes() -> None:
    """Types and bounds are those the daemon names; numbers keep their digits; unset is no value (EX-1303)."""
    assert value_of(WHOLE, "500") == 500
    assert value_of(SHARE, "-5.000000000000000001") == "-5.000000000000000001"
    assert value_of({"type": "list of text"}, "a, b") == ["a", "b"]
    assert value_of({"type": "table of text"}, '{"a": "b"}') == {"a": "b"}
    assert value_of({"type": "true or false"}, "true") is True
    assert value_of({"type": "one of a, b"}, "b") == "b"
    assert value_of(WHOLE, "unset") is None
    assert problem_of(WHOLE, "0") == "must be 1 to 500"
    assert problem_of(SHARE, "0") == "must be below 0"
    assert problem_of(SHARE, "nan") == "is a number"
    assert problem_of({"type": "one of a, b"}, "c") == "is one of a, b"
    assert problem_of({"type": "table of text"}, "[1]") == "is a table"
    assert problem_of({"type": "list of table"}, "x, y") == "is written as JSON"
    assert brief("grid_strategy.levels", [ONE, TWO]) == "2 layers, 0 to -1 %"
    assert brief("grid_strategy.overrides", [{"match": {"symbol": "BTC/USDT"}, "tp_percent": "2"}]) == "BTC/USDT"
    assert holder_of("security.webhook_hmac_key") == ("webhook", "hmac_key")
    assert holder_of("security.master_key") is None


# --- the draft --------------------------------------------------------------------------------------------------------


async def test_a_setting_is_checked_while_typing_and_put_in_force() -> None:
    """A value out of bounds never leaves the field; what is typed is previewed before Enter; apply asks (EX-1309)."""
    async with settings() as rig:
        await rig.sees("Execution pool")
        await rig.type("set execution_pool.max_open_groups 501")
        assert "must be 1 to 500" in rig.said
        await choose(rig, "execution_pool", "execution_pool.max_open_groups")
        await rig.press("x")
        await rig.sees("is a whole number")
        await rig.press("enter")
        assert rig.link.told == []
        await rig.press("backspace", "2", "0")
        await rig.sees("with what is being typed")
        await rig.sees("13 →")
        assert posted(rig, "/v1/config/preview") == [{"edits": {"execution_pool.max_open_groups": 20}}]
        assert posted(rig, "/v1/config/draft") == []
        await rig.press("enter")
        await rig.sees("draft by demo: 1 change")
        await rig.press("A")
        await rig.sees("Put 1 change in force?")
        await rig.press("y")
        await rig.until(lambda: rig.app.state.setting("execution_pool.max_open_groups") == 20, "it is in force")
        await rig.sees("no draft")


async def test_words_are_chosen_and_esc_gives_up() -> None:
    """Up and Down go through the words a key takes; Esc leaves the draft as it was."""
    async with settings() as rig:
        await choose(rig, "ui", "ui.theme")
        await rig.press("down")
        await rig.sees("light as it is typed" if False else "with what is being typed")
        await rig.press("escape")
        await rig.sees("there is none")
        assert posted(rig, "/v1/config/draft") == []


async def test_what_is_typed_outlives_a_daemon_that_is_away() -> None:
    """Enter while nobody answers loses nothing: the field keeps its value until it can be put into the draft (EX-1602)."""
    async with settings() as rig:
        await choose(rig, "execution_pool", "execution_pool.max_open_groups")
        await rig.press("7")
        rig.link.cut(away=True)
        await rig.press("enter")
        assert rig.app.query_one(SettingField).value == "7"
        assert rig.app.panel().has_class("-editing")
        rig.link.cut(away=False)
        await rig.press("enter")
        await rig.until(lambda: posted(rig, "/v1/config/draft"), "it is in the draft")
        assert posted(rig, "/v1/config/draft")[0]["values"] == {"execution_pool.max_open_groups": 7}


async def test_with_autosave_a_draft_is_kept_while_it_is_typed() -> None:
    """ui.autosave_config puts what the key takes into the draft without Enter; it applies nothing (EX-1311)."""
    async with settings() as rig:
        rig.link.world.settings["ui.autosave_config"] = True
        await rig.settled()
        await choose(rig, "execution_pool", "execution_pool.max_open_groups")
        await rig.press("7")
        await rig.until(lambda: posted(rig, "/v1/config/draft"), "it is kept")
        assert posted(rig, "/v1/config/draft")[0]["values"] == {"execution_pool.max_open_groups": 7}
        assert rig.link.world.settings["execution_pool.max_open_groups"] == 13


async def test_a_draft_with_mistakes_cannot_be_applied() -> None:
    """Apply names the first mistake and asks nothing (EX-1621); a file that cannot be read is said (EX-1306)."""
    async with settings() as rig:
        rig.link.world.draft = {"grid_strategy.levels": [ONE, ONE]}
        await rig.settled()
        await rig.sees("2 mistakes, it cannot be applied")
        await rig.press("A")
        await rig.until(lambda: "[GapsNotDescending]" in rig.said, "the first mistake")
        assert posted(rig, "/v1/config/apply") == []
        broken = {**rig.app.state.get("config"), "unreadable": "not TOML: line 3"}
        rig.app.state.pieces["config"].value = broken
        rig.app.panel().draw(rig.app.state)
        await rig.sees("cannot be read, the draft stays: not TOML: line 3 [DraftUnreadable]")


async def test_what_somebody_edits_is_seen_at_once_in_every_cockpit() -> None:
    """The draft is one: an edit in one cockpit is on the other's screen without its asking again by itself (EX-1306)."""
    clock = Clock()
    house = Listening(clock)
    async with settings(link=house, clock=clock) as rig:
        await rig.sees("no draft")
        await house.post("/v1/config/draft", {"values": {"execution_pool.max_open_groups": 4}, "author": "ben"})
        await rig.sees("1 change")


async def test_only_the_draft_that_was_shown_is_applied() -> None:
    """Apply asks about the draft as it is now; one that is edited while it asks is not put in force unseen."""
    clock = Clock()
    house = Listening(clock)
    async with settings(link=house, clock=clock) as rig:
        house.world.draft = {**house.world.settings, "ui.font_size": 20}
        await rig.press("A")
        await rig.sees("default → 20")
        house.world.draft = {**house.world.settings, "ui.font_size": 21}
        await rig.press("y")
        await rig.until(lambda: "edited the draft meanwhile" in rig.said, "it is said")
        assert posted(rig, "/v1/config/apply") == []


class Overtaken(Listening):
    """Somebody else applies in the moment before we do."""

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        if path == "/v1/config/apply":
            self.world.settings = {**self.world.settings, "ui.font_size": 20}
            self.world.settings_version += 1
            raise LinkRefused(409, {"code": "ConfigConflict", "message": "version 5 by ben was applied since"})
        return await super().post(path, body, **more)


async def test_a_conflict_shows_both_differences() -> None:
    """What the other one changed and what was to be changed stand beside each other; nothing is applied (EX-1308)."""
    clock = Clock()
    async with settings(link=Overtaken(clock), clock=clock) as rig:
        await rig.type("set execution_pool.max_open_groups 4")
        await rig.sees("1 change")
        await rig.press("A")
        await rig.sees("in force?")
        await rig.press("y")
        await rig.sees("Somebody else applied first")
        assert "default → 20" in rig.text
        assert "13 → 4" in rig.text


# --- secrets ----------------------------------------------------------------------------------------------------------


async def test_an_account_is_tested_and_its_credentials_are_kept_unseen() -> None:
    """Masks are shown, what is typed is not; a test takes it along, only Ctrl+S keeps it (EX-1312, EX-1503)."""
    async with settings() as rig:
        await choose(rig, "exchange", "account:perp")
        await rig.until(lambda: isinstance(rig.app.screen, CredentialsForm), "the form")
        await rig.press("ctrl+t")
        await rig.sees("[AuthFailed]")
        await rig.sees("what to do")
        await rig.press(*"sesame")
        await rig.press("ctrl+t")
        await rig.sees("login accepted")
        given = {"account": "perp", "draft": False, "credentials": {"api_key": "sesame"}}
        assert posted(rig, "/v1/venues/test-credentials") == [given]
        assert posted(rig, "/v1/secrets/set") == []
        assert "sesame" not in rig.text
        await rig.press("ctrl+s")
        await rig.until(lambda: posted(rig, "/v1/secrets/set"), "it is kept")
        assert posted(rig, "/v1/secrets/set") == [{"holder": "perp", "field": "api_key", "value": "sesame"}]
        await rig.press("escape")
        panel: Any = rig.app.panel()
        panel.grid.select("account:main")
        await rig.sees("****A4B19K***")
        await rig.press("t")
        await rig.sees("it may WITHDRAW too")


async def test_a_secret_is_typed_unseen_and_stands_in_no_command() -> None:
    """What is typed for a secret goes to the vault alone: not on the screen, not into the history of commands (EX-1503)."""
    async with settings() as rig:
        await choose(rig, "exchange", "part:exchange.binance", "exchange.binance.api_key")
        await rig.press(*"sesame")
        assert "sesame" not in rig.text
        await rig.press("enter")
        await rig.until(lambda: posted(rig, "/v1/secrets/set"), "it is handed over")
        wanted = {"holder": "exchange.binance", "field": "api_key", "value": "sesame"}
        assert posted(rig, "/v1/secrets/set") == [wanted]
        assert "sesame" not in json.dumps([body for path, body in rig.link.told if path != "/v1/secrets/set"])
        await rig.type("set exchange.binance.api_key sesame")
        assert "[SecretInConfig]" in rig.said


class Viewing(Listening):
    """A daemon that shows secrets to admins alone."""

    async def get(self, path: str, **query: Any) -> Mapping[str, Any]:
        if path == "/v1/secrets":
            raise LinkRefused(403, {"code": "NotAllowed", "message": "this is for admins"})
        found: Mapping[str, Any] = await super().get(path, **query)
        return found


async def test_who_may_not_see_secrets_is_not_told_so_all_the_time() -> None:
    """Settings are shown without masks; the refusal stands in the form, not in the line of each round (EX-1505)."""
    clock = Clock()
    async with settings(link=Viewing(clock), clock=clock) as rig:
        await rig.sees("Exchange API")
        assert "NotAllowed" not in rig.said
        await choose(rig, "exchange", "account:main")
        await rig.sees("credentials are for admins")


# --- files ------------------------------------------------------------------------------------------------------------


async def test_settings_and_the_whole_installation_are_backed_up(tmp_path: Path) -> None:
    """The file of settings comes back as a draft; the archive's manifest is told (EX-1208, EX-1310)."""
    async with settings() as rig:
        file = tmp_path / "kept.json"
        await rig.type(f"config-backup {file}")
        await rig.until(file.exists, "the file")
        assert json.loads(file.read_text())["document"]["execution_pool.max_open_groups"] == 13
        await rig.type("set execution_pool.max_open_groups 4")
        await rig.sees("1 change")
        await rig.type(f"config-restore {file}")
        await rig.until(lambda: rig.link.world.draft == json.loads(file.read_text())["document"], "the draft")
        await choose(rig, "storage", "task:full-backup")
        await rig.sees("Back up the whole installation?")
        await rig.press("y")
        await rig.until(lambda: "9 files read back and right" in rig.said, "the manifest's answer")
        await rig.type("backups")
        await rig.sees("48,211,904 bytes")


async def test_old_backups_go_once_somebody_has_seen_which() -> None:
    """The list marks what goes with the next, the question names it, a marked one stays, nothing goes unasked (EX-1208)."""
    async with settings() as rig:
        world = rig.link.world
        world.backups = [
            {"name": f"b{day:02}.bulkhead", "size": 1, "written_at": day, "kept": False} for day in range(16, 0, -1)
        ]
        await rig.type("backups")
        await rig.sees("goes with the next")
        await rig.sees("the newest 14 stay")
        await rig.press("escape")
        await rig.type("backup-keep b02.bulkhead")
        await rig.until(lambda: "is kept" in rig.said, "the mark")
        await rig.type("backup-prune")
        await rig.sees("Remove these full backups?")
        await rig.sees("b01.bulkhead")
        assert len(world.backups) == 16
        await rig.press("y")
        await rig.until(lambda: "1 backups removed" in rig.said, "the answer")
        assert world.backups[-1]["name"] == "b02.bulkhead"
        await rig.type("full-backup")
        await rig.sees("b03.bulkhead: older than the newest 14")
        await rig.press("escape")
