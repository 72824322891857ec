"""The event log's rules: what an operator reads of each event, which segments go.

What must not live here: files, tables, the clock.
"""
