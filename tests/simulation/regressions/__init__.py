"""Scenarios that once broke a rule, shrunk: `bulkhead simulate --shrink` writes such files, and they run for ever."""
