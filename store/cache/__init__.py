"""What may be lost at any moment: newest quotes and regime readings, locks, messages between nodes.

``contract`` says what a cache, locks and channels promise; ``memory*`` keep it inside the process, ``redis*`` on a Redis
server, and one suite of tests holds both to it. ``keys`` is the layout, ``opening`` makes what the configuration names. The
client library is imported by the ``redis*`` modules alone, so an installation without it runs on ``memory*``.

What must not live here: anything that is the only copy of a decision, a position or a limit; actors; trading decisions.
"""
