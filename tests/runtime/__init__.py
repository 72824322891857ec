"""Tests of the runtime, on virtual time unless a test is about real time."""
