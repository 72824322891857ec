"""Every typed value and message that crosses an actor boundary.

One module a conversation: ``values`` (the words all of them share), ``instruments``, ``market``, ``signals``,
``orders``, ``groups``, ``control``. Messages are frozen msgspec structs, JSON at the edges, MessagePack inside
(``codec``). Facts are past tense (``OrderSent``), commands imperative (``SubmitOrder``).

``legible`` is how a text that somebody else wrote is shown, at each of those edges.

What must not live here: behaviour beyond validation and that, I/O, clocks, imports of any other room.
"""
