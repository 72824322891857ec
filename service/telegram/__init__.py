"""The phone's side of the composition root: settings, the tree of the bridge, what commands do, what is drawn.

What must not live here: Telegram's protocol (``actors.telegram``) and the rules of chats (``rules.telegram``).
"""
