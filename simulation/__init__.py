"""The deterministic simulator: the whole production tree under faults, on virtual time, from one seed.

Here live scenarios (what happens, as data), worlds (how a seed becomes a scenario), the outside (exchange, network, disk,
clock) with its faults, the invariants, shrinking and the reports. The tree itself is the daemon's own; nothing of it is
modelled here. What must not live here: anything that what runs with real money imports; this room stands above the service.
"""
