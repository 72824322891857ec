"""Edits and adoptions amid everything else that can happen to a group: what was shown is done, and all adds up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, settings
from hypothesis.stateful import precondition, rule

from protocol.groups import GroupState, OpenGroup
from protocol.groups.adoption import Adopted
from protocol.groups.editing import EditGroup, GroupChanges
from protocol.messages import Event, Message
from rules.group.breakdown import breakdown
from rules.group.edit_preview import effects_of, preview_edit
from tests.rules.group_bench import GROUP
from tests.rules.test_group_properties import Groups

LEGS = st.sampled_from(["all", "p0", "p0.l0", "p0.l1", "p0.l2", "p1", "p1.l1"])
PERCENTS = st.sampled_from(["0.3", "1", "2.5", "0"])
LAYERS = st.fixed_dictionaries(
    {},
    optional={
        "price": st.sampled_from(["96", "99.005", "101", "0.01"]),
        "qty": st.sampled_from(["0.4", "1", "1.6", "0.001"]),
    },
).filter(bool)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "tp_mode": st.sampled_from(["per_leg", "aggregate", "hybrid", "pyramid_aggregate"]),
        "tp_aggregate_percent": PERCENTS,
        "tp_percents": st.dictionaries(LEGS, PERCENTS, max_size=2),
        "stop_price": st.sampled_from(["75", "95", "105", "130"]),
        "target_price": st.sampled_from(["75", "95", "105", "130"]),
        "clear": st.sampled_from([[], ["stop"], ["target", "stop"]]),
        "cancel_layers": st.lists(LEGS, max_size=1),
        "layers": st.dictionaries(st.sampled_from(["p0.l0", "p0.l1", "p0.l2", "p1.l0"]), LAYERS, max_size=2),
        "max_pyramids": st.integers(1, 6),
        "when_flat": st.sampled_from(["close", "keep"]),
    },
)


class EditedGroups(Groups):
    """One group that an operator keeps editing."""

    edits = 0

    @rule(found=CHANGES)
    def is_edited(self, found: dict[str, Any]) -> None:
        """An operator edits the group: the journal says exactly what the preview said, or nothing at all."""
        assert self.view is not None
        self.edits += 1
        changes = msgspec.convert(found, GroupChanges, strict=False)
        message = EditGroup(group_id=GROUP, changes=changes, request_id=f"r{self.edits}")
        before, count = self.view, len(self.journal)
        shown = preview_edit(before, message, 1, self.tick)
        assert self.view is before
        self.tell(msgspec.structs.replace(message, digest=shown.digest, expected_version=before.version))
        events: list[Event] = self.journal[count:]
        if shown.problems:
            assert events == []
            return
        assert list(effects_of(before, events)) == [each for each in shown.effects if not each.after_cancel]
        assert self.view.version == before.version + 1
        closed = self.view.state is GroupState.CLOSED
        assert closed or {watch.scope for watch in self.view.watches} <= {"group", *_scopes(self.view)}

    def teardown(self) -> None:
        """At the end the parts of the profit sum to the whole, by pyramid, leg and reason."""
        super().teardown()
        view = getattr(self, "view", None)
        if view is None:
            return
        parts = breakdown(self.journal)
        assert parts.total.realized_quote == view.realized_quote
        assert {name: fee for name, fee in parts.total.fees.items() if fee} == view.fees
        for lines in (parts.by_pyramid, parts.by_leg, parts.by_reason):
            assert sum(line.realized_quote for line in lines) == view.realized_quote
            assert sum(line.qty for line in lines) == sum(leg.closed for leg in view.legs.values())
            for currency, fee in view.fees.items():
                assert sum(line.fees.get(currency, Decimal(0)) for line in lines) == fee


def _scopes(view: Any) -> set[str]:
    legs = {f"leg:{name}" for name in view.legs}
    return legs | {f"pyramid:{pyramid.index}" for pyramid in view.pyramids}


class AdoptedGroups(EditedGroups):
    """A group that begins with a position opened by hand: from there on it is like any other."""

    def tell(self, message: Message) -> None:
        """Open the group with two units that the account holds already; everything else is told as it is."""
        if isinstance(message, OpenGroup):
            paid = message.entry_price
            self.venue.held, self.venue.spent_on_entries = Decimal(2), 2 * paid
            adopted = Adopted(qty=Decimal(2), avg_price=paid, tp_percent=Decimal(1))
            message = msgspec.structs.replace(message, adopted=adopted)
        super().tell(message)

    @precondition(lambda self: self.view is not None)
    @rule()
    def nothing_was_bought(self) -> None:
        """No order ever opened the adopted leg."""
        assert all(order.leg_id != "p0.l0" or order.purpose != "entry" for order in self.view.orders.values())


TestEditedGroups = EditedGroups.TestCase
TestEditedGroups.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAdoptedGroups = AdoptedGroups.TestCase
TestAdoptedGroups.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
