"""The matrix as text: the table, and the page around it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.servers.venues.faults import Fault
from tests.venues.matrix.account import RECONCILE_EVERY_S
from tests.venues.matrix.cell import Cell

__all__ = ["page_of", "table_of"]

_MEANS = {
    Fault.LATENCY: "four answers take 1.5 s",
    Fault.REQUEST_LOST: "the connection ends before an order, a cancel and a question are carried out",
    Fault.ANSWER_LOST: "they are carried out, and the connection ends before the answer",
    Fault.TOO_MANY: "an order, a cancel and a question are refused for their number",
    Fault.SERVER_ERROR: "they are answered with an error of the server",
    Fault.MALFORMED: "their answers, or messages of a stream, end in the middle",
    Fault.MAINTENANCE: "they are answered with the venue's word for maintenance",
    Fault.MARGIN_REJECT: "an order is refused for lack of funds or margin",
    Fault.PARTIAL_FILL: "an order trades only in part at once",
    Fault.DISCONNECT: "streams end in the middle of a message, twice",
    Fault.DUPLICATED: "eight messages of streams come twice",
    Fault.REORDERED: "eight messages of streams come after a later one",
    Fault.STREAM_LOST: "eight messages of streams do not come",
    Fault.MUTE: "streams stay connected and say nothing",
    Fault.STALE_PRICE: "three quotes are an hour old, at half the price",
    Fault.ZERO_PRICE: "three quotes are zero",
    Fault.CROSSED_BOOK: "three quotes have their bid above their ask",
}

_HEAD = """# Venues and their bad days

What each adapter does with each fault of its venue, through the client library that it uses, over sockets. In every cell
an account runs as in the house (risk coordinator, desk, session, reconciler; reconciled every {every:g} s instead of every
minute) against the venue's server. Two orders rest; then the fault is armed, and while it acts an entry goes to the
market, another comes to rest, one is cancelled, and the market trades through the first in two parts. The fault ends. From
then on both sides must come to agree: the same orders, each once, in the same state, with the same fills, each told once to
the group, nothing unknown. After that an entry must fill and prices must come again, and no price that is none may have
been let through (except old ones where the venue's quotes carry no time: Binance spot, IBKR). Nobody intervenes.

An order whose request was lost takes longest: it stays unknown until the venue cannot carry it out any more, which is as
long as the adapter knows to be true (5 to 8 s where orders carry a latest time, 30 s at Alpaca, 120 s at OANDA and at
IBKR's Web API).

A number is the seconds from the end of the fault until both sides agreed (0.0: they did already). **!** marks a cell that
did not come through; the reason stands below the table. All of it is run, and this page written, by
`python -m tests.venues.matrix --page docs/reference/venue-faults.md` ({seconds:.0f} s on two cores, for {count} cells).
"""


def table_of(cells: Sequence[Cell]) -> str:
    """Return venues by faults, and what went wrong."""
    venues = list(dict.fromkeys(cell.venue for cell in cells))
    faults = list(dict.fromkeys(cell.fault for cell in cells))
    found = {(cell.venue, cell.fault): cell for cell in cells}
    rows = [["fault", *venues], ["---", *["---:"] * len(venues)]]
    rows += [[fault, *(_shown(found[venue, fault]) for venue in venues)] for fault in faults]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    bad = [f"- {cell.venue}, {cell.fault}: {cell.trouble[:300]}" for cell in cells if not cell.good]
    return table + ("\n\n" + "\n".join(bad) if bad else "")


def _shown(cell: Cell) -> str:
    return f"{cell.agreed_s:.1f}" if cell.good else "**!**"


def page_of(cells: Sequence[Cell], seconds: float) -> str:
    """Return the page."""
    faults = dict.fromkeys(cell.fault for cell in cells)
    meanings = "\n".join(f"| {fault} | {_MEANS[Fault(fault)]} |" for fault in faults)
    head = _HEAD.format(every=RECONCILE_EVERY_S, seconds=seconds, count=len(cells))
    return f"{head}\n{table_of(cells)}\n\n## The faults\n\n| fault | what happens |\n| --- | --- |\n{meanings}\n"
