"""What strangers write: it is shown as what it is, obeyed by nothing, and costs no more than its length."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.event_log import EventLogged
from protocol.legible import legible
from rules.event_log.classify import line_of
from rules.notices.of_events import draft_of
from rules.notices.sentence import coded
from rules.signals.reading import is_placeholder
from service.signal_check import fill_placeholders

TRAP: Final = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31m\u202ekcol\u2066\u200b\u2028\x85\r\n2026-01-01 all is well\x7f\ud800"
"""Writes the clipboard, wipes the screen, turns the text round, begins a line of its own."""

LONGEST_S: Final = 10
"""Far above what any of it takes, far below what it took: years, for the first."""


@contextmanager
def in_time() -> Iterator[None]:
    """Fail when the block takes long; patterns look at signals while they match."""

    def late(*_: object) -> None:
        raise AssertionError("a text of a stranger stops the daemon")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("text", ["Aa" + "A" * 60 + "_", "Aa" * 2_000 + "_", "a_" * 2_000 + ".", "order bh" * 500])
def test_a_reason_costs_no_more_than_its_length(text: str) -> None:
    """The notifier reads every reason an operator or a venue gives, also after a restart: one must not stop it for ever."""
    with in_time():
        assert coded(text).lower().startswith(text[:1].lower())


def test_a_field_full_of_braces_costs_no_more_than_its_length() -> None:
    """EX-204: a placeholder is looked for in time, in alerts and in what is checked by hand."""
    with in_time():
        assert not is_placeholder("{" * 65_000)
        assert fill_placeholders("{{" + " " * 60_000, {})[1] == {}
        assert fill_placeholders("{{ " * 20_000, {})[1] == {}
    assert is_placeholder("{ {{close}}")
    assert not is_placeholder("}} {{")
    assert fill_placeholders("{{ close }}", {"close": "5"}) == ("5", {"close": "5"})


@given(st.text(max_size=40))
def test_what_is_legible_is_one_line_and_has_nothing_to_obey(text: str) -> None:
    """Controls, formats and breaks become one sign each; letters of every script stay."""
    shown = legible(text)
    assert len(shown) == len(text)
    assert len(shown.splitlines()) <= 1
    shown.encode()
    assert all(after == before or not before.isprintable() for before, after in zip(text, shown, strict=True))
    assert legible(text.replace("\r", ""), lines=True).count("\n") == text.count("\n")


def test_a_line_of_the_log_and_a_notice_show_a_trap_as_text() -> None:
    """EX-1401: what a stranger wrote is one line, without anything that a terminal or a phone would obey."""
    event = EventLogged(
        source="system", severity="warning", code="LockedOut", text=f"name {TRAP} is locked", pinned=True, at=1
    )
    line, notice = line_of(event), draft_of(event)
    assert line is not None
    assert notice is not None
    for said in (line.text, notice.title):
        assert said.isprintable(), said
        assert "all is well" in said
