"""Performance as people take it away: figures for panels, tables and curves as files, pictures, one page of everything.

``figures`` puts an answer together from the read models; ``tables`` are what can be exported; ``page`` writes one HTML page
with the drawings of ``drawings``; ``pictures`` makes PNG files with matplotlib, in a process of its own.

What must not live here: the formulas (``rules/performance``), routes, questions to anybody.
"""
