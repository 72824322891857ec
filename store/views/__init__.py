"""The read models: one small function an event type, writing the tables that screens, CLI and API read.

``tables`` holds the tables, ``registry`` the table of projections, the other modules the projections by subject:
``signals``, ``queue``, ``incidents``, ``orders``, ``groups``, ``realizations``, ``system``; ``lines`` turns events into the
sentences of the event log and ``mentions`` finds the ids in any event.

What must not live here: anything the engine decides with. Actors rebuild themselves from the journal alone.
"""
