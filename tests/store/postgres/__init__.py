"""Tests of the journal and the leases on PostgreSQL."""
