"""The reference page of venues says what the table of the code says."""

from __future__ import annotations

from tests.house.sources import ROOT
from venues.known import KNOWN


def test_the_page_lists_each_venue_as_it_is() -> None:
    """docs/reference/venues.md: name, markets, test network, credentials and extra of every known venue, and no other."""
    page = (ROOT / "docs" / "reference" / "venues.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    told = {row[0].strip("`"): row[1:] for row in rows if len(row) == 7 and row[0] != "`venue`"}
    words = {"key": "api_key", "secret": "api_secret"}
    assert told == {
        name: [
            facts.title,
            facts.trades,
            ", ".join("futures" if each.value == "perp" else "spot" for each in facts.markets),
            "yes" if facts.testnet else "no",
            ", ".join(words.get(each, each) for each in facts.credentials) or "none",
            f"`{facts.extra}`" if facts.extra else "",
        ]
        for name, facts in KNOWN.items()
    }
