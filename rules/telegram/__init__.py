"""The rules of the chat bridge: commands, roles, confirmation codes, what is sent again after what (ML-1080 to ML-1084).

What must not live here: Telegram's library, the words of answers, who carries commands out.
"""
