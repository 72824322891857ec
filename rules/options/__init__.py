"""Option chains: is one good enough to trade on, which contract is meant, how fresh and how wide it is. Pure.

What must not live here: venues and their wires, prices and Greeks of a model, the choice of strikes for a structure.
"""
