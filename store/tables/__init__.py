"""The databases that hold the read models: SQLite and PostgreSQL behind one small interface, with one set of tables.

``catalogue`` describes the tables, ``database`` is the interface, ``sqlite`` and ``postgres`` implement it, ``opening``
picks one by name, ``words`` is the full-text search, ``series`` the parts of time series.

What must not live here: what the rows mean (``store/views``), the journal, decisions.
"""
