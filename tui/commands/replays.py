"""Stored signals sent again: a rehearsal that changes nothing, or live (EX-261 to EX-263)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from textual.content import Content

from tui import cells
from tui.link import part
from tui.seat import Argument, Choice, Command, Question, Seat, Sent
from tui.text import line

__all__ = ["COMMANDS", "report_lines", "would_place"]

_LONG_S: Final = 20.0


def report_lines(said: Mapping[str, Any]) -> Iterator[Content]:
    """Yield the steps of a signal's way and what it comes to."""
    width = max((len(step["name"]) for step in said["steps"]), default=0)
    for step in said["steps"]:
        good = not str(step["outcome"]).startswith(("rejected", "refused"))
        yield line(
            (f"{cells.words(step['name']):<{width}}  ", "dim"),
            (cells.words(step["outcome"]), "gain" if good else "alarm"),
        )
        for each in step["details"]:
            yield line(f"{'':<{width}}  ", (each, "dim"))
    for problem in said["problems"]:
        where = f"{problem['path']}: " if problem.get("path") else ""
        yield line(("refused  ", "alarm"), f"{where}{problem['message']} [{problem['code']}]")
    yield line("")
    yield line(("outcome  ", "dim"), (cells.words(said["outcome"]), "strong"), f"  {said['group_key']}")
    yield line(("signal   ", "dim"), said["signal_id"] or "nothing was routed")


async def would_place(seat: Seat, signal_id: str, account: str = "") -> list[tuple[str, str]]:
    """Return what a signal would place now as the daemon rehearses it: quantities and their worth (EX-1603)."""
    said = await seat.send(Sent(_address(signal_id), {"mode": "dry"}, lambda _: "", timeout_s=_LONG_S))
    found: list[tuple[str, str]] = []
    for step in said["steps"] if said is not None else ():
        whose, _, what = str(step["name"]).rpartition(" ")
        if what == "ladder" and account in ("", whose):
            layers = [each.partition(": ")[2] for each in step["details"] if each.startswith("layer ")]
            found.append(("quantity", "; ".join(layers) or cells.words(step["outcome"])))
            found += [
                ("estimated", f"≈ {each.removeprefix('notional ')}")
                for each in step["details"]
                if each.startswith("notional ")
            ]
    return found


def _address(signal_id: str) -> str:
    return f"/v1/signals/{part(signal_id)}/replay"


async def _replay(seat: Seat, given: tuple[str, ...]) -> None:
    """Rehearse; show every step."""
    ident = given[2] if len(given) > 2 else given[0] if given else ""
    if ident in ("", "-"):
        seat.say("this line names no signal [NotFound]", "warn")
        return
    said = await seat.send(Sent(_address(ident), {"mode": "dry"}, lambda _: "", timeout_s=_LONG_S))
    if said is not None:
        hint = line((f":replay-live {ident} SYMBOL trades it; add reprice for the newest price", "dim"))
        seat.show_page(f"Rehearsal of {ident}: nothing was changed", (*report_lines(said), line(""), hint))


async def _live(seat: Seat, given: tuple[str, ...]) -> None:
    """Trade a stored signal again; the symbol is typed as the confirmation."""
    ident, typed, reprice = (*given, "", "", "")[:3]
    if not ident or not typed:
        seat.say("type the signal and its symbol: replay-live s00000042 BTC/USDT [ConfirmationMissing]", "warn")
        return
    effects = (
        ("signal", f"{ident} becomes a new signal that names it"),
        ("symbol", typed),
        ("price", "the market's newest" if reprice else "as it came"),
        *(await would_place(seat, ident)),
        ("not checked", "its age, its likeness to the old one"),
    )
    if not await seat.confirm(Question("Trade this signal again?", effects, "It is recorded who did it.")):
        return
    body = {"mode": "live", "confirm": typed, "reprice": bool(reprice)}
    said = await seat.send(
        Sent(
            _address(ident),
            body,
            lambda done: f"{done['signal_id']} {done['outcome']}",
            timeout_s=_LONG_S,
        )
    )
    if said is not None:
        seat.show_page(f"{ident} was sent again", tuple(report_lines(said)))


async def _ask_live(seat: Seat, given: tuple[str, ...]) -> None:
    """Write the command that trades a stored signal again; its symbol is typed by hand (EX-263)."""
    ident = given[2] if len(given) > 2 else given[0] if given else "-"
    if ident == "-":
        seat.say("this line names no signal [NotFound]", "warn")
        return
    seat.open_command_line(f"replay-live {ident} ")


def _signals(seat: Seat) -> Sequence[Choice]:
    rows = [*seat.state.rows("log", "events"), *seat.state.rows("signals", "signals")]
    return [Choice(each, "") for each in dict.fromkeys(row["signal_id"] for row in rows if row["signal_id"])]


COMMANDS: Final = (
    Command(
        name="replay",
        help="Rehearse a stored signal: every step, nothing is changed",
        run=_replay,
        arguments=(Argument("signal", _signals),),
    ),
    Command(
        name="ask-replay-live",
        help="Write which stored signal is traded again",
        run=_ask_live,
        arguments=(Argument("signal", _signals),),
        writes=True,
    ),
    Command(
        name="replay-live",
        help="Trade a stored signal again: replay-live SIGNAL SYMBOL [reprice]",
        run=_live,
        arguments=(Argument("signal", _signals), Argument("symbol"), Argument("reprice", required=False)),
        writes=True,
    ),
)
"""Commands of stored signals."""
