"""The keeper of recorded inputs says when its disk fails, and when it works again; what it cannot read it names."""

from __future__ import annotations

import pytest

from actors.input_keeper import InputKeeper, InputsTrouble
from protocol.event_log import EVENT_LOG, LogEvent
from store.inputs.codec import InputsUnreadable, slices


def test_trouble_with_the_disk_is_told_and_taken_back() -> None:
    """InputsNotWritten stays in sight; InputsWritten ends it."""
    told: list[tuple[str, LogEvent]] = []

    class Context:
        class system:  # noqa: N801 - stands for an attribute
            tell = staticmethod(lambda path, event: told.append((path, event)))

    keeper = InputKeeper.__new__(InputKeeper)
    keeper.context = Context()  # type: ignore[assignment]
    keeper.trouble(InputsTrouble("no space left"))
    keeper.trouble(InputsTrouble(""))
    assert [path for path, _ in told] == [EVENT_LOG, EVENT_LOG]
    assert [(event.code, event.pinned) for _, event in told] == [("InputsNotWritten", True), ("InputsWritten", False)]
    assert "no space left" in told[0][1].text


def test_what_is_no_segment_is_refused() -> None:
    """InputsUnreadable, not an error of a library: the check says a gap and goes on."""
    with pytest.raises(InputsUnreadable):
        list(slices(b"\x00 not a segment"))
