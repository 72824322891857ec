"""Accounts that go by another account's prices: what may be named, and what follows for both (PF-231)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from actors.session import VenueSession
from actors.session_topics import DataFeed
from service.active import ActiveConfig
from service.config import parse
from service.house import build_house
from service.venue_settings import session_settings
from supervision.tree import outline
from tests.service.test_config_reading import mistakes
from tests.service.test_house import plan

OANDA = '[[accounts]]\nname = "quotes"\nvenue = "oanda"\naccount_id = "101-004-1-001"\n'
IBKR = '[[accounts]]\nname = "main"\nvenue = "ibkr"\ndata = "{}"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OANDA + IBKR.format("quotes"), []),
        (IBKR.format("nobody"), [("accounts[0].data", "InvalidDataAccount")]),
        (IBKR.format("main"), [("accounts[0].data", "InvalidDataAccount")]),
        (OANDA + '[[accounts]]\nname = "desk"\ndata = "quotes"\n', [("accounts[1].data", "InvalidDataAccount")]),
        (OANDA + 'data = "main"\n' + IBKR.format(""), [("accounts[0].data", "InvalidDataAccount")]),
        (
            OANDA + IBKR.format("quotes") + '[[accounts]]\nname = "more"\nvenue = "alpaca"\ndata = "main"\n',
            [("accounts[2].data", "InvalidDataAccount")],
        ),
        (IBKR.format("A B"), [("accounts[0].data", "OutOfRange")]),
    ],
    ids=["another", "nobody", "itself", "paper", "without hours", "second hand", "no name"],
)
def test_whose_prices_may_count(text: str, expected: list[tuple[str, str]]) -> None:
    """An account's prices come from another one that has prices of its own, at a venue whose hours are known."""
    assert mistakes(text) == expected


def test_a_feed_that_others_go_by_is_stale_for_itself_as_soon_as_for_them() -> None:
    """PF-231: entries are blocked on every broker: mute_after_s of the data account is 30 s at most."""
    for word, expected in (("", 30.0), ("mute_after_s = 0\n", 30.0), ("mute_after_s = 12\n", 12.0)):
        config = parse(OANDA + word + IBKR.format("quotes"), {})
        assert [session_settings(config, each).mute_after_s for each in config.accounts] == [expected, 60.0]
    alone = parse(OANDA, {})
    assert session_settings(alone, alone.accounts[0]).mute_after_s == 60.0


def test_the_session_is_told_whose_prices_count() -> None:
    """PF-231: who executes goes by the prices that the session of the data account delivers."""
    config = parse(OANDA + IBKR.format("quotes"), {})
    venues = {account.name: cast("Any", object) for account in config.accounts}
    tree = outline(build_house(replace(plan(), active=ActiveConfig(config), markets={}, venues=venues)))
    sessions = {path: spec.factory() for path, spec in tree if path.endswith("/session")}
    found = {path: each._data for path, each in sessions.items() if isinstance(each, VenueSession)}
    assert found == {
        "/venues/quotes/session": None,
        "/venues/main/session": DataFeed("quotes", "/venues/quotes/session"),
    }
