"""Perpetual positions of a paper account: contracts, netting of fills, reading and reconciling a venue's fills. Pure.

What must not live here: venues, prices that have to be fetched, the book of groups and ladders (``rules.group``).
"""
