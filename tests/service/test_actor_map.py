"""The map of actors says what the actors are, and names every one that a daemon runs (EX-103)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from service.actor_map import actor_map, actors_page
from tests.system.process import daemon_in

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    """docs/reference/actors.md is what the actors say now: `make generated` writes it."""
    assert (ROOT / "docs" / "reference" / "actors.md").read_text(encoding="utf-8") == actors_page()


def test_messages_meet_in_the_map() -> None:
    """The life of a signal can be followed in it: each hands on what the next one handles."""
    found = {each.kind: each for each in actor_map()}
    way = [
        ("WebhookListener", "WebhookRequest", "Gateway"),
        ("Gateway", "EntryRequest", "Pool"),
        ("Pool", "StartGroup", "GroupHouse"),
        ("PositionGroup", "SubmitOrder", "OrderDesk"),
        ("OrderDesk", "PlaceAtVenue", "VenueSession"),
        ("VenueSession", "OrderReport", "OrderDesk"),
        ("OrderDesk", "FillReported", "PositionGroup"),
        ("PositionGroup", "SlotReleased", "Pool"),
        ("OffsetEngine", "RiskClose", "PositionGroup"),
    ]
    for teller, message, hearer in way:
        assert message in found[teller].says, teller
        assert message in found[hearer].hears, hearer
    assert "SlotTaken" in found["Pool"].writes
    assert "OrderSent" in found["OrderDesk"].writes


@pytest.mark.slow
def test_every_actor_of_a_daemon_stands_in_the_map() -> None:
    """No actor of a running daemon is missing."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name)) as daemon:
        daemon.up()
        paths = {row["path"].replace("paper", "ACCOUNT") for row in daemon.client.get("/v1/ps")["actors"]}
    known = {each.path for each in actor_map()}
    supervisors = {path for path in paths if any(other.startswith(f"{path.rstrip('/')}/") for other in paths)}
    assert paths - supervisors - known - {"/operators/demo"} == set()
