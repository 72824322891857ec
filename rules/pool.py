"""May this entry enter? Slots, identity and what the market allows (EX-901 to EX-906; without a waiting queue).

Every answer carries its reasons, so that an operator sees why a signal was refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from protocol.instruments import Instrument
from protocol.signals import Signal
from protocol.values import Side
from rules.identity import opposite_key

__all__ = ["Admission", "PoolLimits", "Slot", "Verdict", "admit"]


class Admission(StrEnum):
    """What the pool does with an entry."""

    OPEN = "open"
    PYRAMID = "pyramid"
    REFUSE = "refuse"


class PoolLimits(NamedTuple):
    """How many groups may be live at once (EX-901)."""

    max_open_groups: int = 10


class Slot(NamedTuple):
    """A slot that is taken: by which identity, by which group."""

    group_key: str
    group_id: str


class Verdict(NamedTuple):
    """The decision on one entry; ``code`` is empty unless refused."""

    admission: Admission
    code: str = ""
    reasons: tuple[str, ...] = ()


def admit(
    signal: Signal, held: Slot | None, slots: Mapping[str, Slot], instrument: Instrument | None, limits: PoolLimits
) -> Verdict:
    """Decide on one entry; ``held`` is the slot of its own identity, ``instrument`` None when its market is unknown.

    In this order: market known, short possible, pyramid of a live group, other side live, a free slot.
    """
    if instrument is None:
        return _refuse("PrecisionMissing", f"no precision rules of {signal.symbol} are known")
    if signal.side is Side.SHORT and not instrument.shortable:
        return _refuse("ShortNotSupported", f"{signal.symbol} is a spot market and cannot be sold short")
    if held is not None:
        return Verdict(Admission.PYRAMID)
    if (other := opposite_key(signal.group_key)) in slots:
        return _refuse(
            "QueueFull", f"the opposite side is live as {slots[other].group_id}", "there is no waiting queue"
        )
    if len(slots) >= limits.max_open_groups:
        taken = f"{len(slots)} of {limits.max_open_groups} slots are taken"
        return _refuse("QueueFull", taken, "there is no waiting queue")
    return Verdict(Admission.OPEN)


def _refuse(code: str, *reasons: str) -> Verdict:
    return Verdict(Admission.REFUSE, code, reasons)
