"""The bridge to Telegram: the bridge decides and journals, the wire speaks with Telegram's servers through aiogram.

Each is an actor in a compartment of its own: while Telegram is away, or the bridge crashes, nothing else stops. Only the
process that the wire keeps (``line``) loads aiogram.

What must not live here: what commands do to the house (``service.telegram``), the rules of chats (``rules.telegram``).
"""
