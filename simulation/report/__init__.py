"""What a campaign came to, for people (a terminal, a page) and programs (JSON).

Here live the tables, their views and the plots. What must not live here: running anything.
"""

from __future__ import annotations

from simulation.report.coverage import ActorRow, CoverageTable, Row, coverage_table
from simulation.report.document import as_document
from simulation.report.page import page, write_page
from simulation.report.terminal import coverage_views, failure_views, headline, replay_command

__all__ = [
    "ActorRow",
    "CoverageTable",
    "Row",
    "as_document",
    "coverage_table",
    "coverage_views",
    "failure_views",
    "headline",
    "page",
    "replay_command",
    "write_page",
]
