"""One adapter a venue over its real client library, and the paper venue; one contract (``contract.Venue``) for all.

What must not live here: decisions about what to trade, order life cycles (the desk owns those), actors.
"""
