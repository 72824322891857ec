"""Market data: where prices come from, and bars built from them.

``sources`` replays recorded data and makes synthetic markets. What must not live here: actors, orders, decisions.
"""
