"""The actors of the trading house, one a module: thin shells that receive, call a rule, journal, tell.

``gateway`` and ``webhook`` (signals in), ``risk`` and ``pool`` (who may enter), ``groups`` and ``group`` (positions),
``desk``, ``session``, ``reconciler``, ``feed`` and ``paper_exchange`` (one venue account), ``projector`` (read models).

What must not live here: decisions (``rules``), venue languages (``venues``), wiring (``service``).
"""
