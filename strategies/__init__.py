"""Built-in strategies: pure functions from prices to wishes (enter, exit). Templates for users' own.

What must not live here: orders, groups, clocks, I/O. A strategy says what it would like; gateway, pool and groups decide.
"""

from strategies.crossing import Crossing, Wish

__all__ = ["Crossing", "Wish"]
