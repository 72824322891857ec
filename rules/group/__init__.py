"""Position groups as a pure decider: state and message in, events out (EX-103, EX-320..EX-806).

``decide(view, message, at, tick)`` returns the events that follow, ``evolve(view, event)`` applies one, ``effects(events,
owner)`` says what to tell once they are journalled. After a restart ``replay`` rebuilds the view and ``outstanding``
repeats what has no known outcome.

One module a concern: ``opening`` (ladders), ``fills``, ``updates`` and ``ends`` (what the desk says), ``targets``,
``triggers`` and ``closing``, ``settle`` (what follows from all of them), ``states`` (the life cycle as a table),
``evolve`` (assignments only). What must not live here: clocks, timers, I/O, order transport, pool and risk decisions.
"""

from rules.group.decide import decide, quiet
from rules.group.effects import effects, outstanding, retries, watch_bounds
from rules.group.evolve import evolve, replay
from rules.group.states import Cause, IllegalTransition, derive_state
from rules.group.steps import answer_again, answers
from rules.group.summary import summary
from rules.group.view import CloseView, GroupView, LegView, OrderView, PyramidView

__all__ = [
    "Cause",
    "CloseView",
    "GroupView",
    "IllegalTransition",
    "LegView",
    "OrderView",
    "PyramidView",
    "answer_again",
    "answers",
    "decide",
    "derive_state",
    "effects",
    "evolve",
    "outstanding",
    "quiet",
    "replay",
    "retries",
    "summary",
    "watch_bounds",
]
