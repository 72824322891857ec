"""Everything that is not the process: time, the exchange and the way to it, the disk, senders and operators.

It goes on while the process is down, and it remembers. What goes wrong here is in ``weather``.
"""
