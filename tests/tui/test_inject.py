"""Messages and signals by hand, and traces: completion, validation, preview, answer, what came of it (EX-260)."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Input

from tests.tui.rig import Rig, cockpit
from tui.panels import ActorsPanel, InjectPanel, PositionsPanel, TracePanel
from tui.panels.inject_fields import problem_of, value_of, written
from tui.panels.trace import chain_rows, took

pytestmark = pytest.mark.anyio
SHOWN = (
    PositionsPanel,
    ActorsPanel,
    TracePanel,
    InjectPanel,
)


def field(name: str, kind: str, *choices: str, required: bool = False) -> dict[str, Any]:
    return {"name": name, "type": kind, "required": required, "default": "", "choices": list(choices)}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "12", "12"),
        ("whole number", "12", 12),
        ("decimal", "0.10", "0.10"),
        ("decimal or null", "null", None),
        ("true or false", "true", True),
        ("list of text", '["a"]', ["a"]),
    ],
)
def test_texts_become_values_of_their_type(kind: str, text: str, value: Any) -> None:
    """Numbers stay exact: a decimal goes as text, never through a float."""
    assert value_of(field("x", kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [("whole number", "1.5"), ("decimal", "NaN"), ("decimal", "x"), ("true or false", "yes"), ("list of text", "[")],
)
def test_what_is_no_such_value_is_said(kind: str, text: str) -> None:
    """A field validates while it is typed."""
    assert problem_of(field("x", kind), text)


def test_a_draft_leaves_out_what_is_empty_and_names_what_is_missing() -> None:
    """Defaults are the daemon's; required ones and words outside the choices are problems."""
    fields = [field("a", "text", required=True), field("b", "one of x, y", "x", "y"), field("c", "decimal")]
    assert written("T", fields, {"a": "1"}, tagged=True).body == {"type": "T", "a": "1"}
    assert written("T", fields, {"b": "z"}, tagged=False).problems == {"a": "must be given", "b": "is one of x, y"}


async def fill(rig: Rig, name: str, text: str) -> None:
    """Write into a field of the form."""
    found = next(each for each in rig.app.query(Input) if name in (each.name, each.id))
    found.value = text
    await rig.pilot.pause()


async def test_a_signal_is_checked_and_sent() -> None:
    """F9 shows each step and sends nothing; Ctrl+S asks first, then shows the answer and what happened (EX-260)."""
    async with cockpit(panels=SHOWN, size=(140, 40)) as rig:
        await rig.press("i")
        await rig.until(lambda: rig.app.query("#fields Input"), "the fields are there")
        await rig.sees("3 to mend")
        await fill(rig, "symbol", "SUI/USDT")
        await fill(rig, "timeframe", "15m")
        await rig.press("ctrl+s")
        await rig.until(lambda: "side must be given" in rig.said, "the refusal")
        await fill(rig, "side", "sideways")
        await rig.sees("is one of long, short")
        await fill(rig, "side", "long")
        await rig.sees("ready: Ctrl+S sends")
        await rig.press("f9")
        await rig.until(lambda: rig.link.told, "it was checked")
        body = {"symbol": "SUI/USDT", "timeframe": "15m", "side": "long"}
        assert rig.link.told == [("/v1/signals/check", body)]
        await rig.sees("would be queued")
        await rig.press("ctrl+s")
        await rig.sees("Send this?")
        await rig.press("y")
        await rig.until(lambda: len(rig.link.told) == 2, "it was sent")
        assert rig.link.told[-1] == ("/v1/signal?wait=5", body)
        await rig.sees("entry waits for a slot")


async def test_a_message_goes_to_an_actor_that_takes_it() -> None:
    """Only types that the actor takes are offered; the preview is what is sent; a request's answer is shown."""
    async with cockpit(panels=SHOWN, size=(140, 40), panel="actors") as rig:
        rig.app.panel().search("coordinator")
        await rig.settled()
        await rig.press("m")
        await rig.until(lambda: isinstance(rig.app.panel(), InjectPanel), "the form is open")
        await rig.settled()
        await rig.sees("PauseEngine, ResumeEngine")
        await fill(rig, "type", "InjectSignal")
        assert "type" in rig.app.panel().draft().problems
        await fill(rig, "type", "PauseEngine")
        await rig.until(lambda: rig.app.query("#fields Input"), "the fields are there")
        await fill(rig, "reason", "news")
        await rig.press("ctrl+s")
        await rig.sees("Send this?")
        await rig.press("y")
        await rig.until(lambda: rig.link.told, "it was sent")
        message = {"type": "PauseEngine", "reason": "news"}
        assert rig.link.told[-1] == ("/v1/send", {"path": "/risk/coordinator", "message": message})
        await rig.sees('"status": "paused"')
        await rig.sees("▸ PauseEngine to /risk/coordinator reason=news")
        await rig.press("f2")
        await rig.until(lambda: rig.app.panel().is_signal, "another message")
        await rig.press("pageup")
        await rig.until(lambda: rig.app.panel().draft().body == message, "it stands there as it was sent")
        await rig.press("pageup")
        await rig.until(lambda: "nothing more was sent" in rig.said, "there is none before it")


async def test_a_read_only_cockpit_sends_nothing() -> None:
    """Writing a message is allowed, sending it is not (EX-1506)."""
    async with cockpit(panels=SHOWN, size=(140, 40), read_only=True) as rig:
        await rig.press("i", "ctrl+s")
        await rig.until(lambda: "ReadOnlyMode" in rig.said, "the refusal")
        assert rig.link.told == []


# --- traces -----------------------------------------------------------------------------------------------------------


def test_a_chain_becomes_rows_with_times() -> None:
    """Each link says how long it took after its cause and in all; what happened later stands beneath its link."""
    child = {"kind": "order", "id": "o1", "title": "limit", "position": 3, "at": 9_000, "latency_ns": 4_000}
    step = {"position": 2, "at": 7_000, "latency_ns": 2_000, "type": "SlotTaken", "text": "one"}
    root = {"kind": "group", "id": "g1", "title": "BTC", "position": 1, "at": 5_000, "latency_ns": 0}
    rows = chain_rows([{**root, "steps": [step], "children": [{**child, "steps": [], "children": []}]}])
    assert [(row["tree"], row["after"], row["since"]) for row in rows] == [
        ("group", 0, 0),
        ("│ · SlotTaken", 2_000, 2_000),
        ("└ order", 4_000, 4_000),
    ]
    assert [took(value) for value in (0, 1_500, 41_000_000, 3_210_000_000, 300_000_000_000)] == [
        "·",
        "2 us",
        "41 ms",
        "3.2 s",
        "5m",
    ]


async def test_a_group_is_traced_from_its_row_and_back() -> None:
    """T opens the chain with its sentences; Esc goes back to where it was asked; an unknown id says so."""
    async with cockpit(panels=SHOWN, panel="positions", size=(140, 40)) as rig:
        await rig.press("t")
        await rig.settled()
        await rig.sees("alert from 52.89.214.238")
        await rig.sees("It became signal s00000")
        await rig.press("escape")
        assert rig.app.panel().ident == "positions"
        await rig.type("trace nothing")
        await rig.settled()
        await rig.sees("has nothing of the id nothing")
