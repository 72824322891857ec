"""The soak: the real daemon in its own process, for a long time, with faults, watched from outside.

What belongs here: alerts, trouble, samples, the judgement over them, the page. What must not: anything the product needs.
"""
