"""What the commands of ``bulkhead simulate`` do, one module each; ``simulation.cli`` says how they are called.

What must not live here: rules, faults and runs.
"""
