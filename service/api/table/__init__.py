"""The table of addresses: for each one who may ask, what it takes, what it answers and what may go wrong.

The gate reads who may ask, the OpenAPI document and the reference page are written from it, and a test compares it with
what the server registers. What must not live here: handlers.
"""
