"""What must hold of the whole house, one module a subject; ``ALL`` is what every simulated run is checked by.

An invariant judges by the exchange outside, the journal and the state of the actors. What must not live here: anything that
changes a run, and anything that the house itself decides with.
"""

from simulation.invariants.catalogue import ALL

__all__ = ["ALL"]
