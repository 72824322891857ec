"""The fault matrix: every venue adapter through every fault, under the real session, desk and reconciler.

``python -m tests.venues.matrix --page docs/reference/venue-faults.md`` runs it, prints the table and writes the page. Here
live the small house, what happens in a cell, and the table; not the venues (``tests.venues.rigs``).
"""
