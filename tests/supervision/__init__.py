"""Tests of supervisors on the virtual clock: message scripts, and what started and stopped in which order."""
