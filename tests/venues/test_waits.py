"""How long a venue says to wait."""

from __future__ import annotations

import pytest

from venues.errors import RateLimited, VenueDown
from venues.waits import retry_after_s, told_to_wait_s


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7.0),
        (" 0.25 ", 0.25),
        ("0", 0.0),
        (None, None),
        ("", None),
        ("-3", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("inf", None),
        ("nan", None),
        ("1e9", None),
        ("\u00b2", None),
        ("99999999999", None),
    ],
)
def test_only_a_plain_number_of_seconds_is_a_wait(text: str | None, expected: float | None) -> None:
    """A header that is a date, nonsense or no number at all says nothing; none makes a session wait for ever or raise."""
    assert retry_after_s(text) == expected


def test_what_a_refusal_says_to_wait() -> None:
    """A refusal without a wait, and an error that is none, say zero."""
    assert told_to_wait_s(RateLimited("v", "slow", retry_after_s=2.5)) == 2.5
    assert told_to_wait_s(RateLimited("v", "slow")) == 0
    assert told_to_wait_s(VenueDown("v", "gone")) == 0
