"""The log: filters, stream and review, acknowledgement, the log of one group (EX-1406, EX-1614, EX-1619)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from tui.alerts import SHOWN
from tui.commands.finding import group_choices
from tui.panels.log_columns import CATEGORIES, SEVERITIES, TAGS
from tui.panels.log_toolbar import FILTERS, INSTANTS
from tui.seat import Argument, Choice, Command, Seat, Sent
from tui.when import instant_of

__all__ = ["COMMANDS"]


async def _group_log(seat: Seat, given: tuple[str, ...]) -> None:
    """Open the logs with this group's lines; without a panel of logs the group itself, which has them too."""
    ident = given[0].split()[0] if given else ""
    logs = seat.open_panel("logs")
    if logs is not None:
        logs.clear_filters()
        logs.set_filter("group", ident)
        return
    positions = seat.open_panel("positions")
    positions.show_group(ident)


async def _ack(seat: Seat, given: tuple[str, ...]) -> None:
    """Acknowledge every alert, or those in the strip: a key clears nothing that nobody has seen."""
    shown = [each["position"] for each in seat.state.rows("alerts", "alerts")[:SHOWN]]
    if not shown:
        seat.say("no alert waits to be acknowledged", "dim")
    elif given:
        said = f"{len(shown)} alerts are acknowledged"
        await seat.send(Sent("/v1/alerts/ack", {"positions": shown}, lambda _: said))
    else:
        await seat.send(Sent("/v1/alerts/ack", {"all": True}, lambda _: "alerts are acknowledged"))


async def _ack_line(seat: Seat, given: tuple[str, ...]) -> None:
    text = given[1] if len(given) > 1 else given[0] if given else ""
    if not text.isdigit():
        seat.say("name an alert by its position in the log [WrongType]", "warn")
        return
    body = {"positions": [int(text)]}
    await seat.send(Sent("/v1/alerts/ack", body, lambda _: f"alert {text} is acknowledged"))


async def _log(seat: Seat, given: tuple[str, ...]) -> None:
    """Open the log with one filter more: ``log since 2h``, ``log category order,webhook``; a lone name takes it off."""
    logs = seat.open_panel("logs")
    name, _, value = (given[0] if given else "").strip().partition(" ")
    if not name:
        return
    if name not in FILTERS:
        seat.say(f"filters are {', '.join(FILTERS)} [Usage]", "warn")
        return
    value = value.strip()
    if problem := _problem(name, value):
        seat.say(f"{problem} [InvalidEnum]", "warn")
        return
    if name in INSTANTS and value:
        instant = instant_of(value, seat.state.now())
        if instant is None:
            seat.say(f"{value} is no span and no instant: 10m, 2h, 3d, 2026-01-31, 2026-01-31T12:00 [Usage]", "warn")
            return
        value = str(instant)
    logs.set_filter(name, value)


def _problem(name: str, value: str) -> str:
    known = {"category": CATEGORIES, "severity": tuple(SEVERITIES), "tag": TAGS}.get(name)
    unknown = [each for each in value.split(",") if each and known is not None and each not in known]
    return f"{name} {unknown[0]} is none of {', '.join(known or ())}" if unknown else ""


async def _clear(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001 - every command has this shape
    logs = seat.open_panel("logs")
    logs.clear_filters()


async def _stream(seat: Seat, given: tuple[str, ...]) -> None:
    logs = seat.open_panel("logs")
    logs.set_stream(stream={"on": True, "off": False}.get(given[0] if given else "", not logs.stream))


async def _older(seat: Seat, given: tuple[str, ...]) -> None:  # noqa: ARG001
    logs = seat.open_panel("logs")
    wanted = {name: value for name, value in logs.filters.items() if value}
    found = await seat.ask("/v1/log", before=logs.oldest, limit=500, **wanted) if logs.oldest else None
    if found is None or not found["events"]:
        seat.say("there are no older lines", "dim")
        return
    logs.add_older(found["events"][::-1])
    seat.say(f"{len(found['events'])} older lines", "dim")


async def _of_line(seat: Seat, given: tuple[str, ...], *, name: str, place: int) -> None:
    """Show only lines of what the selected one is about."""
    value = given[place] if len(given) > place else "-"
    if value == "-":
        seat.say(f"this line is of no {name} [NotFound]", "warn")
        return
    logs = seat.open_panel("logs")
    logs.clear_filters()
    logs.set_filter(name, value)


async def _ask_filter(seat: Seat, given: tuple[str, ...]) -> None:
    """Open the command line where a filter is written."""
    seat.open_command_line(f"log {given[0]} " if given else "log ")


def _filters(seat: Seat) -> Sequence[Choice]:
    """Offer the filters, and behind one of a few words those words."""
    pairs = [Choice(row["symbol"]) for row in seat.state.rows("log", "events") if row["symbol"]]
    words = {name: Choice(name, hint) for name, hint in FILTERS.items()}
    values = [Choice(each, "category") for each in CATEGORIES] + [Choice(each, "tag") for each in TAGS]
    return [*words.values(), *dict.fromkeys(values), *dict.fromkeys(pairs)]


_LINE: Final = tuple(Argument(name) for name in ("about", "position", "signal", "group", "chain"))
"""What the log's keys hand over of the selected line; a dash for what it is not about."""

COMMANDS: Final = (
    Command(
        name="log",
        help="Open the log with a filter: log since 2h, log category order,webhook; without value: off",
        run=_log,
        arguments=(Argument("filter", _filters, required=False),),
    ),
    Command(name="log-clear", help="Take every filter of the log off", run=_clear),
    Command(
        name="log-stream",
        help="Let the log go on by itself, or stand still for review",
        run=_stream,
        arguments=(Argument("way", lambda _: [Choice("on"), Choice("off")], required=False),),
    ),
    Command(name="log-older", help="Show older lines of the log above", run=_older),
    Command(
        name="ask-filter",
        help="Write a filter of the log",
        run=_ask_filter,
        arguments=(Argument("name", required=False),),
    ),
    Command(
        name="line-group",
        help="Show only lines of the selected one's group",
        run=partial(_of_line, name="group", place=3),
        arguments=_LINE,
    ),
    Command(
        name="line-chain",
        help="Show only lines of the selected one's causal chain",
        run=partial(_of_line, name="correlation", place=4),
        arguments=_LINE,
    ),
    Command(
        name="ack-line", help="Acknowledge one alert", run=_ack_line, arguments=(Argument("position"),), writes=True
    ),
    Command(
        name="group-log", help="Open the log of a group", run=_group_log, arguments=(Argument("group", group_choices),)
    ),
    Command(
        name="ack",
        help="Acknowledge every alert as it stands, or those in the strip: ack shown",
        run=_ack,
        arguments=(Argument("shown", lambda _: (Choice("shown", "those in the strip"),), required=False),),
        writes=True,
    ),
)
"""Commands of the log."""
