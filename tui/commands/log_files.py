"""The log as files: export of what is shown, what is kept, and what a tidying up would remove (EX-1408, EX-1409)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from textual.content import Content

from tui.seat import Argument, Choice, Command, Question, Seat, Sent
from tui.text import line

__all__ = ["COMMANDS"]

_FORMS: Final = ("txt", "csv", "json")
_RETENTION: Final = (
    "logging.retention_mode",
    "logging.keep_days",
    "logging.max_file_mb",
    "logging.max_files",
    "logging.prune_above_mb",
    "logging.rotate_daily",
    "logging.auto_export",
)


async def _ask_export(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    seat.open_command_line(f"log-export {Path.home() / 'bulkhead-log.csv'}")


async def _export(seat: Seat, given: tuple[str, ...]) -> None:
    """Write every line that the filters let through, not only those on screen."""
    path = _path(given[0] if given else "")
    form = path.suffix.removeprefix(".").lower()
    if form not in _FORMS:
        seat.say("end the name of the file in .txt, .csv or .json [Usage]", "warn")
        return
    logs = seat.open_panel("logs")
    fetched = await seat.fetch(
        "/v1/log/export", format=form, **{name: each for name, each in logs.filters.items() if each}
    )
    if fetched is not None:
        await seat.save(path, fetched.data)


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser()


# --- segments ---------------------------------------------------------------------------------------------------------


async def _retention(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    """Show how long the log is kept, its files, and which of them would go now."""
    found = await seat.ask("/v1/log/segments")
    gone = await _preview(seat)
    if found is None or gone is None:
        return
    going = {each["segment"] for each in gone}
    rules = [_rule(seat, key) for key in _RETENTION]
    text: list[Content] = [
        line(("HOW LONG IT IS KEPT", "title")),
        *rules,
        line((":set logging.keep_days 30 and the settings panel change it", "dim")),
        line(""),
        line((f"FILES in {found['folder']}", "title")),
        *(_segment(each, each["segment"] in going) for each in reversed(found["segments"])),
        line(""),
        line(
            (f"{len(going)} would be removed now", "warn" if going else "dim"),
            (": :log-prune removes them, :log-keep SEGMENT keeps one", "dim") if going else "",
        ),
    ]
    seat.show_page("Retention of the log", text)


def _rule(seat: Seat, key: str) -> Content:
    value = seat.state.setting(key)
    return line((f"{key.removeprefix('logging.'):<16}", "dim"), "as by default" if value is None else str(value))


def _segment(each: Mapping[str, Any], going: bool) -> Content:
    mark = (
        ("open", "accent")
        if each["open"]
        else ("keep", "gain")
        if each["kept"]
        else ("goes", "warn")
        if going
        else ("", "")
    )
    return line(f"{each['day']}  {each['bytes']:>13,}  {each['segment']:<32}", mark)


async def _preview(seat: Seat) -> Sequence[Mapping[str, Any]] | None:
    said = await seat.send(Sent("/v1/log/prune", {"preview": True}, lambda _: ""))
    return None if said is None else said["removed"]


async def _prune(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    gone = await _preview(seat)
    if gone is None:
        return
    if not gone:
        seat.say("nothing to remove", "dim")
        return
    effects = [(each["day"], f"{each['segment']}  {each['bytes']:,} bytes") for each in gone[:12]]
    effects += [("and", f"{len(gone) - 12} more")] if len(gone) > 12 else []
    if await seat.confirm(Question("Remove these files of the log?", effects, "The journal keeps every event.")):
        await seat.send(Sent("/v1/log/prune", {"preview": False}, lambda said: f"{len(said['removed'])} files removed"))


async def _keep(seat: Seat, given: tuple[str, ...]) -> None:
    name, _, word = (given[0] if given else "").partition(" ")
    body = {"segment": name, "keep": word != "off"}
    done = "is kept" if body["keep"] else "may be removed"
    await seat.send(Sent("/v1/log/keep", body, lambda said: f"{said['segment']} {done}"))


COMMANDS: Final = (
    Command(name="ask-export", help="Write the path of an export", run=_ask_export),
    Command(
        name="log-export",
        help="Write what the log's filters let through to a file: .txt, .csv or .json",
        run=_export,
        arguments=(Argument("file", lambda _: [Choice("~/bulkhead-log.csv"), Choice("~/bulkhead-log.json")]),),
    ),
    Command(name="retention", help="Show how long the log is kept, its files, and what would go now", run=_retention),
    Command(name="log-prune", help="Remove the files of the log that are no longer kept", run=_prune, writes=True),
    Command(
        name="log-keep",
        help="Never remove a file of the log: log-keep SEGMENT [off]",
        run=_keep,
        arguments=(Argument("segment"),),
        writes=True,
    ),
)
"""Commands of the log's files."""
