"""Settings: the shared draft, what it would do, putting it in force, versions, backup (EX-1304 to EX-1312, EX-1621)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from textual.content import Content

from tui import cells
from tui.seat import Argument, Choice, Command, Question, Seat, Sent
from tui.settings_values import choices_of, hint_of, shown, value_of
from tui.text import line

__all__ = ["COMMANDS"]

_APPLY_S: Final = 300.0
_LARGEST: Final = 1_048_576
_NAMED: Final = 3


async def _author(seat: Seat) -> str:
    """Return who is at the screen, as the daemon knows them."""
    found = await seat.ask("/v1/me")
    return str(found["name"]) if found else "cockpit"


def _keys(seat: Seat) -> Sequence[Mapping[str, Any]]:
    config = seat.state.get("config") or {}
    return [each for each in config.get("effective", ()) if "type" in each]


def _key(seat: Seat, name: str) -> Mapping[str, Any] | None:
    return next((each for each in _keys(seat) if each["key"] == name), None)


async def _edit(seat: Seat, values: Mapping[str, Any], said: str) -> None:
    body = {"values": values, "author": await _author(seat)}
    await seat.send(Sent("/v1/config/draft", body, lambda found: f"{said}{_trouble(found)}"))
    seat.state.stir("config")


def _trouble(found: Mapping[str, Any]) -> str:
    mistakes = found.get("draft_mistakes") or ()
    return f"; the draft has {len(mistakes)} mistakes" if mistakes else "; A applies the draft"


async def _set(seat: Seat, given: tuple[str, ...]) -> None:
    """Change a key of the draft."""
    name, _, text = " ".join(given).strip().partition(" ")
    key = _key(seat, name)
    if key is None:
        seat.say(f"there is no setting {name} [UnknownKey]", "warn")
        return
    if key.get("secret"):
        seat.say(f"{name} is a secret: open it in the settings, it is not typed in the open [SecretInConfig]", "warn")
        return
    try:
        value = value_of(key, text)
    except ValueError as error:
        seat.say(f"{name} {error} ({hint_of(key)}) [WrongType]", "warn")
        return
    await _edit(seat, {name: value}, f"draft: {name} is {shown(value)}")


async def _unset(seat: Seat, given: tuple[str, ...]) -> None:
    name = given[0].strip() if given else ""
    key = _key(seat, name)
    if key is None or key.get("secret"):
        seat.say(f"{name or 'no key'} has no default to go back to [UnknownKey]", "warn")
        return
    await _edit(seat, {name: None}, f"draft: {name} has its default again")


async def _look(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    """Have the draft looked at; nothing changes."""
    found = await seat.send(Sent("/v1/config/preview", {}, lambda _: "", timeout_s=30.0))
    panel = seat.panel()
    if panel.ident == "settings":
        panel.show_effects(found)


async def _preview(seat: Seat, given: tuple[str, ...]) -> None:
    """Show what the draft would do, over the whole panel and back."""
    panel = seat.open_panel("settings")
    panel.toggle_class("-preview")
    await _look(seat, given)


async def _apply(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    panel = seat.open_panel("settings")
    config = seat.state.get("config") or {}
    if config.get("draft") is None:
        seat.say("there is no draft to apply [NothingToApply]", "warn")
        return
    changes = list(config.get("changes") or ())
    effects = [(each["key"], f"{_side(each['before'])} → {_side(each['after'])}") for each in changes[:12]]
    more = f" and {len(changes) - 12} more" if len(changes) > 12 else ""
    note = f"Every actor concerned takes it, or none does{more}. Open groups keep what they began with."
    if not await seat.confirm(Question(f"Put {len(changes)} changes in force?", effects, note)):
        return
    body = {"author": await _author(seat), "version": panel.version}
    await seat.send(Sent("/v1/config/apply", body, _applied, timeout_s=_APPLY_S))
    seat.state.stir("config")


def _side(value: Any) -> str:
    return "default" if value is None else shown(value)


def _applied(found: Mapping[str, Any]) -> str:
    later = found.get("later") or ()
    return f"version {found['version']} is in force" + (f"; {len(later)} keys hold after a restart" if later else "")


async def _discard(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    changes = len((seat.state.get("config") or {}).get("changes") or ())
    if await seat.confirm(Question("Throw the draft away?", (("changes", str(changes)),))):
        await seat.send(Sent("/v1/config/discard", {"author": await _author(seat)}, lambda _: "the draft is gone"))
        seat.state.stir("config")


async def _reset(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    note = "Nothing is in force before it is applied."
    if await seat.confirm(Question("Make the defaults the draft?", (("draft", "every key has its default"),), note)):
        await _load(seat, {}, "the defaults are the draft")


async def _load(seat: Seat, what: Mapping[str, Any], said: str) -> None:
    body = {"author": await _author(seat), **what}
    await seat.send(Sent("/v1/config/load", body, lambda found: f"{said}{_trouble(found)}"))
    seat.state.stir("config")


# --- files and versions -------------------------------------------------------------------------------------------------


async def _ask_backup(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    seat.open_command_line("config-backup ~/bulkhead-settings.json")


async def _ask_restore(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    seat.open_command_line("config-restore ~/bulkhead-settings.json")


async def _backup(seat: Seat, given: tuple[str, ...]) -> None:
    """Write what differs from the defaults into a file; it never holds a secret."""
    config = seat.state.get("config")
    if config is None:
        return
    kept = {"version": config["version"], "author": config["author"], "document": config["document"]}
    text = json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False)
    await seat.save(Path(given[0].strip() if given else "~/bulkhead-settings.json"), text.encode())


async def _restore(seat: Seat, given: tuple[str, ...]) -> None:
    """Make a file that was backed up the draft."""
    if seat.served:
        seat.say("files of this machine are not for a browser: bulkhead config restore FILE [Usage]", "warn")
        return
    path = Path(given[0].strip()) if given else Path("~/bulkhead-settings.json")
    try:
        document = await asyncio.to_thread(_read, path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        seat.say(f"{path} is no backup of settings: {error} [ConfigUnreadable]", "alarm")
        return
    await _load(seat, {"document": document}, f"{path.name} is the draft")


def _read(path: Path) -> dict[str, Any]:
    found = path.expanduser()
    if found.stat().st_size > _LARGEST:
        raise ValueError("it is too large")
    document = json.loads(found.read_text(encoding="utf-8"))["document"]
    if not isinstance(document, dict):
        raise TypeError("its document is no table")
    return document


async def _versions(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    """Show the versions that are kept, and how to go back to one."""
    found = await seat.ask("/v1/config/versions")
    if found is None:
        return
    text: list[Content] = [
        line(
            (f"{each['version']:>5}  ", "strong"),
            (f"{cells.day_time(each.get('at'))}  ", "dim"),
            f"{each.get('author', ''):<16}",
            (_changed(each.get("changes") or ()), "dim"),
        )
        for each in found["versions"]
    ]
    text += [line(""), line((":config-version N shows what differs; :config-load N makes it the draft", "dim"))]
    seat.show_page("Versions of the settings", text)


def _changed(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return which keys a version changed, the first few by name."""
    names = [str(each["key"]) for each in changes]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


async def _version(seat: Seat, given: tuple[str, ...]) -> None:
    """Compare a kept version with what is in force."""
    number, config = (given[0].strip() if given else ""), seat.state.get("config") or {}
    found = await seat.ask(f"/v1/config/versions/{number}") if number.isdigit() else None
    if found is None:
        return
    then, now = found["document"], config.get("document") or {}
    text = [
        line((key, "strong"), (f"  then {_side(then.get(key))}", "accent"), (f"  now {_side(now.get(key))}", "dim"))
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]
    seat.show_page(f"Version {number} and what is in force", text or [line(("they are the same", "dim"))])


async def _load_version(seat: Seat, given: tuple[str, ...]) -> None:
    number = given[0].strip() if given else ""
    if not number.isdigit():
        seat.say("versions are numbers: V shows them [UnknownVersion]", "warn")
        return
    await _load(seat, {"version": int(number)}, f"version {number} is the draft")


# --- completing ---------------------------------------------------------------------------------------------------------


def _names(seat: Seat) -> list[Choice]:
    return [Choice(str(each["key"]), _hint(each)) for each in _keys(seat) if not each.get("secret")]


def _hint(key: Mapping[str, Any]) -> str:
    return " | ".join(choices_of(key)) or f"{shown(key['value'])}  {str(key['meaning'])[:60]}"


COMMANDS: Final = (
    Command(
        name="set",
        help="Change a setting in the draft",
        run=_set,
        arguments=(Argument("key", _names), Argument("value")),
        writes=True,
        always=True,
    ),
    Command(
        name="unset",
        help="Give a setting its default again, in the draft",
        run=_unset,
        arguments=(Argument("key", _names),),
        writes=True,
        always=True,
    ),
    Command(name="config-look", help="Have the draft looked at", run=_look),
    Command(name="config-preview", help="What the draft would do, over the whole panel", run=_preview),
    Command(name="config-apply", help="Put the draft in force", run=_apply, writes=True, always=True),
    Command(name="config-discard", help="Throw the draft away", run=_discard, writes=True, always=True),
    Command(name="config-reset", help="Make the defaults the draft", run=_reset, writes=True, always=True),
    Command(name="config-versions", help="Versions that are kept", run=_versions),
    Command(name="config-version", help="Compare a version with now", run=_version, arguments=(Argument("number"),)),
    Command(
        name="config-load",
        help="Make a kept version the draft",
        run=_load_version,
        arguments=(Argument("number"),),
        writes=True,
        always=True,
    ),
    Command(name="ask-backup", help="Type where the backup of the settings goes", run=_ask_backup),
    Command(name="ask-restore", help="Type which backup becomes the draft", run=_ask_restore),
    Command(name="config-backup", help="Write the settings into a file", run=_backup, arguments=(Argument("path"),)),
    Command(
        name="config-restore",
        help="Make a backup of the settings the draft",
        run=_restore,
        arguments=(Argument("path"),),
        writes=True,
        always=True,
    ),
)
"""Commands of the settings."""
