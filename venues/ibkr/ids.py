"""Client order ids in the broker's ``orderRef``, and back.

Our ids go there as they are. The children of a bracket carry ``<id>-SL`` and ``<id>-TP`` (PF-232), which are no client
ids of the engine: it knows them as ``sl...`` and ``tp...``, the parent's id behind its prefix. Orders that we did not place
have the broker's permanent id: ``ibperm1500000001``.
"""

from __future__ import annotations

import re
from typing import Final

from rules.broker.brackets import STOP_SUFFIX, TARGET_SUFFIX
from rules.client_ids import PREFIX

__all__ = ["engine_id", "reference"]

_OURS: Final = re.compile(r"[a-z0-9]{6,28}")
_WORDS: Final = {STOP_SUFFIX: "sl", TARGET_SUFFIX: "tp"}
_CHILD: Final = re.compile(rf"(?P<parent>{PREFIX}[a-z0-9]{{4,26}})(?P<suffix>{STOP_SUFFIX}|{TARGET_SUFFIX})")


def engine_id(order_ref: str, perm_id: int) -> str:
    """Return the id that the engine knows an order by."""
    if _OURS.fullmatch(order_ref):
        return order_ref
    if child := _CHILD.fullmatch(order_ref):
        return _WORDS[child["suffix"]] + child["parent"][len(PREFIX) :]
    return f"ibperm{perm_id}"


def reference(client_order_id: str) -> str:
    """Return what stands in ``orderRef`` for an id of the engine: the reverse of ``engine_id``."""
    for suffix, word in _WORDS.items():
        child = PREFIX + client_order_id[len(word) :] + suffix
        if client_order_id.startswith(word) and _CHILD.fullmatch(child):
            return child
    return client_order_id
