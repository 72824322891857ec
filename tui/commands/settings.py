"""Settings: the shared draft, what it would do, putting it in force, versions, backup (EX-1304 to EX-1312, EX-1621)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui.commands.draft import author, edit, load
from tui.differences import steps
from tui.seat import Argument, Choice, Command, Question, Seat, Sent
from tui.settings_values import choices_of, hint_of, shown, value_of
from tui.text import line

__all__ = ["COMMANDS"]

_APPLY_S: Final = 300.0
_SHOWN: Final = 12
"""Changes that the question before an apply has room for."""


def _keys(seat: Seat) -> Sequence[Mapping[str, Any]]:
    config = seat.state.get("config") or {}
    return [each for each in config.get("effective", ()) if "type" in each]


def _key(seat: Seat, name: str) -> Mapping[str, Any] | None:
    return next((each for each in _keys(seat) if each["key"] == name), None)


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
    await edit(seat, {name: value}, f"draft: {name} is {shown(value)}")


async def _unset(seat: Seat, given: tuple[str, ...]) -> None:
    name = given[0].strip() if given else ""
    key = _key(seat, name)
    if key is None or key.get("secret"):
        seat.say(f"{name or 'no key'} has no default to go back to [UnknownKey]", "warn")
        return
    await edit(seat, {name: None}, f"draft: {name} has its default again")


async def _edit_several(seat: Seat, given: tuple[str, ...]) -> None:
    """Change several keys of the draft at once: those of a form belong together."""
    try:
        values = json.loads(" ".join(given))
    except ValueError as error:
        seat.say(f"settings are written as a JSON object: {error} [Usage]", "warn")
        return
    if isinstance(values, dict):
        await edit(seat, values, f"draft: {', '.join(values)}" if len(values) < 3 else f"draft: {len(values)} keys")


async def _preview(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    """Show what the draft would do, over the whole panel and back."""
    seat.open_panel("settings").toggle_class("-preview")


async def _apply(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    seat.open_panel("settings")
    seen = await seat.ask("/v1/config")  # as it is now: what is on the screen may be a moment old
    if seen is None:
        return
    if seen.get("draft") is None:
        seat.say("there is no draft to apply [NothingToApply]", "warn")
        return
    if wrong := list(seen.get("draft_mistakes") or ()):
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        seat.say(f"mend the draft first: {wrong[0]['path']} {wrong[0]['message']}{more} [{wrong[0]['code']}]", "alarm")
        return
    changes = list(seen.get("changes") or ())
    effects = [step for each in changes for step in _steps(each["key"], each["before"], each["after"])]
    more = f" and {len(effects) - _SHOWN} more" if len(effects) > _SHOWN else ""
    note = f"Every actor concerned takes it, or none does{more}. Open groups keep what they began with."
    title = f"Put {len(changes)} change{'s' if len(changes) > 1 else ''} in force?"
    if not await seat.confirm(Question(title, effects[:_SHOWN], note)):
        return
    if (now := await seat.ask("/v1/config")) is None:
        return
    if now["version"] == seen["version"] and now["draft"] != seen["draft"]:
        seat.say(f"{now['draft_author'] or 'somebody'} edited the draft meanwhile: look at it, then apply", "warn")
    else:
        body = {"author": await author(seat), "version": int(seen["base"])}
        if await seat.send(Sent("/v1/config/apply", body, _applied, timeout_s=_APPLY_S)) is None:
            await _show_conflict(seat, seen)
    seat.state.stir("config")


def _steps(key: str, before: Any, after: Any) -> list[tuple[str, str]]:
    return [(f"{key} {part}".strip(), text) for part, text in steps(key, before, after)]


async def _show_conflict(seat: Seat, seen: Mapping[str, Any]) -> None:
    """Show what somebody else put in force meanwhile beside what was to be (EX-1308); nothing where nobody did."""
    now = await seat.ask("/v1/config")
    if now is None or now["version"] == seen["version"]:
        return
    before, after = seen.get("document") or {}, now["document"]
    text = [line((f"version {now['version']} by {now['author']} changed", "strong"))]
    text += [
        line(f"  {part}  ", (step, "warn"))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
        for part, step in _steps(key, before.get(key), after.get(key))
    ] or [line(("  nothing: the same settings", "dim"))]
    text += [line(""), line((f"you were about to apply, from version {seen['base']}", "strong"))]
    text += [
        line(f"  {part}  ", (step, "accent"))
        for each in seen["changes"]
        for part, step in _steps(each["key"], each["before"], each["after"])
    ]
    text += [line(""), line(("Nothing was applied. Set again what is still wanted, look at it, then apply.", "dim"))]
    seat.show_page("Somebody else applied first [ConfigConflict]", text)


def _applied(found: Mapping[str, Any]) -> str:
    later = found.get("later") or ()
    return f"version {found['version']} is in force" + (f"; {len(later)} keys hold after a restart" if later else "")


async def _discard(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    changes = len((seat.state.get("config") or {}).get("changes") or ())
    if await seat.confirm(Question("Throw the draft away?", (("changes", str(changes)),))):
        await seat.send(Sent("/v1/config/discard", {"author": await author(seat)}, lambda _: "the draft is gone"))
        seat.state.stir("config")


async def _reset(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    note = "Nothing is in force before it is applied."
    if await seat.confirm(Question("Make the defaults the draft?", (("draft", "every key has its default"),), note)):
        await load(seat, {}, "the defaults are the draft")


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
    Command(
        name="config-edit",
        help="Change several settings in the draft, as a JSON object",
        run=_edit_several,
        arguments=(Argument("values"),),
        writes=True,
        always=True,
    ),
    Command(name="config-preview", help="What the draft would do, over the whole panel", run=_preview),
    Command(name="config-apply", help="Put the draft in force", run=_apply, writes=True, always=True),
    Command(name="config-discard", help="Throw the draft away", run=_discard, writes=True, always=True),
    Command(name="config-reset", help="Make the defaults the draft", run=_reset, writes=True, always=True),
)
"""Commands of the settings."""
