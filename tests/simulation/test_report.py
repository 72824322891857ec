"""Reports: what was tried and what was not, on a terminal, on a page, for programs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from actors.gateway import Gateway
from service.cli.output import console
from simulation.campaign import Campaign, Job, run_campaign
from simulation.defects import DEFECTS
from simulation.report import (
    CoverageTable,
    as_document,
    coverage_table,
    coverage_views,
    failure_views,
    headline,
    page,
    write_page,
)
from simulation.report.reference import simulation_page
from simulation.verdict import Coverage
from tests.simulation.toy_jobs import work


@pytest.fixture
def campaign() -> Campaign:
    """Three toy seeds, of which 7 fails."""
    return run_campaign([Job(seed, hours=2.0, profile="disk") for seed in (1, 2, 7)], workers=0, work=work)


@pytest.fixture
def table(campaign: Campaign) -> CoverageTable:
    """What they tried, of two faults and two rules there are."""
    return coverage_table(campaign.coverage, faults=("disconnect", "kill"), invariants=("never-looked-at", "no-sevens"))


def printed(views: object) -> str:
    """Return views as they are printed."""
    out = console()
    with out.capture() as captured:
        for view in views:  # type: ignore[attr-defined]
            out.print(view)
    return captured.get()


def test_what_was_never_tried_is_in_the_table(table: CoverageTable) -> None:
    """A fault that never happened and a rule that was never looked at are listed with zero, and named apart."""
    assert {row.name: row.times for row in table.faults} == {"disconnect": 0, "kill": 10}
    assert table.never_injected == ("disconnect",)
    assert table.never_checked == ("never-looked-at",)


def test_what_nobody_expected_is_shown_too() -> None:
    """A fault that is counted without having been announced is a row as well."""
    coverage = Coverage()
    coverage.injected["surprise"] = 2
    assert coverage_table(coverage, faults=("kill",), invariants=()).faults[1] == ("surprise", 2)


def test_messages_that_no_actor_met_are_named() -> None:
    """Of each kind of actor, the types that it can handle and never did are listed."""
    coverage = Coverage()
    coverage.handled["Gateway", "WebhookRequest"] = 5
    actor = coverage_table(coverage, faults=(), invariants=()).actors[0]
    assert (actor.kind, actor.total, actor.handled[0]) == ("Gateway", 5, ("WebhookRequest", 5))
    assert set(actor.never) == {kind.__name__ for kind in Gateway.HANDLERS} - {"WebhookRequest"}


def test_the_terminal_is_loud_about_zero(table: CoverageTable) -> None:
    """What was never tried is written in capitals beside its name."""
    text = printed(coverage_views(table))
    assert re.search(r"disconnect\s+NEVER INJECTED", text)
    assert re.search(r"never-looked-at\s+NEVER CHECKED", text)
    assert re.search(r"kill\s+10", text)


def test_failures_come_with_the_command_that_shows_them(campaign: Campaign) -> None:
    """A failed seed is named with what it broke and with what is typed to see it again."""
    text = printed(failure_views(campaign.failures))
    assert "seed 7: no-sevens: it ends in 7" in text
    assert "bulkhead simulate replay --seed 7 --hours 2 --faults disk --timeline" in text


def test_many_failures_are_cut(campaign: Campaign) -> None:
    """The list of failures is never longer than a screen, and says how many it left out."""
    assert "and 4 more seeds" in printed(failure_views(campaign.failures * 6, most=2))


def test_the_headline_counts(campaign: Campaign) -> None:
    """Seeds, hours, faults, checks and failures are in one line."""
    assert "3 seeds, 6 simulated hours" in headline(campaign)
    assert "10 faults, 3 checks, 1 seeds failed" in headline(campaign)


def test_the_page_needs_nothing_beside_it(campaign: Campaign, table: CoverageTable, tmp_path: Path) -> None:
    """The page is one file: no script, no address, four plots that are well-formed, and the failure."""
    text = write_page(tmp_path / "out", campaign, table, title="Nightly <run>").read_text()
    assert not re.search(r"<script|<link|src=|https?:", text)
    plots = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(plots) == 4
    assert all(ET.fromstring(plot).tag == "svg" for plot in plots)
    assert "Nightly &lt;run&gt;" in text
    assert "NEVER INJECTED" in text
    assert "1 seeds failed" in text


def test_a_clean_page_says_so(table: CoverageTable) -> None:
    """Without a failure the page says that nothing was violated, also when nothing has run."""
    assert "nothing violated" in page(Campaign(), table, title="empty")


def test_programs_get_all_of_it(campaign: Campaign, table: CoverageTable) -> None:
    """The document is JSON and holds what the tables hold."""
    document = json.loads(json.dumps(as_document(campaign, table)))
    assert document["faults"] == {"disconnect": 0, "kill": 10}
    assert document["never_checked"] == ["never-looked-at"]
    assert document["failures"][0]["violations"][0]["invariant"] == "no-sevens"
    assert document["digest"] == campaign.digest


def test_the_reference_page_is_made_of_what_the_commands_print(campaign: Campaign, table: CoverageTable) -> None:
    """Run, faults, rules, messages and planted bugs stand in tables, and what never happened stands out."""
    planted = [
        {"name": name, "seeds": 3, "invariant": "x", "items": 70, "shrunk": 4, "seconds": 1.5} for name in DEFECTS
    ]
    text = simulation_page(as_document(campaign, table), planted)
    assert "| Seeds | 3 of 2 simulated hours each |" in text
    assert "| `disconnect` | **never** |" in text
    assert "| `double-exit` | a close is sent again while it is on its way | 3 | `x` | 70 to 4 | 1.5 |" in text
    assert len({row.count("|") for row in text.splitlines() if row.startswith("| `")}) <= 4
