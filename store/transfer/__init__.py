"""Taking a whole store elsewhere: journals between SQLite and PostgreSQL bit for bit, and the proof that nothing is missing.

``ends`` reads and writes the raw tables of a journal, ``moving`` copies one into another, ``checking`` compares read models
with a rebuild.

What must not live here: archives and configuration (``service``), projections.
"""
