"""Servers that speak a venue's own protocol on real local sockets, for adapters under test.

What must not live here: adapters, assertions, recorded data (it is read from ``<repo>/../shared/data`` at run time).
"""
