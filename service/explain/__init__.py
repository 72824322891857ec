"""Why did it do that: the causal chain of any id, raw (``trace``) and in sentences (``explain``).

``lookup`` finds the records that name an id, ``story`` collects what belongs together, ``chain`` builds the tree from
webhook to closed trade, ``sentences`` and its neighbours say each event in plain English with the inputs of the decision.
All of it is pure functions over journal records: the same on a running daemon and on a file.

What must not live here: anything that asks an actor, and anything that prints.
"""

from service.explain.actors import explain_actor
from service.explain.chain import Node, Step, trace
from service.explain.lookup import Lookup, ScanLookup, ViewsLookup
from service.explain.sentences import Sentence, explain
from service.explain.story import Story, collect

__all__ = [
    "Lookup",
    "Node",
    "ScanLookup",
    "Sentence",
    "Step",
    "Story",
    "ViewsLookup",
    "collect",
    "explain",
    "explain_actor",
    "trace",
]
