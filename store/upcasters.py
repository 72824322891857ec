"""Bring events of old versions up to date, one version at a time, as plain data.

A change of an event's fields raises its ``VERSION`` and adds a function here::

    @upcaster("OrderSent", 1)
    def order_sent_2(data: Fields) -> Fields:
        return {**data, "permit": 0}

The function gets the fields as they were written (MessagePack types: text, numbers, lists, dicts; decimals are text)
with the type's name under ``type``. Returning another ``type`` renames the event. An upcaster is never edited once
released: journals of that version exist.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

__all__ = ["UPCASTERS", "Fields", "Upcaster", "Upcasters", "upcast", "upcaster"]

Fields: TypeAlias = dict[str, Any]
Upcaster: TypeAlias = Callable[[Fields], Fields]
Upcasters: TypeAlias = dict[tuple[str, int], Upcaster]

UPCASTERS: Final[Upcasters] = {}
"""(event type, version it was written in) -> function to the next version."""


def upcaster(name: str, from_version: int, registry: Upcasters = UPCASTERS) -> Callable[[Upcaster], Upcaster]:
    """Register the decorated function for one step; raise ``ValueError`` when the step already has one."""

    def register(function: Upcaster) -> Upcaster:
        if (name, from_version) in registry:
            raise ValueError(f"{name} version {from_version} already has an upcaster")
        registry[name, from_version] = function
        return function

    return register


def upcast(data: Fields, version: int, registry: Upcasters = UPCASTERS) -> tuple[Fields, int]:
    """Apply every step that is registered from ``version`` on; return the fields and the version reached."""
    while step := registry.get((data["type"], version)):
        data = step(data)
        version += 1
    return data, version


@upcaster("SlotTaken", 1)
def _slot_taken_2(data: Fields) -> Fields:
    return {**data, "dca_legs": 0, "funds": "0"}
