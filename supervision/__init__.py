"""Who restarts whom: child specs, supervisors and their strategies, budgets, backoff, quarantine, dependency breakers.

The vocabulary and the semantics are those of Erlang/OTP's supervisor. What must not live here: anything that knows about
trading, venues or storage; decisions about which actors exist (the composition root's).
"""
