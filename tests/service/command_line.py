"""Run commands in the process of a test.

Typer's runner puts the four hundred commands together anew at each call, which takes a tenth of a second; nothing changes
them, so here a process does it once.
"""

from __future__ import annotations

from functools import cache

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner, Result

__all__ = ["CliRunner", "Result"]

testing._get_command = cache(get_command)
