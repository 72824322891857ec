"""Pure trading rules: what to do, decided by functions over immutable values.

Identity, signal intake, precision, ladders, position groups, take profit, exits, pool and queue, loss offset, limits,
performance. A rule takes values and returns values: (new state, events, effects), or a typed refusal.

What must not live here: clocks, randomness, I/O, logging, asyncio, environment; imports of any room but ``protocol``.
"""
