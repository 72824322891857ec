"""Bugs that are planted to see whether the simulator finds them: mistakes a developer could make, one function each.

Each replaces a piece of production code, in this process and for one run, and fails loudly when that piece is not there any
more. What must not live here: the rules that find them.
"""

from __future__ import annotations

from simulation.defects.defect import Defect, NothingToPatch, patched
from simulation.defects.registry import DEFECTS, planted

__all__ = ["DEFECTS", "Defect", "NothingToPatch", "patched", "planted"]
