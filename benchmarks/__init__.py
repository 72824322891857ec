"""Measurements against a peer or a floor in the same run; each module is a program that prints ratios.

What must not live here: anything that the product imports.
"""
