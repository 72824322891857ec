"""How long signals took to become orders, of a recorded run."""

from __future__ import annotations

from contextlib import closing

from store.projector import Projector
from store.signal_times import signal_times
from store.tables.opening import Where
from tests.service import recorded


def test_each_entry_counts_from_its_signal_to_its_first_order(tables_at: Where) -> None:
    """ML-1081: signal time is that of entries that had not to queue, by account, never below zero."""
    with closing(Projector(tables_at)) as projector:
        projector.catch_up(recorded.journal())
        views = projector.views()
        [account] = {group.account for group in views.groups()}
        took = signal_times(views, account=account)
        arrived = {each.signal_id: each.received_at for each in views.signals()}
        entries = [order for order in views.orders() if order.purpose.value == "entry" and order.sent_at is not None]
        assert 0 < len(took) <= sum(group.pyramids for group in views.groups())
        assert min(took) >= 0
        assert max(took) <= max(each.sent_at or 0 for each in entries) / 1e6 - min(arrived.values()) / 1e6
        assert signal_times(views, account="nobody") == []
