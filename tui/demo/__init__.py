"""A made-up house behind the same ``Link``: prices move, groups win and lose, commands do what they say (`cockpit --demo`).

What lives here: the world (``world.py``), its prices, groups and history, and the answers it gives to the addresses of the
API (``answers.py``; a panel that needs another one adds it there). What must not: any rule of trading; this is scenery, and
only so real that every panel has something to show. Everything follows from the clock: same instant, same picture.
"""

from tui.demo.link import DemoLink
from tui.demo.world import World

__all__ = ["DemoLink", "World"]
