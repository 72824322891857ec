"""Run the command line: ``python -m service.cli``."""

from __future__ import annotations

from service.cli.app import main

main()
