"""Section about the record of inputs and the nightly check that reads it."""

from __future__ import annotations

from typing import Annotated

from service.config import checks
from service.config.keys import Key, Section

__all__ = ["SelfCheck"]


class SelfCheck(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The nightly self-check: the day's journal decided again from what its actors were given."""

    record: Annotated[
        bool,
        Key(doc="Record beside the journal what every decision was made from. Without it no day can be checked."),
    ] = True
    nightly: Annotated[bool, Key(doc="Check the day before, each night, in a process of its own.", applies="now")] = (
        True
    )
    at: Annotated[
        str,
        Key(
            doc="When the nightly check begins (UTC).",
            applies="now",
            check=checks.shaped(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time of day such as 00:10"),
        ),
    ] = "00:10"
    retention_days: Annotated[
        int,
        Key(
            doc="Days that records of inputs are kept; one takes 45 to 85 bytes a price that comes.",
            unit="days",
            applies="now",
            at_least=1,
            at_most=3_660,
        ),
    ] = 7
