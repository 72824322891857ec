"""How a line of the log looks: a colour and, where there is none, a letter that says the same."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console
from rich.style import Style

from rules.event_log.line import LineSeverity
from service.cli.views import event_line

LETTERS = {"error": "E", "warning": "W", "info": "I", "risk": "R", "order": "O"}
COLOURS = {"error": "red", "warning": "dark_orange", "info": "bright_blue", "risk": "violet", "order": "green"}


def row(severity: str) -> dict[str, Any]:
    """Return a line of the log."""
    ids = {"client_order_id": "", "group_id": "g1", "signal_id": ""}
    return {"kind": "event", "at": 0, "severity": severity, "symbol": "BTC/USDT", "text": "said", **ids}


def test_there_are_five() -> None:
    """EX-1402: error, warning, info, risk event and order success, and no other."""
    assert {each.value for each in LineSeverity} == set(LETTERS)


@pytest.mark.parametrize("severity", LETTERS)
def test_each_has_its_letter_and_colour(severity: str) -> None:
    """EX-1402: a letter beside the text, and the colour of its severity on both."""
    line = event_line(row(severity))
    styles = {line.plain[each.start : each.end]: each.style for each in line.spans}
    for words in (LETTERS[severity], "said"):
        colour = Style.parse(str(styles[words])).color
        assert colour is not None
        assert colour.name == COLOURS[severity]


@pytest.mark.parametrize("severity", LETTERS)
def test_without_colours_the_letter_says_it(severity: str) -> None:
    """EX-1402: colour is never the only mark: in plain text each severity is told by its letter."""
    console = Console(width=120, file=io.StringIO(), force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(event_line(row(severity)))
    assert captured.get().split()[1:4] == [LETTERS[severity], "BTC/USDT", "said"]
