"""Servers that speak venues' protocols on loopback: one module a protocol, one matching engine, one set of faults.

The real client libraries talk to them unchanged, their base address or port redirected. A server keeps no books of its own:
orders, fills, balances and prices are the hall's. Nothing here is imported by the product.
"""
