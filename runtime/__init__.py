"""The actor runtime: actors, references, mailboxes, clocks, timers, dispatch, bus, durable actors, metrics.

What must not live here: anything that knows about trading, venues, storage engines or configuration files.
"""
