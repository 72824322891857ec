"""Who may come in by the network: people, their sessions, tokens of programs, and what each may do (EX-1504 to EX-1507).

``roles`` is what everybody may do, ``rows`` what is kept of people, ``people`` how it changes, ``store`` and ``requests``
what keeps it, in ``tables`` of a file or ``server_tables``, which ``opening`` opens; ``hashing`` how a secret is kept so
that these give none away, ``credentials`` what a secret looks like on its way, ``guessing``, ``lockout`` and ``rates`` what
guessing and flooding meet, ``keeper`` what the API asks.

What must not live here: HTTP, and anything about trading. Whoever opens the local socket is the owner and is asked nothing.
"""
