"""The paper exchange: a pure matching engine with journal events, the same rules a real venue applies (EX-1107).

``config`` what can be set, ``engine`` the face: commands decide events and ``apply`` makes them so; ``state`` what events
rebuild, ``account`` money, ``book`` resting orders and the hot check, ``checks`` refusals, ``matching`` fills, ``path`` the
way a price takes inside a bar, ``reports`` what the exchange tells, ``drive`` runs a bar in one go.

What must not live here: actors, clocks, I/O, randomness (jitter and partial fills are hashes of seed and client id).
"""

from venues.paper.config import OhlcPath, PaperConfig
from venues.paper.engine import PaperEngine
from venues.paper.path import PathPoint
from venues.paper.reports import reports

__all__ = ["OhlcPath", "PaperConfig", "PaperEngine", "PathPoint", "reports"]
