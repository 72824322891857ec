"""Tests of the pure rules: tables, golden vectors, properties."""
