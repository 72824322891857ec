"""Settings as files and versions, and the whole installation in an archive (EX-1208, EX-1310, EX-1311)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from textual.content import Content

from tui import cells
from tui.commands.draft import load, side
from tui.seat import Argument, Command, Question, Seat, Sent
from tui.text import line

__all__ = ["COMMANDS"]

_LARGEST: Final = 1_048_576
_NAMED: Final = 3
_BACKUP_S: Final = 600.0
_LOOK_S: Final = 0.4
_SHOWN: Final = 12


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
    await load(seat, {"document": document}, f"{path.name} is the draft")


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
        line(
            (key, "strong"),
            (f"  then {side(key, then.get(key))}", "accent"),
            (f"  now {side(key, now.get(key))}", "dim"),
        )
        for key in sorted(then.keys() | now.keys())
        if then.get(key) != now.get(key)
    ]
    seat.show_page(f"Version {number} and what is in force", text or [line(("they are the same", "dim"))])


async def _load_version(seat: Seat, given: tuple[str, ...]) -> None:
    number = given[0].strip() if given else ""
    if not number.isdigit():
        seat.say("versions are numbers: V shows them [UnknownVersion]", "warn")
        return
    await load(seat, {"version": int(number)}, f"version {number} is the draft")


# --- the whole installation -----------------------------------------------------------------------------------------------


async def _full_backup(seat: Seat, given: tuple[str, ...]) -> None:
    """Have the daemon write everything into one archive, say how far it is, and what the manifest says at the end."""
    there = await seat.ask("/v1/backups")
    if there is None:
        return
    effects = (
        ("holds", "settings, journal, read models, log, the vault (encrypted)"),
        ("not", "plain secrets, the vault's master key: it restores here, elsewhere credentials are entered again"),
        ("where", f"{there['folder']}, {there['free']:,} bytes are free"),
        *(("goes", f"{each}: older than the newest {there['keep_newest']}") for each in there["goes"][:_NAMED]),
        *((("goes", f"and {len(there['goes']) - _NAMED} more"),) if len(there["goes"]) > _NAMED else ()),
    )
    note = "Trading goes on meanwhile. It is encrypted when BULKHEAD_BACKUP_KEY is set where the daemon runs."
    if not await seat.confirm(Question("Back up the whole installation?", effects, note, danger=False)):
        return
    body = {"name": given[0].strip()} if given else {}
    making = asyncio.create_task(seat.send(Sent("/v1/backups", body, _made, timeout_s=_BACKUP_S)))
    while not making.done():
        await asyncio.wait({making}, timeout=_LOOK_S)
        found = None if making.done() else await seat.ask("/v1/backups")
        if found is not None and found["doing"] and not making.done():
            seat.say(f"backup: {_progress(found)}", "accent")
    await making


def _progress(found: Mapping[str, Any]) -> str:
    share = f", {100 * found['done'] / found['of']:.0f} %" if found["of"] else ""
    return f"{found['doing']}{share}"


def _made(said: Mapping[str, Any]) -> str:
    sealed = "encrypted" if said["encrypted"] else "not encrypted"
    sizes = f"{said['size']:,} bytes of {said['unpacked']:,}"
    gone = f", {len(said['removed'])} older removed" if said["removed"] else ""
    trouble = f"; {said['trouble']}" if said["trouble"] else ""
    return f"{said['path']}: {said['files']} files read back and right, {sizes}, {sealed}{gone}{trouble}"


async def _backups(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    """Show the archives that the daemon has made."""
    found = await seat.ask("/v1/backups")
    if found is None:
        return
    text = [_archive(each, each["name"] in found["goes"]) for each in found["backups"]]
    stay = f"the newest {found['keep_newest']} stay" if found["keep_newest"] else "all of them stay"
    words = (
        f"{stay} (backups.keep_newest), marked ones besides; {found['free']:,} bytes are free",
        ":backup-keep NAME marks one, :backup-prune removes what is no longer kept",
        "put one back with the daemon down: bulkhead restore FILE; look first: --read-only-inspect FOLDER",
    )
    none = [] if text else [line(("there is none yet: B makes one", "dim"))]
    about = [line((each, "dim")) for each in words]
    seat.show_page(f"Full backups in {found['folder']}", [*text, *none, line(""), *about])


def _archive(each: Mapping[str, Any], goes: bool) -> Content:
    fate = ("  keep", "gain") if each["kept"] else ("  goes with the next", "warn") if goes else ""
    return line(
        f"{cells.day_time(each['written_at'])}  ",
        (f"{each['size']:>15,} bytes  ", "dim"),
        (each["name"], "strong"),
        fate,
    )


async def _prune_backups(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    """Remove the archives that are no longer kept, once somebody has seen which."""
    said = await seat.send(Sent("/v1/backups/prune", {"preview": True}, lambda _: ""))
    if said is None:
        return
    gone = said["removed"]
    if not gone:
        seat.say("nothing to remove", "dim")
        return
    effects = [
        (cells.day_time(each["written_at"]), f"{each['name']}  {each['size']:,} bytes") for each in gone[:_SHOWN]
    ]
    effects += [("and", f"{len(gone) - _SHOWN} more")] if len(gone) > _SHOWN else []
    if await seat.confirm(Question("Remove these full backups?", effects, "They are gone then; newer ones stay.")):
        await seat.send(Sent("/v1/backups/prune", {"preview": False}, _pruned))


def _pruned(said: Mapping[str, Any]) -> str:
    return f"{len(said['removed'])} backups removed" + (f"; {said['trouble']}" if said["trouble"] else "")


async def _keep_backup(seat: Seat, given: tuple[str, ...]) -> None:
    name, _, word = (given[0] if given else "").partition(" ")
    done = "may be removed" if word == "off" else "is kept"
    body = {"name": name, "keep": word != "off"}
    await seat.send(Sent("/v1/backups/keep", body, lambda said: f"{said['name']} {done}"))


COMMANDS: Final = (
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
    Command(
        name="full-backup",
        help="Back up the whole installation into one archive",
        run=_full_backup,
        arguments=(Argument("name", required=False),),
        writes=True,
    ),
    Command(name="backups", help="Full backups that were made, and which go with the next", run=_backups),
    Command(
        name="backup-prune", help="Remove the full backups that are no longer kept", run=_prune_backups, writes=True
    ),
    Command(
        name="backup-keep",
        help="Never remove a full backup: backup-keep NAME [off]",
        run=_keep_backup,
        arguments=(Argument("name"),),
        writes=True,
    ),
)
"""Commands of files and versions."""
