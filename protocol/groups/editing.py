"""Editing a running group: what an operator asks for, what would follow, what was done.

Percentages are percent points, quantities base units, prices quote currency per base unit. Which legs a change is for is
named ``all``, ``p<pyramid>`` or ``p<pyramid>.l<layer>``.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from msgspec import field

from protocol.groups.values import FlatPolicy, GridConfig, GroupState, PyramidScope, RecoveryPolicy, TpMode, Watch
from protocol.messages import Event, Request, Value
from protocol.values import Instant, Name, Text, check_decimal

__all__ = [
    "Clearable",
    "EditEffect",
    "EditGroup",
    "EditProblem",
    "EditStep",
    "EditedLeg",
    "GroupChanges",
    "GroupEditAnswer",
    "GroupEdited",
    "LayerChange",
]


class Clearable(StrEnum):
    """A reference of the whole group that can be taken away."""

    STOP = "stop"
    TARGET = "target"


class LayerChange(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A new place or size of a layer that is not filled yet; ``qty`` and ``weight_percent`` mean the whole layer.

    What is None stays as it is: a layer that only moves keeps its quantity.
    """

    price: Decimal | None = None
    gap_percent: Decimal | None = None
    qty: Decimal | None = None
    weight_percent: Decimal | None = None

    def __post_init__(self) -> None:
        if self.price is not None and self.gap_percent is not None:
            raise ValueError("a layer takes either `price` or `gap_percent`")
        if self.qty is not None and self.weight_percent is not None:
            raise ValueError("a layer takes either `qty` or `weight_percent`")
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None:
                check_decimal(name, value)


class GroupChanges(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What is to be different; everything left out stays as it is.

    ``pyramid_tp_percents`` are merged with what holds, None takes a pyramid's own percent away. ``tp_percents`` are by
    the legs they are for (the narrowest name counts), ``layers`` by leg id, ``cancel_layers`` names unfilled layers.
    """

    tp_mode: TpMode | None = None
    pyramid_scope: PyramidScope | None = None
    tp_aggregate_percent: Decimal | None = None
    pyramid_tp_percents: dict[int, Decimal | None] = field(default_factory=dict)
    tp_percents: dict[str, Decimal] = field(default_factory=dict)
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    clear: tuple[Clearable, ...] = ()
    cancel_layers: tuple[str, ...] = ()
    layers: dict[str, LayerChange] = field(default_factory=dict)
    max_pyramids: int | None = None
    max_slippage_percent: Decimal | None = None
    when_flat: FlatPolicy | None = None
    on_recovery: RecoveryPolicy | None = None
    recovery_max_gap_s: int | None = None

    def __post_init__(self) -> None:
        for name in ("tp_aggregate_percent", "stop_price", "target_price", "max_slippage_percent"):
            value = getattr(self, name)
            if value is not None:
                check_decimal(name, value)
        for percent in (*self.pyramid_tp_percents.values(), *self.tp_percents.values()):
            if percent is not None:
                check_decimal("tp_percent", percent)


class EditStep(StrEnum):
    """One thing that an edit leads to."""

    CANCEL = "cancel"
    """This order is asked to be gone."""
    PLACE = "place"
    """This order is sent."""
    DEFER = "defer"
    """This target is too small to rest (``code``) and is watched by the group itself."""
    WATCH = "watch"
    """The group watches this price from now on."""
    UNWATCH = "unwatch"
    """The group no longer watches this price."""
    END_LAYER = "end_layer"
    """This layer is over without an order."""
    CLOSE = "close"
    """A close begins."""
    STATE = "state"
    """The group's state changes."""


class EditEffect(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What follows from an edit. ``after_cancel``: only once the venue has confirmed the cancels before it."""

    step: EditStep
    purpose: str = ""
    leg_id: str = ""
    side: str = ""
    order_type: str = ""
    qty: Decimal | None = None
    price: Decimal | None = None
    code: str = ""
    text: str = ""
    after_cancel: bool = False


class EditProblem(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Why an edit cannot be made: ``code``, the part of the changes it is about, what is wrong and what to do."""

    code: str
    path: str
    message: str
    value: str = ""


class GroupEditAnswer(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What an edit leads to, or why it cannot be made (then nothing was changed).

    ``version`` is the group's after the edit if it was ``applied``, else its present one. ``digest`` stands for the
    effects: given back with the edit, nothing else than these is done. ``notes`` are worth knowing and depend on the
    newest price. ``summary`` names each setting with its old and new value.
    """

    group_id: str
    version: int
    applied: bool
    digest: str = ""
    summary: tuple[str, ...] = ()
    effects: tuple[EditEffect, ...] = ()
    problems: tuple[EditProblem, ...] = ()
    notes: tuple[str, ...] = ()
    watched_before: tuple[Watch, ...] = ()
    watched_after: tuple[Watch, ...] = ()
    state_before: GroupState | None = None
    state_after: GroupState | None = None


class EditGroup(Request[GroupEditAnswer], frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """Change the settings and unfilled layers of a running group, or only say what would follow (``preview``).

    ``expected_version`` is the version the operator looked at, ``digest`` the one of the preview that was agreed to; None
    and empty: whatever holds now. The same ``request_id`` told again changes nothing and is answered with its version.
    """

    LANE: ClassVar[str] = "control"

    group_id: Name
    changes: GroupChanges
    preview: bool = False
    expected_version: int | None = None
    digest: str = ""
    operator: str = ""
    request_id: str = ""


class EditedLeg(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A leg as it is from an edit on. ``moved``: its order is to be replaced; ``dropped``: it is to be cancelled."""

    leg_id: Name
    price: Decimal
    qty: Decimal
    gap_percent: Decimal
    weight_percent: Decimal
    tp_percent: Decimal
    moved: bool = False
    dropped: bool = False


class GroupEdited(Event, frozen=True, forbid_unknown_fields=True, gc=False, tag=True, kw_only=True):
    """An operator changed a running group: these settings and legs hold from now on.

    ``summary`` says in words what changed, each with the old and the new value. The orders that follow are wanted and
    cancelled by events of their own.
    """

    group_id: Name
    version: int
    operator: str
    request_id: str
    summary: tuple[Text, ...]
    config: GridConfig
    stop_price: Decimal | None
    target_price: Decimal | None
    max_slippage_percent: Decimal | None
    legs: tuple[EditedLeg, ...]
    at: Instant
