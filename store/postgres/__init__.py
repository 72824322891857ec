"""The journal and the leases on a PostgreSQL server.

``place`` says which database and schema, ``link`` keeps a connection up on a thread of its own, ``schema`` makes the tables,
``rows`` reads them, ``journal`` writes, ``leases`` says who may. The driver (asyncpg) is an extra: it is imported only in
``link``, when a connection is made.

What must not live here: read models (``store/tables``), decisions, anything a SQLite installation needs.
"""
