"""The practice exchange: a venue outside the house, with its own memory, matching as the paper exchange does.

The paper exchange shares the house's journal and dies and lives with it. This one does not: it goes on while the daemon is
down, and it remembers what the daemon forgot. The simulator trades at it in memory, takeover and kill tests over sockets.
"""
