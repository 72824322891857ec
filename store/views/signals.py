"""Projections of signals: what arrived, what became of it."""

from __future__ import annotations

from protocol.codec import encode_json
from protocol.signals import SignalReceived, SignalRouted
from store.views.registry import Writer, insert, projection, run

__all__ = ["received", "routed"]


@projection(SignalReceived)
def received(writer: Writer, event: SignalReceived) -> None:
    """Write the request; what was understood of it stands in the columns that may be empty."""
    signal = event.signal
    understood = {}
    if signal is not None:
        fields = ("source", "venue", "symbol", "timeframe", "kind", "side", "trade_id", "entry_price", "replay_of")
        understood = {**{name: getattr(signal, name) for name in fields}, "label": signal.label}
    insert(
        writer,
        "signals",
        signal_id=event.signal_id,
        position=writer.record.position,
        correlation_id=writer.record.correlation_id,
        user=event.user,
        received_at=event.received_at,
        source_address=event.source_address,
        body=event.body,
        fingerprint=event.fingerprint,
        outcome=event.outcome,
        problems=encode_json(event.problems).decode(),
        **understood,
    )


@projection(SignalRouted)
def routed(writer: Writer, event: SignalRouted) -> None:
    """Note where the signal went."""
    reasons = encode_json(event.reasons).decode()
    sql = "UPDATE signals SET routed = ?, reasons = ?, routed_at = ? WHERE signal_id = ?"
    run(writer, sql, event.outcome, reasons, event.at, event.signal_id)
