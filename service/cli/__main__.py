"""Run the command line: ``python -m service.cli``."""

from __future__ import annotations

from service.cli import main

main()
