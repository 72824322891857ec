"""Brokers of classic markets: brackets, the age of a session, the pace of messages. Pure.

What must not live here: sockets, client libraries, anything of one broker's wire.
"""
