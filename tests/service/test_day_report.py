"""The outcome of a day's check: in a sentence, as data, and without a secret."""

from __future__ import annotations

from base64 import b64encode

import msgspec
import pytest

from protocol.risk import EngineStatus, EngineStatusChanged
from protocol.webhook import WebhookRequest
from runtime.differing import Cause, Divergence, Report, differing_fields
from service.cli import day_views
from service.cli.codes import ExitCode
from service.config import Config
from service.day_process import said_of
from service.day_report import DayOutcome, outcome_of, sentence_of

SECRET = "very-secret-alert-word"
THEN = EngineStatusChanged(4, EngineStatus.PAUSED, "by an operator", 7)
NOW = EngineStatusChanged(4, EngineStatus.PAUSED, f"by {SECRET}", 7)
MESSAGE = WebhookRequest("trader", "1.2.3.4", (), b'{"secret":"' + SECRET.encode() + b'"}')


def divergence(position: int = 40, at: int = 7) -> Divergence:
    """Return a difference in one field."""
    return Divergence(
        why="other fields",
        path="/risk/coordinator",
        stream="/risk/coordinator",
        seq=4,
        position=position,
        at=at,
        cause=Cause("WebhookRequest", MESSAGE, 99, 98, 97, "/operators/webhook"),
        expected=THEN,
        got=NOW,
        fields=differing_fields(THEN, NOW),
        version="0.4.0",
        config=14,
    )


def outcome(*found: Divergence) -> DayOutcome:
    """Return the outcome of a day with these differences."""
    report = Report()
    report.streams, report.messages, report.events = {"/risk/coordinator"}, 12, 3
    for each in found:
        report.found(each)
    return outcome_of("2026-11-21", report, seconds=0.5, hidden=(SECRET, ""))


def test_an_equal_day_is_said_with_its_counts() -> None:
    """Streams, messages, events and gaps stand in the one line of a day that decides the same again."""
    assert sentence_of(outcome()) == "2026-11-21 decides the same again: 1 streams, 12 messages, 3 events, 0 gaps"
    assert said_of(outcome()).verdict == "equal"


def test_a_difference_is_said_with_its_message_and_fields() -> None:
    """Stream, number, position, message and fields are in the sentence; the whole is in the data."""
    found = outcome(divergence())
    assert sentence_of(found).startswith(
        "2026-11-21 decides otherwise: /risk/coordinator event 4, position 40, on WebhookRequest 99: other fields (reason)"
    )
    assert found.divergence is not None
    assert (found.divergence.config, found.divergence.bulkhead, found.divergence.sender) == (
        14,
        "0.4.0",
        "/operators/webhook",
    )
    assert said_of(found).verdict == "diverged"


def test_no_secret_is_in_an_outcome() -> None:
    """What a message or an event says is shown without the secrets that were in it (EX-1501)."""
    data = msgspec.json.encode(outcome(divergence()))
    assert SECRET.encode() not in data
    assert not any(b64encode(MESSAGE.body[at:])[:24] in data for at in range(3)), "nor in another spelling"
    assert data.count(b"***") == 3, "body, event, field"


def test_the_first_difference_in_the_journal_is_the_one_reported() -> None:
    """Of several streams that diverge, the one whose event stands first; what the journal lacks comes last, by instant."""
    found = outcome(divergence(50), divergence(40), divergence(0, at=1))
    assert found.divergence is not None
    assert found.divergence.position == 40
    assert found.equal is False


def test_a_day_that_could_not_be_checked_is_neither() -> None:
    """A check that failed says why; it is no difference."""
    failed = DayOutcome(day="2026-11-21", equal=False, trouble="the disk is gone")
    assert said_of(failed).verdict == "failed"
    assert sentence_of(failed) == "2026-11-21 could not be checked: the disk is gone"


def test_a_record_of_which_nothing_can_be_read_is_no_equal_day() -> None:
    """Gaps alone prove nothing: the day counts as not checked, and the command fails."""
    report = Report()
    report.gaps = ["segment 1 is damaged"]
    found = outcome_of("2026-11-21", report, seconds=0.1)
    assert (found.equal, said_of(found).verdict) == (False, "failed")
    assert sentence_of(found) == "2026-11-21 could not be checked: nothing of its record can be followed"


@pytest.mark.parametrize(("found", "code"), [(outcome(), ExitCode.OK), (outcome(divergence()), ExitCode.FAILED)])
def test_the_command_s_exit_code_says_whether_it_differs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: DayOutcome, code: ExitCode
) -> None:
    """``bulkhead replay --verify`` ends with 1 when the day decides otherwise, and prints what differs."""

    class Closed:
        def close(self) -> None:
            """Release nothing."""

    monkeypatch.setattr("service.journals.open_live_reader", lambda *_, **__: Closed())
    monkeypatch.setattr("service.config.open_webhook_secrets", lambda _: None)
    monkeypatch.setattr("service.day_check.check_day", lambda *_, **__: found)
    assert day_views.verify_day(Config(), "2026-11-21", as_json=False) == code
    printed = capsys.readouterr().out
    assert sentence_of(found)[:40] in printed
    assert ("version 14" in printed) == (code is ExitCode.FAILED)
