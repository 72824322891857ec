"""The rules of notifications: how loud, how long, how many, what of the journal becomes one (DS-720 to DS-726, DK-261).

What must not live here: who delivers them, files, the clock.
"""
