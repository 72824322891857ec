"""What outlives the process: the journal, its snapshots, and the read models made from it.

``sqlite_journal`` opens the journal, ``journal_repair`` checks and cuts it, ``projector`` keeps the read models and
``queries`` reads them. The journal is the truth; the read models are a convenience that can be rebuilt at any time.

What must not live here: trading decisions, actors, clocks, anything that talks to a venue.
"""
